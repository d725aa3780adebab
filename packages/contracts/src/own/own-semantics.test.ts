import { describe, expect, it } from "vitest";

import type { EvidenceContent } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { times } from "../traces/trace-builder.ts";
import { readOwnContracts } from "./read-own-contracts.ts";

/** The findings of a contract with these fields. */
function findingsOf(
  fields: Readonly<Record<string, unknown>>,
  contents: readonly EvidenceContent[],
  options: Readonly<Record<string, number>> = {},
): Finding[] {
  const contract = { id: "shop/own", promise: "p", boundary: "service-service", ...fields };
  const { contracts, problems } = readOwnContracts(JSON.stringify({ contracts: [contract] }));
  expect(problems).toEqual([]);
  const source = { name: "test", format: "test", notes: [] };
  return contracts[0]!.contract
    .with(options)
    .check(createSnapshot(contents.map((content) => ({ source, content }))));
}

const log = (...texts: string[]): EvidenceContent => ({
  kind: "logs",
  lines: texts.map((text) => ({ text })),
});
const deployed = (kind: string, name: string, spec: unknown): EvidenceContent => ({
  kind: "kubernetes",
  objects: [{ apiVersion: "v1", kind, metadata: { name, namespace: "shop" }, spec }],
});

/** The verdict of an expectation over one object with this specification. */
function verdictOver(spec: unknown, expectation: string): string {
  const [finding] = findingsOf({ over: "kubernetes", expect: expectation }, [
    deployed("Thing", "a", spec),
  ]);
  return [finding?.verdict, ...(finding?.missing ?? [])].join(" ");
}

describe("the language of own contracts", () => {
  it.each([
    ["a text and a number", "object.spec.text != object.spec.number"],
    ["a text and nothing", "object.spec.text != null && object.spec.none == null"],
    ["lists of different things", 'object.spec.list != ["1", "2"] && object.spec.list == [1, 2]'],
    ["a text in a list of numbers", "!(object.spec.text in [1, 2])"],
    ["a double in a list of whole numbers", "object.spec.number in [200, 201]"],
    ["maps whatever their names are", 'object.spec.odd == {"constructor": "x", "__proto__": "y"}'],
    ["durations", 'duration("60s") == duration("1m") && duration("1s") != duration("2s")'],
    ["unsigned numbers", "1u == 1u && dyn(1u) in object.spec.list && !(1u == 2u)"],
    [
      "types",
      "type(object.spec.text) == string && type(object.spec.list) == list && type(1) != double",
    ],
    ["no number and itself", 'double("nan") != double("nan")'],
  ])("compares %s", (_what, expectation) => {
    const odd: unknown = JSON.parse('{"constructor":"x","__proto__":"y"}');
    const spec = { text: "a", number: 200, none: null, list: [1, 2], odd };
    expect(verdictOver(spec, expectation)).toBe("holds");
  });

  it("finds a number of the evidence among the keys of a map", () => {
    expect(verdictOver({ code: 200 }, '{200: "fine"}[object.spec.code] == "fine"')).toBe("holds");
    expect(verdictOver({ code: 200 }, "object.spec.code in {200: true}")).toBe("holds");
    expect(verdictOver({ code: 200 }, '{"a": 1, "a": 2}.size() == 1')).toMatch(/^inconclusive/);
    expect(verdictOver({ map: { "1": "a" } }, "1 in object.spec.map")).toBe("violated");
  });

  it("counts what is inherited as no part of the evidence", () => {
    expect(verdictOver({}, '"constructor" in object.spec')).toBe("violated");
    expect(verdictOver({}, "has(object.spec.toString)")).toBe("violated");
    expect(verdictOver({ constructor: "x" }, "object.spec.size() == 1")).toBe("holds");
  });

  it("keeps an outer variable apart where an inner one hides another", () => {
    expect(
      verdictOver(
        { list: ["a", "b"] },
        'object.spec.list.all(object, ["x"].all(t, t == "x" && object != "x"))',
      ),
    ).toBe("holds");
    expect(
      verdictOver(
        { list: ["a"] },
        "cel.bind(object, 1, cel.bind(other, 2, object == 1 && other == 2))",
      ),
    ).toBe("holds");
  });

  it("lets a turn that decides outweigh a fault, and reports the fault where none does", () => {
    const spec = { list: [{}, { a: 1 }] };
    expect(verdictOver(spec, "object.spec.list.exists(x, x.a == 1)")).toBe("holds");
    expect(verdictOver(spec, "object.spec.list.all(x, x.a == 2)")).toBe("violated");
    expect(verdictOver(spec, "object.spec.list.all(x, x.a == 1)")).toMatch(/^inconclusive/);
    expect(verdictOver(spec, "object.spec.list.exists_one(x, x.a == 1)")).toMatch(/^inconclusive/);
  });

  it("says of has() what it takes", () => {
    const contract = {
      id: "shop/own",
      promise: "p",
      boundary: "service-service",
      over: "kubernetes",
      expect: "has(object.spec.containers[0].resources)",
    };
    const { problems } = readOwnContracts(JSON.stringify({ contracts: [contract] }));
    expect(problems[0]?.message).toMatch(/has\(\) takes a field.*cel\.bind/);
  });
});

describe("what an expression can cost", () => {
  const wide = (names: string, first: string, inner: string): string =>
    times(9, (index) => index).reduceRight(
      (rest, index) =>
        `cel.bind(${names}${index}, ${index === 0 ? first : `[${times(20, () => `${names}${index - 1}`).join(",")}]`}, ${rest})`,
      inner,
    );

  it("counts the comparison of values that share their parts", () => {
    const [finding] = findingsOf(
      {
        over: "logs",
        expect: wide("a", "log.lines", wide("b", "log.lines.filter(x, true)", "a8 == b8")),
      },
      [log("x")],
    );
    expect(finding?.missing[0]).toMatch(/steps/);
  });

  it("writes values that share their parts only as far as words go", () => {
    const [finding] = findingsOf(
      { over: "logs", expect: "false", message: `is {{ ${wide("a", "log.lines", "a8")} }}` },
      [log("x")],
    );
    expect(finding?.title.length).toBeLessThan(600);
  });

  it("writes any value into a message", () => {
    const [finding] = findingsOf(
      {
        over: "logs",
        expect: "false",
        message:
          'is {{ [1, 2] }} {{ {"a": b"xy"} }} {{ duration("90s") }} {{ 1u }} {{ 0.00012 }} {{ null }}',
      },
      [log("x")],
    );
    expect(finding?.title).toContain('is [1,2] {"a":2 bytes} 90s 1 0.00012 ?');
  });

  it.each([
    [
      "a value that is nested deeply",
      "dyn(bytes('[[['.size() == 3 ? log.container : '').json()) == 1",
      /deeper than 64/,
    ],
    ["a text of digits as a duration", "duration(line.text) == duration('1s')", /at most 100/],
    [
      "a list joined into a long text",
      "['a','b','c','d'].map(x, log.lines.map(y, log.lines.map(z, line.text).join()).join()).join() == ''",
      /steps/,
    ],
    [
      "a key that is a large value",
      "line.attributes[log.lines.map(x, log.lines)] == ''",
      /has no \[/,
    ],
    [
      "a pattern that is written out too often",
      "line.text.matches('.{99' + line.text.substring(0, 1) + '}' + '.{999}.{999}.{999}.{999}.{999}.{999}.{999}.{999}.{999}.{999}.{999}')",
      /pattern/,
    ],
  ])("bounds %s", (_what, expectation, words) => {
    const [finding] = findingsOf({ over: "line", expect: expectation }, [
      {
        kind: "logs",
        lines: times(40, () => ({ text: "1".repeat(40_000) })),
        about: {
          pod: "web",
          container: `${"[".repeat(3_000)}${"]".repeat(3_000)}`,
          isPrevious: false,
        },
      },
    ]);
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing.join(" ")).toMatch(words);
  });

  it("refuses a pattern that compiles into too much", () => {
    const contract = { id: "a/b", promise: "p", boundary: "service-service", over: "line" };
    const pattern = ".{1000}".repeat(20);
    const { problems } = readOwnContracts(
      JSON.stringify({ contracts: [{ ...contract, expect: `line.text.matches('${pattern}')` }] }),
    );
    expect(problems[0]?.message).toMatch(/at most 10000 instructions/);
  });
});

describe("the findings of own contracts", () => {
  it("never says that a subject holds when not everything was asked", () => {
    const findings = findingsOf(
      { over: "line", expect: "line.text.contains('line')" },
      [log(...times(400, (index) => `line ${index}`))],
      { stepsPerCheckMax: 500 },
    );
    expect(findings.map(({ verdict }) => verdict)).toEqual(["inconclusive"]);
  });

  it("counts an item that takes too many steps for the subject that it belongs to", () => {
    const findings = findingsOf(
      {
        over: "line",
        subject: "log.pod",
        expect: "line.text == 'short' || log.lines.all(a, log.lines.all(b, true))",
      },
      [
        {
          kind: "logs",
          about: { namespace: "shop", pod: "web", container: "app", isPrevious: false },
          lines: [{ text: "short" }, ...times(60, () => ({ text: "long" }))],
        },
      ],
      { stepsPerItemMax: 300 },
    );
    expect(findings).toMatchObject([
      {
        verdict: "inconclusive",
        subject: { kind: "line", name: "web" },
        measures: { itemCount: 61 },
      },
    ]);
  });

  it("tells of a violation even among more subjects than findings are given for", () => {
    const things = times(30, (index) => deployed("Thing", `t${index}`, { good: index !== 29 }));
    const rule = { over: "kubernetes", expect: "object.spec.good" };
    expect(
      findingsOf(rule, things, { subjectCountMax: 2 }).map((finding) => finding.verdict),
    ).toEqual(["holds", "violated", "holds"]);
    const rest = findingsOf({ ...rule, expect: "!object.spec.good" }, things, {
      subjectCountMax: 2,
    }).at(-1);
    expect(rest).toMatchObject({
      verdict: "violated",
      measures: { subjectCount: 28, violatedCount: 27 },
    });
  });

  it("keeps objects of one name and two kinds apart, in any order", () => {
    const things = [deployed("Service", "web", { a: 1 }), deployed("Deployment", "web", { a: 2 })];
    const rule = { over: "kubernetes", expect: "object.spec.a == 1" };
    const expected = [
      { verdict: "violated", subject: { kind: "deployment", name: "shop/web" } },
      { verdict: "holds", subject: { kind: "service", name: "shop/web" } },
    ];
    expect(findingsOf(rule, things)).toMatchObject(expected);
    expect(findingsOf(rule, things.toReversed())).toMatchObject(expected);
  });
});
