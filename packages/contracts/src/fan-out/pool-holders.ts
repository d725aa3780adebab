/** Who holds connections while others wait: requests that call other services in the middle of a transaction. */

import type { Snapshot } from "../model/snapshot.ts";
import { unitsOf } from "../traces/trace-units.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { transactionWord } from "./find-runs.ts";
import type { Interval } from "./overlap.ts";

/** A stretch of a request in which it held a connection. Times in microseconds. */
export interface Holding {
  readonly unit: Unit;
  readonly start: number;
  readonly end: number;
  /** What it did meanwhile that needs no connection. */
  readonly foreign: readonly UnitCall[];
}

/** Spans that are looked at to find holders; units of one trace may each look at all of it. */
const spansSeenMax = 2_000_000;

/** The longest holding of a service's requests during a window, or `undefined` when no transaction is seen. */
export function longestHolding(
  snapshot: Snapshot,
  service: string,
  window: Interval | undefined,
): Holding | undefined {
  let longest: Holding | undefined;
  let spansSeen = 0;
  for (const unit of unitsOf(snapshot)) {
    if (spansSeen > spansSeenMax) break;
    if (unit.service !== service || unit.entry === undefined) continue;
    spansSeen += unit.trace.spans.length;
    for (const holding of holdingsOf(unit)) {
      const isBeside =
        window === undefined || (holding.start < window.end && holding.end > window.start);
      if (isBeside && durationOf(holding) > (longest === undefined ? 0 : durationOf(longest))) {
        longest = holding;
      }
    }
  }
  return longest;
}

function durationOf({ start, end }: Interval): number {
  return end - start;
}

/** Transactions of a unit, from the statement that begins one to the one that ends it, or to the unit's end. */
function holdingsOf(unit: Unit): Holding[] {
  const { trace, entry, entryIndex } = unit;
  if (entry === undefined) return [];
  const unitEnd = entry.startMicros + entry.durationNanos / 1_000;
  const holdings: Holding[] = [];
  let start: number | undefined;
  const close = (end: number): void => {
    if (start === undefined) return;
    const begin = start;
    const foreign = unit.calls.filter(
      ({ call, span }) =>
        call.kind !== "database" && span.startMicros >= begin && span.startMicros < end,
    );
    holdings.push({ unit, start, end, foreign });
    start = undefined;
  };
  for (let index = entryIndex + 1; index < trace.spans.length; index += 1) {
    const span = trace.span(index);
    if (span.startMicros > unitEnd) break;
    if (span.service !== unit.service) continue;
    const word = transactionWord(trace, index);
    if (word === undefined) continue;
    const end = span.startMicros + span.durationNanos / 1_000;
    if (/^(?:begin|start)/.test(word)) start ??= span.startMicros;
    else close(end);
  }
  close(unitEnd);
  return holdings;
}
