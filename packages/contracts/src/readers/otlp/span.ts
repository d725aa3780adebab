/** The last step of reading a span, the same for both encodings: what makes a span valid, and what is cut. */

import {
  type Attributes,
  type Span,
  type SpanEvent,
  type SpanLink,
  spanKinds,
  spanLimits,
  type SpanStatus,
  spanStatusCodes,
} from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, type Moment, notes, type Origin, otlpLimits } from "./value.ts";

/** A span as the wire carries it. Ids are lower-case hexadecimal of any length; absent text is empty. */
export interface SpanDraft {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  start: Moment | undefined;
  end: Moment | undefined;
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  statusCode: number;
  statusMessage: string;
}

/** An empty draft: every field as protobuf defaults it. */
export function newSpanDraft(): SpanDraft {
  return {
    traceId: "",
    spanId: "",
    parentSpanId: "",
    name: "",
    kind: 0,
    start: undefined,
    end: undefined,
    attributes: {},
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: "",
  };
}

const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

/** Whether these are 16 bytes of hexadecimal that are not all zero. */
export function isTraceId(id: string): boolean {
  return id.length === 32 && id !== zeroTraceId;
}

/** Whether these are 8 bytes of hexadecimal that are not all zero. */
export function isSpanId(id: string): boolean {
  return id.length === 16 && id !== zeroSpanId;
}

/** The span, or `undefined` when it was rejected; the tally has the reason. */
export function finishSpan(draft: SpanDraft, origin: Origin, tally: OtlpTally): Span | undefined {
  const fault = faultOf(draft);
  if (fault !== undefined || draft.start === undefined) {
    tally.reject(fault ?? "A span has no start time.");
    return undefined;
  }
  if (draft.name.length > spanLimits.nameLengthMax) tally.note(notes.nameCut);
  const span: Span = {
    traceId: draft.traceId,
    spanId: draft.spanId,
    name: cutText(draft.name, spanLimits.nameLengthMax),
    kind: spanKinds[draft.kind] ?? "unspecified",
    service: origin.service,
    startMicros: microsOf(draft.start),
    durationNanos: durationOf(draft.start, draft.end, tally),
    status: statusOf(draft),
    attributes: draft.attributes,
    resource: origin.resource,
    scope: origin.scope,
    events: draft.events,
    links: draft.links,
  };
  if (isSpanId(draft.parentSpanId)) span.parentSpanId = draft.parentSpanId;
  return span;
}

function faultOf(draft: SpanDraft): string | undefined {
  if (!isTraceId(draft.traceId)) return "A span's trace id is not 16 bytes, or is all zero.";
  if (!isSpanId(draft.spanId)) return "A span's id is not 8 bytes, or is all zero.";
  if (draft.parentSpanId !== "" && draft.parentSpanId.length !== 16) {
    return "The id of a span's parent is not 8 bytes.";
  }
  if (draft.name === "") return "A span has no name.";
  return undefined;
}

function durationOf(start: Moment, end: Moment | undefined, tally: OtlpTally): number {
  if (end === undefined || (end.micros === 0 && end.nanos === 0)) {
    tally.note(notes.endMissing);
    return 0;
  }
  const nanos = (end.micros - start.micros) * 1_000 + (end.nanos - start.nanos);
  if (nanos >= 0) return nanos;
  tally.note(notes.endBeforeStart);
  return 0;
}

function statusOf(draft: SpanDraft): SpanStatus {
  const code = spanStatusCodes[draft.statusCode] ?? "unset";
  if (draft.statusMessage === "") return { code };
  return { code, message: cutText(draft.statusMessage, otlpLimits.statusMessageLengthMax) };
}
