/**
 * Merges sealed overlays into the base, in slices of a fraction of a millisecond. Blocks that nothing has touched are
 * taken over as they are.
 */

import type { BaseCursor } from "./base.ts";
import type { BaseStep } from "./base-history.ts";
import { type BinaryKey, leastKey } from "./binary-key.ts";
import type { Block } from "./block.ts";
import { BlockBuilder, type EntryRun } from "./block-builder.ts";
import { entryByteLength } from "./entry-codec.ts";
import type { EntryVersion } from "./entry-table.ts";
import { MergedBase } from "./merged-base.ts";
import type { OverlayCursor } from "./overlay.ts";
import type { Pace } from "./pace.ts";
import type { SealedContent } from "./versioned-map.ts";
import { leastKeyOf } from "./view.ts";

/** Steps of one slice, each a key of an overlay or a run of a block: a fraction of a millisecond. */
const sliceStepCountMax = 32;

/** Where the outcome goes. */
export interface MergeSink {
  /** Takes the next block. */
  write(block: Block): Promise<void>;
  /** Is told from time to time, and at the end, how far the base is merged. */
  advance(step: BaseStep): void;
}

export interface MergeOptions {
  readonly nowMs: number;
  readonly blockBytes: number;
  readonly pace: Pick<Pace, "rest">;
  readonly signal: AbortSignal;
}

/** Hands on the blocks of all live entries in the order of their keys, without what expires at or before `nowMs`. */
export async function mergeSealed(
  content: SealedContent,
  sink: MergeSink,
  { nowMs, blockBytes, pace, signal }: MergeOptions,
): Promise<void> {
  const merge = new Merge(content, { nowMs, blockBytes });
  const merged = new MergedBase(content.base);
  while (!merge.isDone) {
    signal.throwIfAborted();
    for (const block of merge.slice()) {
      await sink.write(block);
      merged.add(block);
    }
    if (!merge.isDone && merged.isStepDue) sink.advance(merged.step());
    await pace.rest(signal);
  }
  sink.advance(merged.finish());
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
    { nowMs, blockBytes }: Pick<MergeOptions, "nowMs" | "blockBytes">,
  ) {
    this.#nowMs = nowMs;
    this.#builder = new BlockBuilder(blockBytes);
    this.#blockBytesMin = blockBytes / 2;
    this.#overlays = overlays.map((overlay) => overlay.seek(leastKey));
    this.#base = base.seek(leastKey);
  }

  /** Goes on until a block is full, or for a bounded number of steps. */
  slice(): Block[] {
    for (let step = 0; step < sliceStepCountMax; step += 1) {
      const overlayKey = leastKeyOf(this.#overlays, undefined);
      const baseKey = this.#base.key;
      if (overlayKey === undefined && baseKey === undefined) {
        this.isDone = true;
        return this.#take();
      }
      const untouched = this.#untouchedBlock(overlayKey);
      if (untouched !== undefined) {
        this.#base.skipBlock();
        return [...this.#take(), untouched];
      }
      const full =
        overlayKey === undefined || (baseKey !== undefined && baseKey < overlayKey)
          ? this.#addFromBase(overlayKey)
          : this.#addFromOverlay(overlayKey);
      if (full.length > 0) return full;
    }
    return [];
  }

  /** The block that the base stands at the start of, when it can be taken over whole. */
  #untouchedBlock(overlayKey: BinaryKey | undefined): Block | undefined {
    const { block } = this.#base;
    // The rest of a block whose beginning is merged already stands in no bytes of its own.
    if (block === undefined || this.#base.slot > 0 || block.offsetAt(0) > 0) return undefined;
    if (block.bytes.byteLength < this.#blockBytesMin) return undefined;
    if (overlayKey !== undefined && overlayKey <= block.lastKey) return undefined;
    if (block.expiresAtMsMin <= this.#nowMs) return undefined;
    const { byteLength } = this.#builder;
    return byteLength === 0 || byteLength >= this.#blockBytesMin ? block : undefined;
  }

  /** Adds what the overlays say of a key in place of what the base says; gives the block before it when that is full. */
  #addFromOverlay(key: BinaryKey): Block[] {
    const entry = newestOf(this.#overlays, key);
    for (const cursor of this.#overlays) cursor.movePast(key);
    this.#base.movePast(key);
    if (entry?.value === undefined || entry.expiresAtMs <= this.#nowMs) return [];
    const write = { key, value: entry.value, expiresAtMs: entry.expiresAtMs };
    const full = this.#builder.isFullFor(entryByteLength(write)) ? this.#take() : [];
    this.#builder.addWrite(write);
    return full;
  }

  /** Adds what the base holds up to the next key of the overlays, as far as one block and its entries go together. */
  #addFromBase(overlayKey: BinaryKey | undefined): Block[] {
    const { block, slot } = this.#base;
    if (block === undefined) return [];
    const end = overlayKey === undefined ? block.entryCount : block.lowerBound(overlayKey);
    if (block.expiresAtMsMin > this.#nowMs) {
      // The bound of the whole block may be too early for the run; when it has passed, the run is looked at.
      return this.#addRun(block, { start: slot, end, expiresAtMsMin: block.expiresAtMsMin });
    }
    return this.#addLive(block, slot, end);
  }

  /** Something in the block has expired, so its entries are looked at one by one: adds those up to the next gone one. */
  #addLive(block: Block, start: number, end: number): Block[] {
    let slot = start;
    let expiresAtMsMin = Infinity;
    for (; slot < end; slot += 1) {
      const { expiresAtMs } = block.entryAt(slot);
      if (expiresAtMs <= this.#nowMs) break;
      expiresAtMsMin = Math.min(expiresAtMsMin, expiresAtMs);
    }
    if (slot > start) return this.#addRun(block, { start, end: slot, expiresAtMsMin });
    while (slot < end && block.entryAt(slot).expiresAtMs <= this.#nowMs) slot += 1;
    this.#base.moveTo(slot);
    return [];
  }

  #addRun(block: Block, run: EntryRun): Block[] {
    const next = this.#builder.addRun(block, run);
    this.#base.moveTo(next);
    return next < run.end ? this.#take() : [];
  }

  #take(): Block[] {
    const block = this.#builder.take();
    return block === undefined ? [] : [block];
  }
}

/** All versions in sealed overlays are merged, so the newest one of the newest overlay counts. */
function newestOf(overlays: readonly OverlayCursor[], key: BinaryKey): EntryVersion | undefined {
  return overlays.find((cursor) => cursor.key === key)?.entryAt(Infinity);
}
