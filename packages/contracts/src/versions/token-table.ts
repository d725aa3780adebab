/** The tokens of a model that have a name, as all of its files tell of them. */

import type { ModelToken, ModelTokenizer } from "../model/model-release.ts";
import { isFields } from "../model/fields.ts";
import type { Placed, Release } from "./release.ts";

/** A token and the file that tells of it. */
export interface ToldToken {
  readonly token: ModelToken;
  readonly placed: Placed<ModelTokenizer>;
}

/** What a token is for. */
export type TokenRole = "bos" | "eos" | "pad" | "unk";

/** Every told token, those of the vocabulary first. */
export function toldTokens(release: Release): ToldToken[] {
  const sources = [
    ...(release.tokenizer === undefined ? [] : [release.tokenizer]),
    ...release.declared,
  ];
  return sources.flatMap((placed) => placed.part.tokens.map((token) => ({ token, placed })));
}

/** The text of the token that the tokenizer has for a role, when its settings name one. */
export function roleText(release: Release, role: TokenRole): string | undefined {
  for (const settings of [release.tokenizerConfig, release.specialTokens]) {
    const value = settings?.part.values[`${role}_token`];
    const text = isFields(value) ? value["content"] : value;
    if (typeof text === "string" && text !== "") return text;
    // The tokenizer's own settings say that there is none.
    if (settings === release.tokenizerConfig && value === null) return undefined;
  }
  return undefined;
}

/** Ids that settings of the model or of generation name for a role. */
export function configuredIds(settings: Release["config"], role: TokenRole): readonly number[] {
  const value: unknown = settings?.part.values[`${role}_token_id`];
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items
    .filter((id) => typeof id === "number" && Number.isSafeInteger(id) && id >= 0)
    .map(Number);
}
