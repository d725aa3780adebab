/**
 * What was written since the last compaction, in the order of the keys: a list of leaves, each a sorted array. Two
 * levels are enough, because an overlay is merged into the base before it grows large.
 */

import type { BinaryKey } from "./binary-key.ts";
import type { EntryVersion, VersionChain } from "./entry-version.ts";
import { leafKeyCountMax, overlayEntryOverheadBytes } from "./limits.ts";

export class Overlay {
  readonly #leaves: VersionChain[][] = [];
  #bytes = 0;
  #keyCount = 0;
  #newestVersion = 0;
  #structureChanges = 0;

  /** What the entries were estimated to take when they were written. */
  get bytes(): number {
    return this.#bytes;
  }

  get keyCount(): number {
    return this.#keyCount;
  }

  /** The newest version that was ever written here; 0 when there is none. */
  get newestVersion(): number {
    return this.#newestVersion;
  }

  /** Counts insertions and removals of keys; a cursor finds its place again when it has changed. */
  get structureChanges(): number {
    return this.#structureChanges;
  }

  find(key: BinaryKey): VersionChain | undefined {
    const leaf = this.#leaves[this.#leafIndexOf(key)];
    const chain = leaf?.[lowerBound(leaf, key)];
    return chain?.key === key ? chain : undefined;
  }

  /** Puts a version on top of its key's chain, and returns the chain. Versions of a key arrive in ascending order. */
  write(key: BinaryKey, entry: Omit<EntryVersion, "previous">): VersionChain {
    this.#bytes += key.length + (entry.value?.byteLength ?? 0) + overlayEntryOverheadBytes;
    if (entry.version > this.#newestVersion) this.#newestVersion = entry.version;
    const { version, value, expiresAtMs } = entry;
    const chain = this.find(key);
    if (chain !== undefined) {
      chain.newest = { version, value, expiresAtMs, previous: chain.newest };
      return chain;
    }
    return this.#insert({ key, newest: { version, value, expiresAtMs, previous: undefined } });
  }

  /** Takes a version back that was refused before anybody could read it. */
  revoke(key: BinaryKey, version: number): void {
    const chain = this.find(key);
    if (chain === undefined) return;
    if (chain.newest.version === version) {
      if (chain.newest.previous === undefined) this.#remove(key);
      else chain.newest = chain.newest.previous;
      return;
    }
    for (let entry = chain.newest; entry.previous !== undefined; entry = entry.previous) {
      if (entry.previous.version !== version) continue;
      entry.previous = entry.previous.previous;
      return;
    }
  }

  /** A cursor at the first key that is not less than `from`. */
  seek(from: BinaryKey): OverlayCursor {
    return new OverlayCursor(this, from);
  }

  /** Where the first key stands that is not less than `key` (or greater, when `after`). */
  locate(key: BinaryKey, after: boolean): { leafIndex: number; slot: number } {
    const leafIndex = this.#leafIndexOf(key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) return { leafIndex: 0, slot: 0 };
    let slot = lowerBound(leaf, key);
    if (after && leaf[slot]?.key === key) slot += 1;
    return slot < leaf.length ? { leafIndex, slot } : { leafIndex: leafIndex + 1, slot: 0 };
  }

  leafAt(leafIndex: number): readonly VersionChain[] | undefined {
    return this.#leaves[leafIndex];
  }

  /** The last leaf whose first key is not greater than `key`, or the first one. */
  #leafIndexOf(key: BinaryKey): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const first = this.#leaves[middle]?.[0];
      if (first !== undefined && first.key <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #insert(chain: VersionChain): VersionChain {
    this.#keyCount += 1;
    this.#structureChanges += 1;
    const leafIndex = this.#leafIndexOf(chain.key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) {
      this.#leaves.push([chain]);
      return chain;
    }
    leaf.splice(lowerBound(leaf, chain.key), 0, chain);
    if (leaf.length > leafKeyCountMax) {
      // Keys that arrive in order leave full leaves behind instead of halves.
      const ascending = leafIndex === this.#leaves.length - 1 && leaf.at(-1) === chain;
      const keep = ascending ? leaf.length - 1 : leaf.length >>> 1;
      this.#leaves.splice(leafIndex + 1, 0, leaf.splice(keep));
    }
    return chain;
  }

  #remove(key: BinaryKey): void {
    const leafIndex = this.#leafIndexOf(key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) return;
    leaf.splice(lowerBound(leaf, key), 1);
    if (leaf.length === 0) this.#leaves.splice(leafIndex, 1);
    this.#keyCount -= 1;
    this.#structureChanges += 1;
  }
}

/** Walks the keys of an overlay, also while others are inserted. */
export class OverlayCursor {
  readonly #overlay: Overlay;
  #leafIndex = 0;
  #slot = 0;
  #structureSeen = 0;

  constructor(overlay: Overlay, from: BinaryKey) {
    this.#overlay = overlay;
    this.#place(from, false);
  }

  /** What the cursor stands at; `undefined` at the end. */
  get chain(): VersionChain | undefined {
    return this.#overlay.leafAt(this.#leafIndex)?.[this.#slot];
  }

  get key(): BinaryKey | undefined {
    return this.chain?.key;
  }

  /** Goes to the first key greater than `key`. The cursor stood at or after `key`. */
  movePast(key: BinaryKey): void {
    if (this.#structureSeen !== this.#overlay.structureChanges) {
      this.#place(key, true);
      return;
    }
    if (this.key !== key) return;
    this.#slot += 1;
    if (this.#slot < (this.#overlay.leafAt(this.#leafIndex)?.length ?? 0)) return;
    this.#leafIndex += 1;
    this.#slot = 0;
  }

  #place(key: BinaryKey, after: boolean): void {
    const { leafIndex, slot } = this.#overlay.locate(key, after);
    this.#leafIndex = leafIndex;
    this.#slot = slot;
    this.#structureSeen = this.#overlay.structureChanges;
  }
}

/** The first slot of a leaf whose key is not less than `key`. */
function lowerBound(leaf: readonly VersionChain[], key: BinaryKey): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const chain = leaf[middle];
    if (chain !== undefined && chain.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
