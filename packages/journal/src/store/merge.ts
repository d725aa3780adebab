/**
 * Merges sealed overlays into a new base, block by block. Each block is handed on before the next one is begun, so
 * that the event loop has its turn between them; blocks that nothing has touched are taken over as they are.
 */

import type { BaseCursor } from "./base.ts";
import { type BinaryKey, leastKey } from "./binary-key.ts";
import type { Block } from "./block.ts";
import { BlockBuilder } from "./block-builder.ts";
import { entryByteLength } from "./entry-codec.ts";
import type { EntryVersion } from "./entry-version.ts";
import type { OverlayCursor } from "./overlay.ts";
import type { SealedContent } from "./versioned-map.ts";
import { leastKeyOf } from "./view.ts";

/** Entries that one slice may look at when so many of them are gone that no block gets full. */
const sliceEntryCountMax = 1_024;

/** Where the outcome goes; both calls give the event loop a turn. */
export interface MergeSink {
  write(block: Block): Promise<void>;
  pause(): Promise<void>;
}

export interface MergeOptions {
  readonly nowMs: number;
  readonly blockBytes: number;
  readonly signal: AbortSignal;
}

/** Hands on the blocks of all live entries in the order of their keys, without what expires at or before `nowMs`. */
export async function mergeSealed(
  content: SealedContent,
  sink: MergeSink,
  { nowMs, blockBytes, signal }: MergeOptions,
): Promise<void> {
  const merge = new Merge(content, { nowMs, blockBytes });
  while (!merge.isDone) {
    signal.throwIfAborted();
    const blocks = merge.slice();
    for (const block of blocks) await sink.write(block);
    if (blocks.length === 0) await sink.pause();
  }
}

class Merge {
  readonly #nowMs: number;
  readonly #overlays: readonly OverlayCursor[];
  readonly #base: BaseCursor;
  readonly #builder: BlockBuilder;
  /** A block smaller than this is merged with its neighbours. */
  readonly #blockBytesMin: number;
  isDone = false;

  constructor(
    { overlays, base }: SealedContent,
    { nowMs, blockBytes }: Omit<MergeOptions, "signal">,
  ) {
    this.#nowMs = nowMs;
    this.#builder = new BlockBuilder(blockBytes);
    this.#blockBytesMin = blockBytes / 2;
    this.#overlays = overlays.map((overlay) => overlay.seek(leastKey));
    this.#base = base.seek(leastKey);
  }

  /** Goes on until a block is full, or for a bounded number of entries. */
  slice(): Block[] {
    for (let count = 0; count < sliceEntryCountMax; count += 1) {
      const overlayKey = leastKeyOf(this.#overlays, undefined);
      const untouched = this.#untouchedBlock(overlayKey);
      if (untouched !== undefined) {
        this.#base.skipBlock();
        const built = this.#builder.take();
        return built === undefined ? [untouched] : [built, untouched];
      }
      const key = leastKeyOf(this.#overlays, this.#base.key);
      if (key === undefined) {
        this.isDone = true;
        const built = this.#builder.take();
        return built === undefined ? [] : [built];
      }
      const full = key === overlayKey ? this.#addFromOverlay(key) : this.#addFromBase();
      for (const cursor of this.#overlays) cursor.movePast(key);
      this.#base.movePast(key);
      if (full !== undefined) return [full];
    }
    return [];
  }

  /** The block that the base stands at, when it can be taken over whole. */
  #untouchedBlock(overlayKey: BinaryKey | undefined): Block | undefined {
    const block = this.#base.wholeBlock;
    if (block === undefined || block.bytes.byteLength < this.#blockBytesMin) return undefined;
    if (overlayKey !== undefined && overlayKey <= block.lastKey) return undefined;
    if (block.expiresAtMsMin <= this.#nowMs) return undefined;
    const { byteLength } = this.#builder;
    return byteLength === 0 || byteLength >= this.#blockBytesMin ? block : undefined;
  }

  /** Adds what the overlays say of a key; gives the block before it when that is full. */
  #addFromOverlay(key: BinaryKey): Block | undefined {
    const entry = newestOf(this.#overlays, key);
    if (entry?.value === undefined || entry.expiresAtMs <= this.#nowMs) return undefined;
    const write = { key, value: entry.value, expiresAtMs: entry.expiresAtMs };
    const full = this.#takeIfFull(entryByteLength(write));
    this.#builder.addWrite(write);
    return full;
  }

  #addFromBase(): Block | undefined {
    const { entry, bytes } = this.#base;
    if (entry === undefined || bytes === undefined) return undefined;
    if (entry.expiresAtMs <= this.#nowMs) return undefined;
    const full = this.#takeIfFull(entry.end - entry.start);
    this.#builder.addEntry(bytes, entry);
    return full;
  }

  #takeIfFull(entryBytes: number): Block | undefined {
    return this.#builder.isFullFor(entryBytes) ? this.#builder.take() : undefined;
  }
}

/** All versions in sealed overlays are merged, so the newest one of the newest overlay counts. */
function newestOf(overlays: readonly OverlayCursor[], key: BinaryKey): EntryVersion | undefined {
  return overlays.find((cursor) => cursor.key === key)?.chain?.newest;
}
