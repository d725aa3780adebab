/** Finds slow reads of one kind that follow one another within a unit of work. */

import { mark } from "../traces/marks.ts";
import type { Trace } from "../traces/trace.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";

export interface Run {
  readonly kind: "database" | "request";
  /** None begins before the one ahead of it ended. */
  readonly calls: readonly UnitCall[];
}

/** The runs among the slow reads of a unit. A write, a wait or a log-in between two reads ends a run. */
export function findRuns(unit: Unit, slow: readonly UnitCall[], gapMicrosMax: number): Run[] {
  const barriers = unit.calls
    .filter(({ call }) => !call.isRead || signsIn.test(call.shape))
    .map(({ index }) => index);
  return (["database", "request"] as const).flatMap((kind) => {
    const own = slow.filter(({ call }) => (call.kind === "database") === (kind === "database"));
    const runs: UnitCall[][] = [];
    let run: UnitCall[] = [];
    let barrier = 0;
    for (const item of own) {
      const last = run.at(-1);
      // Both lists are in order of time, so each barrier is passed once.
      while ((barriers[barrier] ?? Infinity) < (last?.index ?? 0)) barrier += 1;
      const isBarred = last !== undefined && (barriers[barrier] ?? Infinity) < item.index;
      if (last !== undefined && (isBarred || !follows(last, item, gapMicrosMax))) {
        runs.push(run);
        run = [];
      }
      run.push(item);
    }
    runs.push(run);
    return runs.filter((calls) => calls.length > 1).map((calls) => ({ kind, calls }));
  });
}

/** What comes after a token or an address that was asked for depends on it. */
const signsIn = /\/(?:oauth2?|token|login|signin|auth|session|csrf|\.well-known)\b/i;

function follows(last: UnitCall, next: UnitCall, gapMicrosMax: number): boolean {
  const end = last.span.startMicros + last.span.durationNanos / 1_000;
  const pause = next.span.startMicros - end;
  return pause >= -1 && pause <= gapMicrosMax;
}

/** Whether a transaction was begun among the siblings of a statement, before it. */
export function isInTransaction({ trace, index }: UnitCall): boolean {
  const parent = trace.parents[index] ?? -1;
  if (parent < 0) return false;
  let isOpen = false;
  for (const sibling of trace.children(parent)) {
    if (sibling >= index) break;
    const word = transactionWord(trace, sibling);
    if (word !== undefined) isOpen = /^(?:begin|start)/.test(word);
  }
  return isOpen;
}

/** The word by which a span begins or ends a transaction, lower-cased; `undefined` for every other span. */
export function transactionWord(trace: Trace, index: number): string | undefined {
  if ((trace.marksOf(index) & (mark.database | mark.vendor)) === 0) return undefined;
  const { attributes, name } = trace.span(index);
  const texts = [attributes["db.query.text"], attributes["db.statement"], name];
  for (const text of texts) {
    const word =
      typeof text === "string"
        ? /^\s*(begin|start transaction|commit|rollback|end)\b/i.exec(text)?.[1]
        : undefined;
    if (word !== undefined) return word.toLowerCase();
  }
  return undefined;
}
