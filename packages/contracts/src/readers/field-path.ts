/** Fields of documents whose producers disagree on names. */

import { type Fields, isFields } from "../model/fields.ts";

/** The value at a path, which may be one name with points in it. */
export function valueAt(fields: Fields, path: string): unknown {
  const direct = fields[path];
  if (direct !== undefined || !path.includes(".")) return direct;
  let value: unknown = fields;
  for (const name of path.split(".")) value = isFields(value) ? value[name] : undefined;
  return value;
}

/** The first value that is there, by the paths in their order. */
export function firstValueAt(fields: Fields, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = valueAt(fields, path);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The first text that is there and not empty. */
export function firstTextAt(fields: Fields, paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const value = valueAt(fields, path);
    if (typeof value === "string" && value !== "") return value.toWellFormed();
  }
  return undefined;
}
