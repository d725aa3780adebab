/** What a comparison of two versions amounts to. */

import { chancesOfLooks, type Spending } from "../../statistics/alpha-spending.ts";
import { type Effect, effectsOf, testCountOf } from "./compare.ts";
import type { ComponentName } from "./components.ts";
import type { Comparison, Plan } from "./plan.ts";

export interface Thresholds {
  readonly errorRateMax: number;
  readonly failureRiseMin: number;
  readonly timeRiseMin: number;
  readonly amountRiseMin: number;
  readonly failureRiseUnseenMax: number;
  readonly timeRiseUnseenMax: number;
  readonly lookCount: number;
  readonly look: number;
  readonly spending: string;
}

/** A figure of one operation. */
export interface Seen {
  readonly operation: string;
  readonly effect: Effect;
}

export interface Outcome {
  readonly comparison: Comparison;
  readonly effects: readonly Seen[];
  /** Surely and much worse, the largest first. */
  readonly worse: readonly Seen[];
  /** As much worse, but time or cohorts explain it as well. */
  readonly explained: readonly Seen[];
  /** Figures of the most frequent operation of which a rise that matters could have been overlooked. */
  readonly unseen: readonly Seen[];
  /** The chance at which each test calls a difference. */
  readonly chance: number;
}

/** Judges all comparisons together: their tests share one error rate. */
export function outcomesOf({ comparisons }: Plan, thresholds: Thresholds): Outcome[] {
  const testCount = comparisons
    .flatMap(({ operations }) => operations)
    .reduce((sum, { present }) => sum + testCountOf(present), 0);
  const chance = chanceOfOne(thresholds, testCount);
  return comparisons.map((comparison) => outcomeOf(comparison, chance, thresholds));
}

/** What one of so many tests may err with, at this look of those that were planned. */
function chanceOfOne(
  { errorRateMax, lookCount, look, spending }: Thresholds,
  testCount: number,
): number {
  const chance = errorRateMax / Math.max(1, testCount);
  const count = Math.max(1, Math.round(lookCount));
  if (count === 1) return chance;
  const shares = Array.from({ length: count }, (_, at) => (at + 1) / count);
  const kind: Spending = spending === "pocock" ? "pocock" : "obrien-fleming";
  const chances = chancesOfLooks(shares, chance, kind);
  return chances[Math.min(Math.max(1, Math.round(look)), chances.length) - 1] ?? chance;
}

function outcomeOf(comparison: Comparison, chance: number, thresholds: Thresholds): Outcome {
  const effects = comparison.operations.flatMap(({ name, sample, present }) =>
    effectsOf(sample, present, chance).map((effect): Seen => ({ operation: name, effect })),
  );
  const isMuch = ({ effect }: Seen): boolean => sizeOf(effect) >= floorOf(effect, thresholds);
  const { isDirected, key } = comparison.arms;
  const isWorse = ({ effect }: Seen): boolean =>
    (effect.direction === "more" || (!isDirected && effect.direction === "less")) &&
    isComparable(effect, key.component);
  const [largest] = comparison.operations;
  return {
    comparison,
    effects,
    worse: effects.filter((seen) => isWorse(seen) && isMuch(seen)).toSorted(byWeight),
    explained: effects.filter(
      (seen) =>
        seen.effect.direction === "explained" &&
        isMuch(seen) &&
        (!isDirected || seen.effect.rise > 0),
    ),
    unseen: effects.filter(
      ({ operation, effect }) => operation === largest?.name && isUnseen(effect, thresholds),
    ),
    chance,
  };
}

/**
 * What a prompt puts in, it puts in by design; what it costs is compared. Tokens of two tokenizers are not of one size.
 */
function isComparable({ name }: Effect, component: ComponentName): boolean {
  if (name.startsWith("input tokens")) {
    return !["prompt", "bundle", "tools", "model", "tokenizer"].includes(component);
  }
  return !(name.startsWith("output tokens") && component === "tokenizer");
}

/** How much one side is worse than the other, whichever it is. */
function sizeOf({ name, rise }: Effect): number {
  if (name === "failures") return Math.abs(rise);
  return rise >= 0 ? rise : -rise / (1 + rise);
}

function floorOf({ name, isTime }: Effect, thresholds: Thresholds): number {
  if (name === "failures") return thresholds.failureRiseMin;
  return isTime ? thresholds.timeRiseMin : thresholds.amountRiseMin;
}

/** Whether a rise that matters could be there: it would hardly have been seen, and the interval does not exclude it. */
function isUnseen({ name, riseUnseen, high }: Effect, thresholds: Thresholds): boolean {
  const { failureRiseUnseenMax, timeRiseUnseenMax } = thresholds;
  const most = name === "failures" ? failureRiseUnseenMax : timeRiseUnseenMax;
  const isJudged = name === "failures" || /^duration (?:p50|of)/.test(name);
  return isJudged && riseUnseen > most && high > most;
}

/** Failures first, then time, then what it costs. */
function byWeight(left: Seen, right: Seen): number {
  return rankOf(left.effect) - rankOf(right.effect) || sizeOf(right.effect) - sizeOf(left.effect);
}

function rankOf({ name, isTime }: Effect): number {
  return name === "failures" ? 0 : isTime ? 1 : 2;
}
