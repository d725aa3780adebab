/** The losses of a run in the order of its steps, and what can be said of their course. */

import type { TrainingContent, TrainingStep } from "../model/training.ts";
import { changePointOf } from "../statistics/rank-change-point.ts";
import { mannKendall } from "../statistics/mann-kendall.ts";
import { numberOf } from "./measured.ts";
import { type PlacedStep, placedSteps } from "./step-view.ts";

/** The finite losses of the passes that train. */
export interface LossSeries {
  readonly places: readonly PlacedStep[];
  readonly values: readonly number[];
}

/** The losses of the passes that train, as far as they are recorded and finite. */
export function lossesOf(content: TrainingContent): LossSeries {
  const places = placedSteps(content).filter(
    ({ step }) => isTrainingPass(step) && Number.isFinite(numberOf(step.loss)),
  );
  return { places, values: places.map(({ step }) => numberOf(step.loss) ?? 0) };
}

/** Passes that evaluate have losses as well, and so have passes that nothing is learned from. */
function isTrainingPass({ phase, calls }: TrainingStep): boolean {
  if (phase === "eval") return false;
  return calls === undefined || calls.includes("backward") || calls.includes("step");
}

/** How many steps lie between the first and the last of these. */
export function spanOf(places: readonly PlacedStep[]): number {
  const [first] = places;
  const last = places.at(-1);
  return first === undefined || last === undefined ? 0 : last.step.step - first.step.step;
}

/** The quarters with which a series begins and ends. */
export function endsOf(values: readonly number[]): { first: number[]; last: number[] } {
  const size = Math.max(1, Math.floor(values.length / 4));
  return { first: values.slice(0, size), last: values.slice(-size) };
}

/** The chance of so clear a fall, or rise, without a trend; 1 where the values go the other way. */
export function chanceOfTrend(values: readonly number[], direction: "down" | "up"): number {
  const { score, probability } = mannKendall(values);
  return (direction === "down" ? score < 0 : score > 0) ? probability / 2 : 1;
}

/**
 * Where the values reach a higher level, and the chance of that in independent values. Losses next to each other are not quite
 * independent, so that this alone is no reason to find fault: how far the level has risen is asked as well.
 */
export function riseOf(values: readonly number[]): { index: number; chance: number } | undefined {
  const change = changePointOf(Float64Array.from(values));
  return change?.direction === "up" ? change : undefined;
}

/** Whether the learning rate was still being raised over these steps, as in a warm-up. */
export function isWarmingUp(places: readonly PlacedStep[]): boolean {
  const rates = places.flatMap(({ step }) => {
    const list = step.learningRates ?? [];
    return list.length === 0 ? [] : [Math.max(...list)];
  });
  const [first] = rates;
  const last = rates.at(-1);
  return first !== undefined && last !== undefined && first < 0.9 * last;
}
