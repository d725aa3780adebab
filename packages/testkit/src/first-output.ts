/** Waits for a child process to speak. */

import type { Readable } from "node:stream";

/** A child process whose standard output can be read. */
export interface SpeakingProcess {
  readonly stdout: Readable;
  once(event: "close", listener: (code: number | null, by: NodeJS.Signals | null) => void): unknown;
}

/** The next text that the process writes, without white space around it. Rejects when it ends before. */
export async function firstOutput(child: SpeakingProcess): Promise<string> {
  const spoken = Promise.withResolvers<string>();
  child.stdout.once("data", (chunk: unknown) => spoken.resolve(String(chunk).trim()));
  // `close` follows the last output, which `exit` may precede.
  child.once("close", (code, by) => {
    spoken.reject(
      new Error(`the process ended with ${by ?? `exit code ${code}`} and said nothing`),
    );
  });
  return await spoken.promise;
}
