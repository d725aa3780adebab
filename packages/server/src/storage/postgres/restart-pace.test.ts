import { openTemporaryFolder, simulatedClock } from "@faultline/testkit";
import { expect, test } from "vitest";

import { isDiskFull, RestartPace, restartCountMax } from "./restart-pace.ts";

async function delays(pace: RestartPace, count: number): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (let index = 0; index < count; index += 1) {
    pace.noteEnd();
    found.push(await pace.nextDelayMs());
    pace.noteStart();
  }
  return found;
}

test("a server that dies again and again is started with growing pauses, then no more", async () => {
  const pace = new RestartPace(simulatedClock(), () => Promise.resolve(false));
  expect(await delays(pace, restartCountMax + 1)).toEqual([
    100,
    200,
    400,
    800,
    1_600,
    3_200,
    undefined,
  ]);
});

test("a minute of health starts the count anew", async () => {
  const clock = simulatedClock();
  const pace = new RestartPace(clock, () => Promise.resolve(false));
  await delays(pace, restartCountMax);
  await clock.advance(60_001);
  expect(await delays(pace, 1)).toEqual([100]);
});

test("a full disk is waited out, however long it lasts", async () => {
  let isFull = true;
  const pace = new RestartPace(simulatedClock(), () => Promise.resolve(isFull));
  const whileFull = await delays(pace, 10 * restartCountMax);
  expect(new Set(whileFull)).toEqual(new Set([5_000]));
  isFull = false;
  expect(await delays(pace, restartCountMax + 1)).toContain(undefined);
});

test("a disk with space is not full", async () => {
  await using folder = await openTemporaryFolder();
  expect(await isDiskFull(folder.path)).toBe(false);
  expect(await isDiskFull(`${folder.path}/nowhere`)).toBe(false);
});
