/** What everything stands on: time, chance, ids, cancellation, invariants. No domain, no I/O beyond the clock. */

export { isAbort, raceAbort, whenAborted } from "./abort.ts";
export { assert, AssertionError, unreachable } from "./assert.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type EventLoop, systemEventLoop } from "./event-loop.ts";
export { holdTick } from "./held-tick.ts";
export { createIds, type Ids } from "./ids.ts";
export { bootIdPath, readProcessStat } from "./process-stat.ts";
export { type Random, seededRandom, systemRandom } from "./random.ts";
