import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  hourMicros,
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

/** A tenant of its own for each test, so that they share a database. */
async function newScope() {
  tenantCount += 1;
  const tenantId = await database.createTenant(`tenant-${tenantCount}`);
  return { tenantId, signal: never };
}

describe("spans", () => {
  it("come back as they were sent", async () => {
    const scope = await newScope();
    const sent = span({
      parentSpanId: spanIdOf(9),
      startMicros: nowMicros - 1_000_000 + 0.25,
      durationNanos: 1_234_567_891,
      status: { code: "error", message: "bröken\ttab\nline \\ backslash" },
      attributes: {
        text: "quote \" and 'single' and \\N and ünïcode 🦊",
        number: 1.5,
        flag: true,
        list: ["a", 1, null],
        map: { inner: { deeper: "x" } },
      },
      resource: { "service.name": "orders", "host.name": "h" },
      scope: { name: "lib", version: "1.2" },
      events: [{ name: "exception", timeMicros: nowMicros, attributes: { a: 1 } }],
      links: [{ traceId: traceIdOf(3), spanId: spanIdOf(3), attributes: {} }],
    });
    expect(await telemetry.ingestSpans(scope.tenantId, [sent], never)).toEqual({
      rejectedCount: 0,
    });
    expect(await telemetry.readTrace(scope, sent.traceId)).toEqual({
      spans: [sent],
      truncated: false,
    });
  });

  it("keep characters that PostgreSQL cannot store from failing anyone", async () => {
    const scope = await newScope();
    const odd = span({ name: "a\0b", attributes: { "k\0": "v\0 \\u0000", half: "\ud800x" } });
    await telemetry.ingestSpans(scope.tenantId, [odd], never);
    const [stored] = (await telemetry.readTrace(scope, odd.traceId))?.spans ?? [];
    expect(stored?.name).toBe("a\uFFFDb");
    expect(stored?.attributes).toEqual({ "k\uFFFD": "v\uFFFD \\u0000", half: "\uFFFDx" });
  });

  it("are stored once however often and in whatever batches they are sent", async () => {
    const scope = await newScope();
    const root = span({ spanId: spanIdOf(1) });
    const child = span({ spanId: spanIdOf(2), parentSpanId: spanIdOf(1), kind: "internal" });
    await telemetry.ingestSpans(scope.tenantId, [root, root], never);
    await telemetry.ingestSpans(scope.tenantId, [child, root], never);
    await Promise.all([
      telemetry.ingestSpans(scope.tenantId, [root, child], never),
      telemetry.ingestSpans(scope.tenantId, [child], never),
    ]);
    expect((await telemetry.readTrace(scope, root.traceId))?.spans).toHaveLength(2);
    const { traces } = await telemetry.listTraces(scope, {});
    expect(traces).toMatchObject([{ spanCount: 2, errorCount: 0 }]);
    expect((await telemetry.listServices(scope)).services).toEqual([
      { name: "orders", spanCount: 2, operations: ["GET /orders"] },
    ]);
  });

  it("give the same summary in whatever order they arrive", async () => {
    const parts = [
      span({ spanId: spanIdOf(1), name: "root", service: "web", durationNanos: 9_000_000 }),
      span({
        spanId: spanIdOf(2),
        parentSpanId: spanIdOf(1),
        name: "early",
        startMicros: nowMicros - 60_001_000,
      }),
      span({
        spanId: spanIdOf(3),
        parentSpanId: spanIdOf(2),
        name: "late",
        service: "users",
        startMicros: nowMicros - 59_000_000,
        status: { code: "error" },
      }),
    ];
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ];
    for (const order of orders) {
      const scope = await newScope();
      for (const index of order) {
        await telemetry.ingestSpans(scope.tenantId, [parts[index] ?? span()], never);
      }
      expect((await telemetry.listTraces(scope, {})).traces).toEqual([
        {
          traceId: traceIdOf(1),
          service: "web",
          operation: "root",
          startedAt: "2026-11-22T11:58:59.999Z",
          durationMs: 1_006,
          spanCount: 3,
          errorCount: 1,
          status: "error",
          services: ["orders", "users", "web"],
        },
      ]);
    }
  });

  it("stand under their earliest span while the root has not come", async () => {
    const scope = await newScope();
    const orphan = (number: number, startMicros: number) =>
      span({
        spanId: spanIdOf(number),
        parentSpanId: spanIdOf(99),
        name: `span ${number}`,
        startMicros,
      });
    await telemetry.ingestSpans(scope.tenantId, [orphan(2, nowMicros - 10)], never);
    await telemetry.ingestSpans(scope.tenantId, [orphan(1, nowMicros - 20)], never);
    expect((await telemetry.listTraces(scope, {})).traces).toMatchObject([{ operation: "span 1" }]);
  });

  it("of another tenant are nowhere to be seen", async () => {
    const owner = await newScope();
    const stranger = await newScope();
    const operation = span({
      service: "faultline-gateway",
      attributes: { "gen_ai.operation.name": "chat" },
    });
    await telemetry.ingestSpans(owner.tenantId, [operation], never);
    const window = { fromMs: (nowMicros - hourMicros) / 1_000, toMs: nowMicros / 1_000 };
    expect(await telemetry.readTrace(stranger, operation.traceId)).toBeUndefined();
    expect(await telemetry.listTraces(stranger, {})).toEqual({ traces: [] });
    expect(await telemetry.listServices(stranger)).toEqual({ services: [] });
    expect(await telemetry.overview(stranger, window)).toMatchObject({
      spanCount: 0,
      edges: [],
      traffic: { count: 0 },
    });
    const subject = { service: "faultline-gateway", fromMicros: 0, toMicros: nowMicros, limit: 10 };
    expect(await telemetry.tracesOfSubject(stranger, subject)).toEqual({
      traces: [],
      seenCount: 0,
    });
    // The same reads, by the owner, do find it.
    expect(await telemetry.readTrace(owner, operation.traceId)).toBeDefined();
    expect((await telemetry.overview(owner, window)).traffic.count).toBe(1);
  });

  it("may have the same ids in two tenants", async () => {
    const [one, two] = [await newScope(), await newScope()];
    await telemetry.ingestSpans(one.tenantId, [span({ name: "one" })], never);
    await telemetry.ingestSpans(two.tenantId, [span({ name: "two" })], never);
    expect((await telemetry.readTrace(one, traceIdOf(1)))?.spans[0]?.name).toBe("one");
    expect((await telemetry.readTrace(two, traceIdOf(1)))?.spans[0]?.name).toBe("two");
  });

  it("show no row to a session that names no tenant", async () => {
    const scope = await newScope();
    await telemetry.ingestSpans(scope.tenantId, [span()], never);
    const client = new Client(database.postgres.clientConfig("faultline_app"));
    await client.connect();
    try {
      for (const table of ["span", "telemetry_origin", "trace_summary", "trace_operation"]) {
        expect((await client.query(`select from ${table}`)).rowCount).toBe(0);
      }
      // Partitions are reached through their table only.
      await expect(client.query("select from span_20261122")).rejects.toThrow("permission denied");
    } finally {
      await client.end();
    }
  });

  it("outside the window of time are refused one by one, with the reason", async () => {
    const scope = await newScope();
    const dayMicros = 24 * hourMicros;
    const result = await telemetry.ingestSpans(
      scope.tenantId,
      [
        span({ spanId: spanIdOf(1) }),
        span({ spanId: spanIdOf(2), startMicros: nowMicros - 9 * dayMicros }),
        span({ spanId: spanIdOf(3), startMicros: nowMicros + 2 * dayMicros }),
        span({ spanId: spanIdOf(6), durationNanos: 2 * dayMicros * 1_000 }),
        span({ spanId: spanIdOf(4), startMicros: nowMicros - 6 * dayMicros }),
        span({ spanId: spanIdOf(5), startMicros: nowMicros + dayMicros / 2 }),
      ],
      never,
    );
    expect(result).toEqual({
      rejectedCount: 3,
      message:
        "A span is older than what is kept, which begins at 2026-11-15T00:00:00.000Z. " +
        "A span lies in the future; is the sender's clock right? (2 times)",
    });
    const stored = await telemetry.readTrace(scope, traceIdOf(1));
    expect(stored?.spans.map((item) => item.spanId)).toEqual([4, 1, 5].map(spanIdOf));
  });

  it("of a trace beyond the limit are cut, and the answer says so", async () => {
    const scope = await newScope();
    const spans = Array.from({ length: 20_001 }, (_, index) =>
      span({ spanId: spanIdOf(index + 1), startMicros: nowMicros - 60_000_000 + index }),
    );
    await telemetry.ingestSpans(scope.tenantId, spans, never);
    const stored = await telemetry.readTrace(scope, traceIdOf(1));
    expect(stored?.truncated).toBe(true);
    expect(stored?.spans).toHaveLength(20_000);
  });
});
