import type { Span } from "@faultline/contracts";
import type { TraceSummary } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  never,
  nowMicros,
  openTelemetry,
  span,
  spanIdOf,
  traceIdOf,
} from "../../test/telemetry-spans.ts";
import type { Telemetry } from "./index.ts";

let database: TestDatabase;
let telemetry: Telemetry;
let tenantCount = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  ({ telemetry } = await openTelemetry(database));
});
afterAll(async () => {
  await telemetry[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const spans = fc.uniqueArray(
  fc.record({
    trace: fc.integer({ min: 1, max: 3 }),
    number: fc.integer({ min: 1, max: 12 }),
    parent: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    service: fc.constantFrom("a", "b", "c"),
    name: fc.constantFrom("x", "y"),
    kind: fc.constantFrom("server" as const, "client" as const, "internal" as const),
    startMicros: fc.integer({ min: 1, max: 50 }).map((offset) => nowMicros - 1_000 + offset / 4),
    durationNanos: fc.integer({ min: 0, max: 5_000 }),
    isError: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25, selector: (one) => `${one.trace} ${one.number}` },
);

/** Which of the spans each request carries; a span may come in several requests, or twice in one. */
const requests = fc.array(fc.array(fc.nat(), { maxLength: 8 }), { maxLength: 6 });

/** The summary of a trace from all its spans at once. */
function summaryOf(trace: readonly Span[]): TraceSummary {
  const nanosOf = (one: Span): number => Math.round((one.startMicros - nowMicros) * 1_000);
  const [root] = trace.toSorted(
    (left, right) =>
      Number(left.parentSpanId !== undefined) - Number(right.parentSpanId !== undefined) ||
      left.startMicros - right.startMicros ||
      (left.spanId < right.spanId ? -1 : 1),
  );
  const startNanos = Math.min(...trace.map(nanosOf));
  const endNanos = Math.max(...trace.map((one) => nanosOf(one) + one.durationNanos));
  const errorCount = trace.filter((one) => one.status.code === "error").length;
  return {
    traceId: root?.traceId ?? "",
    service: root?.service ?? "",
    operation: root?.name ?? "",
    startedAt: new Date(Math.floor(nowMicros / 1_000 + startNanos / 1_000_000)).toISOString(),
    durationMs: (endNanos - startNanos) / 1_000_000,
    spanCount: trace.length,
    errorCount,
    status: errorCount > 0 ? "error" : "ok",
    services: [...new Set(trace.map((one) => one.service))].sort(),
  };
}

it("lists what the spans say, whatever their order, their batches and their repetitions", async () => {
  await fc.assert(
    fc.asyncProperty(spans, requests, async (drawn, drawnRequests) => {
      tenantCount += 1;
      const tenantId = await database.createTenant(`arrival-${tenantCount}`);
      const all = drawn.map(({ trace, number, parent, isError, ...rest }) =>
        span({
          ...rest,
          traceId: traceIdOf(trace),
          spanId: spanIdOf(number),
          ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }),
          status: { code: isError ? "error" : "unset" },
        }),
      );
      // Some requests one after another, then everything in reverse, half of it at the same time as the other half.
      for (const picks of drawnRequests) {
        const request = picks
          .map((pick) => all[pick % all.length])
          .filter((one) => one !== undefined);
        await telemetry.ingestSpans(tenantId, request, never);
      }
      const reversed = all.toReversed();
      const half = Math.floor(reversed.length / 2);
      await Promise.all([
        telemetry.ingestSpans(tenantId, reversed.slice(0, half), never),
        telemetry.ingestSpans(tenantId, reversed.slice(half), never),
      ]);

      const scope = { tenantId, signal: never };
      const { traces } = await telemetry.listTraces(scope, {});
      const expected = [...Map.groupBy(all, (one) => one.traceId).values()].map(summaryOf);
      const byId = (left: TraceSummary, right: TraceSummary): number =>
        left.traceId < right.traceId ? -1 : 1;
      expect(traces.toSorted(byId)).toEqual(expected.toSorted(byId));

      const { services } = await telemetry.listServices(scope);
      const counts = Map.groupBy(all, (one) => one.service);
      expect(Object.fromEntries(services.map((one) => [one.name, one.spanCount]))).toEqual(
        Object.fromEntries(Array.from(counts, ([name, of]) => [name, of.length])),
      );
    }),
    { numRuns: 60 },
  );
});
