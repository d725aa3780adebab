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
  const [first, last] = [shortestOf(points), longestOf(points)];
  if (first === undefined || last === undefined || first.listLength === last.listLength) {
    return undefined;
  }
  const { meanLength, meanCount } = meansOf(points);
  let lengthSpread = 0;
  let countSpread = 0;
  let joint = 0;
  for (const { listLength, count } of points) {
    lengthSpread += (listLength - meanLength) ** 2;
    countSpread += (count - meanCount) ** 2;
    joint += (listLength - meanLength) * (count - meanCount);
  }
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

/** The point of the shortest list; of several that with the fewest calls. */
function shortestOf(points: readonly GrowthPoint[]): GrowthPoint | undefined {
  let shortest = points[0];
  for (const point of points) {
    if (shortest !== undefined && isBefore(point, shortest)) shortest = point;
  }
  return shortest;
}

/** The point of the longest list; of several that with the most calls. */
function longestOf(points: readonly GrowthPoint[]): GrowthPoint | undefined {
  let longest = points[0];
  for (const point of points) {
    if (longest !== undefined && isBefore(longest, point)) longest = point;
  }
  return longest;
}

function isBefore(left: GrowthPoint, right: GrowthPoint): boolean {
  if (left.listLength !== right.listLength) return left.listLength < right.listLength;
  return left.count < right.count;
}

function meansOf(points: readonly GrowthPoint[]): { meanLength: number; meanCount: number } {
  // Lengths and counts are whole numbers, so their sums are exact in any order.
  let lengths = 0;
  let counts = 0;
  for (const { listLength, count } of points) {
    lengths += listLength;
    counts += count;
  }
  return { meanLength: lengths / points.length, meanCount: counts / points.length };
}

/** Rounded, so that the order of additions cannot show. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
