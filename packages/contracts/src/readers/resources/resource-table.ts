/** Gathers what a process holds into things of one kind. */

import type { HeldResource, ResourcesContent } from "../../model/resources.ts";
import { compareText } from "../../text/compare-text.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";

/** Different kinds, targets and states of one listing. */
const kindCountMax = 100_000;

export class ResourceTable {
  readonly #held = new Map<string, HeldResource>();

  /** Adds things of one kind; `bytes` are those of all of them together. */
  add(thing: Omit<HeldResource, "count">, count = 1): void {
    const { type, target = "", state = "" } = thing;
    const key = `${type}\n${target}\n${state}`;
    const known = this.#held.get(key);
    if (known !== undefined) {
      known.count += count;
      if (thing.bytes !== undefined) known.bytes = (known.bytes ?? 0) + thing.bytes;
      return;
    }
    if (this.#held.size >= kindCountMax) {
      throw new EvidenceError(`The listing has more than ${kindCountMax} different things.`, {
        expected: `at most ${kindCountMax} different things`,
      });
    }
    const made: HeldResource = { type: cutText(type.toWellFormed(), 256), count };
    if (target !== "") made.target = cutText(target.toWellFormed(), 512);
    if (state !== "") made.state = cutText(state.toWellFormed(), 64);
    if (thing.bytes !== undefined) made.bytes = thing.bytes;
    this.#held.set(key, made);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** The things in one order, whatever the order in which they came. */
  held(): ResourcesContent["held"] {
    return [...this.#held]
      .sort(([left], [right]) => compareText(left, right))
      .map(([, thing]) => thing);
  }
}
