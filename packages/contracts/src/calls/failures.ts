/** Finds the spans of a trace that may have failed, cheaply, so that the rest costs nothing. */

import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import { type Outcome, outcomeOf, succeeded } from "./outcome.ts";

/** Spans of a trace that deserve a look, by index, in order. */
export interface Suspects {
  /** They may have failed, or say something about attempts. */
  readonly failed: readonly number[];
  /** They have events, or may have failed. */
  readonly eventful: readonly number[];
}

/** The suspects of a trace, found in one pass for all contracts. */
export function suspectsOf(trace: Trace): Suspects {
  const known = suspectsByTrace.get(trace);
  if (known !== undefined) return known;
  const suspects = trace.hasMarks(suspectMarks | mark.event) ? findSuspects(trace) : nobody;
  suspectsByTrace.set(trace, suspects);
  return suspects;
}

function findSuspects(trace: Trace): Suspects {
  const failed: number[] = [];
  const eventful: number[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    const marks = trace.marksOf(index);
    if ((marks & suspectMarks) !== 0) failed.push(index);
    if ((marks & (suspectMarks | mark.event)) !== 0) eventful.push(index);
  }
  return { failed, eventful };
}

const nobody: Suspects = { failed: [], eventful: [] };

const suspectMarks = mark.failedStatus | mark.failedAnswer | mark.failure | mark.attempt;

/** A memory and no state: a trace always has the same suspects. */
const suspectsByTrace = new WeakMap<Trace, Suspects>();

/** A look at what `outcomeOf` decides that misses no failure, and at what declares a further attempt. */
export function mayHaveFailed(trace: Trace, index: number): boolean {
  return (trace.marksOf(index) & suspectMarks) !== 0;
}

/** How a span's call ended; most succeeded, which takes no reading. */
export function outcomeAt(trace: Trace, index: number): Outcome {
  return mayHaveFailed(trace, index) ? outcomeOf(trace.span(index)) : succeeded;
}
