/** Tells work that somebody waits for from work that was handed over. */

import { mark } from "../traces/marks.ts";
import { endMicrosOf, noParent, type Trace } from "../traces/trace.ts";

const backgroundNames =
  /\basync|background|detach|fire.?and.?forget|\bworker\b|enqueue|schedul|\bjob\b|\bcron\b|defer|outbox|subscriber|listener|setImmediate|post.?process/i;

/** Whether nobody above waits for a span: it was handed over, or began after its parent in the same service had ended. */
export function isDetached(trace: Trace, index: number): boolean {
  const parent = trace.parents[index] ?? noParent;
  if (parent >= 0) {
    const [above, span] = [trace.span(parent), trace.span(index)];
    if (above.service === span.service && span.startMicros > endMicrosOf(above)) return true;
  }
  return isHandedOver(trace, index);
}

/** Whether a span takes a message in, follows from its parent, or says that it is background work. */
export function isHandedOver(trace: Trace, index: number): boolean {
  const span = trace.span(index);
  if (span.kind === "consumer" || span.links.length > 0) return true;
  const parent = trace.parents[index] ?? noParent;
  if (parent >= 0) {
    const above = trace.span(parent);
    if (above.kind === "producer" || above.kind === "consumer") return true;
  }
  if ((trace.marksOf(index) & mark.messaging) !== 0 && span.kind !== "producer") return true;
  return (
    backgroundNames.test(span.name) ||
    span.attributes["async"] === true ||
    span.attributes["background"] === true ||
    span.attributes["detached"] === true
  );
}

/** Whether a span was never closed: it has no length, and what it began went on. */
export function isUnended(trace: Trace, index: number): boolean {
  const span = trace.span(index);
  if (span.durationNanos > 0) return false;
  for (const child of trace.children(index)) {
    if (endMicrosOf(trace.span(child)) > span.startMicros + 1_000) return true;
  }
  return false;
}
