/** Traces, services and the overview. */

import { checkSnapshot, createSnapshot, type Finding, type Span } from "@faultline/contracts";
import {
  type BoundaryEdge,
  type CaseSummary,
  PlatformError,
  type TraceSummary,
} from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names = "readOverview" | "listServices" | "listTraces" | "readTrace";

const windowMinutesDefault = 60;
const openCaseCountMax = 100;

/** Handlers of `/api/overview`, `/api/services` and `/api/traces`. */
export function telemetryHandlers({ services, clock }: HandlerParts): Pick<ApiHandlers, Names> {
  const { telemetry, cases } = services;
  return {
    async readOverview({ query }, { scope }) {
      const toMs = clock.nowMs();
      const fromMs = toMs - (query?.windowMinutes ?? windowMinutesDefault) * 60_000;
      const [parts, open] = await Promise.all([
        telemetry.overview(scope, { fromMs, toMs }),
        cases.list(scope, { status: "open", limit: openCaseCountMax }),
      ]);
      return {
        ...parts,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        edges: parts.edges.map((edge) => pinCases(edge, open.cases)),
        openCases: open.cases,
      };
    },
    async listServices(_input, { scope }) {
      return telemetry.listServices(scope);
    },
    async listTraces({ query }, { scope }) {
      return telemetry.listTraces(scope, query ?? {});
    },
    async readTrace({ params }, { scope }) {
      const trace = await telemetry.readTrace(scope, params.traceId);
      if (trace === undefined) {
        throw new PlatformError("not_found", `There is no trace ${params.traceId}.`, {
          hint: "It was not received yet, or retention has dropped it. GET /api/traces lists what is there.",
        });
      }
      return {
        summary: summarise(trace.spans),
        ...trace,
        findings: findingsOf(params.traceId, trace.spans),
      };
    },
  };
}

/** What the contracts say about one trace alone. */
function findingsOf(traceId: string, spans: Span[]): Finding[] {
  const source = { name: `trace ${traceId}`, format: "faultline-store", notes: [] };
  return checkSnapshot(createSnapshot([{ source, content: { kind: "trace", traceId, spans } }]));
}

const serviceCountMax = 100;

/** The summary of a trace from its spans. */
function summarise(spans: readonly Span[]): TraceSummary {
  const present = new Set(spans.map((span) => span.spanId));
  const inOrder = spans.toSorted((left, right) => left.startMicros - right.startMicros);
  const root =
    inOrder.find((span) => span.parentSpanId === undefined) ??
    inOrder.find((span) => span.parentSpanId !== undefined && !present.has(span.parentSpanId)) ??
    inOrder[0];
  if (root === undefined) throw new PlatformError("not_found", "The trace has no spans.");
  const endMicros = spans.reduce(
    (end, span) => Math.max(end, span.startMicros + span.durationNanos / 1_000),
    0,
  );
  const startMicros = inOrder[0]?.startMicros ?? root.startMicros;
  const errorCount = spans.filter((span) => span.status.code === "error").length;
  return {
    traceId: root.traceId,
    service: root.service,
    operation: root.name,
    startedAt: new Date(startMicros / 1_000).toISOString(),
    durationMs: (endMicros - startMicros) / 1_000,
    spanCount: spans.length,
    errorCount,
    status: errorCount > 0 ? "error" : "ok",
    services: [...new Set(spans.map((span) => span.service))].sort().slice(0, serviceCountMax),
  };
}

/** Open cases belong on the edge that their leading hypothesis is about, and colour it. */
function pinCases(edge: BoundaryEdge, open: readonly CaseSummary[]): BoundaryEdge {
  const concerned = open.filter(({ subject, leadingHypothesis }) => {
    const touches = edge.from === subject.name || edge.to === subject.name;
    return touches && leadingHypothesis?.boundary === edge.boundary;
  });
  if (concerned.length === 0) return edge;
  const violated = concerned.some(
    ({ leadingHypothesis }) => leadingHypothesis?.status === "supported",
  );
  return {
    ...edge,
    caseNumbers: concerned.map((one) => one.number),
    ...(violated ? { verdict: "violated" as const } : {}),
  };
}
