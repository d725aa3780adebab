/** The traces of a snapshot in an order that does not depend on how they were recorded. */

import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";

/** By the start of their first span: evidence lies in the order of its ids, which change with the order of spans. */
export function tracesInOrder(snapshot: Snapshot): readonly Trace[] {
  const known = orderedBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const ordered = [...tracesOf(snapshot)].sort(
    (left, right) => startOf(left) - startOf(right) || compareText(left.traceId, right.traceId),
  );
  orderedBySnapshot.set(snapshot, ordered);
  return ordered;
}

/** A memory and no state: the same snapshot always has the same traces. */
const orderedBySnapshot = new WeakMap<Snapshot, readonly Trace[]>();

function startOf({ spans }: Trace): number {
  return spans[0]?.startMicros ?? 0;
}
