/** Bounds how far the clocks of two machines are apart, from calls that one made to the other. */

import type { Span } from "../model/span.ts";
import { noParent, type Trace } from "../traces/trace.ts";

/**
 * What must at least be added to the times of a callee's clock to read them on the caller's: nothing is taken in
 * before it is sent. From all calls between two machines in a trace.
 */
export class ClockSkew {
  readonly #leastByPair = new Map<string, number>();

  constructor(trace: Trace) {
    for (let index = 0; index < trace.spans.length; index += 1) {
      const parent = trace.parents[index] ?? noParent;
      if (parent < 0) continue;
      const [above, below] = [trace.span(parent), trace.span(index)];
      if (isSameMachine(above, below)) continue;
      const pair = pairOf(above, below);
      const least = above.startMicros - below.startMicros;
      const known = this.#leastByPair.get(pair);
      if (known === undefined || least > known) this.#leastByPair.set(pair, least);
    }
  }

  /** Microseconds to add, at least, to a time of `callee` to read it on the clock of `caller`, its parent. */
  leastShiftMicros(caller: Span, callee: Span): number {
    if (isSameMachine(caller, callee)) return 0;
    return this.#leastByPair.get(pairOf(caller, callee)) ?? caller.startMicros - callee.startMicros;
  }
}

function isSameMachine(left: Span, right: Span): boolean {
  return left.resource === right.resource || machineOf(left) === machineOf(right);
}

function pairOf(caller: Span, callee: Span): string {
  return `${machineOf(caller)}\n${machineOf(callee)}`;
}

function machineOf({ service, resource }: Span): string {
  const machine = resource["host.name"] ?? resource["k8s.node.name"] ?? resource["k8s.pod.name"];
  const instance = machine ?? resource["service.instance.id"];
  return typeof instance === "string" ? instance : service;
}
