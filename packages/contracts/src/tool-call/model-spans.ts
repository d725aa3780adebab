/** The spans of a trace that may have to do with models or tools, found once for all contracts. */

import { concernsModels } from "../readers/transcript/span-messages.ts";
import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";

/** A memory and no state: the same trace always has the same spans. */
const indicesByTrace = new WeakMap<Trace, readonly number[]>();
const none: readonly number[] = [];

/** Their indices, in order of time. */
export function modelSpansOf(trace: Trace): readonly number[] {
  const known = indicesByTrace.get(trace);
  if (known !== undefined) return known;
  // Most traces have none: a look at the marks, which others need too, costs less than one at each attribute.
  const indices = trace.hasMarks(modelMarks) ? findModelSpans(trace) : none;
  indicesByTrace.set(trace, indices);
  return indices;
}

const modelMarks = mark.genAi | mark.toolName;

function findModelSpans(trace: Trace): readonly number[] {
  const indices: number[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    const isMarked = (trace.marksOf(index) & modelMarks) !== 0;
    if (isMarked && concernsModels(trace.span(index))) indices.push(index);
  }
  return indices;
}
