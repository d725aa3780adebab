import { expect, test } from "vitest";

import { simulatedClock } from "./simulated-clock.ts";

const never = new AbortController().signal;

test("time stands still until it is moved", async () => {
  const clock = simulatedClock(1_000);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
  await clock.advance(250);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
});

test("wakes sleepers in the order of their due times, at their times", async () => {
  const clock = simulatedClock();
  const woken: [string, number][] = [];
  const sleeper = async (name: string, durations: number[]): Promise<void> => {
    for (const duration of durations) {
      await clock.sleep(duration, never);
      woken.push([name, clock.monotonicMs()]);
    }
  };
  const all = Promise.all([sleeper("a", [30, 30]), sleeper("b", [20, 20, 20])]);
  expect(clock.waitingCount).toBe(2);
  await clock.advance(59);
  expect(woken).toEqual([
    ["b", 20],
    ["a", 30],
    ["b", 40],
  ]);
  await clock.advance(1);
  await all;
  expect(
    woken
      .slice(3)
      .map(([name]) => name)
      .sort(),
  ).toEqual(["a", "b"]);
  expect(clock.waitingCount).toBe(0);
});

test("an abort ends a sleep with its reason", async () => {
  const clock = simulatedClock();
  const controller = new AbortController();
  const sleeping = clock.sleep(10, controller.signal);
  const refused = expect(sleeping).rejects.toThrow("enough");
  controller.abort(new Error("enough"));
  await refused;
  expect(clock.waitingCount).toBe(0);
  await expect(clock.sleep(10, controller.signal)).rejects.toThrow("enough");
});

test("a deadline aborts when it is due, or with its parent", async () => {
  const clock = simulatedClock();
  const parent = new AbortController();
  const first = clock.deadline(10);
  const second = clock.deadline(100, parent.signal);
  await clock.advance(10);
  expect(first.reason).toMatchObject({ name: "TimeoutError" });
  expect(second.aborted).toBe(false);
  parent.abort(new Error("gone"));
  expect(second.reason).toMatchObject({ message: "gone" });
  expect(clock.waitingCount).toBe(0);
});

test("an interval runs until its signal aborts", async () => {
  const clock = simulatedClock();
  const controller = new AbortController();
  const times: number[] = [];
  clock.every(10, controller.signal, () => times.push(clock.monotonicMs()));
  await clock.advance(35);
  controller.abort();
  await clock.advance(100);
  expect(times).toEqual([10, 20, 30]);
});
