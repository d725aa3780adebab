import { decodeOtlpTraces, type Span } from "@faultline/contracts";
import { parseForeignJson } from "@faultline/contracts/json";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";

import { tracesRequest } from "../../../contracts/test/otlp-arbitrary.ts";
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
let traceCount = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  ({ telemetry } = await openTelemetry(database));
});
afterAll(async () => {
  await telemetry[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const scope = () => ({ tenantId: database.tenantId, signal: never });

/** What PostgreSQL cannot hold comes back as U+FFFD; JSON has no negative zero. */
function asStored<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\uFFFD");
  // It has the shape of what was written.
  return parseForeignJson(text) as T;
}

it("stores whatever the reader accepts, and gives it back", async () => {
  await fc.assert(
    fc.asyncProperty(tracesRequest, async (request) => {
      traceCount += 1;
      const traceId = traceIdOf(traceCount);
      const bytes = new TextEncoder().encode(JSON.stringify(request));
      const spans = decodeOtlpTraces(bytes, "json").spans.map((read, index): Span => ({
        ...read,
        traceId,
        spanId: spanIdOf(index + 1),
        startMicros: nowMicros - 1_000 + index,
        durationNanos: Math.min(read.durationNanos, 1_000_000_000),
      }));
      expect(await telemetry.ingestSpans(database.tenantId, spans, never)).toEqual({
        rejectedCount: 0,
      });
      const stored = await telemetry.readTrace(scope(), traceId);
      expect(stored?.spans ?? []).toEqual(asStored(spans));
    }),
    { numRuns: 80 },
  );
});

it("stores names at their longest, in characters that no compression shortens", async () => {
  const random = (length: number, seed: number): string =>
    Array.from({ length }, (_, at) =>
      String.fromCodePoint(0x4e00 + ((at * 7_919 + seed * 104_729 + at * at * 31) % 20_000)),
    ).join("");
  traceCount += 1;
  const long = span({
    traceId: traceIdOf(traceCount),
    service: random(256, 1),
    name: random(1_024, 2),
  });
  await telemetry.ingestSpans(database.tenantId, [long], never);
  expect((await telemetry.readTrace(scope(), long.traceId))?.spans[0]?.name).toBe(long.name);
  const subject = {
    service: long.service,
    operation: long.name,
    fromMicros: 0,
    toMicros: nowMicros,
    limit: 1,
  };
  expect((await telemetry.tracesOfSubject(scope(), subject)).seenCount).toBe(1);
});
