/** Whether a chat template writes the marks of another model, and none of those that its own tokenizer has. */

import { modelLimits } from "../readers/models/limits.ts";
import type { Release } from "./release.ts";
import { toldTokens } from "./token-table.ts";

/** Marks of turns as templates write them. */
const mark = /<\|[A-Za-z_]{2,32}\|>/g;
/** Tokens that are there for the turns of a conversation, in the families that have such. */
const turnToken =
  /^<\|?(?:im_(?:start|end)|user|assistant|system|end|eot_id|eom_id|(?:start|end)_header_id|(?:start|end)_of_turn|(?:start|end)_of_role|turn_end|message|channel)\|?>$/;
const countMin = 2;

/** What the template writes that is no token, and the tokens for turns that it does not write. */
export interface ForeignMarks {
  readonly written: readonly string[];
  readonly unused: readonly string[];
}

/**
 * Marks that are no tokens are text, as some models were trained with; they are those of another model where the tokenizer has
 * marks of its own and the template knows none of them. Nothing where that is not so, or the tokenizer is not there as a whole.
 */
export function foreignMarks(
  release: Release,
  template: string,
  rendered: string,
): ForeignMarks | undefined {
  const { form, tokens: list = [] } = release.tokenizer?.part ?? {};
  if (form !== "tokenizers" && form !== "gguf") return undefined;
  if (list.length >= modelLimits.tokenCountMax) return undefined;
  const tokens = new Set(toldTokens(release).map(({ token }) => token.text));
  const written = [...new Set(rendered.match(mark) ?? [])];
  const own = [...tokens].filter((text) => turnToken.test(text));
  const isForeign =
    written.length >= countMin &&
    own.length >= countMin &&
    !written.some((text) => tokens.has(text)) &&
    !own.some((text) => template.includes(text));
  return isForeign ? { written, unused: own } : undefined;
}
