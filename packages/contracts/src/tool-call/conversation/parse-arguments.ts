/** The arguments of a call as a value. */

import type { ToolCall } from "../../model/evidence.ts";
import { parsedJson } from "../../text/json-text.ts";

/** Text longer than this is not parsed for a second look. */
const textLengthMax = 1_048_576;

/** What the text or value of arguments stands for, or `undefined` when it is no JSON. */
export function parseArguments(given: ToolCall["arguments"]): unknown {
  if (typeof given !== "string") return given;
  if (given.trim() === "") return {};
  return parsedBounded(given);
}

/** The value of a JSON text, or `undefined` when it is none, or too long for a second look. */
export function parsedBounded(text: string): unknown {
  return text.length > textLengthMax ? undefined : parsedJson(text);
}
