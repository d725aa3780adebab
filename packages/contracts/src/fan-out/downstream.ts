/** What repeated calls of services cost behind them. */

import type { Trace } from "../traces/trace.ts";
import type { UnitCall } from "../traces/unit.ts";

/** Spans below repeated calls that are looked at. */
const spansSeenMax = 50_000;

/** Statements that ran below these calls of services, in whatever service; 0 for calls of databases. */
export function downstreamStatements(calls: readonly UnitCall[]): number {
  let count = 0;
  let seen = 0;
  for (const { trace, index, call } of calls) {
    if (call.kind === "database") return 0;
    const open = [...trace.children(index)];
    while (open.length > 0 && seen < spansSeenMax) {
      const next = open.pop();
      if (next === undefined) break;
      seen += 1;
      // What lies below a statement is its own transport.
      if (isStatement(trace, next)) count += 1;
      else open.push(...trace.children(next));
    }
  }
  return count;
}

function isStatement(trace: Trace, index: number): boolean {
  return trace.callOf(index)?.kind === "database";
}
