/** Texts that may be JSON. */

/** The value; nothing where the text is no JSON, as what was cut at a limit or never was any. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
