/** Values of JSON that come from elsewhere, looked at with care. */

export type JsonObject = { [name: string]: unknown };

/** The value as an object, or `undefined`. */
export function objectOf(value: unknown): JsonObject | undefined {
  // An object of JSON has text for its names.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The items of a list that are objects. */
export function objectsOf(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => objectOf(item)).filter((item) => item !== undefined);
}

/** A whole number that an object names itself by, else its place. */
export function indexOf(object: JsonObject, place: number): number {
  const { index } = object;
  return typeof index === "number" ? index : place;
}

/** The value as a text, or `undefined`. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
