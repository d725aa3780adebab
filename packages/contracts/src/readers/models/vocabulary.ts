/** A learned vocabulary, and what of it is evidence. */

import { evidenceIdOfBytes } from "../../snapshot/evidence-id.ts";
import type { ModelToken, ModelTokenizer } from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import { modelLimits } from "./limits.ts";
import { looksSpecial, type Vocabulary } from "./model-file.ts";

/** The vocabulary of an object of ids by token. Throws where an id is none. */
export function vocabularyOfFields(fields: Readonly<Record<string, unknown>>): Vocabulary {
  const entries = Object.entries(fields);
  refuseTooMany(entries.length);
  const vocabulary = new Map<string, number>();
  for (const [text, id] of entries) {
    if (!isTokenId(id)) {
      throw new EvidenceError(`The token ${JSON.stringify(text.slice(0, 64))} has no id.`, {
        expected: "a whole number from 0 on for each token",
      });
    }
    vocabulary.set(text, id);
  }
  return vocabulary;
}

/** The vocabulary of a list, whose places are the ids. */
export function vocabularyOfList(texts: readonly string[]): Vocabulary {
  refuseTooMany(texts.length);
  return new Map(texts.map((text, id) => [text, id]));
}

/** Whether a value can be the id of a token. */
export function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

type Summary = Pick<
  ModelTokenizer,
  "vocabularySize" | "vocabularyIdMax" | "vocabularyLastToken" | "vocabularyDigest"
>;

/** What is kept of a whole vocabulary. */
export function summaryOf(vocabulary: Vocabulary): Summary {
  let idMax = -1;
  let lastToken = "";
  for (const [text, id] of vocabulary) {
    if (id > idMax) [idMax, lastToken] = [id, text];
  }
  if (idMax < 0) return { vocabularySize: 0 };
  return {
    vocabularySize: vocabulary.size,
    vocabularyIdMax: idMax,
    vocabularyLastToken: lastToken.slice(0, modelLimits.textLengthMax),
    vocabularyDigest: digestOf(vocabulary),
  };
}

function digestOf(vocabulary: Vocabulary): string {
  const sorted = [...vocabulary].sort(
    ([left, leftId], [right, rightId]) => leftId - rightId || (left < right ? -1 : 1),
  );
  return evidenceIdOfBytes(
    new TextEncoder().encode(sorted.map(([text, id]) => `${id} ${text}`).join("\n")),
  );
}

/** The tokens of a vocabulary that are set apart from text. */
export function specialLookingTokens(vocabulary: Vocabulary): ModelToken[] {
  const tokens: ModelToken[] = [];
  for (const [text, id] of vocabulary) {
    if (!looksSpecial(text)) continue;
    if (tokens.length === modelLimits.tokenCountMax) break;
    tokens.push({ text, id });
  }
  return tokens;
}

function refuseTooMany(count: number): void {
  if (count > modelLimits.vocabularySizeMax) {
    throw new EvidenceError("The vocabulary is too large.", {
      expected: `at most ${modelLimits.vocabularySizeMax} tokens`,
    });
  }
}
