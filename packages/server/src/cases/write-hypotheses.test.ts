/** What a hypothesis says for and against itself, and how hypotheses are ranked. */

import {
  contracts,
  controls,
  checkSnapshot,
  createSnapshot,
  type Snapshot,
} from "@faultline/contracts";
import { describe, expect, it } from "vitest";

import { orderTraces, type SyntheticTrace } from "./synthetic-orders.ts";
import { type DraftHypothesis, writeHypotheses } from "./write-hypotheses.ts";

const all = [...contracts, ...controls];

function hypothesesOn(traces: readonly SyntheticTrace[]): DraftHypothesis[] {
  const ids = traces.map(({ summary }) => summary.traceId);
  const snapshot: Snapshot = createSnapshot([
    {
      source: { name: "test", format: "population", notes: [] },
      content: {
        kind: "trace-population",
        service: "orders",
        fromMicros: 0,
        toMicros: 1e16,
        traceCountSeen: ids.length,
        traceCountKept: ids.length,
        slowTraceIds: ids,
        baselineTraceIds: [],
      },
    },
    ...traces.map(({ summary, spans }) => ({
      source: { name: summary.traceId, format: "test", notes: [] },
      content: { kind: "trace" as const, traceId: summary.traceId, spans: [...spans] },
    })),
  ]);
  return writeHypotheses(snapshot, checkSnapshot(snapshot, all), all);
}

const faulty = orderTraces({
  variant: "broken",
  listLengths: [40, 20],
  startMicros: 1e15,
  series: 1,
});

function healthy(durationMs: number, failing = false): SyntheticTrace[] {
  const traces = orderTraces({
    variant: "repaired",
    listLengths: [40],
    startMicros: 1e15,
    series: 2,
    failing,
  });
  return traces.map(({ summary, spans }) => ({
    summary,
    spans: spans.map((span, index) =>
      index === 0 ? { ...span, durationNanos: durationMs * 1_000_000 } : span,
    ),
  }));
}

describe("evidence against a hypothesis", () => {
  it("is none when every slow trace shows the fault", () => {
    expect(hypothesesOn(faulty)[0]).toMatchObject({ status: "supported", evidenceAgainst: [] });
  });

  it("is a trace that is as slow without the fault", () => {
    const [leading] = hypothesesOn([...faulty, ...healthy(5_000)]);
    expect(leading?.evidenceAgainst.map(({ quote }) => quote)).toEqual([
      expect.stringContaining("took 5000.0 ms without this fault"),
    ]);
  });

  it("is a trace that failed without the fault, however short", () => {
    const [leading] = hypothesesOn([...faulty, ...healthy(1, true)]);
    expect(leading?.evidenceAgainst[0]?.quote).toContain("failed without this fault");
  });

  it("is not a trace that is fast without the fault", () => {
    expect(hypothesesOn([...faulty, ...healthy(1)])[0]?.evidenceAgainst).toEqual([]);
  });
});

it("the hypothesis that explains most time leads", () => {
  const longer = orderTraces({
    variant: "broken",
    service: "invoices",
    listLengths: [200, 200],
    startMicros: 1e15,
    series: 3,
  });
  const supported = hypothesesOn([...faulty, ...longer]).filter(
    ({ status }) => status === "supported",
  );
  expect(supported.map(({ rank, subject }) => [rank, subject.name.split(" ")[0]])).toEqual([
    [1, "invoices"],
    [2, "orders"],
  ]);
});
