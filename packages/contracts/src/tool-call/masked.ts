/** Shows values by their ends only, because arguments and results carry secrets. */

/** A value that a reader who knows it recognises and others cannot use: its first and last letters, and its length. */
export function masked(value: string): string {
  const length = value.length;
  if (length < 8) return `${length} characters`;
  return `${value.slice(0, 2)}…${value.slice(-2)} (${length} characters)`;
}
