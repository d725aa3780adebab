/** How many edits of each region an edit knew of: whether one edit came after another, or neither knew of the other. */

/** By the name of the region. A region that is not named made none. */
export type VectorClock = Readonly<Record<string, number>>;

export type ClockOrder = "equal" | "before" | "after" | "concurrent";

/** How the left one stands to the right one. */
export function compareClocks(left: VectorClock, right: VectorClock): ClockOrder {
  let isLess = false;
  let isMore = false;
  for (const region of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [leftCount, rightCount] = [left[region] ?? 0, right[region] ?? 0];
    if (leftCount < rightCount) isLess = true;
    if (leftCount > rightCount) isMore = true;
  }
  if (isLess) return isMore ? "concurrent" : "before";
  return isMore ? "after" : "equal";
}

/** The clock of who knows all that these know. */
export function mergeClocks(clocks: Iterable<VectorClock>): VectorClock {
  const merged: Record<string, number> = {};
  for (const clock of clocks) {
    for (const [region, count] of Object.entries(clock))
      merged[region] = Math.max(merged[region] ?? 0, count);
  }
  return merged;
}

/** The clock of the next edit of a region that knows so much. */
export function advanceClock(clock: VectorClock, region: string): VectorClock {
  return { ...clock, [region]: (clock[region] ?? 0) + 1 };
}

/** One text for one clock. */
export function clockText(clock: VectorClock): string {
  return Object.keys(clock)
    .sort()
    .map((region) => `${region}:${clock[region]}`)
    .join(",");
}
