/** Places in the code, by the functions that lead to them. */

import { traceLimits } from "./limits.ts";
import { stableName } from "./name-operation.ts";

/**
 * The functions between the entry of a unit of work and a place below it. The trails of a snapshot are one tree, because
 * requests of one kind take the same ways: each text is made once, and whoever compares places compares the same text.
 */
export class Trail {
  readonly #text: string;
  readonly #budget: { left: number };
  readonly #below = new Map<string, Trail>();
  readonly #places = new Map<string, string>();

  /** Without a text: where units begin. */
  constructor(text = "", budget: { left: number } = { left: traceLimits.trailTextsMax }) {
    this.#text = text;
    this.#budget = budget;
  }

  /** The trail that goes on through a function, by the name of its span. */
  below(name: string): Trail {
    const known = this.#below.get(name);
    if (known !== undefined) return known;
    const made = new Trail(`${this.#text}>${stableName(name)}`, this.#budget);
    if (this.#mayRemember()) this.#below.set(name, made);
    return made;
  }

  /** The place of a call with this identity: the same call from another function is another place in the code. */
  placeOf(identity: string): string {
    if (this.#text === "") return identity;
    const known = this.#places.get(identity);
    if (known !== undefined) return known;
    const made = `${identity}\n${this.#text}`;
    if (this.#mayRemember()) this.#places.set(identity, made);
    return made;
  }

  #mayRemember(): boolean {
    this.#budget.left -= 1;
    return this.#budget.left >= 0;
  }
}
