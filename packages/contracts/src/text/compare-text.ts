/** The order of texts. */

/** Compares by code units, so that the order is the same on every machine; for `sort`. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
