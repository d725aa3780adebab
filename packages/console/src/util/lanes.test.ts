/** Side by side what ran at once. */

import type { Span } from "@faultline/contracts";
import { expect, it } from "vitest";

import { laneCountMax, placeInLanes } from "./lanes.ts";

function span(startMs: number, durationMs: number): Span {
  return {
    traceId: "1".repeat(32),
    spanId: "1".repeat(16),
    name: "call",
    kind: "client",
    service: "api",
    startMicros: startMs * 1_000,
    durationNanos: durationMs * 1e6,
    status: { code: "unset" },
    attributes: {},
    resource: {},
    scope: { name: "test" },
    events: [],
    links: [],
  };
}

it("needs one lane for spans one after another, more for spans at once", () => {
  expect(placeInLanes([span(0, 5), span(5, 5), span(10, 5)])).toEqual({
    lanes: [0, 0, 0],
    laneCount: 1,
  });
  expect(placeInLanes([span(0, 10), span(2, 10), span(11, 4)])).toEqual({
    lanes: [0, 1, 0],
    laneCount: 2,
  });
  expect(placeInLanes([])).toEqual({ lanes: [], laneCount: 1 });
});

it("never uses more lanes than can be told apart", () => {
  const { lanes, laneCount } = placeInLanes(Array.from({ length: 40 }, () => span(0, 10)));
  expect(laneCount).toBe(laneCountMax);
  expect(Math.max(...lanes)).toBe(laneCountMax - 1);
});
