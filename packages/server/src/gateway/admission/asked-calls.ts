/**
 * Calls that the control process was asked about, by the numbers of their asks. A `Map` of them would be made anew every
 * few answers, and each old table would keep calls that have ended, and the next table, alive until the next full collection.
 */

import { assert } from "#kernel/index.ts";

interface Asked<Call> {
  readonly askId: number;
  readonly call: Call;
}

export class AskedCalls<Call> {
  readonly #countMax: number;
  /** By the remainders of their numbers. */
  readonly #slots: (Asked<Call> | undefined)[] = [];
  #count = 0;
  #nextId = 1;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#count;
  }

  /** Gives the number of its ask. There must be room. */
  add(call: Call): number {
    assert(this.#count < this.#countMax, "there is room for one more ask");
    let askId = this.#nextId;
    // Who waits long for an answer keeps its place.
    while (this.#slots[askId % this.#countMax] !== undefined) askId += 1;
    this.#slots[askId % this.#countMax] = { askId, call };
    this.#count += 1;
    this.#nextId = askId + 1;
    return askId;
  }

  get(askId: number): Call | undefined {
    const asked = this.#slots[askId % this.#countMax];
    return asked?.askId === askId ? asked.call : undefined;
  }

  remove(askId: number): void {
    if (this.get(askId) === undefined) return;
    this.#slots[askId % this.#countMax] = undefined;
    this.#count -= 1;
  }

  /** Calls `visit` for each, in no order that means anything. */
  each(visit: (call: Call) => void): void {
    if (this.#count === 0) return;
    for (const asked of this.#slots) if (asked !== undefined) visit(asked.call);
  }
}
