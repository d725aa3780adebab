import type { Attributes } from "@faultline/contracts";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  never,
  nowMicros,
  nowMs,
  openTelemetry,
  span,
  spanIdOf,
  traceIdOf,
} from "../../test/telemetry-spans.ts";
import type { Telemetry } from "./index.ts";

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

const window = { fromMs: nowMs - 3_600_000, toMs: nowMs };

it("counts the gateway's operations, errors and tokens, and measures the time to the first token", async () => {
  const tenantId = await database.createTenant("traffic");
  const operation = (n: number, minutesAgo: number, attributes: Attributes = {}) =>
    span({
      traceId: traceIdOf(n),
      service: "faultline-gateway",
      kind: "client",
      startMicros: nowMicros - minutesAgo * 60_000_000,
      status: { code: n === 3 ? "error" : "ok" },
      attributes: { "gen_ai.operation.name": "chat", ...attributes },
    });
  const measured = (n: number): Attributes => ({
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": n,
    "gen_ai.server.time_to_first_token": n / 10,
  });
  await telemetry.ingestSpans(
    tenantId,
    [
      operation(1, 30, measured(1)),
      operation(2, 30, measured(2)),
      operation(3, 10, measured(3)),
      // Anyone may write what they like into attributes.
      operation(4, 10, {
        "gen_ai.usage.input_tokens": "many",
        "gen_ai.server.time_to_first_token": {},
      }),
      // Outside the window, and no operation.
      operation(5, 61, measured(5)),
      { ...operation(6, 10), attributes: {} },
    ],
    never,
  );
  const { traffic, spanCount } = await telemetry.overview({ tenantId, signal: never }, window);
  expect(traffic).toMatchObject({ count: 4, errorCount: 1, inputTokens: 300, outputTokens: 6 });
  expect(traffic.timeToFirstTokenMsP50).toBeCloseTo(200);
  expect(traffic.timeToFirstTokenMsP95).toBeCloseTo(290);
  expect(spanCount).toBe(5);
  expect(traffic.points).toHaveLength(60);
  const busy = traffic.points.filter((point) => point.count > 0);
  expect(busy).toMatchObject([
    {
      at: "2026-11-22T11:30:00.000Z",
      count: 2,
      errorCount: 0,
      timeToFirstTokenMsP50: expect.closeTo(150),
    },
    {
      at: "2026-11-22T11:50:00.000Z",
      count: 2,
      errorCount: 1,
      timeToFirstTokenMsP50: expect.closeTo(300),
    },
  ]);
});

it("draws calls between services, to databases and to model providers", async () => {
  const tenantId = await database.createTenant("edges");
  const ids = { root: spanIdOf(1), client: spanIdOf(2), server: spanIdOf(3) };
  const trace = (n: number) => [
    span({ traceId: traceIdOf(n), spanId: ids.root, service: "web" }),
    span({
      traceId: traceIdOf(n),
      spanId: ids.client,
      parentSpanId: ids.root,
      service: "web",
      kind: "client",
    }),
    span({
      traceId: traceIdOf(n),
      spanId: ids.server,
      parentSpanId: ids.client,
      service: "orders",
      durationNanos: 20_000_000,
      status: { code: n === 1 ? "error" : "unset" },
    }),
    ...[4, 5, 6].map((number) =>
      span({
        traceId: traceIdOf(n),
        spanId: spanIdOf(number),
        parentSpanId: ids.server,
        service: "orders",
        kind: "client",
        durationNanos: 2_000_000,
        attributes: { "db.system.name": "postgresql", "db.namespace": "shop" },
      }),
    ),
    span({
      traceId: traceIdOf(n),
      spanId: spanIdOf(7),
      parentSpanId: ids.root,
      service: "faultline-gateway",
      kind: "client",
      attributes: { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai" },
    }),
  ];
  await telemetry.ingestSpans(tenantId, [...trace(1), ...trace(2)], never);
  const { edges } = await telemetry.overview({ tenantId, signal: never }, window);
  expect(edges).toEqual([
    edge("orders", "postgresql/shop", {
      boundary: "resolver-database",
      count: 6,
      durationMsP95: 2,
    }),
    edge("faultline-gateway", "openai", { boundary: "client-server", count: 2, durationMsP95: 5 }),
    edge("web", "faultline-gateway", { boundary: "service-service", count: 2, durationMsP95: 5 }),
    edge("web", "orders", {
      boundary: "service-service",
      count: 2,
      errorCount: 1,
      durationMsP95: 20,
    }),
  ]);
});

function edge(from: string, to: string, others: object): object {
  return { from, to, errorCount: 0, caseNumbers: [], ...others };
}

it("is empty and whole where nothing happened", async () => {
  const tenantId = await database.createTenant("quiet");
  const overview = await telemetry.overview({ tenantId, signal: never }, window);
  expect(overview).toMatchObject({
    spanCount: 0,
    edges: [],
    traffic: { count: 0, errorCount: 0, inputTokens: 0, outputTokens: 0 },
  });
  expect(overview.traffic).not.toHaveProperty("timeToFirstTokenMsP50");
  expect(overview.traffic.points.every((point) => point.count === 0)).toBe(true);
});
