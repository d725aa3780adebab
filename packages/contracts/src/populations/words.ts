/** Numbers and moments in words. */

/** `2026-06-18T15:02:00Z`. */
export function isoTime(micros: number): string {
  const text = new Date(micros / 1_000).toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}

/** Up to four significant digits, without an exponent where the number can be read without one. */
export function numberWords(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}
