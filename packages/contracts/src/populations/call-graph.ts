/** Which service calls which, as traces show it and as topologies say it. */

import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { noParent, type Trace, tracesOf } from "../traces/trace.ts";

/** The services that each service calls. */
export type CallGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** Calls that cross from one service to another. */
export function callGraphOf(snapshot: Snapshot): CallGraph {
  const graph = new Map<string, Set<string>>();
  const add = (from: string, to: string): void => {
    graph.set(from, (graph.get(from) ?? new Set<string>()).add(to));
  };
  for (const { content } of evidenceOfKind(snapshot, "topology"))
    for (const { from, to } of content.calls) add(from, to);
  // By the numbers of services: nearly every call was seen before, and then no span is looked at.
  const calleesOf: (Set<number> | undefined)[] = [];
  for (const trace of tracesOf(snapshot)) addCalls(trace, calleesOf, add);
  return graph;
}

function addCalls(
  trace: Trace,
  calleesOf: (Set<number> | undefined)[],
  add: (from: string, to: string) => void,
): void {
  const { parents } = trace;
  for (let index = 0; index < parents.length; index += 1) {
    const parent = parents[index] ?? noParent;
    if (parent < 0) continue;
    const caller = trace.serviceAt(parent);
    const callee = trace.serviceAt(index);
    if (caller === callee) continue;
    const callees = (calleesOf[caller] ??= new Set());
    if (callees.has(callee)) continue;
    callees.add(callee);
    add(trace.span(parent).service, trace.span(index).service);
  }
}

/** Whether calls lead from one service to another, over others as well. */
export function isReached(graph: CallGraph, from: string, to: string): boolean {
  for (const service of servicesFrom(graph, from)) if (service === to) return true;
  return false;
}

/** The services to which calls lead from one, over others as well. */
export function reachedFrom(graph: CallGraph, from: string): ReadonlySet<string> {
  return new Set(servicesFrom(graph, from));
}

function* servicesFrom(graph: CallGraph, from: string): Generator<string> {
  const seen = new Set([from]);
  const open = [from];
  for (let at = 0; at < open.length; at += 1) {
    for (const next of graph.get(open[at] ?? "") ?? []) {
      if (seen.has(next)) {
        // Calls may lead back to where they began.
        if (next === from) yield next;
        continue;
      }
      seen.add(next);
      open.push(next);
      yield next;
    }
  }
}
