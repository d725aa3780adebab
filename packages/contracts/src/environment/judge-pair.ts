/** The verdict on two environments. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { compareEnvironments, type Comparison, type Difference } from "./differences.ts";
import type { EnvironmentOptions } from "./options.ts";
import type { Pair } from "./pairs.ts";

/** Differences that one finding lists. */
const differencesListedMax = 20;
const fixesMax = 5;

/** What is found, or nothing where there is nothing to say about two environments that nobody calls alike. */
export function judgePair(pair: Pair, options: EnvironmentOptions): FindingParts | undefined {
  const comparison = compareEnvironments(pair.left, pair.right);
  const listed = comparison.differences
    .map((difference) => (isSharedByHealthy(difference, pair) ? halved(difference) : difference))
    .filter(({ weight, name }) => weight >= options.weightMin && name !== pair.split?.operation)
    .sort((left, right) => right.weight - left.weight);
  const heavy = listed.filter(({ weight }) => weight >= options.violationWeightMin);
  const isExpected = pair.isMeantAlike || pair.split !== undefined;
  if (isExpected && heavy.length > 0) return violated(pair, comparison, listed);
  if (pair.split !== undefined) return unexplained(pair, comparison, listed);
  if (listed.length > 0) return different(pair, comparison, listed);
  if (comparison.sharedCount >= options.factCountMin) return alike(pair, comparison);
  return pair.isMeantAlike ? tooFew(pair, comparison, options) : undefined;
}

/** A value of the failing environment that a healthy one shares explains less. */
function isSharedByHealthy(difference: Difference, { left, right, split, group }: Pair): boolean {
  if (split === undefined || difference.otherName !== undefined) return false;
  const [failing, healthy] = split.failing === "left" ? [left, right] : [right, left];
  const value = failing.valueOf(difference.name);
  return group.some(
    (other) =>
      other !== failing &&
      other !== healthy &&
      (other.outcomes.get(split.operation)?.failureCount ?? 1) === 0 &&
      other.valueOf(difference.name) === value,
  );
}

function halved(difference: Difference): Difference {
  return { ...difference, weight: difference.weight / 2 };
}

function violated(pair: Pair, comparison: Comparison, listed: readonly Difference[]): FindingParts {
  const [first] = listed;
  const names = `${pair.left.name} and ${pair.right.name}`;
  const why = pair.split?.words ?? `${names} are meant to be alike`;
  const most = first === undefined ? "" : `; most likely to matter: ${wordsOf(first, pair)}`;
  return {
    ...baseOf(pair, comparison, listed),
    verdict: "violated",
    title: `${names} differ in ${plural(listed.length, "way")}${most}`,
    actual: `${why}. ${listOf(listed, pair)}`,
    causeKind: first?.cause ?? "configuration",
    fixes: listed.slice(0, fixesMax).map((difference) => ({
      description: fixOf(difference, pair),
      cost: 11 - difference.weight,
    })),
  };
}

function unexplained(
  pair: Pair,
  comparison: Comparison,
  listed: readonly Difference[],
): FindingParts {
  return {
    ...baseOf(pair, comparison, listed),
    verdict: "inconclusive",
    title: `${pair.split?.words ?? ""}, and nothing that is recorded explains it`,
    actual:
      listed.length === 0
        ? `${plural(comparison.sharedCount, "fact")} that both tell of agree, but for what names the place.`
        : listOf(listed, pair),
    missing: [
      "Facts of both environments: variables, versions of libraries, flags, locale, and the shape of the data.",
    ],
  };
}

function different(
  pair: Pair,
  comparison: Comparison,
  listed: readonly Difference[],
): FindingParts {
  const [first] = listed;
  const most = first === undefined ? "" : `; first of them ${wordsOf(first, pair)}`;
  return {
    ...baseOf(pair, comparison, listed),
    verdict: "inconclusive",
    title: `${pair.left.name} and ${pair.right.name} differ in ${plural(listed.length, "way")}${most}`,
    actual: listOf(listed, pair),
    missing: [
      pair.isMeantAlike
        ? "Whether differences as small as these are allowed between the two."
        : `Whether ${pair.left.name} and ${pair.right.name} are meant to be alike, or requests that fail in one of them only.`,
    ],
  };
}

function alike(pair: Pair, comparison: Comparison): FindingParts {
  return {
    ...baseOf(pair, comparison, []),
    verdict: "holds",
    title: `${pair.left.name} and ${pair.right.name} agree in what both tell of`,
    actual: `${plural(comparison.sharedCount, "fact")} that both tell of agree, but for what names the place.`,
  };
}

function tooFew(pair: Pair, comparison: Comparison, options: EnvironmentOptions): FindingParts {
  return {
    ...baseOf(pair, comparison, []),
    verdict: "inconclusive",
    title: `${pair.left.name} and ${pair.right.name} tell too little of one another`,
    actual: `${plural(comparison.sharedCount, "fact")} are told of both.`,
    missing: [`At least ${options.factCountMin} facts that both environments tell of.`],
  };
}

function baseOf(
  pair: Pair,
  { sharedCount, differences }: Comparison,
  listed: readonly Difference[],
): Pick<FindingParts, "subject" | "measures" | "evidence" | "nextChecks"> {
  const failure = pair.split?.reference;
  return {
    subject: { kind: "environments", name: `${pair.left.name} ~ ${pair.right.name}` },
    measures: {
      factsComparedCount: sharedCount,
      differencesListedCount: listed.length,
      differencesSmallCount: differences.length - listed.length,
      heaviestWeight: listed[0]?.weight,
    },
    evidence: [
      ...(failure === undefined ? [] : [failure]),
      ...listed
        .slice(0, differencesListedMax)
        .flatMap((difference) => referencesOf(difference, pair)),
    ],
    nextChecks: listed
      .slice(0, differencesListedMax)
      .map((difference) => checkOf(difference, pair)),
  };
}

function referencesOf({ name, otherName }: Difference, { left, right }: Pair): EvidenceReference[] {
  const facts = [left.facts.get(name), right.facts.get(otherName ?? name)];
  return facts.flatMap((fact) => (fact === undefined ? [] : [fact.reference]));
}

function listOf(listed: readonly Difference[], pair: Pair): string {
  const lines = listed
    .slice(0, differencesListedMax)
    .map(
      (difference, index) =>
        `${index + 1}. ${wordsOf(difference, pair)} (${difference.what}, weight ${difference.weight})`,
    );
  const more = listed.length - lines.length;
  return `${lines.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

function wordsOf({ name, otherName, left, right, alsoCount }: Difference, pair: Pair): string {
  if (otherName !== undefined) {
    return `${name} in ${pair.left.name} is called ${otherName} in ${pair.right.name}`;
  }
  const also = alsoCount === 0 ? "" : ` and ${alsoCount} more of the same`;
  return `${name}${also} is ${valueWords(left)} in ${pair.left.name} and ${valueWords(right)} in ${pair.right.name}`;
}

function valueWords(value: string | undefined): string {
  if (value === undefined) return "absent";
  return value === "" ? "empty" : shorten(value.replace(/\s+/g, " "), 120);
}

/** The environment to change, and the one whose value it should get: the healthy one, else the left. */
function sidesOf(
  difference: Difference,
  pair: Pair,
): { from: string; to: string; value: string; name: string } {
  const isLeftFailing = pair.split?.failing === "left";
  const name = isLeftFailing ? difference.name : (difference.otherName ?? difference.name);
  return isLeftFailing
    ? { from: pair.right.name, to: pair.left.name, value: valueWords(difference.right), name }
    : { from: pair.left.name, to: pair.right.name, value: valueWords(difference.left), name };
}

function fixOf(difference: Difference, pair: Pair): string {
  const { from, to, value, name } = sidesOf(difference, pair);
  const wanted = name === difference.name ? (difference.otherName ?? name) : difference.name;
  switch (difference.check) {
    case "rename":
      return difference.otherName === undefined
        ? `Write ${name} in ${to} as in ${from}: ${value}.`
        : `Rename ${name} in ${to} to ${wanted}, as in ${from}.`;
    case "run-with":
    case "deploy":
      return `Give ${to} the ${name} of ${from}: ${value}.`;
    case "migrate":
      return `Bring the data of ${to} to the ${name} of ${from}: ${value}.`;
    case "set":
    case "switch":
    case "look":
      return value === "absent"
        ? `Remove ${name} from ${to}.`
        : `Set ${name} in ${to} to ${value}, as in ${from}.`;
  }
}

function checkOf(difference: Difference, pair: Pair): string {
  const { from, to, value, name } = sidesOf(difference, pair);
  switch (difference.check) {
    case "rename":
      return `Look who reads ${name}, and whether it minds the case; then repeat what failed in ${to} with the spelling of ${from}.`;
    case "switch":
      return `Repeat what failed in ${to} with ${name} as in ${from}: ${value}.`;
    case "run-with":
      return `Run the same input in ${to} with ${name} as in ${from} (${value}), and compare the output.`;
    case "deploy":
      return `Deploy what ${from} runs (${value}) to ${to}, with nothing else changed.`;
    case "migrate":
      return `Compare ${name} of both environments, and run the failing input against the data of ${from}.`;
    case "set":
      return `Repeat what failed in ${to} with ${name} as in ${from}: ${value}.`;
    case "look":
      return `Find out ${name} in both environments.`;
  }
}
