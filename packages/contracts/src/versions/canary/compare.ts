/** Compares what became of the same work under two versions. */

import { detectableRise } from "../../statistics/detectable-effect.ts";
import { twoSidedQuantile, upperQuantile } from "../../statistics/normal-quantile.ts";
import { quantileShift } from "../../statistics/quantile-shift.ts";
import { quantileOf, sortedNumbers } from "../../statistics/quantiles.ts";
import { shareDifference } from "../../statistics/two-proportions.ts";
import { measures } from "./measures.ts";
import { type Pair, pairedFailures, pairedRatios, pairsOf } from "./pairs.ts";
import { measuredOf, type Sample } from "./sample.ts";
import { countMarks, type Direction, directionOf } from "./share-test.ts";

/** How one figure differs between both versions. */
export interface Effect {
  readonly name: string;
  readonly isTime: boolean;
  readonly unit: string;
  /** A share from 0 to 1 for failures, else a value in the unit. */
  readonly baseline: number;
  readonly canary: number;
  /** By how many points the share rises, or by which share of itself the value does. */
  readonly rise: number;
  readonly low: number;
  readonly high: number;
  readonly direction: Direction;
  /** A rise below this would hardly have been seen. */
  readonly riseUnseen: number;
  readonly counts: readonly [first: number, second: number];
  readonly isPaired: boolean;
}

/** How probable it is that a rise of the size that is called seen is found. */
const power = 0.8;
const quantileShares = [0.5, 0.95] as const;

/** Every figure that both versions have; each test errs with `chance`. */
export function effectsOf(sample: Sample, present: readonly number[], chance: number): Effect[] {
  const pairs = pairsOf(sample);
  const failures = failureEffect(sample, pairs, chance);
  return [
    failures,
    ...present.flatMap((measure) =>
      pairs === undefined
        ? quantileShares.flatMap(
            (share) => quantileEffect(sample, { measure, share, chance }) ?? [],
          )
        : (pairedEffect(sample, pairs, { measure, chance }) ?? []),
    ),
  ];
}

/** Tests that are made of a sample in which so many measures are present. */
export function testCountOf(present: readonly number[]): number {
  return 1 + quantileShares.length * present.length;
}

function failureEffect(sample: Sample, pairs: readonly Pair[] | undefined, chance: number): Effect {
  const marked = {
    indices: sample.units.map((_unit, at) => at),
    marks: Uint8Array.from(sample.outcomes, ({ hasFailed }) => (hasFailed ? 1 : 0)),
  };
  const counts = countMarks(sample, marked);
  const baseline = counts.marked / counts.all;
  const canary = counts.otherMarked / counts.otherAll;
  const { low, high } = shareDifference(
    {
      marked: counts.otherMarked,
      all: counts.otherAll,
      otherMarked: counts.marked,
      otherAll: counts.all,
    },
    chance,
  );
  const count = pairs?.length ?? 0;
  return {
    name: "failures",
    isTime: false,
    unit: "",
    baseline,
    canary,
    rise: canary - baseline,
    low,
    high,
    direction:
      pairs === undefined
        ? directionOf(sample, marked, chance)
        : pairedFailures(sample, pairs, chance).direction,
    riseUnseen: detectableRise({
      // Where nothing failed at all, a share that would hardly have been seen stands for it.
      share: Math.max(baseline, 0.5 / counts.all),
      count: pairs === undefined ? counts.all : count,
      otherCount: pairs === undefined ? counts.otherAll : count,
      chance,
      power,
    }),
    counts: pairs === undefined ? [counts.all, counts.otherAll] : [count, count],
    isPaired: pairs !== undefined,
  };
}

function quantileEffect(
  sample: Sample,
  {
    measure,
    share,
    chance,
  }: { readonly measure: number; readonly share: number; readonly chance: number },
): Effect | undefined {
  const { indices, logs, first, second } = measuredOf(sample, measure);
  const shift = quantileShift(first, second, { share, chance });
  if (shift === undefined) return undefined;
  const limit = quantileOf(sortedNumbers(logs), share);
  const marks = Uint8Array.from(logs, (value) => (value > limit ? 1 : 0));
  const direction = directionOf(sample, { indices, marks }, chance);
  const isApart = shift.low > 0 || shift.high < 0;
  const deviation = (shift.high - shift.low) / (2 * twoSidedQuantile(chance));
  return {
    ...namesOf(measure, share === 0.5 ? "p50" : "p95"),
    baseline: Math.exp(quantileOf(first, share)),
    canary: Math.exp(quantileOf(second, share)),
    rise: Math.expm1(shift.shift),
    low: Math.expm1(shift.low),
    high: Math.expm1(shift.high),
    direction: isApart ? agreed(direction, shift.shift) : "unsure",
    riseUnseen: Math.expm1((twoSidedQuantile(chance) + upperQuantile(1 - power)) * deviation),
    counts: [first.length, second.length],
    isPaired: false,
  };
}

/** What the marks say, where the quantile has moved the same way. */
function agreed(direction: Direction, shift: number): Direction {
  if (direction === "more") return shift > 0 ? "more" : "unsure";
  return direction === "less" && shift > 0 ? "unsure" : direction;
}

function pairedEffect(
  sample: Sample,
  pairs: readonly Pair[],
  { measure, chance }: { readonly measure: number; readonly chance: number },
): Effect | undefined {
  const { direction, logs } = pairedRatios(sample, pairs, { measure, chanceMax: chance });
  const zero = new Float64Array(logs.length);
  const shift = quantileShift(zero, logs, { share: 0.5, chance });
  if (shift === undefined) return undefined;
  const middle = (side: 0 | 1): number => {
    const { first, second } = measuredOf(sample, measure);
    return Math.exp(quantileOf(side === 0 ? first : second, 0.5));
  };
  const deviation = (shift.high - shift.low) / (2 * twoSidedQuantile(chance));
  return {
    ...namesOf(measure, "of the same request"),
    baseline: middle(0),
    canary: middle(1),
    rise: Math.expm1(shift.shift),
    low: Math.expm1(shift.low),
    high: Math.expm1(shift.high),
    direction,
    riseUnseen: Math.expm1((twoSidedQuantile(chance) + upperQuantile(1 - power)) * deviation),
    counts: [logs.length, logs.length],
    isPaired: true,
  };
}

function namesOf(measure: number, what: string): Pick<Effect, "name" | "unit" | "isTime"> {
  const { name = "", unit = "", isTime = false } = measures[measure] ?? {};
  return { name: `${name} ${what}`, unit, isTime };
}
