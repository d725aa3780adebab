/** Standard error as a place for log lines, where no line can end the process. */

import { writeSync } from "node:fs";

/** A pipe whose reader is slow is given this long in all, before its lines are dropped. */
const fullPipeWaitMs = 10;
const fullPipeWaitCountMax = 50;

/** Writes bytes and gives how many were taken; throws what the system says. */
export type WriteBytes = (bytes: Uint8Array) => number;

/**
 * Writes whole lines at once. What cannot be written, because the disk is full, the pipe is closed or its reader has
 * stopped, is dropped and counted; the next line that gets through is preceded by the count.
 */
export class StderrLines {
  readonly #writeBytes: WriteBytes;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  #droppedCount = 0;

  constructor(writeBytes: WriteBytes = (bytes) => writeSync(2, bytes)) {
    this.#writeBytes = writeBytes;
  }

  write(line: string): void {
    try {
      if (this.#droppedCount > 0) {
        // The last line that got through may have been cut.
        this.#writeWhole(
          `\n${JSON.stringify({ level: 40, droppedLineCount: this.#droppedCount, msg: "lines of this log were dropped, because they could not be written" })}\n`,
        );
        this.#droppedCount = 0;
      }
      this.#writeWhole(line);
    } catch {
      // There is no other place to say so.
      this.#droppedCount += 1;
    }
  }

  #writeWhole(text: string): void {
    const bytes = Buffer.from(text);
    let waitCount = 0;
    for (let at = 0; at < bytes.length;) {
      try {
        at += this.#writeBytes(bytes.subarray(at));
      } catch (error) {
        // Who did not read before is not waited for again.
        if (!isFullPipe(error) || this.#droppedCount > 0 || waitCount >= fullPipeWaitCountMax)
          throw error;
        waitCount += 1;
        Atomics.wait(this.#sleeper, 0, 0, fullPipeWaitMs);
      }
    }
  }
}

function isFullPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
