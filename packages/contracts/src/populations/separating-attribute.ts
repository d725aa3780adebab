/** Which attribute sets the requests that fail or are slow apart from those that do not. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Contrast } from "./contrast.ts";
import { type Division, logMembers, type Populations, traceMembers } from "./members.ts";

/** What can be set, with its default. */
const options = {
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that any attribute at all is called separating when the populations are alike, from 0 to 1 (Benjamini and Hochberg over everything tested).",
  },
  shareDifferenceMin: {
    default: 0.25,
    description:
      "How far the shares of an attribute in the two populations must lie apart, from 0 to 1.",
  },
  badCountMin: {
    default: 8,
    description: "Failed or slow requests from which the populations are compared.",
  },
  goodCountMin: {
    default: 8,
    description: "Healthy requests from which the populations are compared.",
  },
};

interface Settings {
  readonly errorRateMax: number;
  readonly shareDifferenceMin: number;
  readonly badCountMin: number;
  readonly goodCountMin: number;
}

export const separatingAttribute: Contract = defineContract({
  id: "populations/separating-attribute",
  version: 1,
  boundary: "service-service",
  promise: "Requests that fail or are slow have the same attributes as those that do not.",
  reads: ["trace", "logs"],
  options,
  check(snapshot, settings, found) {
    const populations = [traceMembers(snapshot, settings.badCountMin), logMembers(snapshot)];
    return populations.flatMap((members) => {
      const parts = members === undefined ? undefined : judged(members, settings);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

const divisionWords: Readonly<Record<Division, string>> = {
  failed: "requests that failed",
  slow: "requests that were slow",
  chosen: "traces that were chosen as slow",
  logged: "requests that logged an error",
};

function judged(members: Populations, settings: Settings): FindingParts | undefined {
  const { tally, division } = members;
  const { badCount, goodCount } = tally;
  const subject = { kind: "population", name: divisionWords[division] };
  const counts = { badCount, goodCount };
  // A few requests that fail are no population.
  if (badCount < settings.badCountMin) return undefined;
  if (goodCount < settings.goodCountMin) {
    return {
      verdict: "inconclusive",
      subject,
      title: `There are too few good requests to compare ${badCount} bad ones with.`,
      actual: `${badCount} bad and ${goodCount} good; ${settings.goodCountMin} good ones are needed.`,
      measures: counts,
      missing: ["traces of requests that succeed, of the same operations"],
    };
  }
  const { testCount, contrasts } = tally.contrasts();
  const separating = contrasts.filter(
    ({ chance, badShare, goodShare }) =>
      chance <= settings.errorRateMax && badShare - goodShare >= settings.shareDifferenceMin,
  );
  const ranked = separating.toSorted((left, right) => strengthOf(right) - strengthOf(left));
  const [best] = ranked;
  if (best === undefined) {
    return {
      verdict: "holds",
      subject,
      title: `None of ${testCount} attributes and values sets ${badCount} ${divisionWords[division]} apart.`,
      actual: `No attribute is both surely and much more frequent among the bad; ${badCount} bad, ${goodCount} good.`,
      measures: { ...counts, testCount },
    };
  }
  return {
    ...separated(best, ranked, members),
    subject,
    measures: { ...measuresOf(best, ranked), ...counts, testCount },
  };
}

/** How far apart, and of those that are as far the surest first. */
function strengthOf({ badShare, goodShare, chance }: Contrast): number {
  return badShare - goodShare + Math.min(1, -Math.log10(Math.max(chance, 1e-300)) / 300) * 1e-3;
}

const namedCountMax = 10;

function separated(
  best: Contrast,
  ranked: readonly Contrast[],
  { division, examples, tally }: Populations,
): Omit<FindingParts, "subject"> {
  const alike = ranked.filter(
    (other) =>
      other !== best && other.badShare === best.badShare && other.goodShare === best.goodShare,
  );
  const also =
    alike.length === 0
      ? ""
      : ` As well as it separate: ${alike
          .slice(0, 5)
          .map(({ name }) => name)
          .join(", ")}; which of them matters, this evidence cannot tell.`;
  return {
    verdict: "violated",
    title: `${best.name} sets ${tally.badCount} ${divisionWords[division]} apart from ${tally.goodCount} others.`,
    actual: `${ranked
      .slice(0, namedCountMax)
      .map(({ words }) => words)
      .join("\n")}${also === "" ? "" : `\n${also.trim()}`}`,
    causeKind: causeOf(best.key),
    evidence: examples.map(({ evidence, locator }) => ({
      evidenceId: evidence.id,
      locator,
      quote: best.words,
    })),
    nextChecks: [
      `Send the same request with another ${best.key} and compare: only this tells a cause from a companion.`,
    ],
  };
}

function measuresOf(best: Contrast, ranked: readonly Contrast[]): Record<string, number | string> {
  return {
    attribute: best.name,
    badShare: Math.round(best.badShare * 1e4) / 1e4,
    goodShare: Math.round(best.goodShare * 1e4) / 1e4,
    adjustedChance: best.chance,
    ranked: ranked
      .slice(0, namedCountMax)
      .map(({ name }) => name)
      .join(", "),
  };
}

/** What kind of cause an attribute points to. */
function causeOf(key: string): CauseKind {
  if (/version|release|build|commit|image|sdk|bundle|deploy/i.test(key)) return "change";
  if (/flag|config|setting|variant|experiment/i.test(key)) return "configuration";
  if (/host|pod|node|zone|region|cluster|instance|container|shard|partition/i.test(key))
    return "capacity";
  if (/peer|server\.address|db\.|rpc\.|upstream|endpoint|net\./i.test(key)) return "dependency";
  if (/tenant|customer|user|account|role|auth/i.test(key)) return "identity";
  return /model|prompt|input|item|size|count|length|locale|currency|payload/i.test(key)
    ? "data"
    : "none";
}
