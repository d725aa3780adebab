import { EventEmitter } from "node:events";
import { simulatedClock } from "@faultline/testkit";
import { expect, it } from "vitest";

import { abortOnSignals, repeatMsMax } from "./interrupt.ts";

/** Sends signals, each so many milliseconds after the one before. */
async function after(
  sent: readonly (readonly [name: string, afterMs: number])[],
): Promise<{ aborted: boolean; exits: number }> {
  const signals = new EventEmitter();
  const clock = simulatedClock();
  let exits = 0;
  const { signal } = abortOnSignals({ signals, clock, exit: () => (exits += 1) });
  for (const [name, afterMs] of sent) {
    await clock.advance(afterMs);
    signals.emit(name, name);
  }
  return { aborted: signal.aborted, exits };
}

it.each([
  ["nothing", [], { aborted: false, exits: 0 }],
  ["a first signal: the command is asked to finish", [["SIGTERM", 0]], { aborted: true, exits: 0 }],
  [
    "the same signal passed on twice: that is one",
    [
      ["SIGTERM", 0],
      ["SIGTERM", 1],
      ["SIGTERM", repeatMsMax - 1],
    ],
    { aborted: true, exits: 0 },
  ],
  [
    "a second Ctrl-C: the process ends",
    [
      ["SIGINT", 0],
      ["SIGINT", repeatMsMax + 1],
    ],
    { aborted: true, exits: 1 },
  ],
  [
    "another signal, however soon: the process ends",
    [
      ["SIGINT", 0],
      ["SIGTERM", 0],
    ],
    { aborted: true, exits: 1 },
  ],
] as const)("after %s", async (...row) => {
  const [, sent, outcome] = row;
  expect(await after(sent)).toEqual(outcome);
});
