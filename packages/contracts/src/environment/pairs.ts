/** Which environments are compared, and why they should be alike. */

import type { EvidenceReference } from "../model/evidence.ts";
import { compareText } from "../text/compare-text.ts";
import type { Environment } from "./environment.ts";
import { alikeFacts, isOutcome } from "./fact-name.ts";
import type { EnvironmentOptions } from "./options.ts";

/** An operation that fails in one environment and not in the other. */
export interface Split {
  readonly operation: string;
  readonly failing: "left" | "right";
  readonly words: string;
  readonly reference: EvidenceReference | undefined;
}

export interface Pair {
  readonly left: Environment;
  readonly right: Environment;
  /** The evidence or an option says that they are meant to be alike. */
  readonly isMeantAlike: boolean;
  readonly split: Split | undefined;
  /** The environments of the group; a value that others share is no explanation of a failure. */
  readonly group: readonly Environment[];
}

/** Of more environments than two, each is compared with the reference; more pairs than these are not made. */
const pairCountMax = 64;

/** The pairs of a group: those that are meant to be alike or split by a failure, else each with a reference. */
export function pairsOf(group: readonly Environment[], options: EnvironmentOptions): Pair[] {
  const pairs: Pair[] = [];
  for (const [index, left] of group.entries()) {
    for (const right of group.slice(index + 1)) {
      if (pairs.length < pairCountMax * pairCountMax)
        pairs.push(pairOf(left, right, { group, options }));
    }
  }
  const telling = pairs.filter(({ isMeantAlike, split }) => isMeantAlike || split !== undefined);
  if (telling.length > 0) return telling.slice(0, pairCountMax);
  const reference = referenceOf(group);
  return pairs
    .filter(({ left, right }) => left === reference || right === reference)
    .slice(0, pairCountMax);
}

function pairOf(
  left: Environment,
  right: Environment,
  { group, options }: { group: readonly Environment[]; options: EnvironmentOptions },
): Pair {
  const isListed = [left, right].every(({ name }) => options.alike.includes(name));
  const isMeantAlike = isListed || saysAlike(left, right) || saysAlike(right, left);
  return { left, right, isMeantAlike, split: splitOf(left, right, options), group };
}

/** A fact `sameAs` of one names the other. */
function saysAlike(one: Environment, other: Environment): boolean {
  return alikeFacts.some((name) => (one.valueOf(name) ?? "").split(/,\s*/).includes(other.name));
}

/** Production is what others are measured by; without one, the first by name. */
function referenceOf(group: readonly Environment[]): Environment | undefined {
  return (
    group.find(({ name }) => /(?:^|[-_. ])(?:prod|production|prd|live)(?:$|[-_. ])/i.test(name)) ??
    group[0]
  );
}

function splitOf(
  left: Environment,
  right: Environment,
  options: EnvironmentOptions,
): Split | undefined {
  return splitByRequests(left, right, options) ?? splitByOutcome(left, right);
}

function splitByRequests(
  left: Environment,
  right: Environment,
  options: EnvironmentOptions,
): Split | undefined {
  const operations = [...left.outcomes.keys()]
    .filter((operation) => right.outcomes.has(operation))
    .sort(compareText);
  for (const operation of operations) {
    for (const [failing, one, other] of [
      ["left", left, right],
      ["right", right, left],
    ] as const) {
      const failed = one.outcomes.get(operation);
      const healthy = other.outcomes.get(operation);
      if (failed === undefined || healthy === undefined) continue;
      const isFailing =
        failed.failureCount >= options.failureCountMin &&
        failed.failureCount >= options.failureShareMin * failed.requestCount;
      const isHealthy =
        healthy.failureCount === 0 && healthy.requestCount >= options.healthyRequestCountMin;
      if (!isFailing || !isHealthy) continue;
      const words = `${failed.failureCount} of ${failed.requestCount} requests of ${operation} failed in ${one.name}, none of ${healthy.requestCount} in ${other.name}`;
      return { operation, failing, words, reference: failed.failure };
    }
  }
  return undefined;
}

const failedWord = /^(?:fail|failed|failure|failing|error|red|broken|unhealthy|nok)$/i;
const passedWord = /^(?:pass|passed|passing|success|succeeded|ok|green|healthy)$/i;

/** A fact `outcome` or `result` tells that the same thing failed in one and passed in the other. */
function splitByOutcome(left: Environment, right: Environment): Split | undefined {
  for (const name of [...left.facts.keys()].sort(compareText)) {
    if (!isOutcome(name)) continue;
    const [one, other] = [left.valueOf(name), right.valueOf(name)];
    if (one === undefined || other === undefined) continue;
    const isLeft = failedWord.test(one) && passedWord.test(other);
    if (!isLeft && !(failedWord.test(other) && passedWord.test(one))) continue;
    const [failing, healthy] = isLeft ? [left, right] : [right, left];
    return {
      operation: name,
      failing: isLeft ? "left" : "right",
      words: `${name} is ${failing.valueOf(name) ?? ""} in ${failing.name} and ${healthy.valueOf(name) ?? ""} in ${healthy.name}`,
      reference: failing.facts.get(name)?.reference,
    };
  }
  return undefined;
}
