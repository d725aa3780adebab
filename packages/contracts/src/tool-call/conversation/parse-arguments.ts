/** The arguments of a call as a value. */

import type { ToolCall } from "../../model/evidence.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";

/** Text longer than this is not parsed for a second look. */
const textLengthMax = 1_048_576;

/** What the text or value of arguments stands for, or `undefined` when it is no JSON. */
export function parseArguments(given: ToolCall["arguments"]): unknown {
  if (typeof given !== "string") return given;
  if (given.trim() === "") return {};
  return parsedJson(given);
}

/** The value of a JSON text, or `undefined` when it is none. */
export function parsedJson(text: string): unknown {
  if (text.length > textLengthMax) return undefined;
  try {
    return parseForeignJson(text);
  } catch {
    // That it is no JSON is the answer.
    return undefined;
  }
}
