/** A base while a merge replaces it from its beginning on, so that old and new are never in memory side by side. */

import { Base } from "./base.ts";
import type { BaseStep } from "./base-history.ts";
import type { Block } from "./block.ts";

/** A merge goes on in at most about this many steps, so that what waits for the next one is a small part of the base. */
const stepCountMax = 64;

export class MergedBase {
  readonly #old: Base;
  readonly #merged: Block[] = [];
  /** How many merged blocks the last step had. */
  #mergedBefore = 0;
  /** How many blocks of the old base have no place any more. */
  #oldBefore = 0;
  readonly #stepBlockCount: number;

  constructor(old: Base) {
    this.#old = old;
    this.#stepBlockCount = Math.ceil((old.blocks.length + 1) / stepCountMax);
  }

  /** Whether enough was merged since the last step. */
  get isStepDue(): boolean {
    return this.#merged.length - this.#mergedBefore >= this.#stepBlockCount;
  }

  /** Adds the next block; it may be one of the old base that is taken over. */
  add(block: Block): void {
    this.#merged.push(block);
  }

  /** What was merged so far, and behind it what is left of the old base. */
  step(): BaseStep {
    const lastKey = this.#merged.at(-1)?.lastKey;
    if (lastKey === undefined) return { base: this.#old, added: [], replaced: [] };
    const { blocks } = this.#old;
    let index = this.#old.blockIndexOf(lastKey);
    if (blocks[index]?.lastKey === lastKey) index += 1;
    // The merge may stand in the middle of a block.
    const left = blocks.slice(index);
    if (left[0] !== undefined) left[0] = left[0].after(lastKey);
    return this.#stepTo(left, index);
  }

  /** The outcome of the whole merge. */
  finish(): BaseStep {
    return this.#stepTo([], this.#old.blocks.length);
  }

  #stepTo(left: readonly Block[], oldCount: number): BaseStep {
    const added = new Set(this.#merged.slice(this.#mergedBefore).map(({ memory }) => memory));
    const replaced = this.#old.blocks
      .slice(this.#oldBefore, oldCount)
      .map(({ memory }) => memory)
      // What is taken over is on both sides.
      .filter((memory) => !added.delete(memory));
    this.#mergedBefore = this.#merged.length;
    this.#oldBefore = oldCount;
    return { base: new Base([...this.#merged, ...left]), added: [...added], replaced };
  }
}
