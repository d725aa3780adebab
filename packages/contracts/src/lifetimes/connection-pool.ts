/** Plays a pool over the uses of connections: for which of them was one idle? */

import type { ConnectionUse } from "./connection-uses.ts";

export interface PoolPlay {
  /** Uses that an idle connection was there for. */
  readonly reusableCount: number;
  /** Those of them for which a new one was opened all the same. */
  readonly avoidable: readonly ConnectionUse[];
}

/** A connection counts as idle for so long after its last use. */
export function playPool(uses: readonly ConnectionUse[], idleSecondsMax: number): PoolPlay {
  const starts = [...uses].sort((left, right) => left.startMicros - right.startMicros);
  const ends = uses.map(({ endMicros }) => endMicros).sort((left, right) => left - right);
  const idle: number[] = [];
  const avoidable: ConnectionUse[] = [];
  let [reusableCount, ended] = [0, 0];
  for (const use of starts) {
    for (; ended < ends.length && (ends[ended] ?? 0) <= use.startMicros; ended += 1) {
      idle.push(ends[ended] ?? 0);
    }
    // The one that was used last is given first, as pools do.
    const last = idle.pop();
    if (last === undefined || use.startMicros - last > idleSecondsMax * 1_000_000) continue;
    reusableCount += 1;
    if (use.openedBy !== undefined) avoidable.push(use);
  }
  return { reusableCount, avoidable };
}
