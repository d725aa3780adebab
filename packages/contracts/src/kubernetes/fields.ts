/** Reads untyped API objects: a field of another type than the API's counts as absent. */

import { type Fields, isFields } from "../model/fields.ts";

/** What is not there, once: of many thousand objects most fields are absent. */
const noFields: Fields = Object.freeze({});
const noItems: readonly unknown[] = Object.freeze([]);
const noTexts: ReadonlyMap<string, string> = new Map();

/** The object at a path, or an empty one. */
export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  const found = valueAt(value, path);
  return isFields(found) ? found : noFields;
}

/** The array at a path, or an empty one. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : noItems;
}

/** The text at a path. Numbers and booleans count as their text, as unquoted YAML has them. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, path);
  if (typeof found === "number" || typeof found === "boolean") return String(found);
  return typeof found === "string" ? found : undefined;
}

/** The whole number at a path, also when it is written as text. */
export function integerAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, path);
  const number = typeof found === "string" && /^\d{1,15}$/.test(found) ? Number(found) : found;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}

/** Whether a path holds the boolean `true`. */
export function isTrueAt(value: unknown, ...path: readonly string[]): boolean {
  return valueAt(value, path) === true;
}

/** The object at a path as names and texts; other values are left out. */
export function textsAt(value: unknown, ...path: readonly string[]): ReadonlyMap<string, string> {
  const entries = Object.entries(fieldsAt(value, ...path));
  if (entries.length === 0) return noTexts;
  const texts = new Map<string, string>();
  for (const [name, found] of entries) {
    const text = textAt(found);
    if (text !== undefined) texts.set(name, text);
  }
  return texts;
}

/** The texts of the array at a path. */
export function textListAt(value: unknown, ...path: readonly string[]): string[] {
  return listAt(value, ...path).flatMap((item) => {
    const text = textAt(item);
    return text === undefined ? [] : [text];
  });
}

/** Whether something other than null stands at a path. */
export function isPresentAt(value: unknown, ...path: readonly string[]): boolean {
  const found = valueAt(value, path);
  return found !== undefined && found !== null;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isFields(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}
