/** Writes a whole buffer, however little the system takes at once. */

import type { JournalFile } from "../file-system/file-system.ts";

/** Throws what the file throws, and an error when it takes nothing. */
export async function writeAll(
  file: JournalFile,
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = done === 0 ? bytes : bytes.subarray(done);
    const written = await file.write(rest, offset + done);
    if (written <= 0) throw new Error("The file takes no bytes and gives no reason.");
    done += written;
  }
}
