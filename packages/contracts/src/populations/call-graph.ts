/** Which service calls which, as traces show it and as topologies say it. */

import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";

/** The services that each service calls. */
export type CallGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** Calls that cross from one service to another. */
export function callGraphOf(snapshot: Snapshot): CallGraph {
  const graph = new Map<string, Set<string>>();
  for (const { content } of evidenceOfKind(snapshot, "topology"))
    for (const { from, to } of content.calls)
      graph.set(from, (graph.get(from) ?? new Set<string>()).add(to));
  for (const { content } of evidenceOfKind(snapshot, "trace")) {
    const serviceOf = new Map(content.spans.map((span) => [span.spanId, span.service]));
    for (const span of content.spans) {
      const caller = serviceOf.get(span.parentSpanId ?? "");
      if (caller === undefined || caller === span.service) continue;
      graph.set(caller, (graph.get(caller) ?? new Set<string>()).add(span.service));
    }
  }
  return graph;
}

/** Whether calls lead from one service to another, over others as well. */
export function isReached(graph: CallGraph, from: string, to: string): boolean {
  const seen = new Set([from]);
  const open = [from];
  for (let at = 0; at < open.length; at += 1) {
    for (const next of graph.get(open[at] ?? "") ?? []) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
