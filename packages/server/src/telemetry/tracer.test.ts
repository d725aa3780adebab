import type { Span } from "@faultline/contracts";
import { parseTenantId } from "@faultline/protocol";
import { seededRandom, simulatedClock } from "@faultline/testkit";
import { pino } from "pino";
import { expect, it } from "vitest";

import { type SpanSink, Tracer } from "./index.ts";

const signal = new AbortController().signal;
const tenantId = parseTenantId("default") ?? fail();

function fail(): never {
  throw new Error("a literal tenant id is well formed");
}

function open(sink: SpanSink) {
  const clock = simulatedClock(1_000_000);
  const tracer = new Tracer({
    sink,
    clock,
    random: seededRandom("tracer"),
    logger: pino({ level: "silent" }),
    signal,
    scope: "faultline.test",
  });
  return { clock, tracer };
}

it("writes a span when it ends, with its parent and what was set on it", async () => {
  const written: Span[] = [];
  const { clock, tracer } = open(async (_tenant, spans) => written.push(...spans));
  const parent = tracer.startSpan(tenantId, "case open");
  const child = tracer.startSpan(tenantId, "freeze snapshot", {
    parent: parent.context,
    kind: "client",
  });
  child.setAttribute("trace.count", 3);
  await clock.advance(25);
  child.end();
  child.end();
  await tracer.flush();
  expect(written).toEqual([
    {
      traceId: parent.context.traceId,
      spanId: child.context.spanId,
      parentSpanId: parent.context.spanId,
      name: "freeze snapshot",
      kind: "client",
      service: "faultline",
      startMicros: 1_000_000_000,
      durationNanos: 25_000_000,
      status: { code: "ok" },
      attributes: { "trace.count": 3 },
      resource: { "service.name": "faultline" },
      scope: { name: "faultline.test" },
      events: [],
      links: [],
    },
  ]);
  expect(child.context.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(child.context.spanId).toMatch(/^[0-9a-f]{16}$/);
});

it("ends the span of failing work as an error, and lets the failure pass", async () => {
  const written: Span[] = [];
  const { tracer } = open(async (_tenant, spans) => written.push(...spans));
  const work = async (): Promise<never> => {
    throw new Error("no such case");
  };
  await expect(tracer.trace(tenantId, "verify", { work })).rejects.toThrow("no such case");
  await tracer.flush();
  expect(written[0]?.status).toEqual({ code: "error", message: "no such case" });
});

it("counts spans that could not be written, and does not fail the work", async () => {
  const { tracer } = open(async () => {
    throw new Error("the store is away");
  });
  expect(await tracer.trace(tenantId, "verify", { work: async () => 7 })).toBe(7);
  await tracer.flush();
  expect(tracer.droppedCount).toBe(1);
});
