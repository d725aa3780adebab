/** Whether numbers grow over time: Kendall's rank correlation with their order, which no single outlier decides. */

/** A measurement at a moment, in microseconds since 1970. */
export interface Moment {
  readonly timeMicros: number;
  readonly value: number;
}

export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** Kendall's tau, -1 to 1: 1 when every later value is larger. */
  readonly tau: number;
}

/** Pairs are counted one by one, so no more moments than these, evenly taken, are compared. */
const momentCountMax = 200;

/** The trend of at least `countMin` measurements, or `undefined`. Moments come in any order. */
export function trendOf(moments: readonly Moment[], countMin: number): Trend | undefined {
  if (moments.length < Math.max(2, countMin)) return undefined;
  const ordered = [...moments].sort(
    (left, right) => left.timeMicros - right.timeMicros || left.value - right.value,
  );
  const step = Math.ceil(ordered.length / momentCountMax);
  const taken = ordered.filter((_, at) => at % step === 0).map(({ value }) => value);
  const [first, last] = [taken[0], taken.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  let balance = 0;
  for (const [at, value] of taken.entries()) {
    for (const later of taken.slice(at + 1)) balance += Math.sign(later - value);
  }
  const pairCount = (taken.length * (taken.length - 1)) / 2;
  return {
    first,
    last,
    min: Math.min(...taken),
    max: Math.max(...taken),
    tau: Math.round((balance / pairCount) * 1_000) / 1_000,
  };
}
