/** The limit of output tokens under the name that a server of chat completions knows: one that it does not know it ignores. */

import type { TokenLimitField } from "#config/index.ts";

import type { Splice } from "../wire/splice.ts";
import type { RequestFacts } from "./request-reader.ts";

const quote = 0x22;

/**
 * Renames the field. Beside the older one, which such a server obeys alone, the newer one counts: it is what the call was
 * admitted with. `undefined` where nothing need change; `isSet` says that both get another value anyhow.
 */
export function tokenLimitSplice(
  body: Buffer,
  { places }: Pick<RequestFacts, "places">,
  { known, isSet }: { readonly known: TokenLimitField; readonly isSet: boolean },
): Splice | undefined {
  const { maxCompletionTokens: limit, maxTokens: older } = places;
  if (known !== "max_tokens" || limit?.kind !== "number") return undefined;
  if (older !== undefined) {
    if (isSet) return undefined;
    const { start, end } = older;
    return { start, end, text: body.toString("latin1", limit.start, limit.end) };
  }
  // However its letters are written, there is no quote in the name, and nothing but a colon and space behind it.
  const last = body.lastIndexOf(quote, limit.start);
  const first = body.lastIndexOf(quote, last - 1);
  return { start: first, end: last + 1, text: '"max_tokens"' };
}
