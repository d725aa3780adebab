/** Reads the untyped fields of transcripts. */

export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object of JSON. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field's text, or nothing when it is none or empty. */
export function textField(value: unknown, name: string): string | undefined {
  const found = isFields(value) ? value[name] : undefined;
  return typeof found === "string" && found !== "" ? found : undefined;
}
