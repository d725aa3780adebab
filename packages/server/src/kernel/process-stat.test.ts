import { expect, test } from "vitest";

import { readProcessStat } from "./process-stat.ts";

const rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";

test("a process is read whatever its name is", () => {
  for (const name of ["node", "a b", "(sd-pam)", "x) Z 1 (y"])
    expect(readProcessStat(`42 (${name}) S ${rest}`)).toEqual({
      isZombie: false,
      startTicks: "4711",
    });
});

test("one that has ended is told from one that runs", () => {
  for (const state of ["Z", "X"])
    expect(readProcessStat(`42 (node) ${state} ${rest}`).isZombie).toBe(true);
});
