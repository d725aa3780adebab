/** A transaction: reads one moment of the store, keeps its writes to itself, and remembers what it has read. */

import { JournalError } from "../journal-error.ts";
import { type BinaryKey, binaryKey } from "./binary-key.ts";
import type { EntryWrite } from "./entry-codec.ts";
import { Overlay } from "./overlay.ts";
import { ReadSet } from "./read-set.ts";
import {
  ownedEntry,
  rangeOf,
  type ScanOptions,
  type StoreEntry,
  type StoreReader,
} from "./reader.ts";
import { readKey, scanRange, type View } from "./view.ts";
import { commitOf, ownedWrite, type StoreWrite } from "./write.ts";

/** What the work of a transaction may do. It sees its own writes; nobody else does before it commits. */
export interface StoreTransaction extends StoreReader {
  put(key: Uint8Array, value: Uint8Array, options?: { readonly expiresAtMs?: number }): void;
  delete(key: Uint8Array): void;
}

/** How a transaction ended: in full, or not at all because something it had read was written meanwhile. */
export type TransactOutcome<T> =
  | { readonly kind: "committed"; readonly result: T; readonly version: number }
  | { readonly kind: "conflict"; readonly key: Buffer; readonly attemptCount: number };

export class OpenTransaction implements StoreTransaction {
  /** What it has read of others; its own writes are no reads. */
  readonly reads = new ReadSet();
  readonly #view: View;
  /** Its writes lie above the view, as if written at the version that it reads. */
  readonly #overlay = new Overlay();
  readonly #writes = new Map<BinaryKey, EntryWrite>();
  readonly #ownView: View;
  #closed = false;

  constructor(view: View) {
    this.#view = view;
    this.#ownView = { ...view, overlays: [this.#overlay, ...view.overlays] };
  }

  get(bytes: Uint8Array): Buffer | undefined {
    this.#checkOpen();
    const key = binaryKey(bytes);
    if (!this.#writes.has(key)) this.reads.addKey(key);
    const found = readKey(this.#ownView, key);
    return found && Buffer.from(found.value);
  }

  *scan(options: ScanOptions = {}): Generator<StoreEntry, void, void> {
    this.#checkOpen();
    const range = rangeOf(options);
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    const seen = this.reads.addRange(range.from);
    for (const found of scanRange(this.#ownView, range)) {
      seen.to = found.key;
      seen.toIncluded = true;
      yield ownedEntry(found.key, found);
      this.#checkOpen();
      left -= 1;
      if (left <= 0) return;
    }
    seen.to = range.to;
    seen.toIncluded = false;
  }

  put(key: Uint8Array, value: Uint8Array, options: { readonly expiresAtMs?: number } = {}): void {
    this.#write({ kind: "put", key, value, ...options });
  }

  delete(key: Uint8Array): void {
    this.#write({ kind: "delete", key });
  }

  /** Ends the work and returns what it wrote. */
  end(): EntryWrite[] {
    this.#closed = true;
    return commitOf(this.#writes.values());
  }

  #write(write: StoreWrite): void {
    this.#checkOpen();
    const { key, value, expiresAtMs } = ownedWrite(write);
    this.#writes.set(key, { key, value, expiresAtMs });
    const { version } = this.#view;
    // It reads its own latest write alone.
    this.#overlay.write(key, { version, value, expiresAtMs }, [version]);
  }

  #checkOpen(): void {
    if (this.#closed) throw new JournalError("journal_closed", "The transaction has ended.");
  }
}
