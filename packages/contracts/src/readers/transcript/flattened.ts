/** Lists that were flattened into attributes, one for each leaf. */

import { isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";

/** Indices of messages, calls and tools in flat attributes that are read. */
const indexMax = 10_000;

/** The items under `prefix0.`, `prefix1.` and so on, each with its own fields nested again. */
export function unflattened(attributes: Attributes, prefix: string): readonly unknown[] {
  return unflattenedAt(attributes, prefix).map(([, item]) => item);
}

/** The same, each with its number. */
export function unflattenedAt(
  attributes: Attributes,
  prefix: string,
): readonly (readonly [number, unknown])[] {
  const items = new Map<number, Record<string, unknown>>();
  for (const [name, value] of Object.entries(attributes)) {
    if (!name.startsWith(prefix)) continue;
    const path = name.slice(prefix.length).split(".");
    const index = Number(path[0]);
    if (!Number.isInteger(index) || index < 0 || index > indexMax || path.length > 20) continue;
    const item = items.get(index) ?? {};
    items.set(index, item);
    place(item, path.slice(1), value);
  }
  return [...items].sort(([left], [right]) => left - right);
}

function place(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const [depth, name] of path.entries()) {
    if (name === "__proto__") return;
    if (depth === path.length - 1) {
      at[name] = value;
      return;
    }
    const next = at[name];
    // An object that was made here, or nothing yet.
    const inner: Record<string, unknown> = isFields(next) ? { ...next } : {};
    at[name] = inner;
    at = inner;
  }
}

/** The items of a list, also of one that was flattened into fields with numbers for names. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isFields(value)) return [];
  return Object.entries(value)
    .filter(([name]) => /^\d{1,5}$/.test(name))
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, item]) => item);
}
