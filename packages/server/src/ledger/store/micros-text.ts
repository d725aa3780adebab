/** Records of the ledger as JSON. Amounts, which JSON has no exact numbers for, stand as decimal text under names in `Micros`. */

/** Text that JSON writes as it is. */
const plain = /^[\w .:#/@-]*$/;

/** The JSON text of a record. Written out here, because a replacer of `JSON.stringify` takes half as long again. */
export function writeRecord(value: unknown): string {
  switch (typeof value) {
    case "string":
      return plain.test(value) ? `"${value}"` : JSON.stringify(value);
    case "bigint":
      return `"${value}"`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? writeList(value) : writeParts(value);
    default:
      return JSON.stringify(value) ?? "null";
  }
}

function writeList(values: readonly unknown[]): string {
  let text = "";
  for (const value of values) text += `${text === "" ? "" : ","}${writeRecord(value)}`;
  return `[${text}]`;
}

function writeParts(record: object): string {
  let text = "";
  for (const [name, part] of Object.entries(record)) {
    if (part !== undefined)
      text += `${text === "" ? "" : ","}${writeRecord(name)}:${writeRecord(part)}`;
  }
  return `{${text}}`;
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
