import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { points } from "./points.ts";
import { planRounds } from "./run-kills.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

test("fifty rounds hit every point with each of its victims twice at least", () => {
  const rounds = planRounds(50, 1);
  for (const [point, victims] of Object.entries(points))
    for (const victim of victims) {
      const hits = rounds.filter((round) => round.point === point && round.victim === victim);
      expect(hits.length).toBeGreaterThanOrEqual(2);
    }
  expect(planRounds(50, 1)).toEqual(rounds);
  expect(planRounds(50, 2)).not.toEqual(rounds);
});

test("some kills of real processes lose nothing, overspend nothing and charge nothing twice", async () => {
  const words = ["--rounds", "3", "--seed", "6", "--clients", "4"];
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...words]);
  expect(stdout).toContain("3 kills: nothing overspent, nothing lost, nothing charged twice.");
});
