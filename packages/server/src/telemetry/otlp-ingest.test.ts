import { PlatformError } from "@faultline/protocol";
import type { Store } from "@faultline/server/storage/index.ts";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  never,
  nowMicros,
  openTelemetry,
  settings,
  span,
  spanIdOf,
  traceIdOf,
} from "../../test/telemetry-spans.ts";
import {
  type OtlpKind,
  registerTelemetryMetrics,
  type Telemetry,
  telemetryLimits,
} from "./index.ts";

let database: TestDatabase;
let telemetry: Telemetry;

beforeAll(async () => {
  database = await openTestDatabase();
  ({ telemetry } = await openTelemetry(database));
});
afterAll(async () => {
  await telemetry[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const nanos = (offsetMicros = 0): string => `${nowMicros + offsetMicros}000`;
const resource = { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] };

function request(kind: OtlpKind, body: object | string) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const bytes = new TextEncoder().encode(text);
  return { kind, tenantId: database.tenantId, bytes, encoding: "json", signal: never } as const;
}

function tracesBody(spans: readonly object[]): object {
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "s" }, spans }] }] };
}

function otlpSpan(n: number): object {
  return {
    traceId: traceIdOf(n),
    spanId: spanIdOf(n),
    name: "op",
    startTimeUnixNano: nanos(-1_000),
    endTimeUnixNano: nanos(),
  };
}

describe("an OTLP request", () => {
  it("of 10,000 spans is stored whole", async () => {
    const spans = Array.from({ length: 10_000 }, (_, index) => ({
      ...otlpSpan(index + 1),
      traceId: traceIdOf(77),
    }));
    expect(await telemetry.ingestOtlp(request("traces", tracesBody(spans)))).toEqual({
      rejectedCount: 0,
    });
    const scope = { tenantId: database.tenantId, signal: never };
    expect((await telemetry.readTrace(scope, traceIdOf(77)))?.spans).toHaveLength(10_000);
  });

  it("is taken in part when some of it is wrong, and says what", async () => {
    const spans = [
      otlpSpan(1),
      { ...otlpSpan(2), traceId: "00" },
      { ...otlpSpan(3), startTimeUnixNano: "1" },
    ];
    expect(await telemetry.ingestOtlp(request("traces", tracesBody(spans)))).toEqual({
      rejectedCount: 2,
      message: expect.stringMatching(/trace id is not 16 bytes.*A span is older than what is kept/),
    });
  });

  it("that cannot be read is refused with the place and what was expected", async () => {
    await expect(
      telemetry.ingestOtlp(request("traces", '{"resourceSpans": [}')),
    ).rejects.toMatchObject({
      code: "request_malformed",
      where: "line 1, column 20",
      hint: "Expected OTLP JSON.",
    });
    const protobuf = {
      ...request("traces", ""),
      bytes: Uint8Array.of(10, 99, 1),
      encoding: "protobuf",
    } as const;
    await expect(telemetry.ingestOtlp(protobuf)).rejects.toMatchObject({
      code: "request_malformed",
      where: expect.stringMatching(/^byte \d/),
    });
  });

  it("beyond the limit of bytes or of records is refused whole", async () => {
    const limits = { otlp: { unpackedBytesMax: 2_000, recordCountMax: 3 } };
    const { telemetry: small } = await openTelemetry(database, limits);
    const large = request("traces", " ".repeat(2_001));
    await expect(small.ingestOtlp(large)).rejects.toMatchObject({ code: "request_too_large" });
    const many = request("traces", tracesBody([1, 2, 3, 4].map(otlpSpan)));
    await expect(small.ingestOtlp(many)).rejects.toMatchObject({
      code: "request_too_large",
      message: "The request has 4 records, the limit is 3.",
    });
    await small[Symbol.asyncDispose]();
  });

  it("without records is fine", async () => {
    expect(await telemetry.ingestOtlp(request("metrics", {}))).toEqual({ rejectedCount: 0 });
  });
});

describe("log records", () => {
  const record = (changes: object): object => ({
    timeUnixNano: nanos(-5_000),
    body: { stringValue: "hello" },
    ...changes,
  });
  const body = (...logRecords: object[]): object => ({
    resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }],
  });

  it("come back as they were sent, and once however often they are sent", async () => {
    const tenantId = await database.createTenant("logs");
    const scope = { tenantId, signal: never };
    const sent = body(
      record({
        traceId: traceIdOf(1),
        spanId: spanIdOf(1),
        severityNumber: 9,
        severityText: "INFO",
      }),
      record({ attributes: [{ key: "a", value: { intValue: 1 } }], observedTimeUnixNano: nanos() }),
      // Equal lines of one request are two lines.
      record({ eventName: "tick" }),
      record({ eventName: "tick" }),
    );
    for (let turn = 0; turn < 3; turn += 1) {
      await telemetry.ingestOtlp({ ...request("logs", sent), tenantId });
    }
    const window = { fromMicros: nowMicros - 10_000, toMicros: nowMicros };
    const stored = await telemetry.readLogs(scope, window);
    expect(stored).toHaveLength(4);
    expect(stored).toContainEqual({
      timeMicros: nowMicros - 5_000,
      severityNumber: 9,
      severityText: "INFO",
      body: "hello",
      traceId: traceIdOf(1),
      spanId: spanIdOf(1),
      service: "orders",
      attributes: {},
      resource: { "service.name": "orders" },
      scope: { name: "" },
    });
    expect(stored.filter((one) => one.eventName === "tick")).toHaveLength(2);
    expect(await telemetry.readLogs(scope, { ...window, service: "users" })).toEqual([]);
    expect(await telemetry.readLogs(scope, { ...window, limit: 1 })).toHaveLength(1);
    const stranger = { tenantId: database.tenantId, signal: never };
    expect(await telemetry.readLogs(stranger, window)).toEqual([]);
  });
});

describe("data points", () => {
  it("come back as they were sent, and once however often they are sent", async () => {
    const tenantId = await database.createTenant("metrics");
    const scope = { tenantId, signal: never };
    const point = { timeUnixNano: nanos(-1_000), startTimeUnixNano: nanos(-9_000) };
    const metrics = [
      { name: "g", unit: "1", gauge: { dataPoints: [{ ...point, asDouble: 1.5 }] } },
      {
        name: "h",
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            { ...point, count: "2", sum: 3, bucketCounts: ["1", "1"], explicitBounds: [1] },
          ],
        },
      },
    ];
    const body = { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] };
    await telemetry.ingestOtlp({ ...request("metrics", body), tenantId });
    await telemetry.ingestOtlp({ ...request("metrics", body), tenantId });
    const window = { fromMicros: nowMicros - 10_000, toMicros: nowMicros };
    const stored = await telemetry.readMetricPoints(scope, window);
    expect(stored).toMatchObject([
      { name: "g", unit: "1", startMicros: nowMicros - 9_000, data: { kind: "gauge", value: 1.5 } },
      {
        name: "h",
        data: {
          kind: "histogram",
          temporality: "cumulative",
          count: 2,
          sum: 3,
          bounds: [1],
          counts: [1, 1],
        },
      },
    ]);
    const stranger = { tenantId: database.tenantId, signal: never };
    expect(await telemetry.readMetricPoints(stranger, window)).toEqual([]);
  });
});

/** A store whose commits can be held back and made to fail, and are counted. */
function watchedStore(
  fail: (batch: { rows: readonly (readonly (string | null)[])[] }) => Error | undefined = () =>
    undefined,
) {
  const gate = { held: undefined as Promise<void> | undefined, commitCount: 0 };
  const { store } = database;
  const watched: Store = {
    read: store.read.bind(store),
    transact: store.transact.bind(store),
    call: store.call.bind(store),
    system: store.system.bind(store),
    ping: store.ping.bind(store),
    sessions: store.sessions.bind(store),
    [Symbol.asyncDispose]: async () => {},
    async ingest(signal, batches) {
      gate.commitCount += 1;
      await gate.held;
      const rows = batches.flatMap((batch) => [...batch.rows]);
      const error = fail({ rows });
      if (error !== undefined) throw error;
      return await store.ingest(signal, batches);
    },
  };
  return { watched, gate };
}

describe("requests that come together", () => {
  it("share commits, and each resolves after its own is durable", async () => {
    const { watched, gate } = watchedStore();
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("together");
    const held = Promise.withResolvers<void>();
    gate.held = held.promise;
    let resolvedCount = 0;
    const send = async (n: number): Promise<void> => {
      await watchedTelemetry.ingestSpans(tenantId, [span({ traceId: traceIdOf(n) })], never);
      resolvedCount += 1;
      // What is acknowledged can be read at once.
      const scope = { tenantId, signal: never };
      expect(await watchedTelemetry.readTrace(scope, traceIdOf(n))).toBeDefined();
    };
    const first = send(0);
    await expect.poll(() => gate.commitCount).toBe(1);
    const others = Array.from({ length: 100 }, (_, index) => send(index + 1));
    expect(resolvedCount).toBe(0);
    held.resolve();
    await Promise.all([first, ...others]);
    expect(gate.commitCount).toBe(2);
    expect(watchedTelemetry.counts).toMatchObject({
      commitCount: 2,
      rowCount: 101,
      waitingRowCount: 0,
    });
    await watchedTelemetry[Symbol.asyncDispose]();
  });

  it("do not fail with the one whose rows the database refuses", async () => {
    const { watched } = watchedStore(({ rows }) =>
      rows.some((row) => row.includes("poison")) ? new Error("refused by a constraint") : undefined,
    );
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("poisoned");
    const send = (name: string, n: number): Promise<unknown> =>
      watchedTelemetry.ingestSpans(tenantId, [span({ name, traceId: traceIdOf(n) })], never);
    const results = await Promise.allSettled([send("a", 1), send("poison", 2), send("b", 3)]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await watchedTelemetry[Symbol.asyncDispose]();
  });

  it("are turned away while too much waits, and taken once it is written", async () => {
    const { watched, gate } = watchedStore();
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("crowded");
    const held = Promise.withResolvers<void>();
    gate.held = held.promise;
    const many = (n: number) =>
      Array.from({ length: n }, (_, index) =>
        span({ traceId: traceIdOf(index % 50), spanId: spanIdOf(index) }),
      );
    const first = watchedTelemetry.ingestSpans(tenantId, [span()], never);
    await expect.poll(() => gate.commitCount).toBe(1);
    const waiting = watchedTelemetry.ingestSpans(
      tenantId,
      many(telemetryLimits.queueRowCountMax),
      never,
    );
    await expect(watchedTelemetry.ingestSpans(tenantId, [span()], never)).rejects.toMatchObject({
      code: "limit_exceeded",
      row: { retryable: true },
    });
    expect(watchedTelemetry.counts.refusedCount).toBe(1);
    held.reject(new Error("the database is gone"));
    await expect(first).rejects.toThrow("the database is gone");
    gate.held = undefined;
    await waiting.catch(() => {});
    await watchedTelemetry.ingestSpans(tenantId, [span()], never);
    await watchedTelemetry[Symbol.asyncDispose]();
  });

  it("that are abandoned while they wait are not written", async () => {
    const { watched, gate } = watchedStore();
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("abandoned");
    const held = Promise.withResolvers<void>();
    gate.held = held.promise;
    const first = watchedTelemetry.ingestSpans(tenantId, [span({ traceId: traceIdOf(1) })], never);
    await expect.poll(() => gate.commitCount).toBe(1);
    const controller = new AbortController();
    const second = watchedTelemetry.ingestSpans(
      tenantId,
      [span({ traceId: traceIdOf(2) })],
      controller.signal,
    );
    controller.abort();
    await expect(second).rejects.toMatchObject({ name: "AbortError" });
    held.resolve();
    await first;
    await watchedTelemetry[Symbol.asyncDispose]();
    const scope = { tenantId, signal: never };
    expect(await watchedTelemetry.readTrace(scope, traceIdOf(1))).toBeDefined();
    expect(await watchedTelemetry.readTrace(scope, traceIdOf(2))).toBeUndefined();
  });

  it("let their caller go at once when it aborts during the commit, and may be sent again", async () => {
    const { watched, gate } = watchedStore();
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("aborted");
    const held = Promise.withResolvers<void>();
    gate.held = held.promise;
    const controller = new AbortController();
    const sending = watchedTelemetry.ingestSpans(tenantId, [span()], controller.signal);
    await expect.poll(() => gate.commitCount).toBe(1);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ name: "AbortError" });
    held.resolve();
    await watchedTelemetry.ingestSpans(tenantId, [span()], never);
    const trace = await watchedTelemetry.readTrace({ tenantId, signal: never }, traceIdOf(1));
    expect(trace?.spans).toHaveLength(1);
    await watchedTelemetry[Symbol.asyncDispose]();
  });

  it("fail while the database is away, and nothing of them is half there afterwards", async () => {
    let isAway = true;
    const { watched } = watchedStore(() =>
      isAway
        ? new PlatformError("database_unavailable", "The database cannot be reached.")
        : undefined,
    );
    const { telemetry: watchedTelemetry } = await openTelemetry(database, {}, watched);
    const tenantId = await database.createTenant("away");
    const scope = { tenantId, signal: never };
    const send = (): Promise<unknown> => watchedTelemetry.ingestSpans(tenantId, [span()], never);
    const failed = await Promise.allSettled([send(), send()]);
    for (const result of failed) {
      expect(result).toMatchObject({ reason: { code: "database_unavailable" } });
    }
    expect(await watchedTelemetry.readTrace(scope, traceIdOf(1))).toBeUndefined();
    isAway = false;
    await send();
    expect((await watchedTelemetry.readTrace(scope, traceIdOf(1)))?.spans).toHaveLength(1);
    await watchedTelemetry[Symbol.asyncDispose]();
  });

  it("show in the metrics", async () => {
    const { telemetry: measured } = await openTelemetry(database);
    const tenantId = await database.createTenant("measured");
    await measured.ingestSpans(tenantId, [span(), span()], never);
    const registry = new Registry();
    registerTelemetryMetrics(registry, measured);
    const text = await registry.metrics();
    expect(text).toContain('faultline_telemetry_records_total{outcome="written"} 1');
    expect(text).toContain('faultline_telemetry_records_total{outcome="repeated"} 1');
    expect(text).toContain("faultline_telemetry_commits_total 1");
    expect(text).toContain(
      `faultline_telemetry_bytes{state="limit"} ${settings.store.sizeBytesMax}`,
    );
    await measured[Symbol.asyncDispose]();
  });

  it("are written before the store closes, and refused after", async () => {
    const { telemetry: closing } = await openTelemetry(database, { store: settings.store });
    const tenantId = await database.createTenant("closing");
    const last = closing.ingestSpans(tenantId, [span()], never);
    await closing[Symbol.asyncDispose]();
    await last;
    expect(await closing.readTrace({ tenantId, signal: never }, traceIdOf(1))).toBeDefined();
    await expect(closing.ingestSpans(tenantId, [span()], never)).rejects.toMatchObject({
      code: "shutting_down",
    });
  });
});
