/** Whether calls grow with the list: the least-squares line through (list length, call count). */

export interface GrowthPoint {
  readonly listLength: number;
  readonly count: number;
}

export interface Growth {
  /** Calls per further list item. */
  readonly slope: number;
  /** Coefficient of determination, 0 to 1. */
  readonly determination: number;
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly countAtMin: number;
  readonly countAtMax: number;
}

/** The line through the points, or `undefined` when there are not two lists of different length. */
export function growthOf(points: readonly GrowthPoint[]): Growth | undefined {
  const n = points.length;
  const sorted = [...points].sort((a, b) => a.listLength - b.listLength || a.count - b.count);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined || first.listLength === last.listLength) {
    return undefined;
  }
  const meanLength = sum(sorted, (point) => point.listLength) / n;
  const meanCount = sum(sorted, (point) => point.count) / n;
  const lengthSpread = sum(sorted, (point) => (point.listLength - meanLength) ** 2);
  const countSpread = sum(sorted, (point) => (point.count - meanCount) ** 2);
  const joint = sum(sorted, (point) => (point.listLength - meanLength) * (point.count - meanCount));
  const slope = joint / lengthSpread;
  // Counts that do not vary at all lie on their line exactly.
  const determination = countSpread === 0 ? 1 : joint ** 2 / (lengthSpread * countSpread);
  return {
    slope: round(slope),
    determination: round(determination),
    lengthMin: first.listLength,
    lengthMax: last.listLength,
    countAtMin: first.count,
    countAtMax: last.count,
  };
}

/**
 * The list at least doubles and the count stays: a fixed number of calls, however large. A line without slope is
 * not enough, because requests of a faulty and of a repaired version may balance; each count must lie on it.
 */
export function isFixedNumber(growth: Growth): boolean {
  const { slope, determination, lengthMin, lengthMax, countAtMin } = growth;
  return slope === 0 && determination === 1 && lengthMax >= 2 * lengthMin && countAtMin > 0;
}

function sum(points: readonly GrowthPoint[], value: (point: GrowthPoint) => number): number {
  return points.reduce((total, point) => total + value(point), 0);
}

/** Rounded, so that the order of additions cannot show. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
