/** The formats of what a model is served from. */

import { type EvidenceFormat, type FormatInput, startsAsJson } from "../format.ts";
import { looksLikeGguf, readGgufHeader } from "./gguf.ts";
import { HeaderStream, readWholeHeader } from "./header-stream.ts";
import { looksLikeSafetensors, readSafetensorsHeader } from "./safetensors.ts";
import { looksLikeSentencePiece, readSentencePiece } from "./sentencepiece.ts";
import { readAddedTokens, readSettings, readTemplate, readWeightIndex } from "./settings-file.ts";
import {
  readTiktoken,
  readTokenizer,
  readVocabulary,
  readVocabularyLines,
} from "./tokenizer-file.ts";

function has(head: string, ...names: readonly string[]): boolean {
  return names.every((name) => new RegExp(`"${name}"\\s*:`).test(head));
}

function isModelConfig(head: string): boolean {
  return (
    (has(head, "model_type") || has(head, "architectures")) &&
    /"(?:vocab_size|hidden_size|n_embd|d_model|num_hidden_layers|n_layers?|text_config|transformers_version|torch_dtype)"\s*:/.test(
      head,
    ) &&
    !has(head, "peft_type")
  );
}

function isTokenizerConfig(head: string, name: string): boolean {
  if (
    has(head, "added_tokens_decoder") ||
    (has(head, "tokenizer_class") && !has(head, "model_type"))
  ) {
    return true;
  }
  return (
    name === "tokenizer_config.json" &&
    /"(?:(?:bos|eos|pad|unk|cls|sep|mask)_token|chat_template|model_max_length|add_prefix_space|do_lower_case)"\s*:/.test(
      head,
    )
  );
}

/** JSON of a kind that only its file name tells from others. */
function isNamed(input: FormatInput, name: string): boolean {
  return input.name === name && /^\s*\{/.test(input.head ?? "");
}

/** A format of JSON that is read whole. */
function json(
  row: Pick<EvidenceFormat, "name" | "description" | "read"> & {
    readonly is: (head: string, input: FormatInput) => boolean;
  },
): EvidenceFormat {
  const { name, description, read, is } = row;
  const recognise = (input: FormatInput): boolean =>
    startsAsJson(input.head) && is(input.head, input);
  return { name, description, recognise, read };
}

export const modelFormats: readonly EvidenceFormat[] = [
  {
    name: "safetensors",
    description: "the header of weights as safetensors",
    recognise: ({ bytes }) => looksLikeSafetensors(bytes),
    read: ({ bytes, name }) => readWholeHeader((head) => readSafetensorsHeader(head, name), bytes),
    open: ({ name }) => new HeaderStream((head) => readSafetensorsHeader(head, name)),
  },
  {
    name: "gguf",
    description: "the header of a GGUF file",
    recognise: ({ bytes }) => looksLikeGguf(bytes),
    read: ({ bytes, name }) => readWholeHeader((head) => readGgufHeader(head, name), bytes),
    open: ({ name }) => new HeaderStream((head) => readGgufHeader(head, name)),
  },
  {
    name: "sentencepiece",
    description: "a model of SentencePiece",
    recognise: ({ bytes, head }) => head === undefined && looksLikeSentencePiece(bytes),
    read: readSentencePiece,
  },
  json({
    name: "model-weights-index",
    description: "which file holds which tensor",
    is: (head) => has(head, "weight_map"),
    read: readWeightIndex,
  }),
  json({
    name: "tokenizer-json",
    description: "a tokenizer with its vocabulary",
    is: (head) =>
      has(head, "added_tokens") &&
      /"(?:truncation|padding|model|normalizer|pre_tokenizer)"\s*:/.test(head),
    read: readTokenizer,
  }),
  json({
    name: "tokenizer-config",
    description: "settings of a tokenizer",
    is: (head, { name }) => isTokenizerConfig(head, name),
    read: (input) => readSettings(input, "tokenizer"),
  }),
  json({
    name: "generation-config",
    description: "settings of generation",
    is: (head, input) =>
      isNamed(input, "generation_config.json") &&
      /"(?:\w+_token_id|transformers_version|do_sample|max_new_tokens|temperature|top_p)"\s*:/.test(
        head,
      ),
    read: (input) => readSettings(input, "generation"),
  }),
  json({
    name: "special-tokens-map",
    description: "which tokens are special",
    is: (head, input) =>
      isNamed(input, "special_tokens_map.json") && /"\w+_tokens?"\s*:/.test(head),
    read: (input) => readSettings(input, "special-tokens"),
  }),
  json({
    name: "model-config",
    description: "settings of a model",
    is: isModelConfig,
    read: (input) => readSettings(input, "model"),
  }),
  json({
    name: "added-tokens",
    description: "ids of added tokens",
    is: (head, input) =>
      isNamed(input, "added_tokens.json") && /^\s*\{\s*"[^\n]*":\s*\d/.test(head),
    read: readAddedTokens,
  }),
  json({
    name: "vocabulary-json",
    description: "ids by token",
    is: (head, input) =>
      isNamed(input, "vocab.json") && /^\s*\{\s*"(?:[^"\\]|\\.)*":\s*\d/.test(head),
    read: readVocabulary,
  }),
  {
    name: "vocabulary-text",
    description: "a token on each line",
    recognise: ({ name, head }) =>
      name === "vocab.txt" && head !== undefined && /^(?:\[|<)\S+(?:\]|>)\r?$/m.test(head),
    read: readVocabularyLines,
  },
  {
    name: "tiktoken",
    description: "ranks of tiktoken",
    recognise: ({ head }) => head !== undefined && /^IQ== 0\r?\n[A-Za-z0-9+/=]+ 1\r?\n/.test(head),
    read: readTiktoken,
  },
  {
    name: "chat-template",
    description: "a chat template",
    recognise: ({ name, head }) =>
      head !== undefined &&
      (/\.jinja2?$/.test(name) || name === "chat_template.json") &&
      /messages/.test(head),
    read: readTemplate,
  },
];
