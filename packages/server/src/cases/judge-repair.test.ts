/** What proves a repair, and everything that must not. */

import {
  createSnapshot,
  repeatedQuery,
  requestsSucceed,
  type Snapshot,
  type Span,
} from "@faultline/contracts";
import { describe, expect, it } from "vitest";

import { judgeRepair, type RepairJudgement } from "./judge-repair.ts";
import { operationsSeen } from "./request-rate.ts";
import { type OrderTraffic, orderTraces, type SyntheticTrace } from "./synthetic-orders.ts";
import { writeHypotheses } from "./write-hypotheses.ts";

const lengths = [5, 40, 5, 40, 5, 40];
const secondsMicros = 1_000_000;
const beforeStart = 1_000 * secondsMicros;
const afterStart = 2_000 * secondsMicros;

function snapshotOfTraces(traces: readonly SyntheticTrace[], samplingRatio = 1): Snapshot {
  return createSnapshot([
    {
      source: { name: "test", format: "population", notes: [] },
      content: {
        kind: "trace-population",
        service: "orders",
        fromMicros: 0,
        toMicros: 9_000 * secondsMicros,
        traceCountSeen: traces.length,
        traceCountKept: traces.length,
        operations: operationsSeen(
          traces.map(({ summary }) => summary),
          new Set(),
        ),
        samplingRatio,
        slowTraceIds: traces.map(({ summary }) => summary.traceId),
        baselineTraceIds: [],
      },
    },
    ...traces.map(({ summary, spans }) => ({
      source: { name: summary.traceId, format: "test", notes: [] },
      content: { kind: "trace" as const, traceId: summary.traceId, spans: [...spans] },
    })),
  ]);
}

const before = snapshotOfTraces(
  orderTraces({ variant: "broken", listLengths: lengths, startMicros: beforeStart, series: 1 }),
);

function traffic(parts: Partial<OrderTraffic>): SyntheticTrace[] {
  return orderTraces({
    variant: "repaired",
    listLengths: lengths,
    startMicros: afterStart,
    series: 2,
    ...parts,
  });
}

function judge(after: Snapshot, from: Snapshot = before): RepairJudgement {
  const [hypothesis] = writeHypotheses(before, repeatedQuery.check(before), [repeatedQuery]);
  expect(hypothesis?.status).toBe("supported");
  return judgeRepair({
    hypothesis: hypothesis!,
    before: from,
    after,
    contract: repeatedQuery,
    control: requestsSucceed,
  });
}

function unmet(judgement: RepairJudgement): string[] {
  return judgement.coverage.filter(({ met }) => !met).map(({ name }) => name);
}

describe("a repair", () => {
  it("is proved when the contract failed before and holds after, under a control and full coverage", () => {
    const judgement = judge(snapshotOfTraces(traffic({})));
    expect(judgement.reasons.join("\n")).not.toContain("Not covered");
    expect(judgement).toMatchObject({
      outcome: "proved",
      contract: { before: "violated", after: "holds" },
      control: { contract: "calls/requests-succeed", before: "holds", after: "holds" },
    });
    expect(unmet(judgement)).toEqual([]);
    expect(judgement.coverage.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["requests", "list length", "resolver spans", "database call spans"]),
    );
  });

  it("is not repaired when nothing was changed", () => {
    const judgement = judge(snapshotOfTraces(traffic({ variant: "broken" })));
    expect(judgement.outcome).toBe("not-repaired");
    expect(judgement.reasons.join(" ")).toContain("still violated");
    expect(judgement.reasons.join(" ")).toMatch(/last violation quoted was at \d{4}-/);
  });

  it("is not repaired when one request of many still has the fault", () => {
    const mixed = [...traffic({}), ...traffic({ variant: "broken", listLengths: [40], series: 3 })];
    expect(judge(snapshotOfTraces(mixed)).outcome).toBe("not-repaired");
  });

  it("is not proved by lists of one", () => {
    for (const variant of ["broken", "repaired"] as const) {
      const judgement = judge(
        snapshotOfTraces(traffic({ variant, listLengths: lengths.map(() => 1) })),
      );
      expect(judgement.outcome).toBe("inconclusive");
      expect(unmet(judgement)).toContain("list length");
    }
  });

  it("is not proved by shorter lists, even when most are as long", () => {
    const judgement = judge(snapshotOfTraces(traffic({ listLengths: [5, 40, 5, 40, 5, 39] })));
    expect(judgement.outcome).toBe("inconclusive");
    expect(unmet(judgement)).toEqual(["list length"]);
  });

  it("is not proved when any one of the requests that it needs is missing", () => {
    const after = traffic({});
    for (const [index] of after.entries()) {
      const judgement = judge(snapshotOfTraces(after.toSpliced(index, 1)));
      expect(judgement.outcome).toBe("inconclusive");
      expect(unmet(judgement)).toContain("requests");
    }
  });

  it("is not proved without load", () => {
    const judgement = judge(snapshotOfTraces([]));
    expect(judgement.outcome).toBe("inconclusive");
    expect(unmet(judgement)).toEqual(
      expect.arrayContaining([
        "requests",
        "list length",
        "database call spans",
        "resolver spans",
        "order",
      ]),
    );
  });

  it("is not proved when the database client went dark", () => {
    for (const variant of ["broken", "repaired"] as const) {
      const judgement = judge(snapshotOfTraces(traffic({ variant, databaseSpans: false })));
      expect(judgement.outcome).toBe("inconclusive");
      expect(unmet(judgement)).toContain("database call spans");
      expect(judgement.control.after).not.toBe("holds");
    }
  });

  it("is not proved when resolver spans went dark", () => {
    const judgement = judge(snapshotOfTraces(traffic({ resolverSpans: false })));
    expect(judgement.outcome).toBe("inconclusive");
    expect(unmet(judgement)).toEqual(expect.arrayContaining(["list length", "resolver spans"]));
  });

  it("can be proved without resolver spans by the rows that statements returned, but not by fewer rows", () => {
    const handlers = (traces: SyntheticTrace[], rows: (length: number) => number): Snapshot =>
      snapshotOfTraces(
        traces.map(({ summary, spans }, index) => ({
          summary,
          spans: spans.map((span) =>
            JSON.stringify(span.attributes).includes("LIMIT")
              ? {
                  ...span,
                  attributes: {
                    ...span.attributes,
                    "db.response.returned_rows": rows(lengths[index] ?? 0),
                  },
                }
              : span,
          ),
        })),
      );
    const own = (parts: Partial<OrderTraffic>): SyntheticTrace[] =>
      traffic({ resolverSpans: false, ...parts });
    const from = handlers(
      own({ variant: "broken", startMicros: beforeStart, series: 1 }),
      (rows) => rows,
    );
    const [hypothesis] = writeHypotheses(from, repeatedQuery.check(from), [repeatedQuery]);
    const parts = {
      hypothesis: hypothesis!,
      before: from,
      contract: repeatedQuery,
      control: requestsSucceed,
    };
    const proved = judgeRepair({ ...parts, after: handlers(own({}), (rows) => rows) });
    expect([proved.outcome, unmet(proved)]).toEqual(["proved", []]);
    const fewer = judgeRepair({ ...parts, after: handlers(own({}), (rows) => rows - 1) });
    expect([fewer.outcome, unmet(fewer)]).toEqual(["inconclusive", ["list length"]]);
  });

  const oneRow = { "db.response.returned_rows": 1 };
  const customers = (statement: string): Partial<Span> => ({
    attributes: { "db.system.name": "postgresql", "db.query.text": statement, ...oneRow },
  });
  const byKey = "SELECT id, name FROM customer WHERE id = $1";
  it.each<[string, (index: number, span: Span) => Partial<Span>]>([
    ["first rows", () => customers(`${byKey} FETCH FIRST $2 ROWS ONLY`)],
    ["an offset that stays", () => customers(`${byKey} LIMIT 1 OFFSET 0`)],
    ["an offset that is not recorded", () => customers(`${byKey} LIMIT $2 OFFSET $3`)],
    ["lists of one", () => customers("SELECT id, name FROM customer WHERE id = ANY($1)")],
    ["lists of two", () => customers("SELECT id, name FROM customer WHERE id IN ($1, $2)")],
    [
      "pauses of a timer",
      (index, span) => ({ ...customers(byKey), startMicros: span.startMicros + index * 160_000 }),
    ],
    [
      "pauses of seconds",
      (index, span) => ({ ...customers(byKey), startMicros: span.startMicros + index * 1_300_000 }),
    ],
    [
      "another address each",
      (index) => ({
        attributes: { ...customers(byKey).attributes, "server.address": `10.0.0.${index}` },
      }),
    ],
    ["failures", () => ({ ...customers(byKey), status: { code: "error" } })],
    [
      "reads of a cache",
      (index) => ({
        attributes: { "db.system.name": "redis", "db.query.text": `GET customer:${index}` },
      }),
    ],
    [
      "a table for each item",
      (index) => customers(`SELECT id, name FROM customer_${index} WHERE id = $1`),
    ],
  ])("is not proved by calls for each item that have %s", (_, dress) => {
    const dressed = (resolverSpans: boolean, plain: boolean): Snapshot => {
      const parts = plain ? { startMicros: beforeStart, series: 1 } : { series: 6 };
      const traces = traffic({ variant: "broken", resolverSpans, ...parts });
      return snapshotOfTraces(
        traces.map(({ summary, spans }, request) => ({
          summary,
          spans: spans.map((span, index) => {
            const text = JSON.stringify(span.attributes);
            if (text.includes("LIMIT")) {
              const rows = { "db.response.returned_rows": lengths[request] ?? 0 };
              return { ...span, attributes: { ...span.attributes, ...rows } };
            }
            return plain || !text.includes("db.query") ? span : { ...span, ...dress(index, span) };
          }),
        })),
      );
    };
    for (const resolverSpans of [true, false]) {
      const from = dressed(resolverSpans, true);
      const [hypothesis] = writeHypotheses(from, repeatedQuery.check(from), [repeatedQuery]);
      const judgement = judgeRepair({
        hypothesis: hypothesis!,
        before: from,
        after: dressed(resolverSpans, false),
        contract: repeatedQuery,
        control: requestsSucceed,
      });
      expect(judgement.contract.before).toBe("violated");
      expect(judgement.contract.after).not.toBe("holds");
      expect(judgement.outcome).not.toBe("proved");
    }
  });

  it("is not proved at 1 % sampling, by the requests that are left or by what the sampler says", () => {
    const few = judge(snapshotOfTraces(traffic({ listLengths: [40], samplingRatio: 0.01 }), 0.01));
    expect(few.outcome).toBe("inconclusive");
    expect(unmet(few)).toEqual(expect.arrayContaining(["requests", "sampling"]));

    const many = judge(snapshotOfTraces(traffic({ samplingRatio: 0.01 }), 0.01));
    expect(many.outcome).toBe("inconclusive");
    expect(unmet(many)).toEqual(["sampling"]);
  });

  it("is not proved when far fewer requests are seen than before, though no sampler says a word", () => {
    const paced = (pauseSeconds: number): SyntheticTrace[] =>
      lengths.map((length, index) => {
        const startMicros = afterStart + index * pauseSeconds * secondsMicros;
        return traffic({ listLengths: [length], startMicros, series: 20 + index })[0]!;
      });
    // Before, a request came each second. A hundredth of that is a sampler's work, or nobody's load.
    const sampled = judge(snapshotOfTraces(paced(100)));
    expect([sampled.outcome, unmet(sampled)]).toEqual(["inconclusive", ["request rate"]]);
    expect(sampled.reasons.join(" ")).toContain("the load fell, or a sampler drops requests");
    expect(unmet(judge(snapshotOfTraces(paced(5))))).toEqual(["request rate"]);
    expect(judge(snapshotOfTraces(paced(4))).outcome).toBe("proved");
  });

  it("compares rates between first and last request, whatever the windows and however much is kept", () => {
    const seen = (snapshot: Snapshot, operations: unknown): Snapshot =>
      createSnapshot(
        snapshot.evidence.map(({ source, content }) => ({
          source,
          // The test writes what the type of the evidence allows.
          content: (content.kind === "trace-population"
            ? { ...content, operations }
            : content) as typeof content,
        })),
      );
    const posts = (traceCountSeen: number, seconds: number, start: number) => [
      {
        name: "POST /graphql",
        traceCountSeen,
        firstStartMicros: start,
        lastStartMicros: start + seconds * secondsMicros,
      },
    ];
    const after = snapshotOfTraces(traffic({}));
    const from = seen(before, posts(90, 30, beforeStart));
    expect(unmet(judge(seen(after, posts(90, 30, afterStart)), from))).toEqual([]);
    expect(unmet(judge(seen(after, posts(90, 300, afterStart)), from))).toEqual(["request rate"]);
    expect(unmet(judge(seen(after, undefined), from))).toEqual(["request rate"]);
    const other = [{ ...posts(900, 30, afterStart)[0], name: "GET /healthz" }];
    expect(unmet(judge(seen(after, other), from))).toEqual(["request rate"]);
  });

  it("is not proved by the repair of another service", () => {
    const other = judge(snapshotOfTraces(traffic({ service: "invoices" })));
    expect(other.outcome).toBe("inconclusive");
    expect(unmet(other)).toContain("requests");

    const both = [
      ...traffic({ service: "invoices" }),
      ...traffic({ variant: "broken", series: 4 }),
    ];
    expect(judge(snapshotOfTraces(both)).outcome).toBe("not-repaired");
  });

  it("is not proved while requests fail", () => {
    const judgement = judge(snapshotOfTraces(traffic({ failing: true })));
    expect(judgement.outcome).toBe("inconclusive");
    expect(judgement.control.after).toBe("violated");
  });

  it("is not proved by requests from before the repair", () => {
    const early = traffic({ startMicros: beforeStart - 100 * secondsMicros });
    const judgement = judge(snapshotOfTraces(early));
    expect(judgement.outcome).toBe("inconclusive");
    expect(unmet(judgement)).toEqual(["order"]);
  });

  it("is not proved when the contract did not fail before", () => {
    const healthy = snapshotOfTraces(
      orderTraces({
        variant: "repaired",
        listLengths: lengths,
        startMicros: beforeStart,
        series: 5,
      }),
    );
    const judgement = judge(snapshotOfTraces(traffic({})), healthy);
    expect(judgement.outcome).toBe("inconclusive");
    expect(judgement.contract.before).toBe("holds");
  });

  it("is not proved when the fan-out only moved elsewhere", () => {
    const moved = traffic({ variant: "broken" }).map(({ summary, spans }) => ({
      summary,
      spans: spans.map((span) => {
        const path = span.attributes["graphql.field.path"];
        if (typeof path !== "string") return span;
        const attributes = { "graphql.field.path": path.replace("customer", "buyer") };
        return { ...span, attributes };
      }),
    }));
    const judgement = judge(snapshotOfTraces(moved));
    expect(judgement.outcome).toBe("inconclusive");
    expect(unmet(judgement)).toContain("no new violation");
  });
});
