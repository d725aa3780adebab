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
import {
  isZero,
  microsOf,
  type Moment,
  notes,
  type Origin,
  otlpLimits,
  setMoment,
} from "./value.ts";

/** What most spans have: shared by them all, so that nobody can add to it. */
export const noEvents = Object.freeze<SpanEvent[]>([]) as SpanEvent[];
/** As `noEvents`. */
export const noLinks = Object.freeze<SpanLink[]>([]) as SpanLink[];

const noAttributes: Attributes = Object.freeze({});

/**
 * A span as the wire carries it, with every field as protobuf defaults it. Ids are lower-case hexadecimal of any length,
 * absent text is empty, an absent moment is 0. One draft may serve span after span: `finishSpan` keeps nothing of it.
 */
export class SpanDraft {
  traceId = "";
  spanId = "";
  parentSpanId = "";
  name = "";
  kind = 0;
  start: Moment = { micros: 0, nanos: 0 };
  end: Moment = { micros: 0, nanos: 0 };
  attributes = noAttributes;
  events = noEvents;
  links = noLinks;
  statusCode = 0;
  statusMessage = "";

  clear(): void {
    this.traceId = "";
    this.spanId = "";
    this.parentSpanId = "";
    this.name = "";
    this.kind = 0;
    setMoment(this.start, 0, 0);
    setMoment(this.end, 0, 0);
    this.attributes = noAttributes;
    this.events = noEvents;
    this.links = noLinks;
    this.statusCode = 0;
    this.statusMessage = "";
  }
}

const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);
const zero = 48;

/** Whether these are 16 bytes of hexadecimal that are not all zero. */
export function isTraceId(id: string): boolean {
  return id.length === 32 && !isAllZero(id, zeroTraceId);
}

/** Whether these are 8 bytes of hexadecimal that are not all zero. */
export function isSpanId(id: string): boolean {
  return id.length === 16 && !isAllZero(id, zeroSpanId);
}

/** The last digit tells nearly all ids from zeros, for less than a comparison of texts costs. */
function isAllZero(id: string, zeros: string): boolean {
  return id.charCodeAt(id.length - 1) === zero && id === zeros;
}

/** The span, or `undefined` when it was rejected; the tally has the reason. */
export function finishSpan(draft: SpanDraft, origin: Origin, tally: OtlpTally): Span | undefined {
  const fault = faultOf(draft);
  if (fault !== undefined) {
    tally.reject(fault);
    return undefined;
  }
  if (draft.name.length > spanLimits.nameLengthMax) tally.note(notes.nameCut);
  const { traceId, spanId, parentSpanId, attributes, events, links } = draft;
  const name = cutText(draft.name, spanLimits.nameLengthMax);
  const kind = spanKinds[draft.kind] ?? "unspecified";
  const { service, resource, scope } = origin;
  const startMicros = microsOf(draft.start);
  const durationNanos = durationOf(draft.start, draft.end, tally);
  const status = statusOf(draft);
  // Two literals, because a field that is added later costs each span a second piece of memory.
  return isSpanId(parentSpanId)
    ? {
        traceId,
        spanId,
        parentSpanId,
        name,
        kind,
        service,
        startMicros,
        durationNanos,
        status,
        attributes,
        resource,
        scope,
        events,
        links,
      }
    : {
        traceId,
        spanId,
        name,
        kind,
        service,
        startMicros,
        durationNanos,
        status,
        attributes,
        resource,
        scope,
        events,
        links,
      };
}

function faultOf(draft: SpanDraft): string | undefined {
  if (!isTraceId(draft.traceId)) return "A span's trace id is not 16 bytes, or is all zero.";
  if (!isSpanId(draft.spanId)) return "A span's id is not 8 bytes, or is all zero.";
  if (draft.parentSpanId !== "" && draft.parentSpanId.length !== 16) {
    return "The id of a span's parent is not 8 bytes.";
  }
  if (draft.name === "") return "A span has no name.";
  return isZero(draft.start) ? "A span has no start time." : undefined;
}

function durationOf(start: Moment, end: Moment, tally: OtlpTally): number {
  if (isZero(end)) {
    tally.note(notes.endMissing);
    return 0;
  }
  const nanos = (end.micros - start.micros) * 1_000 + (end.nanos - start.nanos);
  if (nanos >= 0) return nanos;
  tally.note(notes.endBeforeStart);
  return 0;
}

/** The statuses without a message, each once. */
const plainStatuses: readonly SpanStatus[] = spanStatusCodes.map((code) => Object.freeze({ code }));

function statusOf(draft: SpanDraft): SpanStatus {
  const plain = plainStatuses[draft.statusCode];
  const code = plain?.code ?? "unset";
  if (draft.statusMessage === "") return plain ?? { code };
  return { code, message: cutText(draft.statusMessage, otlpLimits.statusMessageLengthMax) };
}
