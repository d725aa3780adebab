/**
 * The opaque state that a provider attaches to its reasoning (a signature, encrypted content) and wants back. A surface
 * has room for its own kind only, so the state of another surface travels sealed: marked with its origin, in the field
 * that the caller's surface has for such state. Callers send it back unread, as they do with any such state.
 */

import { type JsonObject, toObject, toText } from "../wire/json-values.ts";
import { parseJson } from "./json-document.ts";
import { type Surface, surfaces } from "./surface.ts";

/** Whose state it is, and the fields in which that surface holds it. */
export interface ReasoningState {
  readonly origin: Surface;
  /** `messages`: signature, or redacted; `responses`: id, encrypted; `chat`: none, it only marks the origin. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What stands between two parts or blocks of reasoning, where a surface holds them as one text. */
export const reasoningSeparator = "\n\n";

const mark = "faultline-reasoning.";

/** The state as one text for a field of another surface. */
export function sealState(state: ReasoningState): string {
  return mark + Buffer.from(JSON.stringify([state.origin, state.fields])).toString("base64url");
}

/** The state in a sealed text; undefined when the text is not sealed: then it is native to its surface. */
export function unsealState(text: string): ReasoningState | undefined {
  if (!text.startsWith(mark)) return undefined;
  try {
    const decoded = parseJson(Buffer.from(text.slice(mark.length), "base64url").toString());
    if (!Array.isArray(decoded)) return undefined;
    const origin = surfaces.find((surface) => surface === decoded[0]);
    const fields = toObject(decoded[1]);
    return origin === undefined || fields === undefined
      ? undefined
      : { origin, fields: textsOf(fields) };
  } catch (error) {
    // A mark with something else behind it was not made here.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textsOf(fields: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const text = toText(value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}
