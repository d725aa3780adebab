/**
 * What was written since the last compaction, in the order of the keys: a list of leaves, each a sorted array of the
 * numbers of keys. Two levels are enough, because an overlay is merged into the base before it grows large.
 */

import type { BinaryKey } from "./binary-key.ts";
import { EntryTable, type EntryVersion, type KeyId, noVersion } from "./entry-table.ts";
import { leafKeyCountMax, overlayEntryOverheadBytes } from "./limits.ts";
import { pruneVersions } from "./prune-versions.ts";

/** A sorted part of the keys. */
interface Leaf {
  readonly ids: Int32Array;
  count: number;
}

export class Overlay {
  readonly #table = new EntryTable();
  readonly #leaves: Leaf[] = [];
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

  find(key: BinaryKey): KeyId | undefined {
    const leaf = this.#leaves[this.#leafIndexOf(key)];
    if (leaf === undefined) return undefined;
    const slot = this.#lowerBound(leaf, key);
    if (slot === leaf.count) return undefined;
    const id = leaf.ids[slot];
    return id !== undefined && this.#table.compareKey(id, key) === 0 ? id : undefined;
  }

  keyAt(id: KeyId): BinaryKey {
    return this.#table.keyAt(id);
  }

  /** The newest version of a key that a reader at `version` may see. */
  entryAt(id: KeyId, version: number): EntryVersion | undefined {
    let found = this.#table.newestOf(id);
    while (found !== noVersion && this.#table.versionOf(found) > version) {
      found = this.#table.previousOf(found);
    }
    if (found === noVersion) return undefined;
    return {
      version: this.#table.versionOf(found),
      value: this.#table.valueOf(found),
      expiresAtMs: this.#table.expiresAtMsOf(found),
    };
  }

  /** The commit that last wrote a key. */
  newestVersionOf(id: KeyId): number {
    return this.#table.versionOf(this.#table.newestOf(id));
  }

  /** The commits that wrote a key and that somebody may still read, newest first. */
  versionsOf(id: KeyId): number[] {
    const versions: number[] = [];
    let versionId = this.#table.newestOf(id);
    for (; versionId !== noVersion; versionId = this.#table.previousOf(versionId)) {
      versions.push(this.#table.versionOf(versionId));
    }
    return versions;
  }

  /**
   * Puts a version on top of those of its key, and lets go of those that no reader can reach. Versions of a key arrive
   * in ascending order; `readVersions` are those that someone reads at, ascending, the last of them what everybody may
   * see from now on.
   */
  write(key: BinaryKey, entry: EntryVersion, readVersions: readonly number[]): void {
    this.#bytes += key.length + (entry.value?.byteLength ?? 0) + overlayEntryOverheadBytes;
    if (entry.version > this.#newestVersion) this.#newestVersion = entry.version;
    const id = this.find(key) ?? this.#insert(key);
    this.#table.push(id, entry);
    pruneVersions(this.#table, id, readVersions);
  }

  /** Takes a version back that was refused before anybody could read it. */
  revoke(key: BinaryKey, version: number): void {
    const id = this.find(key);
    if (id === undefined) return;
    const table = this.#table;
    let newer = noVersion;
    let found = table.newestOf(id);
    while (found !== noVersion && table.versionOf(found) !== version) {
      newer = found;
      found = table.previousOf(found);
    }
    if (found === noVersion) return;
    const previous = table.previousOf(found);
    if (newer !== noVersion) table.setPrevious(newer, previous);
    else if (previous !== noVersion) table.setNewest(id, previous);
    else this.#remove(key);
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
    let slot = this.#lowerBound(leaf, key);
    const id = slot < leaf.count ? leaf.ids[slot] : undefined;
    if (after && id !== undefined && this.#table.compareKey(id, key) === 0) slot += 1;
    return slot < leaf.count ? { leafIndex, slot } : { leafIndex: leafIndex + 1, slot: 0 };
  }

  /** The key at a place; `undefined` where there is none. */
  idAt(leafIndex: number, slot: number): KeyId | undefined {
    const leaf = this.#leaves[leafIndex];
    return leaf !== undefined && slot < leaf.count ? leaf.ids[slot] : undefined;
  }

  /** The last leaf whose first key is not greater than `key`, or the first one. */
  #leafIndexOf(key: BinaryKey): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const first = this.#leaves[middle]?.ids[0];
      if (first !== undefined && this.#table.compareKey(first, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #insert(key: BinaryKey): KeyId {
    this.#keyCount += 1;
    this.#structureChanges += 1;
    const id = this.#table.addKey(key);
    const leafIndex = this.#leafIndexOf(key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) {
      this.#leaves.push(leafOf(Int32Array.of(id)));
      return id;
    }
    const slot = this.#lowerBound(leaf, key);
    if (leaf.count < leafKeyCountMax) {
      this.#leaves[leafIndex] = inserted(leaf, slot, id);
      return id;
    }
    // Keys that arrive in order leave full leaves behind instead of halves.
    const ascending = leafIndex === this.#leaves.length - 1 && slot === leaf.count;
    const keep = ascending ? leaf.count : leaf.count >>> 1;
    const right = leafOf(leaf.ids.subarray(keep, leaf.count));
    leaf.count = keep;
    if (slot < keep || (slot === keep && !ascending)) {
      this.#leaves.splice(leafIndex, 1, inserted(leaf, slot, id), right);
    } else {
      this.#leaves.splice(leafIndex + 1, 0, inserted(right, slot - keep, id));
    }
    return id;
  }

  #remove(key: BinaryKey): void {
    const leafIndex = this.#leafIndexOf(key);
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined) return;
    const slot = this.#lowerBound(leaf, key);
    leaf.ids.copyWithin(slot, slot + 1, leaf.count);
    leaf.count -= 1;
    if (leaf.count === 0) this.#leaves.splice(leafIndex, 1);
    this.#keyCount -= 1;
    this.#structureChanges += 1;
  }

  /** The first slot of a leaf whose key is not less than `key`. */
  #lowerBound(leaf: Leaf, key: BinaryKey): number {
    let low = 0;
    let high = leaf.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const id = leaf.ids[middle];
      if (id !== undefined && this.#table.compareKey(id, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Walks the keys of an overlay, also while others are inserted. */
export class OverlayCursor {
  readonly #overlay: Overlay;
  #leafIndex = 0;
  #slot = 0;
  #structureSeen = 0;
  #id: KeyId | undefined;
  #key: BinaryKey | undefined;

  constructor(overlay: Overlay, from: BinaryKey) {
    this.#overlay = overlay;
    this.#place(from, false);
  }

  /** What the cursor stands at; `undefined` at the end. */
  get key(): BinaryKey | undefined {
    return this.#key;
  }

  /** What a reader at `version` may see of the key that the cursor stands at. */
  entryAt(version: number): EntryVersion | undefined {
    return this.#id === undefined ? undefined : this.#overlay.entryAt(this.#id, version);
  }

  /** The commit that last wrote the key that the cursor stands at. */
  get newestVersion(): number {
    return this.#id === undefined ? 0 : this.#overlay.newestVersionOf(this.#id);
  }

  /** Goes to the first key greater than `key`. The cursor stood at or after `key`. */
  movePast(key: BinaryKey): void {
    if (this.#structureSeen !== this.#overlay.structureChanges) {
      this.#place(key, true);
      return;
    }
    if (this.#key !== key) return;
    this.#slot += 1;
    if (this.#overlay.idAt(this.#leafIndex, this.#slot) === undefined) {
      this.#leafIndex += 1;
      this.#slot = 0;
    }
    this.#read();
  }

  #place(key: BinaryKey, after: boolean): void {
    const { leafIndex, slot } = this.#overlay.locate(key, after);
    this.#leafIndex = leafIndex;
    this.#slot = slot;
    this.#structureSeen = this.#overlay.structureChanges;
    this.#read();
  }

  #read(): void {
    this.#id = this.#overlay.idAt(this.#leafIndex, this.#slot);
    this.#key = this.#id === undefined ? undefined : this.#overlay.keyAt(this.#id);
  }
}

/** A leaf of its own with room to grow; a transaction of a few keys takes little. */
function leafOf(ids: Int32Array): Leaf {
  const capacity = Math.min(leafKeyCountMax, Math.max(4, ids.length * 2));
  const leaf = { ids: new Int32Array(Math.max(capacity, ids.length)), count: ids.length };
  leaf.ids.set(ids);
  return leaf;
}

/** The leaf with one key more, in a larger array when it has no room. */
function inserted(leaf: Leaf, slot: number, id: KeyId): Leaf {
  const target = leaf.count < leaf.ids.length ? leaf : leafOf(leaf.ids.subarray(0, leaf.count));
  target.ids.copyWithin(slot + 1, slot, target.count);
  target.ids[slot] = id;
  target.count += 1;
  return target;
}
