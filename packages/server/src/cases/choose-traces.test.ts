/** Which traces a snapshot holds. */

import type { TraceSummary } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chooseAfter, chooseBefore } from "./choose-traces.ts";
import { caseLimits } from "./limits.ts";

function trace(parts: Partial<TraceSummary> & { traceId: string }): TraceSummary {
  return {
    service: "orders",
    operation: "POST /graphql",
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 10,
    spanCount: 10,
    errorCount: 0,
    status: "ok",
    services: ["orders"],
    ...parts,
  };
}

const lists = [5, 40, 1].flatMap((length) =>
  Array.from({ length: 30 }, (_, index) =>
    trace({ traceId: `${length}-${index}`, durationMs: length, spanCount: length * 3 }),
  ),
);

const anyTraces = fc.uniqueArray(
  fc.record({
    traceId: fc.uuid(),
    operation: fc.constantFrom("a", "b", "c"),
    durationMs: fc.integer({ min: 0, max: 100 }),
    spanCount: fc.integer({ min: 1, max: 100 }),
    status: fc.constantFrom("ok" as const, "error" as const),
  }),
  { selector: ({ traceId }) => traceId, maxLength: 400, size: "max" },
);

describe("before a repair", () => {
  it("the slowest are chosen, and a baseline of shorter lists of the same operation", () => {
    const chosen = chooseBefore(lists);
    expect(chosen.slowTraceIds.every((id) => id.startsWith("40-"))).toBe(true);
    const lengths = new Set(chosen.baselineTraceIds.map((id) => id.split("-")[0]));
    expect(lengths).toEqual(new Set(["1", "5", "40"]));
  });

  it("a failed trace comes before every slow one", () => {
    const failed = trace({ traceId: "failed", durationMs: 0, status: "error" });
    expect(chooseBefore([...lists, failed]).slowTraceIds[0]).toBe("failed");
  });

  it("an operation that is slow by nature does not crowd out the others", () => {
    const reports = Array.from({ length: 50 }, (_, index) =>
      trace({ traceId: `report-${index}`, operation: "GET /report", durationMs: 10_000 }),
    );
    const chosen = chooseBefore([...reports, ...lists]);
    expect(chosen.slowTraceIds.filter((id) => id.startsWith("40-"))).toHaveLength(
      caseLimits.slowTraceCountMax / 2,
    );
  });

  it("what was done once at the start comes last", () => {
    const startUp = trace({ traceId: "start", operation: "parseSchema", durationMs: 5_000 });
    const chosen = chooseBefore([startUp, ...lists]);
    expect([...chosen.slowTraceIds, ...chosen.baselineTraceIds]).not.toContain("start");
    expect(chooseBefore([startUp]).slowTraceIds).toEqual(["start"]);
  });
});

describe("after a repair", () => {
  it("the longest lists of the faulty operation are chosen, and some of the other operations", () => {
    const others = Array.from({ length: 500 }, (_, index) =>
      trace({ traceId: `other-${index}`, operation: "GET /report", spanCount: 1_000 }),
    );
    const chosen = chooseAfter([...others, ...lists], new Set(["POST /graphql"]));
    const ids = [...chosen.slowTraceIds, ...chosen.baselineTraceIds];
    expect(ids.filter((id) => id.startsWith("40-"))).toHaveLength(30);
    expect(ids.filter((id) => id.startsWith("other-"))).toHaveLength(
      caseLimits.otherOperationTraceCountMax,
    );
  });
});

it("every choice is bounded, has each trace once, and does not depend on the order of what it chooses from", () => {
  fc.assert(
    fc.property(anyTraces, (parts) => {
      const traces = parts.map(trace);
      const known = new Set(traces.map(({ traceId }) => traceId));
      const { slowTraceCountMax, baselineTraceCountMax, afterTraceCountMax } = caseLimits;
      for (const [choose, countMax] of [
        [chooseBefore, slowTraceCountMax + baselineTraceCountMax],
        [(of: TraceSummary[]) => chooseAfter(of, new Set(["a"])), afterTraceCountMax],
      ] as const) {
        const chosen = choose(traces);
        const ids = [...chosen.slowTraceIds, ...chosen.baselineTraceIds];
        expect(ids.length).toBeLessThanOrEqual(countMax);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.every((id) => known.has(id))).toBe(true);
        if (traces.length > 0) expect(ids.length).toBeGreaterThan(0);
        expect(choose([...traces].reverse())).toEqual(chosen);
      }
    }),
    { numRuns: 200 },
  );
});
