/** Objects of JSON whose fields nobody has checked yet. */

export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object of JSON. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
