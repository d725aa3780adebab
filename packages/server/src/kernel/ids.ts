/** Sortable identifiers in the layout of UUID version 7 (RFC 9562, section 5.7), monotonic within a process. */

import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

export interface Ids {
  /** A new id, greater than every id that this source gave before. 36 characters, lower case. */
  next(): string;
}

const counterMax = 0xfff;
const variants = "89ab";

/** Makes a source of ids from a clock and a random stream. */
export function createIds(clock: Clock, random: Random): Ids {
  let lastMs = -1;
  let counter = 0;
  let time = "";
  return {
    next() {
      const earlierMs = lastMs;
      const nowMs = clock.nowMs();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        counter = random.integer(counterMax >> 1);
      } else if (counter < counterMax) {
        counter += 1;
      } else {
        // The counter is spent within one millisecond, or the clock went back: borrow from the future.
        lastMs += 1;
        counter = 0;
      }
      if (lastMs !== earlierMs) time = formatTime(lastMs);
      return time + formatRest(counter, random.bytes(8));
    },
  };
}

function formatTime(timeMs: number): string {
  const time = timeMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-`;
}

function formatRest(counter: number, tail: Uint8Array): string {
  const middle = (0x7000 | counter).toString(16);
  const hex = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength).toString("hex");
  // The two highest bits of the tail are the variant.
  const variant = variants[(tail[0] ?? 0) >> 6];
  return `${middle}-${variant}${hex.slice(1, 4)}-${hex.slice(4)}`;
}
