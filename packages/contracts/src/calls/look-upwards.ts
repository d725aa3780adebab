/** Asks the ancestors of spans, each once, however deep a trace is. */

import { noParent, type Trace } from "../traces/trace.ts";

const unknown = 0;
const yes = 1;
const no = 2;

/** Answers for a span what the nearest span at or above it decides that does not leave it to its parent; `false` at the top. */
export function lookUpwards(
  trace: Trace,
  decide: (index: number) => boolean | undefined,
): (index: number) => boolean {
  const answers = new Uint8Array(trace.spans.length);
  return (start) => {
    const way: number[] = [];
    let answer = no;
    for (let at = start; at >= 0; at = trace.parents[at] ?? noParent) {
      const known = answers[at] ?? unknown;
      const decided = known === unknown ? decide(at) : known === yes;
      if (known === unknown) way.push(at);
      if (decided === undefined) continue;
      answer = decided ? yes : no;
      break;
    }
    for (const index of way) answers[index] = answer;
    return answer === yes;
  };
}
