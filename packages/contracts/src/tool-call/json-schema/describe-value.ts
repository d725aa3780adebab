/** Names values without showing them: what a model writes into an argument may be a secret. */

/** The type of a value, as JSON Schema names it. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** A value in words: numbers and booleans are shown, of text only its kind and length. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return describeText(value);
    case "number":
    case "boolean":
      return `the ${typeof value} ${value}`;
    default:
      break;
  }
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const count = typeof value === "object" ? Object.keys(value).length : 0;
  return `an object of ${count} fields`;
}

function describeText(text: string): string {
  if (text === "") return "an empty text";
  const length = Array.from(text).length;
  const characters = length === 1 ? "1 character" : `${length} characters`;
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text))
    return `a number written as text of ${characters}`;
  if (text === "true" || text === "false") return "a boolean written as text";
  if (text === "null") return "the word null as text";
  if (/^\s*[[{]/.test(text)) return `JSON written as text of ${characters}`;
  return `a text of ${characters}`;
}

/** Values that a schema names, shortened: a schema is no secret. */
export function describeAllowed(values: readonly unknown[]): string {
  const shown = values.slice(0, 12).map((value) => (JSON.stringify(value) ?? "").slice(0, 60));
  return shown.join(", ") + (values.length > 12 ? `, … (${values.length} in all)` : "");
}
