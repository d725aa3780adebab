/** What differs between two environments, the likeliest explanation of a failure first. */

import { compareText } from "../text/compare-text.ts";
import type { Environment, Fact } from "./environment.ts";
import { factNameOf, isStatement, scopeOf } from "./fact-name.ts";
import { caseOfNames, type Weight, weightOf } from "./weigh.ts";

export interface Difference extends Weight {
  /** The fact; of names that differ in case, the left one. */
  readonly name: string;
  /** Of names that differ in case, the right one. */
  readonly otherName: string | undefined;
  readonly left: string | undefined;
  readonly right: string | undefined;
  /** Facts that differ in the same way for the same reason, beside this one. */
  readonly alsoCount: number;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Facts that both environments tell of. */
  readonly sharedCount: number;
}

/** Compares the facts of two environments. */
export function compareEnvironments(left: Environment, right: Environment): Comparison {
  const scopes = [left, right].map(
    (environment) => new Set([...environment.facts.keys()].map(scopeOf)),
  );
  const twins = caseTwinsOf(left, right);
  const matched = new Set([...twins].flat());
  const differences: Difference[] = [...twins].map(([name, otherName]) => ({
    ...caseOfNames,
    name,
    otherName,
    left: left.valueOf(name),
    right: right.valueOf(otherName),
    alsoCount: 0,
  }));
  let sharedCount = 0;
  for (const name of new Set([...left.facts.keys(), ...right.facts.keys()])) {
    if (isStatement(name)) continue;
    const [one, other] = [left.facts.get(name), right.facts.get(name)];
    if (one !== undefined && other !== undefined) sharedCount += 1;
    else if (matched.has(name) || !scopes.every((scope) => scope.has(scopeOf(name)))) continue;
    if (isSame(one, other)) continue;
    const pair = { name, left: left.valueOf(name), right: right.valueOf(name) };
    const weight = weightOf(pair);
    if (weight !== undefined)
      differences.push({ ...weight, ...pair, otherName: undefined, alsoCount: 0 });
  }
  return { differences: ranked(withoutFollowers(differences)), sharedCount };
}

/** Replicas may differ among themselves; environments differ where none of their values is shared. */
function isSame(one: Fact | undefined, other: Fact | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return [...one.values].some((value) => other.values.has(value));
}

/** Names that only one side has, by the name that differs from it only in case on the other side. */
function caseTwinsOf(left: Environment, right: Environment): Map<string, string> {
  const lower = new Map<string, string>();
  for (const name of right.facts.keys()) {
    if (!left.facts.has(name)) lower.set(name.toLowerCase(), name);
  }
  const twins = new Map<string, string>();
  for (const name of left.facts.keys()) {
    const twin = right.facts.has(name) ? undefined : lower.get(name.toLowerCase());
    if (twin !== undefined) twins.set(name, twin);
  }
  return twins;
}

/** Drops what only follows from another difference: what a runtime brings along, and settings of one locale. */
function withoutFollowers(differences: readonly Difference[]): Difference[] {
  const hasRuntime = differences.some(({ name }) => name === "runtime.node");
  const kept: Difference[] = [];
  const locales = new Map<string, { at: number; count: number }>();
  for (const difference of sortedByName(differences)) {
    const { list, key } = factNameOf(difference.name);
    if (hasRuntime && list === "runtime" && !/^(?:node|icu|cldr|tz|unicode)$/.test(key)) continue;
    if (list === "locale") {
      const same = `${difference.left ?? ""}\n${difference.right ?? ""}`;
      const known = locales.get(same);
      if (known !== undefined) {
        known.count += 1;
        continue;
      }
      locales.set(same, { at: kept.length, count: 0 });
    }
    kept.push(difference);
  }
  for (const { at, count } of locales.values()) {
    const first = kept[at];
    if (first !== undefined) kept[at] = { ...first, alsoCount: count };
  }
  return kept;
}

function sortedByName(differences: readonly Difference[]): Difference[] {
  return [...differences].sort((left, right) => compareText(left.name, right.name));
}

function ranked(differences: readonly Difference[]): Difference[] {
  return [...differences].sort(
    (left, right) => right.weight - left.weight || compareText(left.name, right.name),
  );
}
