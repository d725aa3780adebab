/** How many of several intervals run at once. */

export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** The intervals that run at the moment at which most do, in order of their start. */
export function widestOverlap<T extends Interval>(intervals: readonly T[]): T[] {
  const starts = intervals.map(({ start }) => start).sort((left, right) => left - right);
  const ends = intervals.map(({ end }) => end).sort((left, right) => left - right);
  let [running, most, moment, ended] = [0, 0, 0, 0];
  for (const start of starts) {
    // What ends at the moment at which another begins does not run beside it.
    while ((ends[ended] ?? Number.POSITIVE_INFINITY) <= start) {
      ended += 1;
      running -= 1;
    }
    running += 1;
    if (running > most) [most, moment] = [running, start];
  }
  return intervals
    .filter(({ start, end }) => start <= moment && end > moment)
    .sort((left, right) => left.start - right.start);
}
