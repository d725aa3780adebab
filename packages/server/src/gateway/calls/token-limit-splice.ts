/** The limit of output tokens under the name that a server of chat completions knows: one that it does not know it ignores. */

import type { TokenLimitField } from "#config/index.ts";

import type { Splice } from "../wire/splice.ts";
import type { RequestFacts } from "./request-reader.ts";

const newer = '"max_completion_tokens"';
const betweenNameAndValue = /^\s*:\s*$/;

/** Renames the field; `undefined` where it need not be, or is written in a way that nobody writes. */
export function tokenLimitSplice(
  body: Buffer,
  { places }: Pick<RequestFacts, "places">,
  known: TokenLimitField,
): Splice | undefined {
  const { maxCompletionTokens: limit, maxTokens } = places;
  if (known !== "max_tokens" || limit === undefined || maxTokens !== undefined) return undefined;
  const start = body.lastIndexOf(newer, limit.start);
  const end = start + newer.length;
  if (start < 0 || !betweenNameAndValue.test(body.toString("latin1", end, limit.start))) {
    return undefined;
  }
  return { start, end, text: '"max_tokens"' };
}
