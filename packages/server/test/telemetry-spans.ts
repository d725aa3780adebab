/** Spans and an opened store for tests of telemetry. */

import type { Span } from "@faultline/contracts";
import { type SimulatedClock, simulatedClock, type TestDatabase } from "@faultline/testkit";
import { pino } from "pino";

import { Telemetry, type TelemetrySettings } from "../src/telemetry/index.ts";

/** Noon, so that an hour to either side is the same day. */
export const nowMs = Date.parse("2026-11-22T12:00:00Z");
export const nowMicros = nowMs * 1_000;
export const hourMicros = 3_600_000_000;

export const settings: TelemetrySettings = {
  store: { retentionDays: 7, sizeBytesMax: 10 * 1024 ** 3 },
  otlp: { unpackedBytesMax: 64 * 1024 ** 2, recordCountMax: 50_000 },
};

export const never = new AbortController().signal;

export interface OpenTelemetry {
  readonly telemetry: Telemetry;
  readonly clock: SimulatedClock;
}

/** Opens the store of a test at noon of a fixed day. */
export async function openTelemetry(
  database: TestDatabase,
  changes: Partial<TelemetrySettings> = {},
  store = database.store,
): Promise<OpenTelemetry> {
  const clock = simulatedClock(nowMs);
  const telemetry = await Telemetry.open({
    store,
    clock,
    logger: pino({ level: "silent" }),
    signal: never,
    limits: { ...settings, ...changes },
  });
  return { telemetry, clock };
}

export function traceIdOf(number: number): string {
  return `a${number.toString(16).padStart(31, "0")}`;
}

export function spanIdOf(number: number): string {
  return `b${number.toString(16).padStart(15, "0")}`;
}

/** A span of `orders`, one minute before now, with changes. */
export function span(changes: Partial<Span> = {}): Span {
  return {
    traceId: traceIdOf(1),
    spanId: spanIdOf(1),
    name: "GET /orders",
    kind: "server",
    service: "orders",
    startMicros: nowMicros - 60_000_000,
    durationNanos: 5_000_000,
    status: { code: "unset" },
    attributes: {},
    resource: { "service.name": changes.service ?? "orders" },
    scope: { name: "test" },
    events: [],
    links: [],
    ...changes,
  };
}
