import { describe, expect, it } from "vitest";

import { signal } from "../../test/store-fixture.ts";
import { Pace } from "./pace.ts";

/** A clock that the test moves, and that notes how long was slept. */
function steppedClock() {
  const slept: number[] = [];
  const clock = {
    atMs: 0,
    slept,
    nowMs: () => 0,
    monotonicMs: () => clock.atMs,
    sleep: async (durationMs: number) => {
      slept.push(durationMs);
      clock.atMs += durationMs;
      await Promise.resolve();
    },
  };
  return clock;
}

describe("the pace of work in the background", () => {
  it("rests after each stretch for longer than it has worked, and not in between", async () => {
    const clock = steppedClock();
    const pace = new Pace(clock, () => false);
    for (let slice = 0; slice < 8; slice += 1) {
      clock.atMs += 0.25;
      await pace.rest(signal);
    }
    expect(clock.slept).toEqual([3, 3, 3, 3]);
  });

  it("does not rest for ever when the disk was slow", async () => {
    const clock = steppedClock();
    const pace = new Pace(clock, () => false);
    clock.atMs += 5_000;
    await pace.rest(signal);
    expect(clock.slept).toEqual([50]);
  });

  it("only gives the event loop a turn when it is urgent", async () => {
    const clock = steppedClock();
    const pace = new Pace(clock, () => true);
    clock.atMs += 4;
    await pace.rest(signal);
    expect(clock.slept).toEqual([0]);
  });
});
