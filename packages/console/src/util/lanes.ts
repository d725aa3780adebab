/** Spans that ran at once, side by side in lanes, so that none hides another. */

import type { Span } from "@faultline/contracts";

import { spanEndMicros } from "./trace-tree.ts";

/** More lanes than this cannot be told apart within the height of a row. */
export const laneCountMax = 4;

/** The lane of each span, given in the order of start, and how many lanes there are. */
export function placeInLanes(spans: readonly Span[]): { lanes: number[]; laneCount: number } {
  const endings: number[] = [];
  const lanes = spans.map((span) => {
    const free = endings.findIndex((end) => end <= span.startMicros);
    const lane = free === -1 ? endings.length : free;
    endings[lane] = spanEndMicros(span);
    return lane;
  });
  const laneCount = Math.min(laneCountMax, Math.max(1, endings.length));
  return { lanes: lanes.map((lane) => lane % laneCount), laneCount };
}
