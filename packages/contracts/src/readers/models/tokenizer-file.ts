/** Vocabularies as JSON and text: `tokenizer.json`, `vocab.json`, and ranks of tiktoken. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { ModelToken, ModelTokenizer } from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { modelLimits } from "./limits.ts";
import { tokensInOrder, type Vocabulary } from "./model-file.ts";
import { fieldsOf } from "./settings-file.ts";
import {
  isTokenId,
  specialLookingTokens,
  summaryOf,
  vocabularyOfFields,
  vocabularyOfList,
} from "./vocabulary.ts";

/** Reads `tokenizer.json`. */
export function readTokenizer(input: FormatInput): FileContent {
  const fields = fieldsOf(input);
  const model = isFields(fields["model"]) ? fields["model"] : {};
  const vocabulary = vocabularyOf(model);
  const added = addedTokens(fields["added_tokens"]);
  const postProcessor = fields["post_processor"];
  const part: ModelTokenizer = {
    kind: "tokenizer",
    file: input.name,
    form: "tokenizers",
    ...algorithmOf(model),
    ...summaryOf(vocabulary),
    tokens: tokensInOrder([...specialLookingTokens(vocabulary), ...added]).slice(
      0,
      modelLimits.tokenCountMax,
    ),
    ...foreignMerges(model, vocabulary),
    ...(isFields(postProcessor) &&
    JSON.stringify(postProcessor).length <= modelLimits.settingLengthMax
      ? { postProcessor }
      : {}),
  };
  return { modelFiles: [{ parts: [part], vocabulary }], notes: [] };
}

function algorithmOf(model: Fields): { algorithm?: string } {
  const type = model["type"];
  if (typeof type === "string") return { algorithm: type.slice(0, 64) };
  return Array.isArray(model["merges"]) ? { algorithm: "BPE" } : {};
}

function vocabularyOf(model: Fields): Vocabulary {
  const vocabulary = model["vocab"];
  if (isFields(vocabulary)) return vocabularyOfFields(vocabulary);
  if (!Array.isArray(vocabulary)) return new Map();
  const items: unknown[] = vocabulary;
  // Unigram lists each token with its score; the place is the id.
  return vocabularyOfList(
    items.map((item, index) => {
      const text: unknown = Array.isArray(item) ? item[0] : item;
      if (typeof text === "string") return text;
      throw new EvidenceError("A piece of the vocabulary has no text.", {
        expected: "a text and a score",
        where: `/model/vocab/${index}`,
      });
    }),
  );
}

function addedTokens(list: unknown): ModelToken[] {
  const items: unknown[] = Array.isArray(list) ? list : [];
  return items.flatMap((item): ModelToken[] => {
    if (!isFields(item) || !isTokenId(item["id"]) || typeof item["content"] !== "string") return [];
    const text = item["content"].slice(0, modelLimits.textLengthMax);
    const isSpecial = item["special"] === true;
    return [{ text, id: item["id"], isAdded: true, ...(isSpecial ? { isSpecial } : {}) }];
  });
}

/** Merges that do not belong to the vocabulary, as when the two come from different releases. */
function foreignMerges(
  model: Fields,
  vocabulary: Vocabulary,
): Pick<ModelTokenizer, "foreignMergeCount" | "foreignMerge"> {
  const merges: unknown[] = Array.isArray(model["merges"]) ? model["merges"] : [];
  const prefix = model["continuing_subword_prefix"];
  let foreignMergeCount = 0;
  let foreignMerge = "";
  for (const merge of merges) {
    const pair: unknown[] =
      typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== "string" || typeof right !== "string") continue;
    const isContinued = typeof prefix === "string" && prefix !== "" && right.startsWith(prefix);
    const product = left + (isContinued ? right.slice(prefix.length) : right);
    if ([left, right, product].every((text) => vocabulary.has(text))) continue;
    if (foreignMergeCount === 0) foreignMerge = `${left} ${right}`.slice(0, 512);
    foreignMergeCount += 1;
  }
  return foreignMergeCount === 0 ? {} : { foreignMergeCount, foreignMerge };
}

/** Reads `vocab.json`: ids by token. */
export function readVocabulary(input: FormatInput): FileContent {
  return vocabularyContent(input, "vocabulary", vocabularyOfFields(fieldsOf(input)));
}

/** Reads `vocab.txt`: a token on each line. */
export function readVocabularyLines(input: FormatInput): FileContent {
  const lines = input.text().split("\n");
  if (lines.at(-1) === "") lines.pop();
  const texts = lines.map((line) => line.replace(/\r$/, ""));
  return vocabularyContent(input, "vocabulary", vocabularyOfList(texts));
}

/** Reads ranks of tiktoken: bytes in base64 and a rank on each line. */
export function readTiktoken(input: FormatInput): FileContent {
  const vocabulary = new Map<string, number>();
  for (const line of input.text().split("\n")) {
    const [text, rank] = line.trim().split(" ");
    const id = Number(rank);
    if (text !== undefined && rank !== undefined && isTokenId(id)) vocabulary.set(text, id);
    if (vocabulary.size > modelLimits.vocabularySizeMax) break;
  }
  return vocabularyContent(input, "tiktoken", vocabulary);
}

function vocabularyContent(
  input: FormatInput,
  form: ModelTokenizer["form"],
  vocabulary: Vocabulary,
): FileContent {
  if (vocabulary.size === 0) {
    throw new EvidenceError("The vocabulary has no token.", { expected: "ids by token" });
  }
  const part: ModelTokenizer = {
    kind: "tokenizer",
    file: input.name,
    form,
    ...summaryOf(vocabulary),
    tokens: form === "tiktoken" ? [] : tokensInOrder(specialLookingTokens(vocabulary)),
  };
  return {
    modelFiles: [form === "tiktoken" ? { parts: [part] } : { parts: [part], vocabulary }],
    notes: [],
  };
}
