/** JSON files of settings: of a model, of generation, of a tokenizer, and maps of special tokens. */

import { type Fields, isFields } from "../../model/fields.ts";
import type {
  ModelPart,
  ModelSettings,
  ModelTemplate,
  ModelToken,
} from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { modelLimits } from "./limits.ts";
import { tokensInOrder } from "./model-file.ts";
import { isTokenId } from "./vocabulary.ts";

/** Fields that become parts of their own. */
const fieldsApart = new Set(["chat_template", "added_tokens_decoder"]);

/** Reads a file of settings of a kind. */
export function readSettings(input: FormatInput, of: ModelSettings["of"]): FileContent {
  const fields = fieldsOf(input);
  const notes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (fieldsApart.has(name) && of === "tokenizer") continue;
    if ((JSON.stringify(value) ?? "").length > modelLimits.settingLengthMax) {
      notes.push(`The setting ${name.slice(0, 64)} is too long and was left out.`);
    } else values[name] = value;
  }
  const parts: ModelPart[] = [{ kind: "settings", file: input.name, of, values }];
  if (of === "tokenizer") {
    const declared = declaredTokens(fields["added_tokens_decoder"]);
    if (declared.length > 0) parts.push(declaredPart(input.name, declared));
    parts.push(...templatesOf(fields["chat_template"], input.name));
  }
  return { modelFiles: [{ parts }], notes };
}

/** Reads `added_tokens.json`: ids by token. */
export function readAddedTokens(input: FormatInput): FileContent {
  const tokens = Object.entries(fieldsOf(input)).flatMap(([text, id]): ModelToken[] =>
    isTokenId(id) ? [{ text: text.slice(0, modelLimits.textLengthMax), id, isAdded: true }] : [],
  );
  if (tokens.length === 0) throw notThisFile("ids by token");
  return { modelFiles: [{ parts: [declaredPart(input.name, tokens)] }], notes: [] };
}

/** Reads a template that stands alone, or in a document of JSON. */
export function readTemplate(input: FormatInput): FileContent {
  const text = input.text();
  const parts = /^\s*\{\s*"/.test(text)
    ? templatesOf(fieldsOf(input)["chat_template"], input.name)
    : templatesOf(text, input.name);
  if (parts.length === 0)
    throw notThisFile(`a template of at most ${modelLimits.templateLengthMax} characters`);
  return { modelFiles: [{ parts }], notes: [] };
}

/** Reads the index of weights that lie in several files. */
export function readWeightIndex(input: FormatInput): FileContent {
  const map = fieldsOf(input)["weight_map"];
  if (!isFields(map)) throw notThisFile("weight_map: a file for each tensor");
  const weights = Object.entries(map).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  if (weights.length > modelLimits.tensorCountMax)
    throw notThisFile(`at most ${modelLimits.tensorCountMax} tensors`);
  const cut = weights.map(([name, file]): [string, string] => [name, file.slice(0, 256)]);
  const part: ModelPart = { kind: "index", file: input.name, weights: Object.fromEntries(cut) };
  return { modelFiles: [{ parts: [part] }], notes: [] };
}

/** The object of a JSON text. Python writes numbers that JSON does not have; they become null. */
export function fieldsOf(input: FormatInput): Fields {
  const text = input.text();
  const value = parseJson(
    /(?:NaN|Infinity)/.test(text)
      ? text.replaceAll(/([:[,]\s*)(?:NaN|-?Infinity)(?=\s*[,\]}])/g, "$1null")
      : text,
  );
  if (!isFields(value)) throw notThisFile("an object of JSON");
  return value;
}

function declaredPart(file: string, tokens: readonly ModelToken[]): ModelPart {
  const kept = tokensInOrder(tokens).slice(0, modelLimits.tokenCountMax);
  return { kind: "tokenizer", file, form: "declared", vocabularySize: 0, tokens: kept };
}

/** Tokens by id, as `tokenizer_config.json` lists them. */
function declaredTokens(decoder: unknown): ModelToken[] {
  if (!isFields(decoder)) return [];
  return Object.entries(decoder).flatMap(([key, token]): ModelToken[] => {
    const id = Number(key);
    const text = isFields(token) ? token["content"] : token;
    if (typeof text !== "string" || !isTokenId(id)) return [];
    const isSpecial = isFields(token) && token["special"] === true;
    const cut = text.slice(0, modelLimits.textLengthMax);
    return [{ text: cut, id, isAdded: true, ...(isSpecial ? { isSpecial } : {}) }];
  });
}

/** A template, or a list of named ones. */
export function templatesOf(value: unknown, file: string): ModelTemplate[] {
  const list: unknown[] = Array.isArray(value) ? value : [{ name: "default", template: value }];
  return list.flatMap((item): ModelTemplate[] => {
    if (!isFields(item) || typeof item["template"] !== "string") return [];
    const text = item["template"];
    const name = typeof item["name"] === "string" ? item["name"].slice(0, 256) : "default";
    if (text.length > modelLimits.templateLengthMax) return [];
    return [{ kind: "template", file, name, text }];
  });
}

function notThisFile(expected: string): EvidenceError {
  return new EvidenceError("The file of the model does not hold what its name says.", {
    expected,
    where: "line 1, column 1",
  });
}
