import { describe, expect, it } from "vitest";

import { adjustForMany } from "./benjamini-hochberg.ts";
import { chanceOfShares } from "./fisher-exact.ts";
import { logFactorial, logSubsets } from "./log-factorial.ts";
import { normalDensity, twoSidedTail } from "./normal.ts";
import { fitPieces } from "./piecewise-fit.ts";
import { middleAndSpread, quantileOf, sortedNumbers } from "./quantiles.ts";
import { changePointOf } from "./rank-change-point.ts";
import { rankSumOf } from "./rank-sum.ts";

describe("the normal distribution", () => {
  it.each([
    [0, 1],
    [1, 0.317_310_5],
    [1.959_964, 0.05],
    [2.575_829, 0.01],
    [6, 1.973_175e-9],
  ])("has beyond %f the tail of the tables", (z, tail) => {
    expect(Math.abs(twoSidedTail(z) / tail - 1)).toBeLessThan(1e-5);
  });

  it("has its density", () => {
    expect(normalDensity(0)).toBeCloseTo(0.398_942, 6);
  });
});

describe("factorials", () => {
  it("agree at the end of the table, and with what is known", () => {
    expect(logFactorial(256) - logFactorial(255)).toBeCloseTo(Math.log(256), 9);
    expect(Math.exp(logSubsets(49, 6))).toBeCloseTo(13_983_816, 0);
  });
});

describe("Fisher's exact test", () => {
  it("gives for the lady who tastes tea what he published", () => {
    expect(chanceOfShares({ marked: 3, all: 4, otherMarked: 1, otherAll: 4 })).toBeCloseTo(
      0.4857,
      4,
    );
    expect(chanceOfShares({ marked: 4, all: 4, otherMarked: 0, otherAll: 4 })).toBeCloseTo(
      2 / 70,
      6,
    );
  });

  it("is 1 where nothing is marked, and agrees with its approximation where both can be used", () => {
    expect(chanceOfShares({ marked: 0, all: 9, otherMarked: 0, otherAll: 9 })).toBe(1);
    const exact = chanceOfShares({ marked: 700, all: 4_000, otherMarked: 600, otherAll: 4_000 });
    const near = chanceOfShares({
      marked: 2_800,
      all: 16_000,
      otherMarked: 2_600,
      otherAll: 16_000,
    });
    expect(exact).toBeCloseTo(0.0028, 3);
    expect(near).toBeCloseTo(0.0032, 3);
  });
});

describe("the procedure of Benjamini and Hochberg", () => {
  it("accepts in their example of fifteen tests the four that they accept", () => {
    const chances = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
      0.6528, 0.759, 1,
    ];
    expect(adjustForMany(chances).filter((chance) => chance <= 0.05)).toHaveLength(4);
  });
});

describe("quantiles", () => {
  it("lie between neighbours in proportion", () => {
    const sorted = sortedNumbers([4, 1, 3, 2]);
    expect(quantileOf(sorted, 0.25)).toBe(1.75);
    expect(middleAndSpread(sorted)).toEqual({ median: 2.5, quartileRange: 1.5 });
    expect(quantileOf(sortedNumbers([]), 0.5)).toBeNaN();
  });
});

describe("the rank-sum test", () => {
  it("counts wins and ties as Mann and Whitney do", () => {
    const { superiority } = rankSumOf(sortedNumbers([1, 2, 3]), sortedNumbers([2, 4]));
    expect(superiority).toBeCloseTo(1.5 / 6, 9);
  });

  it("gives the chance of the normal approximation with ties and continuity", () => {
    // The yields of Hollander and Wolfe, section 4.1: U = 15 of 50, two-sided p = 0.2544 exactly, 0.2446 approximately.
    const first = sortedNumbers([0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]);
    const second = sortedNumbers([1.15, 0.88, 0.9, 0.74, 1.21]);
    const { chance, superiority } = rankSumOf(first, second);
    expect(superiority).toBeCloseTo(35 / 50, 9);
    expect(chance).toBeCloseTo(0.2446, 3);
  });
});

describe("a change point", () => {
  it("is where the level jumps, in either direction, whatever the scale", () => {
    const values = Float64Array.from({ length: 60 }, (_, at) =>
      at < 40 ? (at * 3) % 5 : 100 + (at % 7),
    );
    expect(changePointOf(values)).toMatchObject({ index: 40, direction: "up" });
    const down = values.map((value) => -1e9 * value);
    expect(changePointOf(down)).toMatchObject({ index: 40, direction: "down" });
    expect(changePointOf(values)?.chance).toBeLessThan(1e-6);
  });

  it("is found in a short tail that lies beyond everything", () => {
    const values = Float64Array.from({ length: 100 }, (_, at) =>
      at < 96 ? (at * 37) % 11 : 500 + at,
    );
    expect(changePointOf(values)?.chance).toBeLessThan(1e-3);
  });

  it("is none of a level that never changes", () => {
    expect(changePointOf(new Float64Array(50).fill(3))).toBeUndefined();
  });
});

describe("piecewise fits", () => {
  it("find the jump and the bend of exact series", () => {
    const jump = fitPieces(Float64Array.from({ length: 50 }, (_, at) => (at < 30 ? 2 : 7)));
    expect(jump).toMatchObject({ stepIndex: 30 });
    expect(jump.step).toBeCloseTo(0, 9);
    const bend = fitPieces(
      Float64Array.from({ length: 50 }, (_, at) => 5 + Math.max(0, at - 20) * 3),
    );
    expect(bend.hingeIndex).toBe(20);
    expect(bend.hinge).toBeCloseTo(0, 6);
  });

  it("see what neighbours have in common once the change is taken out", () => {
    const wave = fitPieces(Float64Array.from({ length: 200 }, (_, at) => Math.sin(at / 3)));
    expect(wave.correlation).toBeGreaterThan(0.8);
    const flip = fitPieces(Float64Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? 1 : -1)));
    expect(flip.correlation).toBeLessThan(0.05);
  });
});
