/** Values of JSON that come from elsewhere, looked at with care: a wrong type reads as absent. */

export type JsonObject = Readonly<Record<string, unknown>>;
/** One that is changed in place. */
export type EditableObject = Record<string, unknown>;

/** The value as an object, when it is one. */
export function toObject(value: unknown): EditableObject | undefined {
  // An object of JSON has texts for its names.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as EditableObject)
    : undefined;
}

/** The value as a list, when it is one. */
export function toList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

/** The value as a text, when it is one. */
export function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
