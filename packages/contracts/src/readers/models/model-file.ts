/** What one file tells of a model, before it is joined with the other files of its folder. */

import type { ModelPart, ModelToken } from "../../model/model-release.ts";

/** Ids by token. */
export type Vocabulary = ReadonlyMap<string, number>;

export interface ModelFile {
  readonly parts: readonly ModelPart[];
  /** Of the part that is a tokenizer: the whole vocabulary, in which names of other files are looked up. */
  readonly vocabulary?: Vocabulary;
}

/** Whether a token's text is one that tokenizers set apart from what was learned of text. */
export function looksSpecial(text: string): boolean {
  return /^(?:<[^<>\s]{1,64}>|\[[A-Z_]{2,32}\d{0,4}\])$/u.test(text);
}

/** Tokens in the order of their ids, each text once. */
export function tokensInOrder(tokens: Iterable<ModelToken>): ModelToken[] {
  const byText = new Map<string, ModelToken>();
  for (const token of tokens) {
    const known = byText.get(token.text);
    if (known === undefined || token.isAdded === true) byText.set(token.text, token);
  }
  return [...byText.values()].sort((left, right) => left.id - right.id);
}
