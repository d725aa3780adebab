/** From the body of a request to rows: decode, refuse what lies outside the window of time, write as text. */

import {
  decodeOtlpLogs,
  decodeOtlpMetrics,
  decodeOtlpTraces,
  EvidenceError,
  type LogRecord,
  type MetricPoint,
  type OtlpEncoding,
  type Span,
} from "@faultline/contracts";
import { PlatformError, type TenantId } from "@faultline/protocol";

import { nanosPerMicro } from "./limits.ts";
import { type ReadRemarks, withinWindow } from "./partial-success.ts";
import { logRows, metricRows, type RecordRows, spanRows } from "./record-rows.ts";

export type OtlpKind = "traces" | "logs" | "metrics";

/** The records of one request. */
export type RecordBatch = ReadRemarks &
  (
    | { readonly kind: "traces"; readonly records: readonly Span[] }
    | { readonly kind: "logs"; readonly records: readonly LogRecord[] }
    | { readonly kind: "metrics"; readonly records: readonly MetricPoint[] }
  );

/** Throws `request_malformed` with what was expected and where, when the body as a whole cannot be read. */
export function decodeRequest(
  kind: OtlpKind,
  bytes: Uint8Array,
  encoding: OtlpEncoding,
): RecordBatch {
  try {
    switch (kind) {
      case "traces": {
        const { spans, ...remarks } = decodeOtlpTraces(bytes, encoding);
        return { kind, records: spans, ...remarks };
      }
      case "logs": {
        const { records, ...remarks } = decodeOtlpLogs(bytes, encoding);
        return { kind, records, ...remarks };
      }
      case "metrics": {
        const { points, ...remarks } = decodeOtlpMetrics(bytes, encoding);
        return { kind, records: points, ...remarks };
      }
    }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    throw new PlatformError("request_malformed", error.message, {
      ...(error.message.includes(error.expected) ? {} : { hint: `Expected ${error.expected}.` }),
      ...(error.where === undefined ? {} : { where: error.where }),
      cause: error,
    });
  }
}

/** The rows of a batch, without the records outside the window, which are counted by reason. */
export function prepareRows(
  tenantId: TenantId,
  batch: RecordBatch,
  window: { fromMicros: number; toMicros: number },
): { rows: RecordRows; refused: Map<string, number> } {
  switch (batch.kind) {
    case "traces": {
      const { kept, refused } = withinWindow(batch.records, {
        timesOf: (span) => ({
          fromMicros: span.startMicros,
          toMicros: span.startMicros + span.durationNanos / nanosPerMicro,
        }),
        window,
        subject: "A span",
      });
      return { rows: spanRows(tenantId, kept), refused };
    }
    case "logs": {
      const subject = "A log record";
      const { kept, refused } = withinWindow(batch.records, { timesOf: momentOf, window, subject });
      return { rows: logRows(tenantId, kept), refused };
    }
    case "metrics": {
      const subject = "A data point";
      const { kept, refused } = withinWindow(batch.records, { timesOf: momentOf, window, subject });
      return { rows: metricRows(tenantId, kept), refused };
    }
  }
}

function momentOf(record: LogRecord | MetricPoint): { fromMicros: number; toMicros: number } {
  return { fromMicros: record.timeMicros, toMicros: record.timeMicros };
}
