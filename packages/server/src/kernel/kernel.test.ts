import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  assert,
  AssertionError,
  createIds,
  raceAbort,
  seededRandom,
  systemClock,
  systemRandom,
  unreachable,
  whenAborted,
  type Clock,
} from "./index.ts";

const uuidSeven = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function clockAt(readTime: () => number): Clock {
  return { ...systemClock, nowMs: readTime };
}

describe("ids", () => {
  it("have the layout of UUID version 7 and begin with the time", () => {
    const id = createIds(
      clockAt(() => 0x0123456789ab),
      seededRandom("ids"),
    ).next();
    expect(id).toMatch(uuidSeven);
    expect(id.startsWith("01234567-89ab-7")).toBe(true);
  });

  it("sort in the order of their making, also when the clock stands or goes back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 50 }),
        (times) => {
          let index = 0;
          const readTime = (): number => 1_700_000_000_000 + (times[index++ % times.length] ?? 0);
          const ids = createIds(clockAt(readTime), seededRandom("order"));
          const made = Array.from({ length: 200 }, () => ids.next());
          expect(made).toEqual([...made].sort());
          expect(new Set(made).size).toBe(made.length);
        },
      ),
    );
  });

  it("stay in order when more are made in one millisecond than the counter holds", () => {
    const ids = createIds(
      clockAt(() => 1_700_000_000_000),
      seededRandom("many"),
    );
    const made = Array.from({ length: 10_000 }, () => ids.next());
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(made.length);
  });
});

describe("random", () => {
  it("gives the same stream for the same seed and independent streams to forks", () => {
    const draw = (seed: string): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.integer(1_000));
    };
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));

    const parent = seededRandom("parent");
    const before = parent.fork("sandbox").integer(2 ** 31);
    parent.integer(10);
    expect(parent.fork("sandbox").integer(2 ** 31)).toBe(before);
  });

  it("draws integers below the bound, every one of them", () => {
    for (const random of [systemRandom, seededRandom("range")]) {
      const seen = new Set(Array.from({ length: 500 }, () => random.integer(5)));
      expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    }
  });
});

describe("clock", () => {
  it("ends a sleep with the reason of its signal", async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
  });

  it("aborts a deadline with TimeoutError, and earlier with its parent", async () => {
    const own = systemClock.deadline(1);
    await whenAborted(own);
    expect(own.reason).toMatchObject({ name: "TimeoutError" });

    const parent = new AbortController();
    const child = systemClock.deadline(60_000, parent.signal);
    parent.abort(new Error("parent left"));
    expect(child.reason).toMatchObject({ message: "parent left" });
  });

  it("calls at an interval until the signal aborts", async () => {
    const controller = new AbortController();
    let count = 0;
    systemClock.every(1, controller.signal, () => {
      count += 1;
      if (count === 3) controller.abort();
    });
    await whenAborted(controller.signal);
    expect(count).toBe(3);
  });
});

describe("abort", () => {
  it("gives what the work gives, or the reason as soon as the signal aborts", async () => {
    const quiet = new AbortController().signal;
    await expect(raceAbort(Promise.resolve(7), quiet)).resolves.toBe(7);

    const controller = new AbortController();
    const endless = raceAbort(new Promise<never>(() => undefined), controller.signal);
    controller.abort(new Error("left"));
    await expect(endless).rejects.toThrow("left");
  });
});

describe("assert", () => {
  it("throws an AssertionError that states the invariant", () => {
    expect(() => assert(false, "what is posted covers what is held")).toThrow(AssertionError);
    expect(() => assert(false, "what is posted covers what is held")).toThrow(/posted covers/);
    assert(true, "this holds");
  });

  it("names the value that a switch forgot", () => {
    // The type system refuses this call; a value from outside may still arrive.
    expect(() => unreachable("surprise" as never)).toThrow(/"surprise"/);
  });
});
