/** Lists and places in the JSON of replies. */

import { type EditableObject, toObject } from "../wire/json-values.ts";

/** The items of a list that are objects. */
export function objectsOf(value: unknown): EditableObject[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => toObject(item)).filter((item) => item !== undefined);
}

/** A whole number that an object names itself by, else its place. */
export function indexOf(object: EditableObject, place: number): number {
  const { index } = object;
  return typeof index === "number" ? index : place;
}
