/** Telemetry: OTLP in, a store of spans, log records and data points, queries out. */

export type { CommitCounts } from "./commit-queue.ts";
export type { StoreSize } from "./days.ts";
export { telemetryLimits, type TelemetrySettings } from "./limits.ts";
export type { OverviewParts, OverviewWindow } from "./overview.ts";
export type { PartialSuccess } from "./partial-success.ts";
export type { OtlpKind } from "./prepare.ts";
export type { RecordQuery } from "./read-records.ts";
export type { StoredTrace } from "./read-trace.ts";
export { type OtlpRequest, Telemetry, type TelemetryOptions } from "./telemetry.ts";
export { registerTelemetryMetrics } from "./telemetry-metrics.ts";
export {
  type ActiveSpan,
  platformService,
  type SpanContext,
  type SpanSink,
  type StartSpanOptions,
  Tracer,
  type TracerOptions,
} from "./tracer.ts";
export type { SubjectQuery, SubjectTraces } from "./traces-of-subject.ts";
