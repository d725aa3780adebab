/** Two populations of transcripts: the newer version fails and refuses as rarely, and works in the same way. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { percent, significant } from "../text/number-words.ts";
import { effectOf, metricsOf, type ScoreEffect } from "./evaluations/compare-scores.ts";
import { featureTables, requestOf } from "./transcripts/features.ts";
import { mixDistance } from "./transcripts/request-mix.ts";
import { sidesOf, type TranscriptSide, type TranscriptSides } from "./transcripts/sides.ts";

/** What can be set, with its default. */
const options = {
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that equal versions are called unlike anywhere, over all features together, from 0 to 1.",
  },
  transcriptCountMin: {
    default: 20,
    description: "Transcripts of each version from which they are compared.",
  },
  failureRiseMin: {
    default: 0.03,
    description:
      "Rise of the share of transcripts with a failed tool, or that end in a refusal, from which it counts.",
  },
  toolShareMin: {
    default: 0.15,
    description: "Change of the share of transcripts that use a tool from which it counts.",
  },
  lengthChangeMin: {
    default: 0.25,
    description:
      "Change of the mean of turns or of tool calls from which it counts, as a share of itself.",
  },
  mixDistanceMax: {
    default: 0.1,
    description:
      "Share of requests that may be others for the mix to count as the same, where requests cannot be paired.",
  },
  riseUnseenMax: {
    default: 0.2,
    description: "Rise of failures that may have been overlooked where the verdict is `holds`.",
  },
};

type Settings = { readonly [Name in keyof typeof options]: number };

export const transcriptsAlike: Contract = defineContract({
  id: "versions/transcripts-alike",
  version: 2,
  boundary: "release-release",
  promise:
    "Transcripts of a newer version fail and refuse no more often than those of the older one, and use tools alike.",
  reads: ["transcript"],
  options,
  check(snapshot, settings, found) {
    const sides = sidesOf(snapshot);
    if (sides === undefined) return [];
    const tables = featureTables(sides);
    const metrics = metricsOf(tables, settings.transcriptCountMin);
    const chanceMax = settings.errorRateMax / Math.max(1, metrics.length);
    const effects = metrics.map((metric) => effectOf(metric, tables, chanceMax));
    return [found(judged(sides, effects, { ...settings, errorRateMax: chanceMax }))];
  },
});

function judged(
  sides: TranscriptSides,
  effects: readonly ScoreEffect[],
  settings: Settings,
): FindingParts {
  const { baseline, candidate } = sides;
  const names = `${short(candidate.name)} and ${short(baseline.name)}`;
  const counts = `${candidate.transcripts.length} against ${baseline.transcripts.length} transcripts`;
  const large = effects
    .filter(
      (effect) =>
        effect.chance <= settings.errorRateMax &&
        changeOf(effect) >= floorOf(effect, settings) &&
        !isRelief(effect),
    )
    .toSorted((left, right) => rankOf(left) - rankOf(right) || left.chance - right.chance);
  const parts = {
    subject: { kind: "transcripts", name: `${candidate.name} against ${baseline.name}` },
    actual: [...large, ...effects.filter((effect) => !large.includes(effect))]
      .slice(0, listedCountMax)
      .map(effectWords)
      .join("\n"),
    measures: {
      baselineCount: baseline.transcripts.length,
      candidateCount: candidate.transcripts.length,
      isPaired: effects[0]?.isPaired ?? false,
      unlike: large.map(({ metric }) => metric).join(", "),
    },
  };
  const [worst] = large;
  const doubt = doubtOf({ sides, effects, worst, names, counts }, settings);
  if (doubt !== undefined) return { ...parts, verdict: "inconclusive", ...doubt };
  if (worst !== undefined) {
    return {
      ...parts,
      verdict: "violated",
      title: `Transcripts of ${names} are unlike: ${effectWords(worst)}.`,
      causeKind: "change",
      evidence: [...referencesOf(candidate, worst), ...referencesOf(baseline, worst)],
      nextChecks: ["Read what both versions did with the same first request."],
    };
  }
  const { lossUnseen: unseen, gain } = effects.find(({ metric }) => metric === "tool errors") ?? {
    lossUnseen: 1,
    gain: 0,
  };
  // Where far fewer fail, no rise is hidden.
  const isSeen = unseen <= settings.riseUnseenMax || gain >= unseen;
  return {
    ...parts,
    verdict: isSeen ? "holds" : "inconclusive",
    title: isSeen
      ? `Transcripts of ${names} are alike in ${effects.length} features: ${counts}.`
      : `${names} show no difference, but ${counts} could not show a rise of failures of less than ${percent(unseen)}.`,
    ...(isSeen ? {} : { missing: ["more transcripts of both versions"] }),
  };
}

interface Compared {
  readonly sides: TranscriptSides;
  readonly effects: readonly ScoreEffect[];
  readonly worst: ScoreEffect | undefined;
  readonly names: string;
  readonly counts: string;
}

/** Why nothing can be said of two versions, whatever the figures are. */
function doubtOf(
  { sides, effects, worst, names, counts }: Compared,
  { transcriptCountMin, mixDistanceMax }: Settings,
): Pick<FindingParts, "title" | "missing" | "nextChecks"> | undefined {
  if (effects.length === 0) {
    return {
      title: `${names} have too few transcripts to be compared: ${counts}.`,
      missing: [`at least ${transcriptCountMin} transcripts of each`],
    };
  }
  const missing = ["transcripts of the same requests under both versions"];
  if (isOtherWork(effects)) {
    return {
      title: `${names} share neither requests nor tools: that is other work, and no other version.`,
      missing,
    };
  }
  // What is paired compares the same requests; what is not may be a difference of the requests alone.
  if (worst === undefined || worst.isPaired || mixDistance(sides) <= mixDistanceMax)
    return undefined;
  return {
    title: `${names} are confounded: transcripts are unlike (${effectWords(worst)}), and so are the requests.`,
    missing,
    nextChecks: ["Give both versions the same requests, and compare again."],
  };
}

const listedCountMax = 20;

/** Whether no request and no tool is in both. */
function isOtherWork(effects: readonly ScoreEffect[]): boolean {
  const tools = effects.filter(({ metric }) => metric.startsWith("use of "));
  return (
    effects.every(({ sharedCount }) => sharedCount === 0) &&
    tools.some(({ baseline }) => baseline > 0) &&
    tools.some(({ candidate }) => candidate > 0) &&
    !tools.some(({ baseline, candidate }) => baseline > 0 && candidate > 0)
  );
}

/** Fewer failures are no harm. */
function isRelief({ metric, gain }: ScoreEffect): boolean {
  return isFailure(metric) && gain > 0;
}

function isFailure(metric: string): boolean {
  return metric === "tool errors" || metric === "refusals";
}

function isLength(metric: string): boolean {
  return metric === "turns" || metric === "tool calls";
}

/** Points of a share, or the share of itself by which a mean changes. */
function changeOf({ metric, baseline, candidate }: ScoreEffect): number {
  const difference = Math.abs(candidate - baseline);
  return isLength(metric) ? difference / Math.max(baseline, candidate, 1e-9) : difference;
}

function floorOf({ metric }: ScoreEffect, settings: Settings): number {
  if (isFailure(metric)) return settings.failureRiseMin;
  return isLength(metric) ? settings.lengthChangeMin : settings.toolShareMin;
}

/** Failures first, then tools, then how long it takes. */
function rankOf({ metric }: ScoreEffect): number {
  if (isFailure(metric)) return 0;
  return isLength(metric) ? 2 : 1;
}

function effectWords({ metric, baseline, candidate, chance, isPaired }: ScoreEffect): string {
  const figure = (value: number): string =>
    isLength(metric) ? significant(value, 3) : percent(value);
  return `${metric} ${figure(candidate)} against ${figure(baseline)} (chance ${Number(chance.toPrecision(2))}${isPaired ? ", request by request" : ""})`;
}

function short(name: string): string {
  return shorten(name, nameLengthMax);
}

const nameLengthMax = 120;
const exampleCountMax = 2;

/** Transcripts that show it: of a case that became worse, else the first ones. */
function referencesOf(
  { transcripts, name }: TranscriptSide,
  worst: ScoreEffect,
): EvidenceReference[] {
  const worse = transcripts.filter((transcript) => worst.worseIds.includes(requestOf(transcript)));
  return (worse.length > 0 ? worse : transcripts).slice(0, exampleCountMax).map((transcript) => ({
    evidenceId: transcript.id,
    quote: `${short(name)}: ${shorten(requestOf(transcript), nameLengthMax)}`,
  }));
}
