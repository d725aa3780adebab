/** When the work around an agent changed something: other code of the same trace wrote to a service or a database. */

import { isWithin } from "../../traces/is-within.ts";
import { mark } from "../../traces/marks.ts";
import type { Trace } from "../../traces/trace.ts";

/** Marks of which a call's span has at least one. */
const callMarks = mark.http | mark.database | mark.rpc | mark.vendor | mark.statementName;

/**
 * The moments at which calls that write ended, in microseconds since 1970. What a tool or a model does on its own behalf, below
 * its span, is no news to anybody: models are asked by requests that write nothing, and tools have their traits.
 */
export function changesBeside(trace: Trace, inner: ReadonlySet<number>): readonly number[] {
  const moments: number[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & callMarks) === 0 || isWithin(trace, index, inner)) continue;
    if (trace.callOf(index)?.isRead !== false) continue;
    const { startMicros, durationNanos } = trace.span(index);
    moments.push(startMicros + durationNanos / 1_000);
  }
  return moments.sort((left, right) => left - right);
}
