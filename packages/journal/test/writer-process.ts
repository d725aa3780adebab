/**
 * A process that appends numbered records until it is killed, and says on standard output which are acknowledged.
 *
 *     node writer-process.ts FOLDER FIRST_NUMBER [COUNT]
 */

import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";

import { JournalError, Log } from "../src/index.ts";
import { numberedRecord } from "./numbered-record.ts";

const concurrency = 64;
const [folder = "", first = "0", count = "Infinity"] = process.argv.slice(2);

const log = await Log.open({
  folder,
  limits: { batchBytesMax: 16_384, segmentBytesMax: 65_536, bytesMax: 64 * 1024 * 1024 },
  clock: { nowMs: () => Date.now() },
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  signal: new AbortController().signal,
});
writeSync(1, "open\n");

let next = Number(first);
const end = next + Number(count);
await Promise.all(Array.from({ length: concurrency }, append));
await log[Symbol.asyncDispose]();

async function append(): Promise<void> {
  while (next < end) {
    const number = next;
    next += 1;
    try {
      await log.append(numberedRecord(number));
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      writeSync(1, `${error.code} ${number}\n`);
      return;
    }
    // Written at once: what stands in a buffer of this process would die with it.
    writeSync(1, `${number}\n`);
  }
}
