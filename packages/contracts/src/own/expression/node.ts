/** Compiled nodes of expressions, and what they run in. */

import type { Steps } from "./steps.ts";

/** What an expression is evaluated in: the values of its variables, and the steps that are left. */
export interface Scope {
  readonly values: unknown[];
  readonly steps: Steps;
}

/** A compiled node: gives a value or a `Fault`. Throws `StepsUsedUp`. */
export type Node = (scope: Scope) => unknown;

/** Names of variables and where their values lie. */
export class Slots {
  readonly #slots: ReadonlyMap<string, number>;
  /** Where the next variable lies. It is never counted from the names, since one name may hide another. */
  readonly next: number;

  private constructor(slots: ReadonlyMap<string, number>, next: number) {
    this.#slots = slots;
    this.next = next;
  }

  static of(names: readonly string[]): Slots {
    return new Slots(new Map(names.map((name, index) => [name, index])), names.length);
  }

  get(name: string): number | undefined {
    return this.#slots.get(name);
  }

  /** These, and one more at `next`, which hides an outer one of the same name. */
  with(name: string): Slots {
    return new Slots(new Map([...this.#slots, [name, this.next]]), this.next + 1);
  }
}
