import { describe, expect, it } from "vitest";

import { normalFrom, numbersFrom } from "../../test/training-runs.ts";
import type { Finding } from "../model/finding.ts";
import type { NumericOutput, OutputsContent } from "../model/outputs.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../snapshot/file.ts";
import { equalOutputs } from "./equal-outputs.ts";

const random = numbersFrom(9);
const values = Array.from({ length: 200 }, () => 3 * normalFrom(random));

function output(
  change: (value: number, index: number) => number,
  dtype = "float32",
): NumericOutput {
  return { name: "logits", shape: [4, 50], dtype, values: values.map(change) };
}

type Role = "before" | "after";

function recording(role: Role | undefined, ...outputs: NumericOutput[]): OutputsContent {
  return { kind: "outputs", name: "model", ...(role === undefined ? {} : { role }), outputs };
}

function check(...contents: OutputsContent[]): Finding[] {
  const snapshot = createSnapshot(
    contents.map((content, index) => ({
      source: { name: `${index}`, format: "numeric-outputs", notes: [] },
      content,
    })),
  );
  const read = decodeSnapshotFile(encodeSnapshotFile(snapshot));
  expect(equalOutputs.check(read)).toEqual(equalOutputs.check(snapshot));
  return equalOutputs.check(snapshot);
}

const before = recording(
  "before",
  output((value) => value),
);
const rounded = (share: number): ((value: number, index: number) => number) => {
  return (value, index) => value * (1 + (index % 2 === 0 ? share : -share));
};

describe("outputs after a change", () => {
  it.each<[string, NumericOutput, string]>([
    ["are equal", output((value) => value), "holds"],
    ["are rounded in another order", output(rounded(5e-7)), "holds"],
    ["are rounded to half", output(rounded(4e-4), "float16"), "holds"],
    ["are rounded to half, and said to be float32", output(rounded(4e-4)), "violated"],
    ["are off by more than rounding", output(rounded(1e-5)), "inconclusive"],
    ["are others", output((value) => value + 0.1), "violated"],
    [
      "have one other value",
      output((value, index) => (index === 7 ? value + 1 : value)),
      "violated",
    ],
    [
      "have a value that is none",
      output((value, index) => (index === 3 ? Number.NaN : value)),
      "violated",
    ],
    ["have another shape", { ...output((value) => value), shape: [50, 4] }, "violated"],
    ["are not there", { ...output((value) => value), name: "other" }, "inconclusive"],
  ])("%s", (_name, after, verdict) => {
    const plain = {
      ...after,
      values: after.values.map((value) => (Number.isNaN(value) ? ("NaN" as const) : value)),
    };
    const findings = check(before, recording("after", plain));
    expect(findings).toMatchObject([{ verdict }]);
    const strange = {
      ...recording(
        "after",
        output((value) => -value),
      ),
      name: "unrelated",
    };
    const again = check(recording("after", plain), strange, before, before).filter(
      ({ subject }) => subject.name === "model",
    );
    expect(again.map(({ title, actual }) => [title, actual])).toEqual(
      findings.map(({ title, actual }) => [title, actual]),
    );
  });

  it("may differ by what the program varies by itself", () => {
    const again = recording("before", output(rounded(1e-3)));
    expect(check(before, again, recording("after", output(rounded(-1e-3))))).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  it("are whole numbers that are equal or not", () => {
    const whole = (value: number): NumericOutput => ({
      name: "tokens",
      shape: [2],
      dtype: "int64",
      values: [5, value],
    });
    expect(check(recording("before", whole(7)), recording("after", whole(7)))).toMatchObject([
      { verdict: "holds" },
    ]);
    expect(check(recording("before", whole(7)), recording("after", whole(8)))).toMatchObject([
      { verdict: "violated" },
    ]);
  });

  it("are not judged without those from before, or without saying which they are", () => {
    expect(check(before)).toMatchObject([{ verdict: "inconclusive" }]);
    expect(
      check(
        recording(
          undefined,
          output((value) => value),
        ),
      ),
    ).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it("are compared at the places that both keep", () => {
    const part = (places: number[], change: number): NumericOutput => ({
      name: "big",
      shape: [1_000],
      dtype: "float32",
      values: places.map((place) => place + change),
      places,
    });
    const beforePart = recording("before", part([0, 10, 20], 0));
    expect(check(beforePart, recording("after", part([10, 20, 30], 0)))).toMatchObject([
      { verdict: "holds" },
    ]);
    expect(check(beforePart, recording("after", part([1, 2], 0)))).toMatchObject([
      { verdict: "inconclusive" },
    ]);
  });
});

it("finds fault with none of 1,000 recordings that are rounded anew", () => {
  let found = 0;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const draw = numbersFrom(seed);
    const scale = 10 ** (6 * draw() - 3);
    // Sums of 64 products in two orders, as single precision rounds them.
    const rows = Array.from({ length: 8 }, () =>
      Array.from({ length: 64 }, () => Math.fround(scale * normalFrom(draw))),
    );
    const sum = (items: readonly number[]): number =>
      items.reduce((total, item) => Math.fround(total + item), 0);
    const of = (order: (items: number[]) => number[]): NumericOutput => ({
      name: "sums",
      shape: [8],
      dtype: "float32",
      values: rows.map((row) => sum(order(row))),
    });
    const findings = equalOutputs.check(
      createSnapshot(
        [
          recording(
            "before",
            of((items) => items),
          ),
          recording(
            "after",
            of((items) => items.toSorted((left, right) => left - right)),
          ),
        ].map((content) => ({ source: { name: "x", format: "x", notes: [] }, content })),
      ),
    );
    if (findings[0]?.verdict === "violated") found += 1;
  }
  expect(found).toBe(0);
});
