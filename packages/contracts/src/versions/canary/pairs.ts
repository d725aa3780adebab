/** Requests that both versions got: those are compared one by one, which neither traffic nor time can explain. */

import { mcnemar } from "../../statistics/mcnemar.ts";
import { signedRank } from "../../statistics/signed-rank.ts";
import type { Span } from "../../model/span.ts";
import { valueText } from "./components.ts";
import type { Sample } from "./sample.ts";
import type { Direction } from "./share-test.ts";

/** Indices into a sample of the same request under the first and under the second version. */
export interface Pair {
  readonly first: number;
  readonly second: number;
}

/** Attributes that are equal for the same input. */
const inputKeys = [
  "request.key",
  "request.hash",
  "request.digest",
  "input.key",
  "input.hash",
  "gen_ai.input.hash",
  "prompt.input.hash",
  "replay.id",
  "replay.of",
  "shadow.of",
  "mirror.id",
  "eval.case.id",
  "evaluation.case.id",
  "test.case.id",
  "dataset.item.id",
  "langfuse.dataset.item.id",
  "gen_ai.evaluation.case.id",
] as const;

/** Of the smaller side, so many must have a counterpart for pairs to stand for it. */
const pairedShareMin = 0.5;
const pairCountMin = 10;

/** Pairs of one request each, where most of the smaller side has a counterpart; else nothing. */
export function pairsOf(sample: Sample): readonly Pair[] | undefined {
  const firstByKey = new Map<string, number>();
  sample.units.forEach(({ lead }, at) => {
    const key = sample.isSecond[at] === 0 ? inputKeyOf(lead) : undefined;
    if (key !== undefined && !firstByKey.has(key)) firstByKey.set(key, at);
  });
  if (firstByKey.size < pairCountMin) return undefined;
  const pairs: Pair[] = [];
  sample.units.forEach(({ lead }, second) => {
    const key = sample.isSecond[second] === 1 ? inputKeyOf(lead) : undefined;
    const first = key === undefined ? undefined : firstByKey.get(key);
    if (key === undefined || first === undefined) return;
    pairs.push({ first, second });
    // What was asked several times is one pair: the others have the same fate.
    firstByKey.delete(key);
  });
  const least = pairedShareMin * Math.min(sample.firstCount, sample.secondCount);
  return pairs.length >= Math.max(pairCountMin, least) ? pairs : undefined;
}

const textLengthMin = 16;

function inputKeyOf({ attributes }: Span): string | undefined {
  for (const key of inputKeys) {
    const value = valueText(attributes[key]);
    if (value !== undefined) return `${key}=${value}`;
  }
  const messages = attributes["gen_ai.input.messages"];
  // A text that was cut may be the beginning of several.
  return typeof messages === "string" &&
    messages.length >= textLengthMin &&
    messages.length < 16_384
    ? messages
    : undefined;
}

/** Whether the second version fails in pairs in which the first does not more often than the other way round. */
export function pairedFailures(
  { outcomes }: Sample,
  pairs: readonly Pair[],
  chanceMax: number,
): { readonly direction: Direction; readonly difference: number } {
  const counts = { bothCount: 0, onlyFirstCount: 0, onlySecondCount: 0, neitherCount: 0 };
  for (const { first, second } of pairs) {
    const before = outcomes[first]?.hasFailed === true;
    const after = outcomes[second]?.hasFailed === true;
    if (before && after) counts.bothCount += 1;
    else if (before) counts.onlyFirstCount += 1;
    else if (after) counts.onlySecondCount += 1;
    else counts.neitherCount += 1;
  }
  const { difference, chance } = mcnemar(counts);
  if (chance > chanceMax) return { direction: "unsure", difference };
  return { direction: difference > 0 ? "more" : "less", difference };
}

/** Ratios of a measure, second to first, as ascending logarithms, and whether they lie to one side. */
export function pairedRatios(
  { outcomes }: Sample,
  pairs: readonly Pair[],
  { measure, chanceMax }: { readonly measure: number; readonly chanceMax: number },
): { readonly direction: Direction; readonly logs: Float64Array } {
  const logs = Float64Array.from(
    pairs.flatMap(({ first, second }) => {
      const ratio =
        (outcomes[second]?.values[measure] ?? Number.NaN) /
        (outcomes[first]?.values[measure] ?? Number.NaN);
      return ratio > 0 && Number.isFinite(ratio) ? [Math.log(ratio)] : [];
    }),
  ).sort();
  const { chance, riseRankSum, count } = signedRank([...logs]);
  if (chance > chanceMax) return { direction: "unsure", logs };
  return { direction: riseRankSum > (count * (count + 1)) / 4 ? "more" : "less", logs };
}
