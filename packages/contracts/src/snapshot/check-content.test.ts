import { anything, assert, constantFrom, oneof, property } from "fast-check";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { graphqlOrders, spansOf } from "../traces/trace-builder.ts";
import { EvidenceContent } from "../model/evidence.ts";
import { isEvidenceContent } from "./check-content.ts";

const [root, ...others] = spansOf(graphqlOrders(2, "one-by-one"));
if (root === undefined) throw new Error("a trace has a root");
const full = {
  ...root,
  parentSpanId: "0".repeat(16),
  status: { code: "error", message: "no" },
  scope: { name: "s", version: "1" },
  attributes: { a: [1, { b: null }, true], c: "d" },
  events: [{ name: "e", timeMicros: 1, attributes: {} }],
  links: [{ traceId: root.traceId, spanId: root.spanId, attributes: {} }],
};
const trace = { kind: "trace", traceId: root.traceId, spans: [full, ...others] };

describe("isEvidenceContent", () => {
  it("takes traces and other evidence", () => {
    expect(isEvidenceContent(trace)).toBe(true);
    expect(isEvidenceContent({ kind: "kubernetes", objects: [] })).toBe(true);
    expect(isEvidenceContent({ kind: "else" })).toBe(false);
    expect(isEvidenceContent(null)).toBe(false);
  });

  it("answers as the schema does when any field of a span is another, added or absent", () => {
    const names = [...Object.keys(full), "stranger"];
    const value = oneof(
      anything({ maxDepth: 2 }),
      constantFrom<unknown>(
        undefined,
        "x",
        -1,
        0,
        1e9,
        "server",
        "0".repeat(32),
        "f".repeat(16),
        "y".repeat(2_000),
        {},
        [],
        { code: "ok" },
      ),
    );
    assert(
      property(constantFrom(...names), value, (name, changed) => {
        // What a file can hold is JSON.
        const spans: unknown = JSON.parse(
          JSON.stringify([{ ...full, [name]: changed }], jsonOnly) ?? "[]",
        );
        const content = { ...trace, spans };
        expect(isEvidenceContent(content)).toBe(Value.Check(EvidenceContent, content));
      }),
      { numRuns: 500 },
    );
  });

  it("answers as the schema does for changed events, links, scope and status", () => {
    const places = ["events", "links", "scope", "status"] as const;
    assert(
      property(
        constantFrom(...places),
        constantFrom("name", "traceId", "code", "z"),
        anything(),
        (place, name, changed) => {
          const inner = full[place];
          const altered = Array.isArray(inner)
            ? [{ ...inner[0], [name]: changed }]
            : { ...inner, [name]: changed };
          const spans: unknown = JSON.parse(
            JSON.stringify([{ ...full, [place]: altered }], jsonOnly),
          );
          const content = { ...trace, spans };
          expect(isEvidenceContent(content)).toBe(Value.Check(EvidenceContent, content));
        },
      ),
      { numRuns: 500 },
    );
  });
});

const about = { namespace: "n", pod: "p", container: "c", isPrevious: true };
const line = {
  timeMicros: 1,
  severity: "warn",
  text: "t",
  service: "s",
  traceId: "f".repeat(32),
  spanId: "0".repeat(16),
  attributes: { a: [1] },
};
const series = {
  name: "n",
  labels: { l: "v" },
  unit: "s",
  type: "gauge",
  timesMicros: [1, 2],
  values: [3, -4],
};
const sum = { count: 2, amountMicros: "-7" };
const entry = {
  sequence: 1,
  timeMicros: 2,
  from: "credit/USD",
  to: "holds/USD",
  amountMicros: "3",
  reason: "held",
  commandId: "c",
  holdId: "h",
  usageId: "u",
};
const reserve = {
  id: "h",
  kind: "lease",
  currency: "USD",
  state: "open",
  remainingMicros: "0",
  openingMicros: "1",
  endsMicros: 5,
  isCompleted: true,
  earlierUses: sum,
  journal: sum,
  unreadMicros: "0",
  settledBy: "c",
};
const use = {
  id: "u",
  holdId: "h",
  timeMicros: 1,
  amountMicros: "3",
  currency: "USD",
  provider: "p",
  model: "m",
  priceVersion: "1",
  job: "j",
  interval: "1",
  deviceKind: "gpu",
  deviceSeconds: 1.5,
  isFinal: false,
};
const places = [
  {
    place: "a ledger",
    fields: {
      kind: "ledger",
      name: "n",
      readMicros: 1,
      fromMicros: 0,
      isCut: true,
      accounts: [],
      limits: [],
      entries: [entry],
      reserves: [reserve],
      uses: [use],
      invoice: [],
    },
    wrap: (value: unknown) => value,
  },
  {
    place: "an entry",
    fields: entry,
    wrap: (value: unknown) => ({ kind: "ledger", entries: [value] }),
  },
  {
    place: "a lease",
    fields: reserve,
    wrap: (value: unknown) => ({ kind: "ledger", reserves: [value] }),
  },
  {
    place: "its journal",
    fields: sum,
    wrap: (value: unknown) => ({ kind: "ledger", reserves: [{ ...reserve, journal: value }] }),
  },
  { place: "a use", fields: use, wrap: (value: unknown) => ({ kind: "ledger", uses: [value] }) },
  {
    place: "a log",
    fields: { kind: "logs", about, lines: [line] },
    wrap: (value: unknown) => value,
  },
  {
    place: "its container",
    fields: about,
    wrap: (value: unknown) => ({ kind: "logs", about: value, lines: [] }),
  },
  { place: "a line", fields: line, wrap: (value: unknown) => ({ kind: "logs", lines: [value] }) },
  {
    place: "metrics",
    fields: { kind: "metrics", series: [series] },
    wrap: (value: unknown) => value,
  },
  {
    place: "a series",
    fields: series,
    wrap: (value: unknown) => ({ kind: "metrics", series: [value] }),
  },
] as const;

describe.each(places)("isEvidenceContent of $place", ({ fields, wrap }) => {
  it("answers as the schema does when any field is another, added or absent", () => {
    expect(isEvidenceContent(wrap(fields))).toBe(true);
    const value = oneof(
      anything({ maxDepth: 2 }),
      constantFrom<unknown>(
        undefined,
        "x",
        -1,
        0,
        "counter",
        "fatal",
        "x".repeat(2_000),
        "x".repeat(20_000),
        [],
        [1, "x"],
        {},
        { a: "b" },
        "0".repeat(16),
      ),
    );
    assert(
      property(constantFrom(...Object.keys(fields), "stranger"), value, (name, changed) => {
        const content: unknown = JSON.parse(
          JSON.stringify(wrap({ ...fields, [name]: changed }), jsonOnly) ?? "null",
        );
        expect(isEvidenceContent(content)).toBe(Value.Check(EvidenceContent, content));
      }),
      { numRuns: 300 },
    );
  });
});

function jsonOnly(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
