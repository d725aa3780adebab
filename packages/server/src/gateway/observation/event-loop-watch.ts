/**
 * When a request could have arrived at the earliest. The time at which its handler runs says nothing of the time that its
 * bytes lay in the socket while the loop was busy; the end of the poll before the one that brought it bounds that.
 */

import type { Clock, EventLoop } from "#kernel/index.ts";

/** Connections that came in since the loop last waited; more are not remembered. */
const connectionCountMax = 4_096;

/**
 * `touch` stands at the start of every callback of ours: of events, timers and messages. The first one of an iteration
 * looks at the time; the others cost a comparison. Times are monotonic milliseconds.
 */
export class EventLoopWatch {
  readonly #clock: Clock;
  readonly #loop: EventLoop;
  readonly #afterPoll: () => void;
  /** Whether this iteration was looked at already. */
  #touched = false;
  /** When the callbacks of this iteration began. */
  #startedMs: number;
  /** The earliest arrival of what this iteration handles. */
  #boundMs: number;
  /** When the latest iteration that was looked at had handled its events, and how idle the loop had been until then. */
  #endedMs: number;
  #idleMs: number;
  /** Connections accepted since the loop last waited, with the earliest time at which their first bytes may have come. */
  readonly #accepted = new Map<object, number>();

  constructor(clock: Clock, loop: EventLoop) {
    this.#clock = clock;
    this.#loop = loop;
    this.#startedMs = clock.monotonicMs();
    this.#boundMs = this.#startedMs;
    this.#endedMs = this.#startedMs;
    this.#idleMs = loop.idleMs();
    this.#afterPoll = () => {
      this.#touched = false;
      this.#endedMs = this.#clock.monotonicMs();
    };
  }

  /** Notes that the loop is at work. */
  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    const nowMs = this.#clock.monotonicMs();
    const idleMs = this.#loop.idleMs();
    const waitedMs = idleMs - this.#idleMs;
    if (waitedMs > 0) {
      // What waited in the socket while the loop waited for events would have ended that: all of it came since.
      this.#boundMs = Math.min(this.#endedMs + waitedMs, nowMs);
      if (this.#accepted.size > 0) this.#accepted.clear();
    } else {
      this.#boundMs = this.#startedMs;
    }
    this.#startedMs = nowMs;
    this.#idleMs = idleMs;
    this.#loop.afterPoll(this.#afterPoll);
  }

  /** Notes a new connection: its first request may have come with it. */
  accept(connection: object): void {
    this.touch();
    if (this.#accepted.size < connectionCountMax) this.#accepted.set(connection, this.#boundMs);
  }

  /** The earliest time at which a request that is handled now may have come over this connection. */
  arrivedMs(connection: object): number {
    this.touch();
    if (this.#accepted.size === 0) return this.#boundMs;
    const acceptedMs = this.#accepted.get(connection);
    if (acceptedMs === undefined) return this.#boundMs;
    this.#accepted.delete(connection);
    return acceptedMs;
  }
}
