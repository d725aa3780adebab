import type { Span } from "@faultline/contracts";
import type { TraceQuery } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { never, nowMicros, openTelemetry, span, traceIdOf } from "../../test/telemetry-spans.ts";
import type { Telemetry } from "./index.ts";

let database: TestDatabase;
let telemetry: Telemetry;

const minuteMicros = 60_000_000;
const services = ["orders", "users", "billing"];
const operations = ["GET /a", "GET /b"];

/** Trace `n` begins `n` minutes before now: its service, operation, duration and status follow from `n`. */
function traceOf(n: number): Span[] {
  const root = span({
    traceId: traceIdOf(n),
    service: services[n % 3] ?? "",
    name: operations[n % 2] ?? "",
    startMicros: nowMicros - n * minuteMicros,
    durationNanos: n * 1_000_000,
    status: { code: n % 5 === 0 ? "error" : "unset" },
  });
  if (n % 4 !== 0) return [root];
  // Every fourth trace passes through `users` too, without changing its own length.
  const child = { spanId: "c".repeat(16), parentSpanId: root.spanId, kind: "internal" } as const;
  return [root, { ...root, ...child, service: "users", durationNanos: 1, status: { code: "ok" } }];
}

const numbers = Array.from({ length: 60 }, (_, index) => index + 1);

beforeAll(async () => {
  database = await openTestDatabase();
  ({ telemetry } = await openTelemetry(database));
  const spans = numbers.flatMap(traceOf);
  await telemetry.ingestSpans(database.tenantId, spans.toReversed(), never);
});

afterAll(async () => {
  await telemetry[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const scope = () => ({ tenantId: database.tenantId, signal: never });

/** All pages of a query, as numbers of traces. */
async function listAll(query: TraceQuery): Promise<number[]> {
  const found: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await telemetry.listTraces(scope(), {
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.traces.map((trace) => Number.parseInt(trace.traceId.slice(1), 16)));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** What a query should find, from the definition of the traces alone. */
function expected(query: TraceQuery): number[] {
  const startMs = (n: number): number => (nowMicros - n * minuteMicros) / 1_000;
  return numbers.filter(
    (n) =>
      (query.service === undefined ||
        services[n % 3] === query.service ||
        (n % 4 === 0 && query.service === "users")) &&
      (query.operation === undefined || operations[n % 2] === query.operation) &&
      (query.from === undefined || startMs(n) >= Date.parse(query.from)) &&
      (query.to === undefined || startMs(n) < Date.parse(query.to)) &&
      (query.minDurationMs === undefined || n >= query.minDurationMs) &&
      (query.maxDurationMs === undefined || n <= query.maxDurationMs) &&
      (query.status === undefined || (n % 5 === 0) === (query.status === "error")),
  );
}

const iso = (minutesAgo: number): string =>
  new Date((nowMicros - minutesAgo * minuteMicros) / 1_000).toISOString();

describe("the list of traces", () => {
  it.each<TraceQuery>([
    {},
    { service: "orders" },
    { service: "users" },
    { service: "nobody" },
    { operation: "GET /b" },
    { from: iso(10) },
    { to: iso(10) },
    { minDurationMs: 30 },
    { maxDurationMs: 29.5 },
    { status: "error" },
    { status: "ok" },
  ])("filters by %o", async (query) => {
    expect(await listAll(query)).toEqual(expected(query));
  });

  it("combines filters, in pages of any size", async () => {
    const query = fc.record(
      {
        service: fc.constantFrom(...services, "nobody"),
        operation: fc.constantFrom(...operations),
        from: fc.nat(70).map(iso),
        to: fc.nat(70).map(iso),
        minDurationMs: fc.double({ min: 0, max: 70, noNaN: true }),
        maxDurationMs: fc.double({ min: 0, max: 70, noNaN: true }),
        status: fc.constantFrom("ok" as const, "error" as const),
        limit: fc.integer({ min: 1, max: 20 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(query, async (filters) => {
        expect(await listAll(filters)).toEqual(expected(filters));
      }),
      { numRuns: 60 },
    );
  });

  it("neither repeats nor skips while new traces arrive between pages", async () => {
    const tenantId = await database.createTenant("paging");
    const scope = { tenantId, signal: never };
    const add = async (n: number): Promise<void> => {
      const startMicros = nowMicros - n * minuteMicros;
      await telemetry.ingestSpans(tenantId, [span({ traceId: traceIdOf(n), startMicros })], never);
    };
    for (const n of [10, 11, 12, 13, 14]) await add(n);
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let newer = 9; ; newer -= 1) {
      const page = await telemetry.listTraces(scope, {
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page.traces.map((trace) => trace.traceId));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
      await add(newer);
    }
    expect(seen).toEqual([10, 11, 12, 13, 14].map(traceIdOf));
  });

  it("orders traces that begin in the same nanosecond, and pages through them", async () => {
    const tenantId = await database.createTenant("same-start");
    const traces = [1, 2, 3, 4, 5].map((n) => span({ traceId: traceIdOf(n) }));
    await telemetry.ingestSpans(tenantId, traces, never);
    const first = await telemetry.listTraces({ tenantId, signal: never }, { limit: 3 });
    const cursor = first.nextCursor ?? "";
    const second = await telemetry.listTraces({ tenantId, signal: never }, { limit: 3, cursor });
    const ids = [...first.traces, ...second.traces].map((trace) => trace.traceId);
    expect(ids).toEqual([5, 4, 3, 2, 1].map(traceIdOf));
    expect(second.nextCursor).toBeUndefined();
  });

  it("refuses a cursor that no list gave", async () => {
    for (const cursor of ["x", "", Buffer.from("1 2").toString("base64url")]) {
      await expect(telemetry.listTraces(scope(), { cursor })).rejects.toMatchObject({
        code: "request_invalid",
        where: "cursor",
      });
    }
  });
});

describe("the traces of a subject", () => {
  const window = { fromMicros: nowMicros - 31 * minuteMicros, toMicros: nowMicros, limit: 100 };

  it("are those in which the service took part, with its own duration and errors", async () => {
    const found = await telemetry.tracesOfSubject(scope(), { ...window, service: "users" });
    const ids = numbers.filter((n) => n <= 31 && (n % 3 === 1 || n % 4 === 0));
    expect(found.traces.map((trace) => trace.traceId)).toEqual(ids.map(traceIdOf));
    expect(found.seenCount).toBe(ids.length);
    // Trace 20 failed in `billing`; its part in `users` is one good span of a nanosecond.
    expect(found.traces.find((trace) => trace.traceId === traceIdOf(20))).toMatchObject({
      service: "users",
      durationMs: 0.000_001,
      errorCount: 0,
      status: "ok",
      spanCount: 2,
      services: ["billing", "users"],
    });
  });

  it("can be narrowed to one operation and to a number, and say how many there are", async () => {
    const query = { ...window, service: "orders", operation: "GET /a", limit: 2 };
    const found = await telemetry.tracesOfSubject(scope(), query);
    expect(found.traces.map((trace) => trace.traceId)).toEqual([6, 12].map(traceIdOf));
    expect(found.seenCount).toBe(5);
  });
});

describe("the list of services", () => {
  it("counts spans and names operations, the most frequent first", async () => {
    const { services: listed } = await telemetry.listServices(scope());
    expect(listed).toEqual([
      { name: "billing", spanCount: 20, operations: ["GET /a", "GET /b"] },
      { name: "orders", spanCount: 20, operations: ["GET /a", "GET /b"] },
      { name: "users", spanCount: 35, operations: ["GET /a", "GET /b"] },
    ]);
  });
});
