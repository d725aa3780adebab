/**
 * Keeps `process.nextTick` fast. Node makes an object for each tick, by a literal with computed keys, which V8 compiles for
 * the shape that it has seen. No live object means that a second collection forgets the shape, and the next one finds the
 * literal in two shapes: from then on each tick takes five times as long, for good. One object that is never let go keeps it.
 */

import { createHook } from "node:async_hooks";

const held: object[] = [];

/** Holds the object of one tick for as long as the process lives; once more holds no other. */
export function holdTick(): object | undefined {
  if (held.length > 0) return held[0];
  const hook = createHook({
    init: (...[, type, , resource]) => {
      if (type === "TickObject" && held.length === 0) held.push(resource);
    },
  });
  hook.enable();
  process.nextTick(() => {});
  hook.disable();
  return held[0];
}
