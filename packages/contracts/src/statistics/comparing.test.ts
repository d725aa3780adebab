import { describe, expect, it } from "vitest";

import { chancesOfLooks, spentAt } from "./alpha-spending.ts";
import { binomialUpTo } from "./binomial.ts";
import { stratifiedDifference } from "./clustered-shares.ts";
import { detectableRise } from "./detectable-effect.ts";
import { mcnemar } from "./mcnemar.ts";
import { twoSidedQuantile, upperQuantile, upperTail } from "./normal-quantile.ts";
import { quantileShift } from "./quantile-shift.ts";
import { sortedNumbers } from "./quantiles.ts";
import { signTest } from "./sign-test.ts";
import { signedRank } from "./signed-rank.ts";
import { shareDifference, wilsonInterval } from "./two-proportions.ts";

/** A repeatable source of numbers between 0 and 1. */
function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe("normal quantiles", () => {
  it.each([
    [0.05, 1.959_964],
    [0.01, 2.575_829],
    [1e-4, 3.890_592],
    [1e-9, 6.109_41],
  ])("for the two-sided chance %f give the value of the tables", (chance, z) => {
    expect(twoSidedQuantile(chance)).toBeCloseTo(z, 4);
  });

  it("are the inverse of the tail on both sides, and bounded", () => {
    for (const chance of [0.9, 0.5, 0.2, 1e-12]) {
      expect(upperTail(upperQuantile(chance)) / chance).toBeCloseTo(1, 6);
    }
    expect(upperQuantile(0)).toBe(38);
  });
});

describe("the binomial distribution", () => {
  it("has the tails of the tables, and an approximation that meets the sum", () => {
    expect(binomialUpTo(3, 10, 0.5)).toBeCloseTo(0.171_875, 9);
    expect(binomialUpTo(2, 20, 0.1)).toBeCloseTo(0.676_927, 6);
    expect(binomialUpTo(980, 2_000, 0.5)).toBeCloseTo(binomialUpTo(980.5, 2_001, 0.5), 2);
  });
});

describe("the difference of two shares", () => {
  it("has Newcombe's interval for 56 of 70 against 48 of 80", () => {
    // Newcombe (1998), table II, example (a), method 10.
    const { difference, low, high } = shareDifference(
      { marked: 56, all: 70, otherMarked: 48, otherAll: 80 },
      0.05,
    );
    expect(difference).toBeCloseTo(0.2, 9);
    expect(low).toBeCloseTo(0.0524, 4);
    expect(high).toBeCloseTo(0.3339, 4);
  });

  it("has his interval where nothing is marked on one side", () => {
    // Example (g): 5 of 56 against 0 of 29.
    const { low, high } = shareDifference(
      { marked: 5, all: 56, otherMarked: 0, otherAll: 29 },
      0.05,
    );
    expect(low).toBeCloseTo(-0.0381, 4);
    expect(high).toBeCloseTo(0.1926, 4);
  });

  it("says nothing of nobody", () => {
    expect(wilsonInterval(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
    expect(shareDifference({ marked: 0, all: 0, otherMarked: 1, otherAll: 2 }, 0.05)).toEqual({
      difference: 0,
      low: -1,
      high: 1,
    });
  });
});

describe("paired tests", () => {
  it("the sign test has the chances of the tables", () => {
    expect(signTest(9, 1)).toBeCloseTo(0.021_484, 6);
    expect(signTest(6, 0)).toBeCloseTo(0.031_25, 9);
    expect(signTest(0, 0)).toBe(1);
  });

  it("McNemar's test compares the pairs that turned", () => {
    // The approval ratings of Agresti, Categorical Data Analysis, section 10.1: z = 4.17.
    const { difference, chance } = mcnemar({
      bothCount: 794,
      onlyFirstCount: 150,
      onlySecondCount: 86,
      neitherCount: 570,
    });
    expect(difference).toBeCloseTo(-0.04, 9);
    expect(chance).toBeGreaterThan(3e-5);
    expect(chance).toBeLessThan(5e-5);
  });

  it("the signed-rank test gives for the depression scales what Hollander and Wolfe print", () => {
    const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
    const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    const { riseRankSum, chance } = signedRank(before.map((value, at) => value - (after[at] ?? 0)));
    expect(riseRankSum).toBe(40);
    expect(chance).toBeCloseTo(0.0391, 4);
  });

  it("the signed-rank test agrees with its approximation, and leaves out what is equal", () => {
    const next = seeded(3);
    const differences = Array.from({ length: 41 }, () => next() - 0.4);
    const exact = signedRank(differences.slice(0, 40)).chance;
    expect(Math.abs(signedRank(differences).chance - exact)).toBeLessThan(0.1);
    expect(signedRank([0, 0, 0])).toEqual({ riseRankSum: 0, count: 0, chance: 1 });
  });
});

describe("the smallest rise that is found", () => {
  it.each([
    [0.5, 0.6, 388],
    [0.1, 0.15, 686],
  ])(
    "from %f to %f takes the count of Fleiss' tables without continuity",
    (share, other, count) => {
      const test = { share, count, otherCount: count, chance: 0.05, power: 0.8 };
      expect(detectableRise(test)).toBeCloseTo(other - share, 3);
    },
  );

  it("is everything where there is nobody", () => {
    const test = { share: 0.2, count: 0, otherCount: 9, chance: 0.05, power: 0.8 };
    expect(detectableRise(test)).toBeCloseTo(0.8, 9);
  });
});

describe("spending of the error rate", () => {
  it.each([
    ["obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.031]],
    ["pocock", [2.438, 2.4268, 2.4101, 2.3966, 2.3859]],
  ] as const)("as %s has the bounds of Lan and DeMets' program for five looks", (kind, bounds) => {
    const chances = chancesOfLooks([0.2, 0.4, 0.6, 0.8, 1], 0.05, kind);
    chances.forEach((chance, at) => {
      expect(Math.abs(twoSidedQuantile(chance) - (bounds[at] ?? 0))).toBeLessThan(0.002);
    });
  });

  it("spends all at the end, nothing at the beginning, and one look everything", () => {
    expect(spentAt(1, 0.01, "pocock")).toBe(0.01);
    expect(spentAt(0, 0.01, "obrien-fleming")).toBe(0);
    expect(chancesOfLooks([1], 0.01, "obrien-fleming")[0]).toBeCloseTo(0.01, 6);
  });

  it("keeps the error rate over all looks of 4,000 walks", () => {
    const shares = [0.25, 0.5, 0.75, 1];
    const bounds = chancesOfLooks(shares, 0.05, "obrien-fleming").map(twoSidedQuantile);
    const next = seeded(11);
    let called = 0;
    for (let walk = 0; walk < 4_000; walk += 1) {
      let sum = 0;
      let isCalled = false;
      shares.forEach((share, at) => {
        sum += 0.5 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
        if (Math.abs(sum / Math.sqrt(share)) > (bounds[at] ?? 0)) isCalled = true;
      });
      if (isCalled) called += 1;
    }
    expect(called / 4_000).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 4_000));
    expect(called / 4_000).toBeGreaterThan(0.05 - 3 * Math.sqrt((0.05 * 0.95) / 4_000));
  });
});

describe("the shift of a quantile", () => {
  it("is where the second lies, and its interval misses the truth about as often as it says", () => {
    const next = seeded(5);
    // Latencies with a long tail.
    const drawn = (count: number): Float64Array =>
      sortedNumbers(Array.from({ length: count }, () => -Math.log(1 - next())));
    let missed = 0;
    for (let trial = 0; trial < 1_000; trial += 1) {
      const shift = quantileShift(drawn(400), drawn(300), { share: 0.5, chance: 0.05 });
      if (shift === undefined || shift.low > 0 || shift.high < 0) missed += 1;
    }
    expect(missed).toBeLessThanOrEqual(50 + 3 * Math.sqrt(47.5));
    const moved = drawn(400).map((value) => value + 1);
    expect(quantileShift(drawn(400), moved, { share: 0.5, chance: 0.01 })?.low).toBeGreaterThan(
      0.5,
    );
  });

  it("is none of populations that are too small for the quantile", () => {
    const few = sortedNumbers([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(quantileShift(few, few, { share: 0.95, chance: 0.05 })).toBeUndefined();
    expect(quantileShift(few, few, { share: 0.5, chance: 0.05 })?.shift).toBe(0);
  });
});

describe("the difference of shares within strata and clusters", () => {
  it("does not take a difference between strata for one between populations", () => {
    // Simpson's paradox: the second population has more of the bad stratum, and is as good within each.
    const rows = [
      { stratum: 0, isSecond: 0, count: 900, marked: 9 },
      { stratum: 0, isSecond: 1, count: 100, marked: 1 },
      { stratum: 1, isSecond: 0, count: 100, marked: 50 },
      { stratum: 1, isSecond: 1, count: 900, marked: 450 },
    ];
    const members = rows.flatMap(({ stratum, isSecond, count, marked }) =>
      Array.from({ length: count }, (_, at) => ({ stratum, isSecond, mark: at < marked ? 1 : 0 })),
    );
    const arrays = {
      marks: Uint8Array.from(members, ({ mark }) => mark),
      isSecond: Uint8Array.from(members, ({ isSecond }) => isSecond),
      clusters: Int32Array.from(members, (_, at) => at),
    };
    const strata = Int32Array.from(members, ({ stratum }) => stratum);
    expect(stratifiedDifference({ ...arrays, strata }).chance).toBeGreaterThan(0.9);
    const apart = stratifiedDifference({ ...arrays, strata: new Int32Array(members.length) });
    expect(apart.chance).toBeLessThan(1e-6);
    expect(apart.difference).toBeCloseTo(0.451 - 0.059, 9);
  });

  it("keeps its error rate where members of a cluster share their fate", () => {
    const next = seeded(23);
    let called = 0;
    for (let trial = 0; trial < 1_000; trial += 1) {
      const clusterCount = 80;
      const clusters = Int32Array.from({ length: clusterCount * 10 }, (_, at) =>
        Math.floor(at / 10),
      );
      const fate = Array.from({ length: clusterCount }, () => (next() < 0.3 ? 1 : 0));
      const { chance } = stratifiedDifference({
        marks: Uint8Array.from(clusters, (cluster) => fate[cluster] ?? 0),
        isSecond: Uint8Array.from(clusters, (cluster) => cluster % 2),
        strata: new Int32Array(clusters.length),
        clusters,
      });
      if (chance <= 0.05) called += 1;
    }
    expect(called).toBeLessThanOrEqual(50 + 3 * Math.sqrt(47.5));
  });
});
