import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { snapshotOfSpans, spansOf, request, sql, times } from "../traces/trace-builder.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import type { EvidenceContent } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { readOwnContracts } from "./read-own-contracts.ts";
import { runExamples } from "./run-examples.ts";

/** A file of one contract over an expectation. */
function fileOf(fields: Readonly<Record<string, unknown>>): string {
  const contract = {
    id: "shop/own",
    promise: "It keeps what we promised.",
    boundary: "service-service",
    ...fields,
  };
  return JSON.stringify({ contracts: [contract] });
}

function checkWith(
  fields: Readonly<Record<string, unknown>>,
  contents: readonly EvidenceContent[],
): Finding[] {
  const { contracts, problems } = readOwnContracts(fileOf(fields));
  expect(problems).toEqual([]);
  const source = { name: "test", format: "test", notes: [] };
  return contracts[0]!.contract.check(
    createSnapshot(contents.map((content) => ({ source, content }))),
  );
}

const deployment = (name: string, containers: unknown): EvidenceContent => ({
  kind: "kubernetes",
  objects: [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace: "shop" },
      spec: { template: { spec: { containers } } },
    },
  ],
});

describe("contracts of one's own", () => {
  it("judges each span and gathers the answers by operation", () => {
    const { contracts } = readOwnContracts(
      fileOf({
        over: "span",
        where: 'span.attributes["db.system.name"] == "postgresql"',
        expect: "span.durationMillis <= 0.5",
        message: "took {{ span.durationMillis }} ms",
        fix: "Add an index for {{ span.attributes['db.query.text'] }}",
      }),
    );
    const spans = spansOf(
      request("/orders", [
        sql("SELECT 1", { durationMicros: 400 }),
        sql("SELECT 2", { durationMicros: 700 }),
      ]),
    );
    expect(contracts[0]?.contract.check(snapshotOfSpans(spans))).toMatchObject([
      {
        verdict: "violated",
        contract: "shop/own",
        subject: { kind: "operation" },
        title: expect.stringContaining("took 0.7 ms"),
        measures: { itemCount: 2, violatedCount: 1 },
        evidence: [{ locator: spans[2]?.spanId }],
        fixes: [{ description: "Add an index for SELECT 2" }],
      },
    ]);
  });

  it("holds where every item does, and is silent where none is concerned", () => {
    const limits = {
      over: "kubernetes",
      where: 'object.kind == "Deployment"',
      expect: "object.spec.template.spec.containers.all(c, has(c.resources.limits.memory))",
    };
    const good = deployment("web", [{ name: "a", resources: { limits: { memory: "1Gi" } } }]);
    const bad = deployment("web", [{ name: "a" }]);
    expect(checkWith(limits, [good])).toMatchObject([
      { verdict: "holds", subject: { kind: "deployment", name: "shop/web" } },
    ]);
    expect(checkWith(limits, [bad])).toMatchObject([
      { verdict: "violated", subject: { name: "shop/web" } },
    ]);
    expect(checkWith({ ...limits, where: 'object.kind == "Job"' }, [bad])).toEqual([]);
  });

  it("is inconclusive about what the evidence does not have, and names it", () => {
    const [finding] = checkWith({ over: "kubernetes", expect: "object.spec.replicas > 1" }, [
      deployment("web", []),
    ]);
    expect(finding).toMatchObject({
      verdict: "inconclusive",
      missing: ["expect: object.spec has no 'replicas'"],
    });
  });

  it("ends walks that are nested too widely, and says so instead of a verdict", () => {
    const lines = times(400, (index) => ({ text: `line ${index}` }));
    const [finding] = checkWith(
      {
        over: "logs",
        expect:
          "log.lines.all(a, log.lines.all(b, log.lines.all(c, a.text != '' && b.text != '' && c.text != '')))",
      },
      [{ kind: "logs", lines }],
    );
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing[0]).toMatch(/an answer within 2000000 steps/);
  });

  it("stops after the steps of a whole check", () => {
    const { contracts } = readOwnContracts(
      fileOf({ over: "line", expect: "line.text.contains('line')" }),
    );
    const limited = contracts[0]!.contract.with({ stepsPerCheckMax: 50 });
    const source = { name: "test", format: "test", notes: [] };
    const lines = times(400, (index) => ({ text: `line ${index}` }));
    const findings = limited.check(createSnapshot([{ source, content: { kind: "logs", lines } }]));
    expect(findings.at(-1)).toMatchObject({
      verdict: "inconclusive",
      subject: { kind: "contract", name: "shop/own" },
    });
  });

  it("matches patterns in linear time and refuses what RE2 does not have", () => {
    const text = `${"a".repeat(30)}b`;
    expect(
      checkWith({ over: "line", expect: "!line.text.matches('^(a+)+$')" }, [
        { kind: "logs", lines: [{ text }] },
      ]),
    ).toMatchObject([{ verdict: "holds" }]);
    const { problems } = readOwnContracts(
      fileOf({ over: "line", expect: "line.text.matches('(?=a)b')" }),
    );
    expect(problems[0]?.message).toMatch(/patterns have the syntax of RE2/);
  });

  it("cannot be made to build a text without bound", () => {
    const doubled = Array.from({ length: 19 }, (_, index) => index).reduceRight(
      (inner, index) =>
        `cel.bind(x${index}, ${index === 0 ? "line.text" : `x${index - 1} + x${index - 1}`}, ${inner})`,
      "x18 != ''",
    );
    const { problems, contracts } = readOwnContracts(fileOf({ over: "line", expect: doubled }));
    expect(problems).toEqual([]);
    const source = { name: "test", format: "test", notes: [] };
    const findings = contracts[0]!.contract.check(
      createSnapshot([{ source, content: { kind: "logs", lines: [{ text: "x".repeat(100) }] } }]),
    );
    expect(findings).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe("a file of contracts", () => {
  it.each([
    ["an unknown field of a record", { over: "span", expect: "span.nmae == 'x'" }, /nmae/],
    [
      "an unknown variable",
      { over: "span", expect: "spam.name == 'x'" },
      /no variable spam.*did you mean span/,
    ],
    [
      "a text where true or false is wanted",
      { over: "span", expect: "span.name" },
      /must be of type bool/,
    ],
    ["an unknown population", { over: "spans", expect: "true" }, /Did you mean span/],
    [
      "four walks within one another",
      {
        over: "trace",
        expect:
          "trace.spans.all(a, trace.spans.all(b, trace.spans.all(c, trace.spans.all(d, true))))",
      },
      /nested too deeply/,
    ],
    [
      "braces that are never closed",
      { over: "span", expect: "true", message: "took {{ span.name" },
      /never closed/,
    ],
    [
      "a boundary that is none",
      { over: "span", expect: "true", boundary: "moon-earth" },
      /boundary/,
    ],
    [
      "a field that is none",
      { over: "span", expect: "true", fixes: "x" },
      /fixes: there is no such field; did you mean fix/,
    ],
  ])("tells of %s", (_what, fields, words) => {
    const { problems } = readOwnContracts(fileOf(fields));
    expect(problems.map(({ message }) => message).join("\n")).toMatch(words);
    expect(problems[0]?.where).toMatch(/^line \d+, column \d+$/);
  });

  it("places an error of an expression in plain, quoted and block texts", () => {
    const head =
      "contracts:\n  - id: a/b\n    promise: p\n    boundary: service-service\n    over: span\n";
    const places = [
      "    expect: span.name == spam.name\n",
      '    expect: "span.name == spam.name"\n',
      "    expect: |\n      span.name ==\n        spam.name\n",
      "    expect: >-\n      span.name ==\n      spam.name\n",
    ].map((text) => readOwnContracts(head + text).problems[0]?.where);
    expect(places).toEqual([
      "line 6, column 26",
      "line 6, column 27",
      "line 8, column 9",
      "line 8, column 7",
    ]);
  });

  it("runs the examples that stand in it", () => {
    const evidence = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a" },
      spec: { hostNetwork: true },
    };
    const { contracts } = readOwnContracts(
      fileOf({
        over: "kubernetes",
        expect: "!has(object.spec.hostNetwork)",
        examples: [
          { name: "on the host", evidence: [evidence], verdict: "violated", subject: "default/a" },
          {
            name: "as text",
            evidence: ["apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {}\n"],
            verdict: "holds",
          },
          { name: "wrong", evidence: [evidence], verdict: "holds" },
        ],
      }),
    );
    const outcomes = runExamples(contracts);
    expect(outcomes.map(({ fault }) => fault === undefined)).toEqual([true, true, false]);
    expect(outcomes[2]?.fault).toMatch(/expected holds, got violated/);
  });

  it("never throws, whatever stands in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        readOwnContracts(text);
      }),
    );
    const piece = fc.constantFrom(
      "span",
      ".name",
      "(",
      ")",
      ".all(x, ",
      "{{",
      "}}",
      "'",
      "has(",
      " == ",
      "1",
      "[",
      "]",
      "? ",
      ": ",
      "-",
      "!",
      "matches(",
      "cel.bind(a, ",
      "{",
      "}",
      "in ",
      "b'x'",
      "1u",
      "timestamp('",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const { contracts } = readOwnContracts(
          fileOf({ over: "span", expect: pieces.join(""), message: pieces.join("") }),
        );
        const snapshot = snapshotOfSpans(spansOf(request("/orders", [])));
        for (const { contract } of contracts) contract.check(snapshot);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses aliases that would grow without end", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ncontracts: [*c,*c,*c,*c,*c]\n`;
    expect(readOwnContracts(bomb).problems).not.toEqual([]);
  });
});
