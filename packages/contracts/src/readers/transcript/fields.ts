/** Reads the untyped fields of transcripts. */

import { isFields } from "../../model/fields.ts";

/** A field's text, or nothing when it is none or empty. */
export function textField(value: unknown, name: string): string | undefined {
  const found = isFields(value) ? value[name] : undefined;
  return typeof found === "string" && found !== "" ? found : undefined;
}
