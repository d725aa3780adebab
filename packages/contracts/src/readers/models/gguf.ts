/** The header of a GGUF file: settings, the vocabulary, and what its tensors are called and shaped. */

import type { ModelPart, ModelTensor, ModelToken } from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { modelLimits } from "./limits.ts";
import { GgufCursor, type GgufValue, NeedsMore } from "./gguf-cursor.ts";
import { tokensInOrder, type Vocabulary } from "./model-file.ts";
import { templatesOf } from "./settings-file.ts";
import { isTokenId, specialLookingTokens, summaryOf, vocabularyOfList } from "./vocabulary.ts";

/** Whether bytes begin as this format does. */
export function looksLikeGguf(bytes: Uint8Array): boolean {
  return [0x47, 0x47, 0x55, 0x46].every((byte, index) => bytes[index] === byte);
}

/** Names of the kinds in which ggml keeps tensors, by number. */
const dtypes: ReadonlyMap<number, string> = new Map([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [8, "Q8_0"],
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [12, "Q4_K"],
  [13, "Q5_K"],
  [14, "Q6_K"],
  [15, "Q8_K"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [30, "BF16"],
]);

/** Reads a header, once it is there. */
export function readGgufHeader(
  bytes: Uint8Array,
  file: string,
): FileContent | { readonly bytesMin: number } {
  const cursor = new GgufCursor(bytes);
  try {
    return headerOf(cursor, file);
  } catch (error) {
    if (error instanceof NeedsMore) return { bytesMin: error.bytesMin };
    throw error;
  }
}

function headerOf(cursor: GgufCursor, file: string): FileContent {
  cursor.skip(4);
  const version = cursor.unsigned32();
  if (version < 2 || version > 3) {
    throw new EvidenceError("This version of GGUF is not known.", {
      expected: "version 2 or 3",
      where: "byte 4",
    });
  }
  const tensorCount = cursor.count(modelLimits.tensorCountMax, "tensors");
  const pairCount = cursor.count(modelLimits.metadataCountMax, "settings");
  const values = new Map<string, GgufValue>();
  for (let index = 0; index < pairCount; index += 1) {
    const name = cursor.text();
    values.set(name.slice(0, 512), cursor.value(cursor.unsigned32()));
  }
  const tensors: ModelTensor[] = [];
  for (let index = 0; index < tensorCount; index += 1) tensors.push(readTensor(cursor));
  const vocabulary = vocabularyOf(values);
  const parts: ModelPart[] = [
    { kind: "tensors", file, form: "gguf", tensors, metadata: metadataOf(values) },
    ...tokenizerOf(values, vocabulary, file),
    ...templatesOf(values.get("tokenizer.chat_template"), file),
  ];
  return { modelFiles: [vocabulary === undefined ? { parts } : { parts, vocabulary }], notes: [] };
}

function readTensor(cursor: GgufCursor): ModelTensor {
  const name = cursor.text().slice(0, 512);
  const dimensionCount = cursor.unsigned32();
  if (dimensionCount > 8) {
    throw new EvidenceError("A tensor of the GGUF file has too many dimensions.", {
      expected: "at most 8",
    });
  }
  const shape: number[] = [];
  for (let index = 0; index < dimensionCount; index += 1) shape.push(cursor.unsigned64());
  const dtype = cursor.unsigned32();
  cursor.skip(8);
  // ggml writes the fastest dimension first.
  return { name, dtype: dtypes.get(dtype) ?? `ggml-${dtype}`, shape: shape.reverse() };
}

function metadataOf(values: ReadonlyMap<string, GgufValue>): Record<string, unknown> {
  const kept = [...values].filter(
    ([name, value]) => !Array.isArray(value) && name !== "tokenizer.chat_template",
  );
  return Object.fromEntries(
    kept.map(([name, value]) => [name, typeof value === "string" ? value.slice(0, 4_096) : value]),
  );
}

function vocabularyOf(values: ReadonlyMap<string, GgufValue>): Vocabulary | undefined {
  const tokens = values.get("tokenizer.ggml.tokens");
  if (!Array.isArray(tokens)) return undefined;
  const texts = tokens.filter((token) => typeof token === "string");
  return texts.length === tokens.length && texts.length > 0 ? vocabularyOfList(texts) : undefined;
}

function tokenizerOf(
  values: ReadonlyMap<string, GgufValue>,
  vocabulary: Vocabulary | undefined,
  file: string,
): ModelPart[] {
  if (vocabulary === undefined) return [];
  const types = values.get("tokenizer.ggml.token_type");
  const algorithm = values.get("tokenizer.ggml.model");
  const special: ModelToken[] = [];
  for (const [text, id] of vocabulary) {
    // Unknown, control, and defined by the user.
    const type = Array.isArray(types) ? types[id] : undefined;
    const isSpecial = type === 2 || type === 3 || type === 4;
    if (isSpecial && special.length < modelLimits.tokenCountMax && isTokenId(id)) {
      special.push({ text: text.slice(0, modelLimits.textLengthMax), id, isSpecial });
    }
  }
  return [
    {
      kind: "tokenizer",
      file,
      form: "gguf",
      ...(typeof algorithm === "string" ? { algorithm: algorithm.slice(0, 64) } : {}),
      ...summaryOf(vocabulary),
      // What the file says of its tokens comes before what their looks say.
      tokens: tokensInOrder([...special, ...specialLookingTokens(vocabulary)]).slice(
        0,
        modelLimits.tokenCountMax,
      ),
    },
  ];
}
