/** Finds the work that went on below a call after its caller had left. */

import { endMicrosOf, noParent, type Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import type { ClockSkew } from "./clock-skew.ts";
import { type Departure, isWrite } from "./departures.ts";
import { isCall } from "./edge.ts";
import { isDetached, isHandedOver, isUnended } from "./sync-work.ts";

export interface WorkAfter {
  readonly departure: Departure;
  /** The outermost spans of the callee that were at work when the caller left, in order of time. */
  readonly served: readonly number[];
  /** Spans that still ran after the allowance, the longest-running first. */
  readonly lasting: readonly number[];
  /** Writes that began after the allowance. */
  readonly writes: readonly number[];
  /** Spans that were never closed, so that nobody knows when they ended. */
  readonly unended: readonly number[];
  /** The most by which a span outlasted the caller, in microseconds, whatever the clocks. */
  readonly overrunMicros: number;
}

interface Step {
  readonly index: number;
  /** To be added to the span's times to read them on the clock of who left. */
  readonly shiftMicros: number;
}

export interface WorkBounds {
  readonly skew: ClockSkew;
  readonly graceMicros: number;
  /** When each call below that was left itself was left: what went on below it is said there. */
  readonly leftAt: ReadonlyMap<number, number>;
}

/** What happened below a departure after it, with clocks read to the advantage of the callee. */
export function workAfter(
  trace: Trace,
  departure: Departure,
  { skew, graceMicros, leftAt }: WorkBounds,
): WorkAfter {
  const untilMicros = departure.atMicros + graceMicros;
  const served: number[] = [];
  const lasting: { index: number; endMicros: number }[] = [];
  const writes: number[] = [];
  const unended: number[] = [];
  const waiting: Step[] = [{ index: departure.index, shiftMicros: 0 }];
  if (departure.isEvent) note(departure.index, 0);
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    for (const child of trace.children(step.index)) {
      // A server's span often ends when its client leaves, while the handler below it goes on.
      const isOwn =
        departure.isServer && trace.span(child).service === trace.span(departure.index).service;
      if (isOwn ? isHandedOver(trace, child) : isDetached(trace, child)) continue;
      const shiftMicros =
        step.shiftMicros + skew.leastShiftMicros(trace.span(step.index), trace.span(child));
      note(child, shiftMicros);
      const left = leftAt.get(child);
      if (left !== undefined && left + shiftMicros <= untilMicros) continue;
      waiting.push({ index: child, shiftMicros });
    }
  }
  lasting.sort((left, right) => right.endMicros - left.endMicros || left.index - right.index);
  return {
    departure,
    served: served.sort((left, right) => left - right),
    lasting: lasting.map(({ index }) => index),
    writes: writes.sort((left, right) => left - right),
    unended,
    overrunMicros: Math.max(0, (lasting[0]?.endMicros ?? 0) - departure.atMicros),
  };

  function note(index: number, shiftMicros: number): void {
    const span = trace.span(index);
    if (isUnended(trace, index)) {
      unended.push(index);
      return;
    }
    if (isOwnTransport(trace, departure, index)) return;
    const endMicros = endMicrosOf(span) + shiftMicros;
    // Only what was at work when the caller left can show that it stopped for it.
    const wasAtWork = endMicros >= departure.atMicros - graceMicros;
    if (wasAtWork && isOther(trace, departure, index)) served.push(index);
    if (endMicros > untilMicros) lasting.push({ index, endMicros });
    if (span.startMicros + shiftMicros > untilMicros && isWrite(trace, index)) writes.push(index);
  }
}

/** A span of the callee: another service's, or below a server that was left its own calls. */
function isOther(trace: Trace, departure: Departure, index: number): boolean {
  if (index === departure.index) return true;
  const parent = trace.parents[index] ?? noParent;
  if (departure.isServer) return parent === departure.index && isCall(trace, index);
  const isServer = kindOf(trace.span(index), trace.marksOf(index)) === "server";
  return (
    isServer ||
    (parent >= 0 &&
      trace.span(index).service !== trace.span(parent).service &&
      !trace.span(parent).links.length)
  );
}

/** What a caller's own client does below its call is part of the call, not of the callee's work. */
function isOwnTransport(trace: Trace, departure: Departure, index: number): boolean {
  if (departure.isServer) return false;
  const { service } = trace.span(departure.index);
  for (let at = index; at >= 0 && at !== departure.index; at = trace.parents[at] ?? noParent) {
    if (trace.span(at).service !== service) return false;
    if (kindOf(trace.span(at), trace.marksOf(at)) === "server") return false;
  }
  return true;
}
