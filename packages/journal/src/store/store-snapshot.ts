/** A moment of a store, kept for as long as it is open. */

import { JournalError } from "../journal-error.ts";
import { binaryKey } from "./binary-key.ts";
import {
  ownedEntry,
  rangeOf,
  type ScanOptions,
  type StoreEntry,
  type StoreReader,
} from "./reader.ts";
import type { VersionedMap } from "./versioned-map.ts";
import { type OpenView, readKey, scanRange } from "./view.ts";

export class StoreSnapshot implements StoreReader, Disposable {
  readonly #map: VersionedMap;
  readonly #view: OpenView;
  #closed = false;

  constructor(map: VersionedMap, view: OpenView) {
    this.#map = map;
    this.#view = view;
  }

  /** The newest commit that it shows. */
  get version(): number {
    return this.#view.version;
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#checkOpen();
    const found = readKey(this.#view, binaryKey(key));
    return found && Buffer.from(found.value);
  }

  *scan(options: ScanOptions = {}): Generator<StoreEntry, void, void> {
    this.#checkOpen();
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    for (const found of scanRange(this.#view, rangeOf(options))) {
      yield ownedEntry(found.key, found);
      this.#checkOpen();
      left -= 1;
      if (left <= 0) return;
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#map.closeView(this.#view);
  }

  #checkOpen(): void {
    if (this.#closed) throw new JournalError("journal_closed", "The snapshot was closed.");
  }
}
