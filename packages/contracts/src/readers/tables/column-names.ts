/** The columns of a table by their names, in whatever spelling. */

/** `ParentSpanID`, `parent_span_id` and `parentSpanId` are one name. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "");
}

/** The column that is called by the first of these plain names that any is called by. */
export function columnOf(header: readonly string[], names: readonly string[]): number | undefined {
  const plain = header.map(plainName);
  for (const name of names) {
    const index = plain.indexOf(name);
    if (index >= 0) return index;
  }
  return undefined;
}
