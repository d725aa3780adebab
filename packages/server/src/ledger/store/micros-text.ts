/** Records of the ledger as JSON. Amounts, which JSON has no exact numbers for, stand as decimal text under names in `Micros`. */

/** The JSON text of a record. */
export function writeRecord(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
}

/** The record of parsed JSON, with its amounts as `bigint` again. */
export function readRecord(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => readRecord(part));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]: [string, unknown]) => [
      name,
      typeof part === "string" && name.endsWith("Micros") ? BigInt(part) : readRecord(part),
    ]),
  );
}
