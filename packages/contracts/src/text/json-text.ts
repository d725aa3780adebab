/** Texts that may be JSON. */

import { parseForeignJson } from "./foreign-json.ts";

/** The value; nothing where the text is no JSON, as what was cut at a limit or never was any. */
export function parsedJson(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    return undefined;
  }
}

/** The value of text that is JSON of more than a word or a number; anything else as it is. */
export function unpacked(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[{["]/.test(value)) return value;
  return parsedJson(value) ?? value;
}
