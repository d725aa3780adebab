/**
 * A process that commits numbered commits to a store, which compacts all the while, until it is killed, and says on
 * standard output which are acknowledged.
 *
 *     node store-writer-process.ts FOLDER FIRST_NUMBER
 */

import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { Store } from "../src/index.ts";
import { numberedCommit } from "./numbered-commit.ts";

const concurrency = 16;
const [folder = "", first = "0"] = process.argv.slice(2);

const store = await Store.open({
  folder,
  limits: {
    compactionBytes: 40_000,
    blockBytes: 2_048,
    log: { batchBytesMax: 16_384, segmentBytesMax: 65_536 },
  },
  clock: {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: async (durationMs, signal) => await setTimeout(durationMs, undefined, { signal }),
  },
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  signal: new AbortController().signal,
});

let next = Number(first);
await Promise.all(Array.from({ length: concurrency }, commit));

async function commit(): Promise<void> {
  for (;;) {
    const number = next;
    next += 1;
    await store.batch(numberedCommit(number));
    // Written at once: what stands in a buffer of this process would die with it.
    writeSync(1, `${number}\n`);
  }
}
