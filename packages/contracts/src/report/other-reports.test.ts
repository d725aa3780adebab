import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import { makeFinding } from "../model/make-finding.ts";
import { contracts } from "../registry.ts";
import {
  graphqlOrders,
  snapshotOfSpans,
  spansOf,
  type SpanTree,
  times,
} from "../traces/trace-builder.ts";
import { compareWithBaseline, readBaseline } from "./baseline.ts";
import { CheckReport, checkReport, type FailOn } from "./check-report.ts";
import { junitReport } from "./junit-report.ts";
import { markdownReport } from "./markdown-report.ts";

const slow = graphqlOrders(20, "one-by-one");
const fast = graphqlOrders(20, "batched");
const short = graphqlOrders(2, "one-by-one");
const hostile = `evil"<&>'\u0000\u001b[31m|**@team**\`\u{202e}`;

function reportOf(trees: readonly SpanTree[], failOn: FailOn = "violated"): CheckReport {
  const snapshot = snapshotOfSpans(...trees.map((tree, index) => spansOf(tree, index + 1)));
  const unreadable = [
    {
      name: hostile,
      message: "It is broken.",
      expected: "anything",
      code: "evidence_unreadable" as const,
    },
  ];
  return checkReport(
    {
      snapshot,
      contracts,
      findings: checkSnapshot(snapshot),
      unreadable: trees.length > 2 ? unreadable : [],
    },
    failOn,
  );
}

describe("the JUnit report", () => {
  it("counts violated as failures, inconclusive as skipped, unreadable as errors", () => {
    const xml = junitReport(
      reportOf([slow, { ...fast, service: hostile }, { ...short, service: "c" }]),
    );
    expect(xml).toMatch(/<testsuites name="faultline check" tests="\d+" failures="\d+" errors="1"/);
    expect(xml).toContain('<failure message="Resolver orders.*.customer ');
    expect(xml).toContain("<skipped message=");
    expect(xml).toContain('type="evidence_unreadable"');
  });

  it("is well-formed whatever the evidence holds", () => {
    const xml = junitReport(reportOf([slow, { ...slow, service: hostile }, fast]));
    expect(xml.split("").filter((character) => character < " " && character !== "\n")).toEqual([]);
    const open = [...xml.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)].reduce<string[]>(
      (stack, [, close, name = "", self]) => {
        if (self === "/") return stack;
        if (close === "/") expect(stack.pop()).toBe(name);
        else stack.push(name);
        return stack;
      },
      [],
    );
    expect(open).toEqual([]);
  });
});

describe("the Markdown report", () => {
  it("tells what is violated with evidence and fixes, and what is missing elsewhere", () => {
    const text = markdownReport(reportOf([slow, { ...short, service: "c" }]));
    expect(text).toContain("## Violated");
    expect(text).toContain("- **Fix:**");
    expect(text).toContain("missing:");
  });

  it("lets nothing of the evidence become markup or a mention", () => {
    const text = markdownReport(reportOf([slow, fast, { ...slow, service: hostile }]));
    const prose = text.replaceAll(/`` .*? ``|`[^`\n]*`/g, "");
    expect(prose).not.toMatch(/@team|(?<!\\)\*\*team/);
    expect(text).not.toContain("\u{202e}");
  });
});

describe("the Markdown report of hostile words", () => {
  const finding = (title: string, name = "a") =>
    makeFinding(
      { id: "a/b", version: 1, boundary: "service-service", promise: "It holds." },
      {
        verdict: "violated",
        subject: { kind: "x", name },
        title,
        actual: "y".repeat(4_000),
        fixes: times(40, (index) => ({ description: `fix ${index}` })),
      },
    );
  const written = (...findings: Finding[]) =>
    markdownReport(
      checkReport({ snapshot: snapshotOfSpans(), contracts: [], findings, unreadable: [] }),
    );

  it.each([
    ["an entity that becomes a mention", "&#64;team", /\\&\\#/],
    [
      "an address",
      "see https://evil.test/x and www.evil.test",
      /https:\u{200b}\/\/.*www\u{200b}\./u,
    ],
    ["a number of an issue", "fixes #12 and GH-7", /\\#\u{200b}12 and GH\u{200b}-7/u],
    ["an item of a list", "- item", /\n\\- item/],
    ["a number of a list", "1. item", /\n1\\\. item/],
    ["a rule under a heading", "===", /\n\\===/],
  ])("writes out %s", (_what, title, words) => {
    expect(written(finding(title))).toMatch(words);
  });

  it("quotes a name as it is", () => {
    expect(written(finding("t", "a|b"))).toContain("x `a|b`");
    expect(written(finding("t", ""))).toContain("x (no name)");
  });

  it("stays within what a host of code takes", () => {
    const text = written(...times(60, (index) => finding("t".repeat(1_000), `s${index}`)));
    expect(text.length).toBeLessThan(400_000);
    expect(text).toContain("And 10 more.");
  });

  it("keeps line breaks of names in the attributes of JUnit", () => {
    const report = checkReport({
      snapshot: snapshotOfSpans(),
      contracts: [{ ...contracts[0]!, id: "a/b" }],
      findings: [finding("one\ntwo")],
      unreadable: [],
    });
    expect(junitReport(report)).toContain('message="one&#10;two"');
  });

  it("takes as many violations of the same words for known as there were", () => {
    const reportOn = (...titles: string[]): CheckReport =>
      checkReport({
        snapshot: snapshotOfSpans(),
        contracts: [],
        findings: titles.map((title) => finding(title)),
        unreadable: [],
      });
    const now = compareWithBaseline(
      reportOn("port 9090 is open", "port 8080 is open"),
      reportOn("port 8080 is open"),
      "violated",
    );
    expect(now.findings.map(({ title }) => title)).toEqual(["port 9090 is open"]);
    expect(now.exitCode).toBe(1);
    const moved = compareWithBaseline(
      reportOn("port 8081 is open"),
      reportOn("port 8080 is open"),
      "violated",
    );
    expect(moved).toMatchObject({ exitCode: 0, baseline: { knownCount: 1 } });
  });
});

describe("a baseline", () => {
  it("is no report that leaves out what was known itself", () => {
    const before = reportOf([slow]);
    const held = compareWithBaseline(before, before, "violated");
    expect(() => readBaseline(JSON.stringify(held))).toThrow(/itself held against a baseline/);
  });

  it("leaves out what was violated before, and fails only on what is new", () => {
    const before = reportOf([slow]);
    const now = reportOf([graphqlOrders(40, "one-by-one")]);
    const same = compareWithBaseline(now, readBaseline(JSON.stringify(before)), "violated");
    expect(same).toMatchObject({
      exitCode: 0,
      summary: { violated: 0 },
      baseline: { knownCount: 1, fixed: [] },
    });
    expect([...Value.Errors(CheckReport, same)]).toEqual([]);
    const more = compareWithBaseline(
      reportOf([slow, { ...slow, service: "other" }]),
      before,
      "violated",
    );
    expect(more).toMatchObject({
      exitCode: 1,
      summary: { violated: 1 },
      baseline: { knownCount: 1 },
    });
  });

  it("calls fixed only what holds now, never what fell silent", () => {
    const before = reportOf([slow]);
    expect(compareWithBaseline(reportOf([fast]), before, "violated").baseline?.fixed).toMatchObject(
      [
        {
          contract: "fan-out/repeated-query",
          subject: { name: "orders query Orders orders.*.customer" },
        },
      ],
    );
    expect(compareWithBaseline(reportOf([]), before, "violated").baseline?.fixed).toEqual([]);
  });

  it("refuses what is no report", () => {
    expect(() => readBaseline("{}")).toThrow(/no report of an earlier check/);
    expect(() => readBaseline("[")).toThrow(/JSON ends too early/);
  });
});

describe("when a check fails", () => {
  it.each([
    ["violated", [short], 3],
    ["inconclusive", [fast, { ...short, service: "c" }], 1],
    ["never", [slow], 0],
  ] as const)("with %s", (failOn, trees, exitCode) => {
    expect(reportOf(trees, failOn).exitCode).toBe(exitCode);
  });
});
