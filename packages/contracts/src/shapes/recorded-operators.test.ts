import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { operatorsFit } from "./operators-fit.ts";

interface Row {
  readonly framework?: string;
  readonly op: string;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly result: readonly { readonly shape: readonly number[] }[] | null;
}

function rowsOf(name: string): Row[] {
  const url = new URL(`../../test/recorded/operators/${name}.jsonl`, import.meta.url);
  return readFileSync(url, "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Row => JSON.parse(line));
}

function judge({ op, inputs, attributes, framework = "torch" }: Row, outputs?: unknown): Finding {
  const operators = [{ op, inputs, attributes, ...(outputs === undefined ? {} : { outputs }) }];
  const bytes = new TextEncoder().encode(JSON.stringify({ framework, operators }));
  const { evidence } = readEvidence([{ name: "x.json", bytes }]);
  const [finding] = operatorsFit.check(snapshotOf(evidence));
  if (finding === undefined) throw new Error("there is one list");
  return finding;
}

const wordsOf = ({ op, inputs, attributes }: Row): string =>
  `${op} ${inputs.map(({ shape, dtype }) => `${dtype}[${shape.join(",")}]`).join(" ")} ${JSON.stringify(attributes)}`;

/** How many are told at least; the others are inconclusive. */
const leastJudged = { pytorch: 0.95, onnx: 0.8 };

describe.each(["pytorch", "onnx"] as const)("operators as %s takes them", (name) => {
  const rows = rowsOf(name);
  const legal = rows.filter(({ result }) => result !== null);
  const refused = rows.filter(({ result }) => result === null);

  it("break nothing where they ran, with their outputs and without", () => {
    const wrong = legal.flatMap((row) =>
      [judge(row), judge(row, row.result)]
        .filter(({ verdict }) => verdict === "violated")
        .map(({ expected, actual }) => `${wordsOf(row)}: ${expected} ${actual}`),
    );
    expect(wrong).toEqual([]);
    const judged = legal.filter((row) => judge(row, row.result).verdict === "holds");
    expect(judged.length / legal.length).toBeGreaterThan(leastJudged[name]);
  });

  it("are never said to fit where they were refused, and nearly all are told", () => {
    const held = refused.filter((row) => judge(row).verdict === "holds");
    expect(held.map(wordsOf)).toEqual([]);
    const told = refused.filter((row) => judge(row).verdict === "violated");
    expect(told.length / refused.length).toBeGreaterThan(0.95);
  });

  it("do not fit with a longer output, and never hold with one", () => {
    const longer = legal.flatMap((row) => {
      const [first, ...rest] = row.result ?? [];
      if (first === undefined || first.shape.length === 0) return [];
      const shape = [...first.shape.slice(0, -1), (first.shape.at(-1) ?? 0) + 1];
      return [{ row, verdict: judge(row, [{ shape }, ...rest]).verdict }];
    });
    const held = longer.filter(({ verdict }) => verdict === "holds");
    expect(held.map(({ row }) => wordsOf(row))).toEqual([]);
    const told = longer.filter(({ verdict }) => verdict === "violated");
    expect(told.length / longer.length).toBeGreaterThan(name === "onnx" ? 0.7 : 0.9);
  });
});

it("break nothing where a profiler saw them run, which records neither attributes nor outputs", () => {
  const url = new URL("../../test/recorded/operators/profiler.jsonl", import.meta.url);
  const { evidence } = readEvidence([{ name: "x.jsonl", bytes: readFileSync(url) }]);
  const findings = operatorsFit.check(snapshotOf(evidence));
  expect(findings).toMatchObject([{ verdict: "inconclusive" }]);
  expect(findings[0]?.measures["judgedCount"]).toBeGreaterThan(50);
});

it("needs at least 150 rows to say so", () => {
  expect(rowsOf("pytorch").length + rowsOf("onnx").length).toBeGreaterThan(450);
});
