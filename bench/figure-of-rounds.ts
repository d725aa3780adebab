/** A figure from several rounds: their median, their range, and how sure the median is. */

import type { BenchFigure } from "./bench.ts";
import { medianInterval } from "./median-interval.ts";

/** The figure of these rounds. */
export function figureOfRounds(name: string, unit: string, values: readonly number[]): BenchFigure {
  const sorted = values.toSorted((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const spread = [sorted[0] ?? median, sorted.at(-1) ?? median] as const;
  return { name, unit, value: median, spread, interval: medianInterval(values) };
}
