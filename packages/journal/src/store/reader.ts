/** Reading the store, the same at the present, in a snapshot and in a transaction. */

import { type BinaryKey, binaryKey, endOfPrefix, keyBytes, leastKey } from "./binary-key.ts";
import type { KeyRange, StoredValue } from "./view.ts";

/** An entry as it leaves the store. Its bytes belong to the caller. */
export interface StoreEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  /** On the caller's clock; absent when the entry does not expire. */
  readonly expiresAtMs?: number;
}

/** What to scan: all keys that meet every condition given. */
export interface ScanOptions {
  readonly prefix?: Uint8Array;
  /** The first key, included. */
  readonly from?: Uint8Array;
  /** Where to stop, excluded. */
  readonly to?: Uint8Array;
  /** Most entries to give. */
  readonly limit?: number;
}

/** Reads entries. Keys are any bytes, in the order of their bytes. */
export interface StoreReader {
  /** The value of a key; `undefined` when it is not there, was deleted or has expired. */
  get(key: Uint8Array): Buffer | undefined;
  /** Entries in the order of their keys, read on demand. */
  scan(options?: ScanOptions): Iterable<StoreEntry>;
}

/** The range of keys that meets the conditions. */
export function rangeOf({ prefix, from, to }: ScanOptions): KeyRange {
  const prefixKey = prefix === undefined ? leastKey : binaryKey(prefix);
  const fromKey = from === undefined ? leastKey : binaryKey(from);
  const prefixEnd = endOfPrefix(prefixKey);
  const toKey = to === undefined ? undefined : binaryKey(to);
  return {
    from: fromKey > prefixKey ? fromKey : prefixKey,
    to: leastDefined(prefixEnd, toKey),
  };
}

/** A copy of an entry that the caller may keep and change. */
export function ownedEntry(key: BinaryKey, { value, expiresAtMs }: StoredValue): StoreEntry {
  const entry = { key: keyBytes(key), value: Buffer.from(value) };
  return expiresAtMs === Infinity ? entry : { ...entry, expiresAtMs };
}

function leastDefined(
  first: BinaryKey | undefined,
  second: BinaryKey | undefined,
): BinaryKey | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return first < second ? first : second;
}
