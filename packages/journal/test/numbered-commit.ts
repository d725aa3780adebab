/** Commits that follow from their number, for processes that are killed and for who checks what they left. */

import type { StoreWrite } from "../src/store/write.ts";

/** Which commit was the last. */
export const lastNumberKey = Buffer.from([0x00, 0xff]);

const keyCount = 400;

/** The writes of a commit: its number, some entries of awkward bytes, and deletions. */
export function numberedCommit(number: number): StoreWrite[] {
  const writes: StoreWrite[] = [
    { kind: "put", key: lastNumberKey, value: Buffer.from(String(number)) },
  ];
  for (let index = 0; index < number % 4; index += 1) {
    const key = Buffer.from(`\u0000${(number * 7 + index * 13) % keyCount}\u00ff`, "latin1");
    if ((number + index) % 3 === 0) writes.push({ kind: "delete", key });
    else writes.push({ kind: "put", key, value: Buffer.alloc(number % 90, number % 256) });
  }
  return writes;
}
