/** Equality of JSON values: by content, numbers by value, objects whatever the order of their fields. */

/** A text that is equal for equal values and different for different ones. */
export function equalityKey(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(equalityKey).join(",")}]`;
  if (typeof value !== "object" || value === null)
    return JSON.stringify(value === 0 ? 0 : value) ?? "undefined";
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${equalityKey(field)}`).join(",")}}`;
}
