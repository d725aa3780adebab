/** Two variants of a behaviour that were evaluated: the newer one scores no worse than the older, case by case. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { significant } from "../text/number-words.ts";
import { type ArmPair, armPairsOf } from "./evaluations/arms.ts";
import {
  effectOf,
  isScore,
  metricsOf,
  type ScoreEffect,
  type ScoreTable,
  scoresOf,
} from "./evaluations/compare-scores.ts";

/** What can be set, with its default. */
const options = {
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that equal variants are called unlike anywhere in the snapshot, over all metrics and pairs together, from 0 to 1.",
  },
  caseCountMin: {
    default: 20,
    description: "Cases with a score of a metric that both variants must have.",
  },
  lossMin: {
    default: 0.02,
    description: "Loss from which it counts, as a share of the range of the metric.",
  },
  lossUnseenMax: {
    default: 0.1,
    description:
      "Loss that may have been overlooked where the verdict is `holds`, as a share of the range of the metric.",
  },
};

type Settings = { readonly [Name in keyof typeof options]: number };

export const evaluationScores: Contract = defineContract({
  id: "versions/evaluation-scores",
  version: 2,
  boundary: "release-release",
  promise: "A newer variant scores no worse than the older one on the same cases.",
  reads: ["evaluation"],
  options,
  check(snapshot, settings, found) {
    const compared = armPairsOf(snapshot).map((pair) => {
      const tables = [scoresOf(pair.baseline), scoresOf(pair.candidate)] as const;
      return { pair, tables, metrics: metricsOf(tables, settings.caseCountMin).filter(isScore) };
    });
    const testCount = compared.reduce((sum, { metrics }) => sum + metrics.length, 0);
    const chanceMax = settings.errorRateMax / Math.max(1, testCount);
    return compared.map(({ pair, tables, metrics }) => {
      const effects = metrics.map((metric) => effectOf(metric, tables, chanceMax));
      const unscored = metrics.map((metric) => unscoredOf(metric, pair, tables));
      const own = { ...settings, errorRateMax: chanceMax };
      return found(judged({ pair, effects, unscored }, own));
    });
  },
});

interface Compared {
  readonly pair: ArmPair;
  readonly effects: readonly ScoreEffect[];
  readonly unscored: readonly Unscored[];
}

/** Cases that only one of both variants has a score for, though both tried them. */
interface Unscored {
  readonly metric: string;
  /** Of the cases that both tried and the baseline has a score for. */
  readonly share: number;
  readonly count: number;
}

function unscoredOf(
  metric: string,
  { candidate }: ArmPair,
  [baseline, scored]: readonly [ScoreTable, ScoreTable],
): Unscored {
  const { cases } = candidate.evidence.content;
  const tried = new Set(candidate.cases.map((place) => cases[place]?.id));
  const both = [...(baseline.get(metric)?.keys() ?? [])].filter((id) => tried.has(id));
  const count = both.filter((id) => scored.get(metric)?.has(id) !== true).length;
  return { metric, count, share: count / Math.max(1, both.length) };
}

function judged({ pair, effects, unscored }: Compared, settings: Settings): FindingParts {
  const { baseline, candidate, isDirected, differing } = pair;
  const isSure = ({ chance, gain }: ScoreEffect): boolean =>
    chance <= settings.errorRateMax && Math.abs(gain) >= settings.lossMin;
  const sure = effects.filter(isSure).toSorted((left, right) => left.gain - right.gain);
  const worse = sure.filter(({ gain }) => gain < 0);
  const unseen = effects.filter(
    ({ lossUnseen, gain }) => lossUnseen > settings.lossUnseenMax && gain < lossUnseen,
  );
  const names = `${short(candidate.name)} and ${short(baseline.name)}`;
  const parts = {
    subject: { kind: "evaluation", name: `${candidate.suite}: ${candidate.name}` },
    measures: measuresOf(pair, effects),
    evidence: referencesOf(pair, worse[0] ?? effects[0]),
  };
  const actual = effects.map(effectWords).join("\n");
  if (effects.every(({ sharedCount }) => sharedCount === 0)) {
    return { ...parts, verdict: "inconclusive", ...incomparable(pair, effects, settings) };
  }
  if (differing.length > 1 && sure.length > 0) {
    return { ...parts, verdict: "inconclusive", ...confounded(pair, names), actual };
  }
  if (!isDirected && sure.length > 0) {
    return {
      ...parts,
      verdict: "inconclusive",
      title: `${names} score unlike (${shortEffect(sure[0])}), and nobody says which is the newer one.`,
      actual,
      missing: [
        "which of both is to replace the other, as by the names `baseline` and `candidate`",
      ],
    };
  }
  const [worst] = worse;
  if (worst !== undefined) {
    return {
      ...parts,
      verdict: "violated",
      title: `${short(candidate.name)} scores worse than ${short(baseline.name)}: ${shortEffect(worst)}.`,
      actual: `${worse.map(effectWords).join("\n")}${caseWords(worst)}\nAll figures:\n${actual}`,
      causeKind: differing[0] === "model" ? "identity" : "change",
      fixes: [{ description: `Stay with ${baseline.name} until the reason is known.`, cost: 1 }],
      nextChecks: ["Read the answers of both variants to the cases that became worse."],
    };
  }
  if (unseen.length > 0) {
    return {
      ...parts,
      verdict: "inconclusive",
      title: `${names} show no loss, but ${unseenWords(unseen)}.`,
      actual,
      missing: ["more cases under both variants"],
    };
  }
  const [left] = unscored.toSorted((one, other) => other.share - one.share);
  if (left !== undefined && left.share > settings.lossUnseenMax) {
    return { ...parts, verdict: "inconclusive", ...unscoredParts(left, pair, names), actual };
  }
  const most = effects.reduce((sum, { lossUnseen }) => Math.max(sum, lossUnseen), 0);
  return {
    ...parts,
    verdict: "holds",
    title: `${short(candidate.name)} scores no worse than ${short(baseline.name)}: a loss of ${percent(most)} of the range could not be overlooked.`,
    actual,
  };
}

/** Other cases are another matter: what is easy for one variant says nothing of the other. */
function incomparable(
  { baseline, candidate }: ArmPair,
  effects: readonly ScoreEffect[],
  { caseCountMin }: Settings,
): Pick<FindingParts, "title" | "actual" | "missing"> {
  const names = `${short(candidate.name)} and ${short(baseline.name)}`;
  const isFew = effects.length === 0;
  return {
    title: isFew
      ? `${names} have too few cases with the same metric to be compared.`
      : `${names} have no case in common, by which they could be compared.`,
    actual: `${baseline.cases.length} and ${candidate.cases.length} cases.`,
    missing: [
      isFew
        ? `at least ${caseCountMin} cases of each with a score of one metric`
        : "the same cases under both variants",
    ],
  };
}

function confounded(
  { differing, baseline, candidate }: ArmPair,
  names: string,
): Pick<FindingParts, "title" | "missing" | "nextChecks"> {
  return {
    title: `${names} are confounded: they differ in ${differing.join(" and ")}.`,
    missing: differing.map(
      (key) =>
        `cases of ${short(candidate.name)} with the ${key} ${short(baseline.components[key] ?? "")}`,
    ),
    nextChecks: ["Change one at a time, and evaluate each."],
  };
}

/** A variant that fails is not scored, and neither is one whose grader does. */
function unscoredParts(
  { metric, count }: Unscored,
  { candidate }: ArmPair,
  names: string,
): Pick<FindingParts, "title" | "missing" | "nextChecks"> {
  return {
    title: `${names} show no loss, but ${short(candidate.name)} has no ${metric} of ${count} cases that the other has one of.`,
    missing: [`${metric} of all cases under both variants`],
    nextChecks: ["Read why those cases have no score: whether the variant failed, or its grader."],
  };
}

function unseenWords([first]: readonly ScoreEffect[]): string {
  return first === undefined
    ? ""
    : `of ${first.counts[1]} cases a loss of less than ${percent(first.lossUnseen)} in ${first.metric} could not be seen`;
}

function shortEffect(effect: ScoreEffect | undefined): string {
  return effect === undefined
    ? ""
    : `${effect.metric} ${figure(effect.candidate)} against ${figure(effect.baseline)}`;
}

function effectWords(effect: ScoreEffect): string {
  const { isPaired, counts, gain, chance, isLowerBetter } = effect;
  const how = isPaired
    ? `${counts[0]} cases pair by pair`
    : `${counts[0]} and ${counts[1]} cases that are not the same`;
  const less = isLowerBetter ? ", less is better" : "";
  return `${shortEffect(effect)}${less}: ${gain < 0 ? "a loss" : "a gain"} of ${percent(Math.abs(gain))} of the range, chance ${Number(chance.toPrecision(2))}, ${how}`;
}

function caseWords({ worseIds }: ScoreEffect): string {
  return worseIds.length === 0 ? "" : `\nWorse among others: ${worseIds.map(short).join("; ")}`;
}

function short(text: string): string {
  return shorten(text.replaceAll(/\s+/g, " "), nameLengthMax);
}

const nameLengthMax = 100;

function percent(share: number): string {
  return `${significant(100 * share, 2)} %`;
}

function figure(value: number): string {
  return significant(value, 3);
}

function measuresOf(
  { baseline, candidate, isDirected, differing }: ArmPair,
  effects: readonly ScoreEffect[],
): Record<string, number | string | boolean> {
  const [worst] = effects.toSorted((left, right) => left.gain - right.gain);
  return {
    baseline: baseline.name,
    candidate: candidate.name,
    isDirected,
    differing: differing.join(", "),
    metricCount: effects.length,
    ...(worst === undefined
      ? {}
      : {
          metric: worst.metric,
          baselineScore: worst.baseline,
          candidateScore: worst.candidate,
          gain: worst.gain,
          chance: worst.chance,
          caseCount: worst.counts[1],
          isPaired: worst.isPaired,
        }),
  };
}

/** The cases that became worse, in both runs. */
function referencesOf(
  { baseline, candidate }: ArmPair,
  worst: ScoreEffect | undefined,
): EvidenceReference[] {
  if (worst === undefined) return [];
  return [candidate, baseline].flatMap(({ evidence, cases, name }) => {
    const { cases: all } = evidence.content;
    // A case may have been tried without getting this score.
    const scored = cases.flatMap((place) => {
      const score = all[place]?.scores[worst.metric];
      return score === undefined ? [] : [{ place, score, id: all[place]?.id ?? "" }];
    });
    const named = scored.filter(({ id }) => worst.worseIds.includes(id));
    return (named.length > 0 ? named : scored.slice(0, 1))
      .slice(0, 3)
      .map(({ place, score, id }) => ({
        evidenceId: evidence.id,
        locator: `/cases/${place}`,
        quote: `${short(name)}, ${short(id)}: ${worst.metric} ${figure(score)}`,
      }));
  });
}
