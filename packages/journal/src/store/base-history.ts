/**
 * The base that counts, and those before it that open views still read. The memory of a block is given back as soon as
 * no view can reach it, not when garbage is collected: a compaction that left its old blocks to the collector would
 * make it run again and again, each time holding up everybody.
 */

import type { Base } from "./base.ts";
import type { BlockMemory } from "./block-memory.ts";

/** What goes on from one base to the next. */
export interface BaseStep {
  readonly base: Base;
  /** Memory that the base before did not have. */
  readonly added: readonly BlockMemory[];
  /** Memory of the base before that this one does not have. */
  readonly replaced: readonly BlockMemory[];
}

/** A base that somebody reads. */
interface ReadGeneration {
  readonly generation: number;
  viewCount: number;
  /** Memory of which this is the newest generation that is read. */
  readonly pinned: BlockMemory[];
}

export class BaseHistory {
  #current: Base;
  /** Counts the bases that there were. */
  #generation = 0;
  /** Ascending. */
  readonly #read: ReadGeneration[] = [];
  #pinnedBytes = 0;

  constructor(base: Base) {
    this.#current = base;
  }

  get current(): Base {
    return this.#current;
  }

  /** What only open views still hold. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Keeps the current base readable until `close` is called with the generation that this gives. */
  open(): number {
    const newest = this.#read.at(-1);
    if (newest?.generation === this.#generation) newest.viewCount += 1;
    else this.#read.push({ generation: this.#generation, viewCount: 1, pinned: [] });
    return this.#generation;
  }

  /** Ends what `open` began. */
  close(generation: number): void {
    const index = this.#read.findLastIndex((read) => read.generation === generation);
    const read = this.#read[index];
    if (read === undefined) return;
    read.viewCount -= 1;
    if (read.viewCount > 0) return;
    this.#read.splice(index, 1);
    for (const memory of read.pinned) {
      this.#pinnedBytes -= memory.byteLength;
      this.#release(memory, index - 1);
    }
  }

  /** Goes on with the next base. Who reads outside an open view must not keep what it has found in the one before. */
  replace({ base, added, replaced }: BaseStep): void {
    this.#current = base;
    this.#generation += 1;
    for (const memory of added) memory.firstGeneration = this.#generation;
    for (const memory of replaced) this.#release(memory, this.#read.length - 1);
  }

  /** Gives memory back, or leaves it with the newest generation that is read and has it, up to the one at `newest`. */
  #release(memory: BlockMemory, newest: number): void {
    const read = this.#read[newest];
    if (read === undefined || read.generation < memory.firstGeneration) {
      memory.release();
      return;
    }
    read.pinned.push(memory);
    this.#pinnedBytes += memory.byteLength;
  }
}
