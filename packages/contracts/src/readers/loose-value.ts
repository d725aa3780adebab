/** Values of documents that nobody has checked. */

/** A text, or a number or a boolean as its text; else an empty one. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** A finite number, also when it is written as text. */
export function numberOf(value: unknown): number | undefined {
  const isDigits = typeof value === "string" && /^-?\d{1,20}(?:\.\d{1,20})?$/.test(value);
  const number = isDigits ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
