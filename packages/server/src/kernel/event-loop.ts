/** The event loop of this process as an argument: how long it has been idle, and what runs after its next poll. */

import { performance } from "node:perf_hooks";

export interface EventLoop {
  /** Milliseconds, of monotonic time, that the loop has waited for events so far. Polls that found some at once add none. */
  idleMs(): number;
  /** Calls `run` once all events of this iteration were handled. */
  afterPoll(run: () => void): void;
}

/** The loop of this thread. */
export const systemEventLoop: EventLoop = {
  idleMs: () => performance.nodeTiming.idleTime,
  afterPoll: (run) => void setImmediate(run),
};
