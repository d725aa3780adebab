/** What callers write, checked and copied into what the store keeps. */

import { JournalError } from "../journal-error.ts";
import { type BinaryKey, binaryKey } from "./binary-key.ts";
import { type EntryWrite, entryByteLength } from "./entry-codec.ts";
import { commitBytesMax, commitWriteCountMax, valueBytesMax } from "./limits.ts";

/** One write of a batch. */
export type StoreWrite =
  | {
      readonly kind: "put";
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      /** From this moment of the caller's clock on the entry is not there. */
      readonly expiresAtMs?: number;
    }
  | { readonly kind: "delete"; readonly key: Uint8Array };

/** Copies a write, so that the caller may change its bytes afterwards. */
export function ownedWrite(write: StoreWrite): EntryWrite {
  const key = binaryKey(write.key);
  if (write.kind === "delete") return { key, value: undefined, expiresAtMs: Infinity };
  const { value, expiresAtMs = Infinity } = write;
  if (value.byteLength > valueBytesMax) {
    const length = `${value.byteLength} bytes of at most ${valueBytesMax}`;
    throw new JournalError("store_limit_exceeded", `The value is too long: ${length}.`);
  }
  if (expiresAtMs !== Infinity && !(Number.isSafeInteger(expiresAtMs) && expiresAtMs >= 0)) {
    throw new JournalError(
      "store_limit_exceeded",
      "The expiry is no whole number of milliseconds.",
    );
  }
  return { key, value: Buffer.from(value), expiresAtMs };
}

/** The writes of one commit in the order of their keys, each key once: of several writes the last one counts. */
export function commitOf(writes: Iterable<EntryWrite>): EntryWrite[] {
  const lastByKey = new Map<BinaryKey, EntryWrite>();
  for (const write of writes) lastByKey.set(write.key, write);
  const sorted = [...lastByKey.values()];
  if (sorted.length > 1) sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
  let commitBytes = 0;
  for (const write of sorted) commitBytes += entryByteLength(write);
  if (sorted.length > commitWriteCountMax || commitBytes > commitBytesMax) {
    throw new JournalError(
      "store_limit_exceeded",
      `One commit writes too much: ${sorted.length} keys of at most ${commitWriteCountMax}, ` +
        `${commitBytes} bytes of at most ${commitBytesMax}.`,
    );
  }
  return sorted;
}
