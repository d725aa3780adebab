import { readFileSync } from "node:fs";
import { Check, Errors } from "typebox/schema";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import {
  graphqlOrders,
  request,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  sql,
  times,
} from "../traces/trace-builder.ts";
import { contracts } from "../registry.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { createPortableHasher } from "../snapshot/evidence-id.ts";
import type { UnreadableFile } from "../readers/read-evidence.ts";
import { CheckReport, checkReport } from "./check-report.ts";
import { sarifReport } from "./sarif-report.ts";
import { textReport } from "./text-report.ts";

const violated = graphqlOrders(20, "one-by-one");
const holds = graphqlOrders(20, "batched");
const inconclusive = graphqlOrders(2, "one-by-one");
const nothing = request("/health", [sql("SELECT a FROM b WHERE c = $1")]);
const unreadableFile: UnreadableFile = {
  name: "a folder/bad\u001b[31m file.json",
  message: "The JSON ends too early.",
  where: "line 1, column 2",
  expected: "well-formed JSON",
  code: "evidence_unreadable",
};

function reportOf(
  trees: readonly SpanTree[],
  unreadable: readonly UnreadableFile[] = [],
): CheckReport {
  const snapshot = snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));
  return checkReport({ snapshot, contracts, findings: checkSnapshot(snapshot), unreadable });
}

/** The same operation under another name, so that its verdict is its own. */
function renamed(tree: SpanTree, service: string): SpanTree {
  return { ...tree, service };
}

describe("the exit code", () => {
  it.each([
    ["holds", 0, [holds], []],
    ["nothing to judge", 3, [nothing], []],
    ["nothing to judge beside unreadable", 2, [nothing], [unreadableFile]],
    ["no evidence at all", 3, [], []],
    ["holds beside inconclusive", 0, [holds, renamed(inconclusive, "b")], []],
    ["violated", 1, [violated], []],
    ["violated beside unreadable", 1, [violated], [unreadableFile]],
    ["unreadable beside holds", 2, [holds], [unreadableFile]],
    ["unreadable beside inconclusive", 2, [inconclusive], [unreadableFile]],
    ["nothing but unreadable", 2, [], [unreadableFile]],
    ["inconclusive only", 3, [inconclusive], []],
  ] as const)("for %s is %i", (...row) => {
    const [, exitCode, trees, unreadable] = row;
    expect(reportOf(trees, unreadable).exitCode).toBe(exitCode);
  });
});

describe("the JSON report", () => {
  it("fits its schema", () => {
    const report = reportOf(
      [violated, renamed(holds, "b"), renamed(inconclusive, "c")],
      [unreadableFile],
    );
    expect([...Value.Errors(CheckReport, report)]).toEqual([]);
    expect(report.summary).toEqual({ violated: 1, holds: 1, inconclusive: 1, unreadable: 1 });
  });

  it("counts all evidence, lists what findings refer to, and computes no other ids", () => {
    const trees = [violated, ...times(20, () => nothing)];
    const read = snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));
    let idCount = 0;
    const snapshot = createSnapshot(read.evidence, () => {
      idCount += 1;
      return createPortableHasher();
    });
    const findings = checkSnapshot(snapshot);
    const report = checkReport({ snapshot, contracts, findings, unreadable: [] });
    expect(report.evidenceCount).toBe(21);
    expect(report.evidence).toHaveLength(1);
    expect(report.evidence[0]?.id).toBe(findings[0]?.evidence[0]?.evidenceId);
    expect(idCount).toBe(1);
  });

  it("has the schema that is published; this file run by vitest with `--update` writes it anew", async () => {
    const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", ...CheckReport };
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(
      "../../../../docs/reference/check-report.schema.json",
    );
  });
});

describe("the SARIF report", () => {
  const url = new URL("fixtures/sarif-2.1.0.schema.json", import.meta.url);
  // The file is a JSON schema, which is an object.
  const schema = JSON.parse(readFileSync(url, "utf8")) as object;
  const sarifOf = (report: CheckReport): unknown =>
    JSON.parse(JSON.stringify(sarifReport(report, { toolVersion: "1.2.3" })));

  it.each([
    [
      "findings of every verdict",
      [violated, renamed(holds, "b"), renamed(inconclusive, "c")],
      [unreadableFile],
    ],
    ["no finding", [nothing], []],
    ["no evidence", [], [unreadableFile]],
  ] as const)("is valid SARIF 2.1.0 for %s", (...row) => {
    const [, trees, unreadable] = row;
    const log = sarifOf(reportOf(trees, unreadable));
    expect(Errors(schema, log)).toEqual([true, []]);
    expect(Check(schema, log)).toBe(true);
  });

  it("is refused by the schema when a result is none, so that the check above can fail", () => {
    const log = sarifReport(reportOf([violated]), { toolVersion: "1.2.3" });
    const broken = { ...log, runs: [{ ...Object(log.runs[0]), results: [{ kind: "nonsense" }] }] };
    expect(Check(schema, broken)).toBe(false);
  });

  it("maps verdicts to kinds, and only violations to the level error", () => {
    const log = sarifOf(reportOf([violated, renamed(holds, "b"), renamed(inconclusive, "c")]));
    expect(log).toMatchObject({
      runs: [
        {
          results: [
            { kind: "pass", level: "none" },
            { kind: "open", level: "none" },
            { kind: "fail", level: "error", ruleId: "fan-out/repeated-query" },
          ],
        },
      ],
    });
  });

  it("points at the file, with its name as a URI", () => {
    expect(JSON.stringify(sarifOf(reportOf([holds], [unreadableFile])))).toContain(
      "a%20folder/bad%1B%5B31m%20file.json",
    );
  });
});

describe("the text report", () => {
  it("groups by boundary, quotes evidence, and puts what to do and the summary last", () => {
    const text = textReport(reportOf([violated, renamed(holds, "b")], [unreadableFile]), {
      colour: false,
      columns: 100,
    });
    const order = [
      "resolver-database ───",
      "✗ violated  orders query Orders orders.*.customer",
      "expected   fewer than 5 calls",
      "evidence   sha256:",
      "SELECT * FROM customers WHERE id = $1 (1 ms)",
      "✓ holds  b query Orders",
      "what to do ───",
      "fix        Collect the keys",
      "next check ",
      "could not be read ───",
      "line 1, column 2",
      "1 violated · 1 hold · 0 inconclusive · 1 unreadable",
    ];
    const places = order.map((part) => text.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((left, right) => left - right));
  });

  it("lets no control character of the evidence reach the terminal", () => {
    const evil = request(
      "/x",
      times(6, () => sql("SELECT '\u001b]0;owned\u0007' FROM \u202et WHERE a = $1")),
    );
    const text = textReport(reportOf([evil], [unreadableFile]), { colour: false });
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("is coloured only when asked", () => {
    const report = reportOf([violated]);
    expect(textReport(report, { colour: false })).not.toContain("\u001b");
    expect(textReport(report, { colour: true })).toContain("\u001b[31m");
  });

  it("keeps to the width where words allow", () => {
    const text = textReport(reportOf([violated, renamed(inconclusive, "c")]), {
      colour: false,
      columns: 72,
    });
    const long = text
      .split("\n")
      .filter((line) => line.length > 72 && !/[✗✓?] |evidence/.test(line));
    expect(long.filter((line) => !line.includes("·"))).toEqual([]);
  });

  it("says so when nothing concerns a contract", () => {
    const evidence = snapshotOfSpans(spansOf(nothing)).evidence;
    const text = textReport(reportOf([nothing]), { colour: false, evidence });
    expect(text).toContain("1 trace with 2 spans: no contract had anything to judge.");
    expect(textReport(reportOf([]), { colour: false })).toContain("Nothing was read");
    const unreadable = reportOf([], [unreadableFile]);
    expect(textReport(unreadable, { colour: false })).not.toContain("Nothing was read");
    expect(textReport(reportOf([holds]), { colour: false })).not.toContain("anything to judge");
  });
});
