/** A clock that moves only when a test says so. */

import type { Clock } from "@faultline/server/kernel/index.ts";

export interface SimulatedClock extends Clock {
  /**
   * Moves time forward and wakes what is due, in the order of due times; what wakes may wait again within the same
   * step. Resolves when nothing more is due.
   */
  advance(durationMs: number): Promise<void>;
  /** How many sleeps, deadlines and intervals are waiting, so that a test can wait until its subject waits. */
  readonly waitingCount: number;
}

interface Waiter {
  readonly dueMs: number;
  readonly order: number;
  wake(): void;
}

/** Starts at `startMs` since the Unix epoch. */
export function simulatedClock(startMs = 1_767_225_600_000): SimulatedClock {
  let elapsedMs = 0;
  let order = 0;
  const waiters = new Set<Waiter>();

  const wait = (durationMs: number, wake: () => void): (() => void) => {
    order += 1;
    const waiter = { dueMs: elapsedMs + Math.max(0, durationMs), order, wake };
    waiters.add(waiter);
    return () => waiters.delete(waiter);
  };

  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    get waitingCount() {
      return waiters.size;
    },
    async sleep(durationMs, signal) {
      signal.throwIfAborted();
      const slept = Promise.withResolvers<void>();
      const cancel = wait(durationMs, slept.resolve);
      const onAbort = (): void => slept.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await slept.promise;
      } finally {
        cancel();
        signal.removeEventListener("abort", onAbort);
      }
    },
    deadline(durationMs, parent) {
      const controller = new AbortController();
      const cancel = wait(durationMs, () => {
        controller.abort(
          new DOMException("The operation was aborted due to timeout", "TimeoutError"),
        );
      });
      parent?.addEventListener("abort", cancel, { once: true });
      return parent === undefined
        ? controller.signal
        : AbortSignal.any([controller.signal, parent]);
    },
    every(intervalMs, signal, run) {
      if (signal.aborted) return;
      let cancel = (): void => {};
      const schedule = (): void => {
        cancel = wait(intervalMs, () => {
          schedule();
          run();
        });
      };
      schedule();
      signal.addEventListener("abort", () => cancel(), { once: true });
    },
    async advance(durationMs) {
      const untilMs = elapsedMs + durationMs;
      for (;;) {
        await settle();
        const due = [...waiters]
          .filter((waiter) => waiter.dueMs <= untilMs)
          .sort((left, right) => left.dueMs - right.dueMs || left.order - right.order)[0];
        if (due === undefined) break;
        waiters.delete(due);
        elapsedMs = Math.max(elapsedMs, due.dueMs);
        due.wake();
      }
      elapsedMs = untilMs;
      await settle();
    },
  };
}

/** How many times promise reactions run before the clock believes that nobody moves any more. */
const settleTurnCount = 32;

async function settle(): Promise<void> {
  for (let turn = 0; turn < settleTurnCount; turn += 1) await Promise.resolve();
}
