/** Finds where a caller stopped waiting: a timeout, a cancellation, a client that left. */

import { mark } from "../traces/marks.ts";
import { endMicrosOf, type Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { isCall } from "./edge.ts";
import { outcomeAt, suspectsOf } from "./failures.ts";
import { httpStatusOf } from "./outcome.ts";

export interface Departure {
  /** The span of who left: a client's call, or a server's request whose client is gone. */
  readonly index: number;
  /** When, on the clock of that span. */
  readonly atMicros: number;
  /** What shows it: `timeout`, `HTTP 499`, the name of an event. */
  readonly words: string;
  /** An event says so while the span goes on; else the span ends with the departure. */
  readonly isEvent: boolean;
  /** A server's own span names the client's leave, so that its later work is what went on. */
  readonly isServer: boolean;
}

const leaveEvents =
  /client[ _.-]?(?:disconnect|closed?|left|gone|abort)|(?:request|connection)[ _.-]?(?:abort|cancell?ed|closed by (?:client|peer))|context[ _.-]?cancell?ed|downstream[ _.-]?disconnect|^(?:grpc[. ])?cancell?(?:ed|ation)$|peer[ _.-]?closed/i;

/** The departures of a trace, in the order of their spans. */
export function departuresOf(trace: Trace): Departure[] {
  const departures: Departure[] = [];
  for (const index of suspectsOf(trace).eventful) {
    const departure = departureOf(trace, index);
    if (departure !== undefined) departures.push(departure);
  }
  return departures;
}

function departureOf(trace: Trace, index: number): Departure | undefined {
  const span = trace.span(index);
  const kind = kindOf(span, trace.marksOf(index));
  if (kind === "consumer" || kind === "producer") return undefined;
  const isServer = kind === "server" || !isCall(trace, index);
  if (isServer) {
    const left = span.events.find(({ name }) => leaveEvents.test(name));
    if (left !== undefined) {
      return {
        index,
        atMicros: left.timeMicros,
        words: `event ${left.name}`,
        isEvent: true,
        isServer,
      };
    }
    if (kind !== "server") return undefined;
  }
  const outcome = outcomeAt(trace, index);
  if (isServer) {
    // A server that ran out of its own time has left its work as well.
    const hasLeft = outcome.isCancelled || outcome.code === "DEADLINE_EXCEEDED";
    if (!hasLeft) return undefined;
    return { index, atMicros: endMicrosOf(span), words: outcome.code, isEvent: false, isServer };
  }
  const event = span.events.findLast(({ name }) => giveUpEvents.test(name));
  const isSilent = !outcome.hasFailed && httpStatusOf(span.attributes) === undefined;
  const hasLeft =
    outcome.isTimeout ||
    outcome.isCancelled ||
    (isSilent && event !== undefined) ||
    (outcome.code === "HTTP 504" && isOutlasted(trace, index));
  if (!hasLeft) return undefined;
  return {
    index,
    atMicros: Math.min(event?.timeMicros ?? Number.POSITIVE_INFINITY, endMicrosOf(span)),
    words: outcome.hasFailed ? outcome.code : `event ${event?.name}`,
    isEvent: false,
    isServer,
  };
}

/** A 504 comes from a proxy that gave up when the callee's own span goes on; else the callee itself may have answered it. */
function isOutlasted(trace: Trace, index: number): boolean {
  const endMicros = endMicrosOf(trace.span(index));
  for (const child of trace.children(index)) {
    if (endMicrosOf(trace.span(child)) > endMicros) return true;
  }
  return false;
}

const giveUpEvents =
  /^(?:(?:request|call|client|rpc|http)[ _.-]?)?(?:time(?:d)?[-_ ]?out|deadline[-_ .]?exceeded|cancell?(?:ed|ation)|abort(?:ed)?)$|context[ _.-]?cancell?ed/i;

/** Whether a span is a write: a call that changes something, or a message that is sent. */
export function isWrite(trace: Trace, index: number): boolean {
  const span = trace.span(index);
  const marks = trace.marksOf(index);
  if (kindOf(span, marks) === "producer") return true;
  const call = trace.callOf(index);
  if (call === undefined || call.isRead) return false;
  if (call.kind === "database" || (marks & mark.database) !== 0) {
    return /^(?:insert|update|delete|merge|replace|upsert|put|create|set|incr|decr|del|hset|[lr]push|xadd|sadd|zadd|write|save|remove|bulkwrite|findandmodify|findoneand)/.test(
      call.shape,
    );
  }
  return call.kind === "rpc" ? !/stream|watch|subscribe/i.test(call.shape) : true;
}
