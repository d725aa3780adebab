/** What a model is served from: its settings, its tokenizer, its templates, and what its weights are called and shaped. */

import { type Static, Type } from "typebox";

const fileName = Type.String({ maxLength: 256 });

/** A token whose id matters: an added one, a special one, or one that a setting names. */
export const ModelToken = Type.Object(
  {
    text: Type.String({ maxLength: 512 }),
    id: Type.Integer({ minimum: 0 }),
    /** Beside the vocabulary that was learned. */
    isAdded: Type.Optional(Type.Boolean()),
    isSpecial: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type ModelToken = Static<typeof ModelToken>;

/** A JSON file of settings, such as `config.json`, without what stands in other parts. */
export const ModelSettings = Type.Object(
  {
    kind: Type.Literal("settings"),
    file: fileName,
    of: Type.Union([
      Type.Literal("model"),
      Type.Literal("generation"),
      Type.Literal("tokenizer"),
      Type.Literal("special-tokens"),
    ]),
    values: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type ModelSettings = Static<typeof ModelSettings>;

/** A vocabulary, or tokens that are declared beside it. */
export const ModelTokenizer = Type.Object(
  {
    kind: Type.Literal("tokenizer"),
    file: fileName,
    /** `declared` lists tokens of a vocabulary that stands in another file. */
    form: Type.Union([
      Type.Literal("tokenizers"),
      Type.Literal("sentencepiece"),
      Type.Literal("vocabulary"),
      Type.Literal("tiktoken"),
      Type.Literal("gguf"),
      Type.Literal("declared"),
    ]),
    /** `BPE`, `Unigram`, `WordPiece`, …; absent where the file does not say. */
    algorithm: Type.Optional(Type.String({ maxLength: 64 })),
    /** Tokens of the learned vocabulary, and the highest of their ids; none in a list of declared ones. */
    vocabularySize: Type.Integer({ minimum: 0 }),
    vocabularyIdMax: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The token of that id. */
    vocabularyLastToken: Type.Optional(Type.String({ maxLength: 512 })),
    /** A hash of the learned vocabulary: equal where every token has the same id. */
    vocabularyDigest: Type.Optional(Type.String({ maxLength: 80 })),
    tokens: Type.Array(ModelToken),
    /** Merges whose parts or product are no tokens of the vocabulary: how many, and the first. */
    foreignMergeCount: Type.Optional(Type.Integer({ minimum: 0 })),
    foreignMerge: Type.Optional(Type.String({ maxLength: 512 })),
    /** What adds tokens around a text, as the file says it. */
    postProcessor: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
);
export type ModelTokenizer = Static<typeof ModelTokenizer>;

export const ModelTensor = Type.Object(
  {
    name: Type.String({ maxLength: 512 }),
    dtype: Type.String({ maxLength: 32 }),
    /** Rows first, as frameworks print it. */
    shape: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 16 }),
  },
  { additionalProperties: false },
);
export type ModelTensor = Static<typeof ModelTensor>;

/** The tensors of one file of weights, by its header. */
export const ModelTensors = Type.Object(
  {
    kind: Type.Literal("tensors"),
    file: fileName,
    form: Type.Union([Type.Literal("safetensors"), Type.Literal("gguf")]),
    tensors: Type.Array(ModelTensor),
    metadata: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type ModelTensors = Static<typeof ModelTensors>;

/** Which file holds which tensor. */
export const ModelIndex = Type.Object(
  {
    kind: Type.Literal("index"),
    file: fileName,
    weights: Type.Record(Type.String(), Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false },
);
export type ModelIndex = Static<typeof ModelIndex>;

/** A chat template in Jinja. */
export const ModelTemplate = Type.Object(
  {
    kind: Type.Literal("template"),
    file: fileName,
    /** `default`, or as the list of templates names it. */
    name: Type.String({ maxLength: 256 }),
    text: Type.String({ maxLength: 262_144 }),
  },
  { additionalProperties: false },
);
export type ModelTemplate = Static<typeof ModelTemplate>;

export const ModelPart = Type.Union([
  ModelSettings,
  ModelTokenizer,
  ModelTensors,
  ModelIndex,
  ModelTemplate,
]);
export type ModelPart = Static<typeof ModelPart>;

export const ModelReleaseContent = Type.Object(
  {
    kind: Type.Literal("model-release"),
    /** The folder that its files lie in. */
    name: Type.String({ maxLength: 256 }),
    /** Sorted by file. */
    parts: Type.Array(ModelPart, { maxItems: 2_000 }),
  },
  { additionalProperties: false },
);
export type ModelReleaseContent = Static<typeof ModelReleaseContent>;
