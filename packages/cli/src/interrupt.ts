/** Signals that ask a command to stop. */

import type { EventEmitter } from "node:events";
import type { Clock } from "@faultline/server/kernel/index.ts";

/** How soon the same signal may come again and still be the same: a terminal and npm both pass one on. */
export const repeatMsMax = 500;
const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface InterruptSource {
  /** What emits the signals: the process. */
  readonly signals: EventEmitter;
  readonly clock: Clock;
  /** Ends the process. */
  readonly exit: () => void;
}

/** The first signal asks the command to finish; a second one ends the process at once. */
export function abortOnSignals({ signals, clock, exit }: InterruptSource): AbortController {
  const controller = new AbortController();
  let first: { readonly name: string; readonly atMs: number } | undefined;
  const onSignal = (name: string): void => {
    if (first === undefined) {
      first = { name, atMs: clock.monotonicMs() };
      controller.abort(new DOMException(`Stopped by ${name}.`, "AbortError"));
      return;
    }
    const isRepeated = name === first.name && clock.monotonicMs() - first.atMs <= repeatMsMax;
    if (!isRepeated) exit();
  };
  for (const name of names) signals.on(name, onSignal);
  return controller;
}
