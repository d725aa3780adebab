/** Finds the work that went on below a call after its caller had left. */

import { endMicrosOf, noParent, type Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import type { ClockSkew } from "./clock-skew.ts";
import { type Departure, isWrite } from "./departures.ts";
import { isCall } from "./edge.ts";
import { isDetached, isHandedOver, isUnended } from "./sync-work.ts";
import type { WorkBudget } from "./work-budget.ts";

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
  /** What a caller's own client does below its call is part of the call, not of the callee's work. */
  readonly isTransport: boolean;
}

export interface WorkBounds {
  readonly skew: ClockSkew;
  readonly graceMicros: number;
  /** When each call below that was left itself was left: what went on below it is said there. */
  readonly leftAt: ReadonlyMap<number, number>;
  readonly budget: WorkBudget;
}

/** What happened below a departure after it, with clocks read to the advantage of the callee. */
export function workAfter(
  trace: Trace,
  departure: Departure,
  { skew, graceMicros, leftAt, budget }: WorkBounds,
): WorkAfter {
  const untilMicros = departure.atMicros + graceMicros;
  const served: number[] = [];
  const lasting: { index: number; endMicros: number }[] = [];
  const writes: number[] = [];
  const unended: number[] = [];
  const start = { index: departure.index, shiftMicros: 0, isTransport: !departure.isServer };
  const waiting: Step[] = [start];
  let isWhole = true;
  if (departure.isEvent) note(start);
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    for (const child of trace.children(step.index)) {
      // A server's span often ends when its client leaves, while the handler below it goes on.
      const isOwn =
        departure.isServer && trace.span(child).service === trace.span(departure.index).service;
      if (isOwn ? isHandedOver(trace, child) : isDetached(trace, child)) continue;
      isWhole = budget.take();
      if (!isWhole) break;
      const shiftMicros =
        step.shiftMicros + skew.leastShiftMicros(trace.span(step.index), trace.span(child));
      const isTransport = step.isTransport && isTransportOf(trace, departure, child);
      const next = { index: child, shiftMicros, isTransport };
      note(next);
      const left = leftAt.get(child);
      if (left !== undefined && left + shiftMicros <= untilMicros) continue;
      waiting.push(next);
    }
  }
  lasting.sort((left, right) => right.endMicros - left.endMicros || left.index - right.index);
  return {
    departure,
    // Who did not look everywhere does not say that everything stopped.
    served: isWhole ? served.sort((left, right) => left - right) : [],
    lasting: lasting.map(({ index }) => index),
    writes: writes.sort((left, right) => left - right),
    unended,
    overrunMicros: Math.max(0, (lasting[0]?.endMicros ?? 0) - departure.atMicros),
  };

  function note({ index, shiftMicros, isTransport }: Step): void {
    const span = trace.span(index);
    if (isUnended(trace, index)) {
      unended.push(index);
      return;
    }
    if (isTransport) return;
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

function isTransportOf(trace: Trace, departure: Departure, index: number): boolean {
  if (trace.span(index).service !== trace.span(departure.index).service) return false;
  return kindOf(trace.span(index), trace.marksOf(index)) !== "server";
}
