import { describe, expect, it } from "vitest";

import { pairedPermutation } from "./paired-permutation.ts";
import { signTest } from "./sign-test.ts";

function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe("the permutation test for pairs", () => {
  it("is the sign test for pairs that passed or failed", () => {
    for (const [rise, fall, same] of [
      [9, 1, 30],
      [3, 3, 10],
      [0, 6, 0],
    ] as const) {
      const differences = [
        ...Array.from({ length: rise }, () => 1),
        ...Array.from({ length: fall }, () => -1),
        ...Array.from({ length: same }, () => 0),
      ];
      expect(pairedPermutation(differences).chance).toBeCloseTo(signTest(rise, fall), 10);
    }
  });

  it("gives the share of all signs for few pairs", () => {
    // Of 32 choices of signs, two give a sum at least as far from zero as all pluses.
    expect(pairedPermutation([1, 1, 1, 1, 1]).chance).toBeCloseTo(2 / 32, 10);
    expect(pairedPermutation([]).chance).toBe(1);
    expect(pairedPermutation([0, 0]).chance).toBe(1);
  });

  it("is the same whichever side comes first", () => {
    const differences = [0.2, -0.1, 0.35, 0.05, 0.4, -0.02];
    const turned = differences.map((difference) => -difference);
    expect(pairedPermutation(turned).chance).toBeCloseTo(pairedPermutation(differences).chance, 12);
  });

  it.each([12, 60, 400])("calls at most 1 in 20 of pairs of %i that are alike", (count) => {
    let called = 0;
    for (let seed = 0; seed < 1_000; seed += 1) {
      const next = seeded(seed + 3);
      const differences = Array.from({ length: count }, () => next() ** 3 - next() ** 3);
      if (pairedPermutation(differences).chance <= 0.05) called += 1;
    }
    expect(called).toBeLessThanOrEqual(50 + 3 * Math.sqrt(50));
  });

  it("finds a small shift of many pairs", () => {
    const next = seeded(5);
    const differences = Array.from({ length: 300 }, () => next() - next() - 0.1);
    expect(pairedPermutation(differences).chance).toBeLessThan(0.001);
  });
});
