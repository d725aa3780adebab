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
export type Slots = ReadonlyMap<string, number>;

/** What stands in a container under a key; `undefined` where nothing does. */
export function itemOf(container: unknown, key: unknown): unknown {
  if (Array.isArray(container)) {
    const index = typeof key === "bigint" || typeof key === "number" ? Number(key) : Number.NaN;
    return Number.isInteger(index) ? container[index] : undefined;
  }
  if (container instanceof Map) return container.get(key);
  if (typeof container !== "object" || container === null) return undefined;
  const name = String(key);
  // What an object inherits is no part of the evidence.
  return Object.hasOwn(container, name) ? Reflect.get(container, name) : undefined;
}
