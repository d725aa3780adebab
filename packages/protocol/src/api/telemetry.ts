/** Traces as the control API gives them. */

import { type Static, Type } from "typebox";
import { Finding, Span } from "@faultline/contracts/model";

export const TraceStatus = Type.Union([Type.Literal("ok"), Type.Literal("error")]);
export type TraceStatus = Static<typeof TraceStatus>;

/** Filters of the list of traces. Times are ISO 8601; the window is closed at the start and open at the end. */
export const TraceQuery = Type.Object(
  {
    service: Type.Optional(Type.String({ maxLength: 256 })),
    /** The name of the trace's root span. */
    operation: Type.Optional(Type.String({ maxLength: 1_024 })),
    from: Type.Optional(Type.String({ format: "date-time" })),
    to: Type.Optional(Type.String({ format: "date-time" })),
    minDurationMs: Type.Optional(Type.Number({ minimum: 0 })),
    maxDurationMs: Type.Optional(Type.Number({ minimum: 0 })),
    status: Type.Optional(TraceStatus),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    cursor: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export type TraceQuery = Static<typeof TraceQuery>;

export const TraceParams = Type.Object(
  { traceId: Type.String({ pattern: "^[0-9a-f]{32}$" }) },
  { additionalProperties: false },
);
export type TraceParams = Static<typeof TraceParams>;

export const TraceSummary = Type.Object(
  {
    traceId: Type.String(),
    /** Service and name of the root span, or of the earliest span while the root has not arrived. */
    service: Type.String(),
    operation: Type.String(),
    startedAt: Type.String({ format: "date-time" }),
    durationMs: Type.Number(),
    spanCount: Type.Integer(),
    errorCount: Type.Integer(),
    status: TraceStatus,
    services: Type.Array(Type.String(), { maxItems: 100 }),
  },
  { additionalProperties: false },
);
export type TraceSummary = Static<typeof TraceSummary>;

export const TraceList = Type.Object(
  { traces: Type.Array(TraceSummary), nextCursor: Type.Optional(Type.String()) },
  { additionalProperties: false },
);
export type TraceList = Static<typeof TraceList>;

/** A whole trace with what the contracts say about it. */
export const TraceDetail = Type.Object(
  {
    summary: TraceSummary,
    spans: Type.Array(Span),
    /** Whether the trace has more spans than one answer carries. */
    truncated: Type.Boolean(),
    findings: Type.Array(Finding),
  },
  { additionalProperties: false },
);
export type TraceDetail = Static<typeof TraceDetail>;

export const ServiceList = Type.Object(
  {
    services: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          spanCount: Type.Integer(),
          operations: Type.Array(Type.String(), { maxItems: 200 }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type ServiceList = Static<typeof ServiceList>;
