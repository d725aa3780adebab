/** Which attribute sets the requests that fail or are slow apart from those that do not. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Contrast } from "./contrast.ts";
import { loadDoubtsOf } from "./load-doubt.ts";
import { logMembers } from "./log-members.ts";
import { type Populations, traceMembers } from "./members.ts";
import { numberWords } from "./words.ts";

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
  slowRatioMin: {
    default: 3,
    description:
      "How many times as long as usual slow requests must take before an attribute is blamed for it.",
  },
  slowIncreaseMillisMin: {
    default: 50,
    description:
      "Milliseconds by which slow requests must take longer than usual before an attribute is blamed for it.",
  },
};

interface Settings {
  readonly errorRateMax: number;
  readonly shareDifferenceMin: number;
  readonly badCountMin: number;
  readonly goodCountMin: number;
  readonly slowRatioMin: number;
  readonly slowIncreaseMillisMin: number;
}

export const separatingAttribute: Contract = defineContract({
  id: "populations/separating-attribute",
  version: 2,
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

const divisionWords: Readonly<Record<Populations["division"], string>> = {
  failed: "requests that failed",
  slow: "requests that were slow",
  chosen: "traces that were chosen as slow",
  logged: "requests that logged an error",
};

function judged(members: Populations, settings: Settings): FindingParts | undefined {
  const { badCount, goodCount, division } = members;
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
  const { testCount, contrasts } = members.compare().contrasts();
  const ranked = contrasts
    .filter(
      ({ chance, badShare, goodShare }) =>
        chance <= settings.errorRateMax && badShare - goodShare >= settings.shareDifferenceMin,
    )
    .sort((left, right) => strengthOf(right) - strengthOf(left));
  const [first] = ranked;
  if (first === undefined) {
    return {
      verdict: "holds",
      subject,
      title: `None of ${testCount} attributes and values sets ${badCount} ${divisionWords[division]} apart.`,
      actual: `No attribute is both surely and much more frequent among the bad; ${badCount} bad, ${goodCount} good.`,
      measures: { ...counts, testCount },
    };
  }
  const { blamed, doubts } = blamedOf(ranked, members, settings);
  const [best = first] = blamed;
  const named = doubts.length === 0 ? blamed : ranked;
  return {
    ...separated(best, named, members),
    ...(doubts.length === 0 ? {} : doubted(best, members, doubts)),
    subject,
    measures: { ...measuresOf(best, named), ...counts, testCount },
  };
}

interface Blame {
  /** Those that explain the bad, as far as it can be told. */
  readonly blamed: readonly Contrast[];
  /** Why none of them may be called more than a companion, with what would settle it. */
  readonly doubts: readonly { readonly words: string; readonly missing: string }[];
}

/**
 * What fails differs from what does not, whatever the machine does. What is slow may be so because the machine is busy, and
 * then all that comes at such a time or goes to such a place separates.
 */
function blamedOf(ranked: readonly Contrast[], members: Populations, settings: Settings): Blame {
  const { slowness } = members;
  if (slowness === undefined) return { blamed: ranked, doubts: [] };
  const { ratio, increaseMillis } = slowness.pace;
  if (ratio < settings.slowRatioMin || increaseMillis < settings.slowIncreaseMillisMin) {
    return {
      blamed: [],
      doubts: [
        {
          words: `The slow ones took ${numberWords(ratio)} times as long as usual, ${numberWords(increaseMillis)} ms more, which a busy machine does as well.`,
          missing: `requests that take at least ${settings.slowRatioMin} times as long as usual and ${settings.slowIncreaseMillisMin} ms more, or the same on a machine that does nothing else`,
        },
      ],
    };
  }
  const considered = ranked.slice(0, consideredCountMax);
  const doubtOf = loadDoubtsOf(considered, slowness.members, settings.shareDifferenceMin);
  const blamed = considered.filter((contrast) => !doubtOf.has(contrast));
  if (blamed.length > 0) return { blamed, doubts: [] };
  const kinds = new Set(doubtOf.values());
  return { blamed: [], doubts: [...kinds].map((kind) => loadDoubtWords[kind]) };
}

/** Attributes of slow requests that are held against time and load. */
const consideredCountMax = 16;

const loadDoubtWords = {
  place: {
    words: "It names who served the requests, or in what order: that also tells of load.",
    missing: "how busy the machines were, and the same requests served elsewhere",
  },
  item: {
    words:
      "It is a place in a list: only requests with longer lists have it, and these take longer.",
    missing: "the lengths of the lists, and slow and fast requests of one length",
  },
  time: {
    words: "Among requests of the same time the slow ones have it no more often than the others.",
    missing: "requests with another value at the same time, under the same load",
  },
} as const;

function doubted(
  best: Contrast,
  { badCount, division }: Populations,
  doubts: Blame["doubts"],
): Pick<FindingParts, "verdict" | "title" | "actual" | "causeKind" | "missing"> {
  return {
    verdict: "inconclusive",
    title: `${best.name} goes with ${badCount} ${divisionWords[division]}, and may be no more than a companion of load.`,
    actual: [best.words, ...doubts.map(({ words }) => words)].join("\n"),
    causeKind: "none",
    missing: doubts.map(({ missing }) => missing),
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
  { division, examples, badCount, goodCount }: Populations,
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
    title: `${best.name} sets ${badCount} ${divisionWords[division]} apart from ${goodCount} others.`,
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
