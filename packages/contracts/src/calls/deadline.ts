/** Finds what a span says about how long it may take. */

import type { Attributes, AttributeValue, Span } from "../model/span.ts";
import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import { headerOf, scalarOf } from "./attribute-value.ts";
import {
  durationMicrosOf,
  grpcTimeoutMicrosOf,
  microsOfUnit,
  momentMicrosOf,
  unitOfName,
} from "./duration-text.ts";

export interface Deadline {
  /** From the span's start, in microseconds. */
  readonly timeoutMicros: number;
  /** Microseconds since 1970. */
  readonly endMicros: number;
  /** The attribute and its value, as recorded. */
  readonly words: string;
}

/** Longer than this is no patience of a caller. */
const timeoutMicrosMax = 86_400_000_000;
/** A bare number is in milliseconds from here on, and in seconds up to the other; between them nobody knows. */
const bareMillisMin = 500;
const bareSecondsMax = 60;

/** The deadline of a span; the earliest where it names several. */
export function deadlineOf(trace: Trace, index: number): Deadline | undefined {
  const span = trace.span(index);
  let earliest: Deadline | undefined;
  if ((trace.marksOf(index) & mark.deadline) !== 0) earliest = among(span.attributes, span);
  for (const event of span.events) {
    if (!/deadline|timeout/i.test(event.name) || failedWords.test(event.name)) continue;
    const set = among(event.attributes, { ...span, startMicros: event.timeMicros });
    if (set !== undefined && (earliest === undefined || set.endMicros < earliest.endMicros)) {
      earliest = { ...set, timeoutMicros: set.endMicros - span.startMicros };
    }
  }
  return earliest;
}

function among(attributes: Attributes, span: Span): Deadline | undefined {
  let earliest: Deadline | undefined;
  for (const name in attributes) {
    const found = isDeadlineName(name) ? read(name, attributes[name], span) : undefined;
    if (found !== undefined && (earliest === undefined || found.endMicros < earliest.endMicros)) {
      earliest = found;
    }
  }
  return earliest;
}

/** Timeouts of connections, idleness, locks and the like bound something else than the call. */
function isDeadlineName(name: string): boolean {
  return deadlineNames.test(name) && !otherTimeouts.test(name) && !/response\./.test(name);
}

const deadlineNames = /(?:timeout|deadline)(?:[._-]?(?:in[._-]?)?[a-zµ]{1,12})?$/i;
const otherTimeouts =
  /connect|idle|keep.?alive|socket|handshake|session|(?:^|[._-])lock|visibility|poll|shutdown|grace|cache|ttl|jwt|lease|breaker|circuit|reset|wait|acquire|pool|drain|per.?try|(?:^|[._-])(?:read|write)|exceeded|count|reached|expired|heartbeat|linger|queue|first|retry|type|error|reason|policy|source|name|enabled|hit|(?:^|[._-])(?:is|has)[._-]/i;
const failedWords = /exceeded|expired|fired|reached|timed|hit|error|fail/i;

function read(name: string, value: AttributeValue | undefined, span: Span): Deadline | undefined {
  const single = scalarOf(value);
  if (single === undefined || typeof single === "boolean") return undefined;
  const words = `${name} = ${single}`;
  const moment = /deadline/i.test(name) ? momentMicrosOf(single) : undefined;
  if (moment !== undefined) {
    const timeoutMicros = moment - span.startMicros;
    // A deadline that had passed before is still one; a moment of another day is something else.
    return Math.abs(timeoutMicros) > timeoutMicrosMax
      ? undefined
      : { timeoutMicros, endMicros: moment, words };
  }
  const timeoutMicros = timeoutMicrosOf(headerOf(name) ?? name, single);
  if (timeoutMicros === undefined || timeoutMicros <= 0 || timeoutMicros > timeoutMicrosMax) {
    return undefined;
  }
  return { timeoutMicros, endMicros: span.startMicros + timeoutMicros, words };
}

function timeoutMicrosOf(name: string, value: string | number): number | undefined {
  if (typeof value === "string" && !/^\d+(?:\.\d+)?$/.test(value)) {
    const isGrpc = /grpc/i.test(name);
    return (isGrpc ? grpcTimeoutMicrosOf(value) : undefined) ?? durationMicrosOf(value);
  }
  const number = Number(value);
  const unit = unitOfName(name);
  if (unit !== undefined) return microsOfUnit(number, unit);
  // PostgreSQL's and Oracle's own settings count in milliseconds.
  if (/statement_timeout/i.test(name)) return number * 1_000;
  if (number >= bareMillisMin) return number * 1_000;
  return number <= bareSecondsMax ? number * 1_000_000 : undefined;
}
