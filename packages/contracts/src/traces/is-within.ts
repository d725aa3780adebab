/** Whether a span is one of some, or stands below one of them. */

import { noParent, type Trace } from "./trace.ts";

/** Ancestors of a span that are looked at. */
const ancestorCountMax = 256;

/** Whether the span or one of its ancestors is among `scopes`. */
export function isWithin(trace: Trace, index: number, scopes: ReadonlySet<number>): boolean {
  let at = index;
  for (let count = 0; count <= ancestorCountMax && at >= 0; count += 1) {
    if (scopes.has(at)) return true;
    at = trace.parents[at] ?? noParent;
  }
  return false;
}
