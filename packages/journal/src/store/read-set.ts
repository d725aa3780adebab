/** What a transaction has read: single keys and the parts of ranges that it has really seen. */

import { JournalError } from "../journal-error.ts";
import type { BinaryKey } from "./binary-key.ts";
import { transactionReadCountMax } from "./limits.ts";
import type { Overlay } from "./overlay.ts";

/** A part of the keys, from `from` to `to`; `undefined` is the end of all keys. */
export interface SeenRange {
  readonly from: BinaryKey;
  to: BinaryKey | undefined;
  /** Whether `to` itself was seen. */
  toIncluded: boolean;
}

export class ReadSet {
  readonly #keys = new Set<BinaryKey>();
  readonly #ranges: SeenRange[] = [];

  addKey(key: BinaryKey): void {
    this.#keys.add(key);
    this.#checkCount();
  }

  /** Adds a range that has not been seen yet; the scan widens it as it goes. */
  addRange(from: BinaryKey): SeenRange {
    const range: SeenRange = { from, to: from, toIncluded: false };
    this.#ranges.push(range);
    this.#checkCount();
    return range;
  }

  /** A key that was read here and written in the overlay after `version`. */
  findWrittenSince(overlay: Overlay, version: number): BinaryKey | undefined {
    if (overlay.newestVersion <= version) return undefined;
    for (const key of this.#keys) {
      const id = overlay.find(key);
      if (id !== undefined && overlay.newestVersionOf(id) > version) return key;
    }
    for (const range of this.#ranges) {
      const key = findWrittenInRange(overlay, range, version);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #checkCount(): void {
    const readCount = this.#keys.size + this.#ranges.length;
    if (readCount <= transactionReadCountMax) return;
    throw new JournalError(
      "store_limit_exceeded",
      `The transaction has read more than ${transactionReadCountMax} keys and ranges.`,
    );
  }
}

function findWrittenInRange(
  overlay: Overlay,
  range: SeenRange,
  version: number,
): BinaryKey | undefined {
  const cursor = overlay.seek(range.from);
  for (let { key } = cursor; key !== undefined; { key } = cursor) {
    if (range.to !== undefined && (range.toIncluded ? key > range.to : key >= range.to)) return;
    if (cursor.newestVersion > version) return key;
    cursor.movePast(key);
  }
  return undefined;
}
