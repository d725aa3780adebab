/** The plain values in a value of JSON, each with the names that lead to it. */

import { isFields } from "../model/fields.ts";

export interface Leaf {
  /** JSON pointer in which the place in a list is `*`. */
  readonly pointer: string;
  /** The name of the field that holds it or the list around it. */
  readonly name: string;
  readonly value: string | number | boolean | null;
}

/** Limits of one walk. */
const leafCountMax = 20_000;
const depthMax = 60;

/** The leaves in the order in which they stand. */
export function leavesOf(root: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (value: unknown, at: { pointer: string; name: string; depth: number }): void => {
    if (leaves.length >= leafCountMax || at.depth > depthMax) return;
    if (Array.isArray(value)) {
      for (const item of value)
        walk(item, { ...at, pointer: `${at.pointer}/*`, depth: at.depth + 1 });
    } else if (isFields(value)) {
      for (const [name, field] of Object.entries(value)) {
        walk(field, { pointer: `${at.pointer}/${name.slice(0, 64)}`, name, depth: at.depth + 1 });
      }
    } else if (
      value === null ||
      typeof value === "string" ||
      typeof value === "number" ||
      typeof value === "boolean"
    ) {
      leaves.push({ pointer: at.pointer, name: at.name, value });
    }
  };
  walk(root, { pointer: "", name: "", depth: 0 });
  return leaves;
}
