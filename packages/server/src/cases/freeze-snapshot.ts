/** Freezes what the store knows of a subject in a window into a snapshot, with how it was chosen. */

import {
  createSnapshot,
  encodeSnapshotFile,
  type Snapshot,
  type SnapshotPart,
  type Span,
  type TracePopulationContent,
} from "@faultline/contracts";
import type { CaseSnapshot, CaseSubject, TraceSummary } from "@faultline/protocol";

import type { Blobs, TenantScope } from "#storage/index.ts";

import type { CaseWindow } from "./case-window.ts";
import { chooseAfter, chooseBefore } from "./choose-traces.ts";
import { caseLimits } from "./limits.ts";
import { operationsSeen } from "./request-rate.ts";

/** What a case needs of the telemetry store. */
export interface TraceSource {
  /** Summaries of the traces in which the subject has spans, newest first; `seenCount` also counts those beyond `limit`. */
  tracesOfSubject(
    scope: TenantScope,
    query: {
      readonly service: string;
      readonly operation?: string;
      readonly fromMicros: number;
      readonly toMicros: number;
      readonly limit: number;
    },
  ): Promise<{ readonly traces: readonly TraceSummary[]; readonly seenCount: number }>;
  /** The spans of a trace, or `undefined` when it is not there. */
  readTrace(
    scope: TenantScope,
    traceId: string,
  ): Promise<{ readonly spans: readonly Span[]; readonly truncated: boolean } | undefined>;
}

export interface FreezeRequest {
  readonly subject: CaseSubject;
  readonly window: CaseWindow;
  readonly role: CaseSnapshot["role"];
  /** After a repair: names of the spans by which the faulty requests entered the service. */
  readonly operations?: ReadonlySet<string>;
  /** ISO 8601. */
  readonly takenAt: string;
}

export interface FrozenSnapshot {
  readonly snapshot: Snapshot;
  readonly facts: CaseSnapshot;
}

/** Takes a snapshot of the subject's traces and stores its file. */
export async function freezeSnapshot(
  parts: { readonly source: TraceSource; readonly blobs: Blobs; readonly scope: TenantScope },
  request: FreezeRequest,
): Promise<FrozenSnapshot> {
  const { subject, window, role, takenAt } = request;
  const { traces, seenCount } = await parts.source.tracesOfSubject(parts.scope, {
    service: subject.name,
    ...(subject.operation === undefined ? {} : { operation: subject.operation }),
    fromMicros: window.fromMs * 1_000,
    toMicros: window.toMs * 1_000,
    limit: caseLimits.traceCountSeenMax,
  });
  const chosen =
    role === "before" ? chooseBefore(traces) : chooseAfter(traces, request.operations ?? new Set());
  const kept = await readTraces(parts, {
    traceIds: [...chosen.slowTraceIds, ...chosen.baselineTraceIds],
    takenAtMs: Date.parse(takenAt),
  });
  const isKept = (traceId: string): boolean => kept.some((trace) => trace.traceId === traceId);
  const samplingRatio = samplingRatioOf(kept.flatMap((trace) => trace.spans));
  const population: TracePopulationContent = {
    kind: "trace-population",
    service: subject.name,
    ...(subject.operation === undefined ? {} : { operation: subject.operation }),
    fromMicros: window.fromMs * 1_000,
    toMicros: window.toMs * 1_000,
    traceCountSeen: Math.max(seenCount, traces.length),
    traceCountKept: kept.length,
    operations: operationsSeen(traces, request.operations ?? new Set()),
    ...(samplingRatio === undefined ? {} : { samplingRatio }),
    slowTraceIds: chosen.slowTraceIds.filter(isKept),
    baselineTraceIds: chosen.baselineTraceIds.filter(isKept),
  };
  const snapshot = createSnapshot([
    { source: { name: "telemetry store", format: "population", notes: [] }, content: population },
    ...kept.map((trace) => trace.part),
  ]);
  const bytes = encodeSnapshotFile(snapshot);
  return {
    snapshot,
    facts: {
      id: await parts.blobs.put(bytes),
      role,
      takenAt,
      from: new Date(window.fromMs).toISOString(),
      to: new Date(window.toMs).toISOString(),
      evidenceCount: snapshot.evidence.length,
      traceCountSeen: population.traceCountSeen,
      traceCountKept: population.traceCountKept,
      byteCount: bytes.byteLength,
    },
  };
}

interface KeptTrace {
  readonly traceId: string;
  readonly spans: readonly Span[];
  readonly part: SnapshotPart;
}

async function readTraces(
  parts: { readonly source: TraceSource; readonly scope: TenantScope },
  { traceIds, takenAtMs }: { readonly traceIds: readonly string[]; readonly takenAtMs: number },
): Promise<KeptTrace[]> {
  const kept: KeptTrace[] = [];
  let spanCount = 0;
  for (const traceId of traceIds) {
    const trace = await parts.source.readTrace(parts.scope, traceId);
    if (trace === undefined || isArriving(trace.spans, takenAtMs)) continue;
    // A trace that would pass the limit is left out whole: half a trace would look like a batched one.
    if (spanCount + trace.spans.length > caseLimits.snapshotSpanCountMax) continue;
    spanCount += trace.spans.length;
    const notes = trace.truncated
      ? [`The trace has more spans than one answer carries; ${trace.spans.length} are here.`]
      : [];
    kept.push({
      traceId,
      spans: trace.spans,
      part: {
        source: { name: `trace ${traceId}`, format: "telemetry-store", notes },
        content: { kind: "trace", traceId, spans: [...trace.spans] },
      },
    });
  }
  return kept;
}

/**
 * Whether a trace has just begun and lacks the parent of one of its spans. Exporters send what ended first, so
 * the rest is on its way, and half a trace would look like a fault of its own.
 */
function isArriving(spans: readonly Span[], takenAtMs: number): boolean {
  const ids = new Set(spans.map((span) => span.spanId));
  const isYoung = spans.some(
    (span) => span.startMicros / 1_000 > takenAtMs - caseLimits.traceSettleMs,
  );
  return (
    isYoung &&
    spans.some(({ kind, parentSpanId }) => {
      const isRemote = kind === "server" || kind === "consumer";
      return !isRemote && parentSpanId !== undefined && !ids.has(parentSpanId);
    })
  );
}

/** Attributes in which samplers write the share of requests that they record. */
const ratioAttributes = ["sampling.ratio", "sampling.probability", "sampler.param"];
/** Attributes in which samplers write how many requests one recorded request stands for. */
const weightAttributes = ["SampleRate", "sampling.rate"];

/** The lowest share that a sampler wrote on a span or its resource; `undefined` when none did. */
function samplingRatioOf(spans: readonly Span[]): number | undefined {
  let lowest: number | undefined;
  for (const span of spans) {
    for (const attributes of [span.attributes, span.resource]) {
      const ratios = [
        ...ratioAttributes.map((name) => attributes[name]),
        ...weightAttributes.map((name) => {
          const weight = attributes[name];
          return typeof weight === "number" && weight >= 1 ? 1 / weight : undefined;
        }),
      ];
      for (const ratio of ratios) {
        if (typeof ratio !== "number" || ratio < 0 || ratio > 1) continue;
        lowest = Math.min(lowest ?? 1, ratio);
      }
    }
  }
  return lowest;
}
