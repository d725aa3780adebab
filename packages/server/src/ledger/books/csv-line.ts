/** Lines of CSV (RFC 4180). */

/** A line with its end. Absent values are empty fields. */
export function csvLine(values: readonly (string | number | null | undefined)[]): string {
  return `${values.map((value) => field(value)).join(",")}\r\n`;
}

function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  // A spreadsheet would run a text that begins like a formula; names of users and tags come from outside.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
