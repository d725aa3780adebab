import type { Store } from "@faultline/server/storage/index.ts";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";

import {
  hourMicros,
  never,
  nowMicros,
  openTelemetry,
  settings,
  span,
  traceIdOf,
} from "../../test/telemetry-spans.ts";
import { telemetryLimits } from "./index.ts";

const dayMicros = 24 * hourMicros;
const dayMs = dayMicros / 1_000;

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
});

const scope = () => ({ tenantId: database.tenantId, signal: never });

/** The store's methods as an object that can be spread. */
function boundStore(store: Store): Store {
  return {
    read: store.read.bind(store),
    transact: store.transact.bind(store),
    call: store.call.bind(store),
    ingest: store.ingest.bind(store),
    system: store.system.bind(store),
    ping: store.ping.bind(store),
    sessions: store.sessions.bind(store),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function partitionDays(): Promise<string[]> {
  const rows = await database.sql<{ name: string }>(
    "select relname as name from pg_class where relname ~ '^span_\\d{8}$' order by 1",
  );
  return rows.map((row) => row.name.slice("span_".length));
}

it("makes partitions of the days ahead before they are needed", async () => {
  const { telemetry, clock } = await openTelemetry(database);
  expect(await partitionDays()).toEqual(["20261122", "20261123", "20261124"]);
  await clock.advance(dayMs);
  await expect
    .poll(async () => {
      await clock.advance(telemetryLimits.upkeepIntervalMs);
      return await partitionDays();
    })
    .toContain("20261125");
  await telemetry[Symbol.asyncDispose]();
});

it("goes on after a round of upkeep that failed", async () => {
  let isAway = false;
  let failedCount = 0;
  const { store } = database;
  const flaky: Store = {
    ...boundStore(store),
    async system(signal, run) {
      if (!isAway) return await store.system(signal, run);
      failedCount += 1;
      throw new Error("the database is away");
    },
  };
  const { telemetry, clock } = await openTelemetry(database, {}, flaky);
  isAway = true;
  await clock.advance(dayMs);
  await expect.poll(() => failedCount).toBeGreaterThan(0);
  isAway = false;
  await expect
    .poll(async () => {
      await clock.advance(telemetryLimits.upkeepIntervalMs);
      return await partitionDays();
    })
    .toContain("20261125");
  await telemetry[Symbol.asyncDispose]();
});

it("secures every partition that it makes", async () => {
  const { telemetry } = await openTelemetry(database);
  const open = await database.sql<{ name: string }>(
    "select relname as name from pg_class where relispartition and relkind = 'r' and not (relrowsecurity and relforcerowsecurity)",
  );
  expect(open).toEqual([]);
  await telemetry[Symbol.asyncDispose]();
});

it("drops days past retention with their traces, and takes no more spans for them", async () => {
  await using opened = (await openTelemetry(database)).telemetry;
  const spans = [0, 1, 6].map((days) =>
    span({ traceId: traceIdOf(days), startMicros: nowMicros - days * dayMicros - 1_000_000 }),
  );
  await opened.ingestSpans(database.tenantId, spans, never);
  expect(await partitionDays()).toContain("20261116");

  const { telemetry, clock } = await openTelemetry(database);
  await clock.advance(2 * dayMs);
  await telemetry.keepUp(never);
  expect(await partitionDays()).toEqual([
    "20261121",
    "20261122",
    "20261123",
    "20261124",
    "20261125",
    "20261126",
  ]);
  const { traces } = await telemetry.listTraces(scope(), {});
  expect(traces.map((trace) => trace.traceId)).toEqual([0, 1].map(traceIdOf));
  expect(await telemetry.readTrace(scope(), traceIdOf(6))).toBeUndefined();
  expect(await telemetry.ingestSpans(database.tenantId, spans, never)).toMatchObject({
    rejectedCount: 1,
  });
  await telemetry[Symbol.asyncDispose]();
});

/** About 8 MB of spans on one day. */
async function fillDay(
  telemetry: Awaited<ReturnType<typeof openTelemetry>>["telemetry"],
  daysAgo: number,
): Promise<void> {
  const spans = Array.from({ length: 1_000 }, (_, index) =>
    span({
      traceId: traceIdOf(daysAgo * 10_000 + index),
      startMicros: nowMicros - daysAgo * dayMicros - index,
      attributes: {
        text: Array.from({ length: 400 }, (_, at) => `${index}-${at * 7919}`).join(" "),
      },
    }),
  );
  await telemetry.ingestSpans(database.tenantId, spans, never);
}

it("drops the oldest days at the size cap, and refuses their spans from then on", async () => {
  const { telemetry: unlimited } = await openTelemetry(database);
  for (const daysAgo of [3, 2, 1]) await fillDay(unlimited, daysAgo);
  await unlimited.keepUp(never);
  // Room for one of the three days and a half.
  const sizeBytesMax = Math.floor(unlimited.counts.bytes * 0.6);
  await unlimited[Symbol.asyncDispose]();

  const { telemetry } = await openTelemetry(database, {
    store: { ...settings.store, sizeBytesMax },
  });
  expect(await partitionDays()).toEqual(["20261121", "20261122", "20261123", "20261124"]);
  expect(telemetry.counts.isFull).toBe(false);
  expect(telemetry.counts.bytes).toBeLessThanOrEqual(sizeBytesMax);
  const late = span({ startMicros: nowMicros - 2 * dayMicros });
  expect(await telemetry.ingestSpans(database.tenantId, [late], never)).toMatchObject({
    rejectedCount: 1,
  });
  expect((await telemetry.listTraces(scope(), { to: "2026-11-21T00:00:00Z" })).traces).toEqual([]);
  await telemetry[Symbol.asyncDispose]();
});

it("refuses everything when today alone is beyond the cap, and takes it again when there is room", async () => {
  const sizeBytesMax = 2 * 1024 ** 2;
  const { telemetry, clock } = await openTelemetry(database, {
    store: { ...settings.store, sizeBytesMax },
  });
  await fillDay(telemetry, 0);
  await telemetry.keepUp(never);
  await expect(telemetry.ingestSpans(database.tenantId, [span()], never)).rejects.toMatchObject({
    code: "storage_full",
  });
  // Tomorrow, today's spans are the oldest and may go.
  await clock.advance(dayMs);
  await telemetry.keepUp(never);
  const tomorrow = span({ startMicros: nowMicros + dayMicros });
  expect(await telemetry.ingestSpans(database.tenantId, [tomorrow], never)).toEqual({
    rejectedCount: 0,
  });
  await telemetry[Symbol.asyncDispose]();
});
