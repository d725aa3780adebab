/** JSON as the translation reads it: numbers keep their digits, and a wrong type reads as absent. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Numbers that a double may change: many digits, or an exponent of three. */
const delicateNumber = /[\d.]{16}|\d[eE][+-]?\d{3}/;

/** Throws `SyntaxError`. Numbers that a double cannot hold keep their source and are written back unchanged. */
export function parseJson(text: string): unknown {
  if (!delicateNumber.test(text)) return JSON.parse(text) as unknown;
  return (JSON.parse as ExactParse)(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && !isExact(value, source)
      ? rawJson(source)
      : value,
  );
}

/** The part of `JSON.parse` and `JSON.rawJSON` that TypeScript's library does not know yet. */
type ExactParse = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

function rawJson(source: string): unknown {
  // Node 24 has it; the library's types do not.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}

function isExact(value: number, source: string): boolean {
  const digits = source
    .replace(/^-/, "")
    .replace(/[eE].*$/, "")
    .replace(".", "")
    .replace(/^0+/, "");
  return Number.isFinite(value) && digits.length <= 15;
}

/** The value as an object, when it is one. */
export function toObject(value: unknown): JsonObject | undefined {
  // The checks make it a record of unknown values.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
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

/** The value as a count, when it is a whole number of at least 0. */
export function toCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** The object without the fields that are undefined. */
export function compact(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
