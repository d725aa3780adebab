import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import type { Contract } from "../model/contract.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { isEvidenceContent } from "../snapshot/check-content.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../snapshot/file.ts";
import { versionContracts } from "./contracts.ts";
import { oneRelease } from "./one-release.ts";
import { specialTokens } from "./special-tokens.ts";
import { vocabularyFits } from "./vocabulary-fits.ts";

type Files = Readonly<Record<string, unknown>>;

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

function findingsOf(
  files: Files,
  contracts: readonly Contract[] = versionContracts,
  extra: Files = {},
): Finding[] {
  const named = Object.entries(files).map(([name, value]) => ({
    name: `models/served/${name}`,
    bytes: bytesOf(value),
  }));
  const others = Object.entries(extra).map(([name, value]) => ({ name, bytes: bytesOf(value) }));
  const { evidence, unreadable } = readEvidence([...named, ...others]);
  expect(unreadable).toEqual([]);
  for (const { content } of evidence) expect(isEvidenceContent(content)).toBe(true);
  return checkSnapshot(snapshotOf(evidence), contracts);
}

function verdictsOf(files: Files, contract: Contract): string[] {
  return findingsOf(files, [contract]).map(({ verdict }) => verdict);
}

type Added = readonly (readonly [string, number])[];

/** A tokenizer in the form of the tokenizers library; the vocabulary holds its last token, and some before it. */
function tokenizer(idLast: number, added: Added, postProcessor: unknown = null): unknown {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(([content, id]) => ({ id, content, special: true })),
    normalizer: null,
    post_processor: postProcessor,
    model: { type: "BPE", vocab: { "!": 0, '"': 1, "#": 2, last: idLast }, merges: [] },
  };
}

function safetensors(tensors: Readonly<Record<string, readonly number[]>>): Uint8Array {
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, shape]) => [
      name,
      { dtype: "BF16", shape, data_offsets: [0, 0] },
    ]),
  );
  const text = new TextEncoder().encode(
    JSON.stringify({ __metadata__: { format: "pt" }, ...header }),
  );
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const llama3: Files = {
  "config.json": {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: 4096,
    vocab_size: 128256,
    bos_token_id: 128000,
    eos_token_id: 128001,
  },
  "generation_config.json": {
    bos_token_id: 128000,
    eos_token_id: [128001, 128009],
    do_sample: true,
  },
  "tokenizer.json": tokenizer(
    127999,
    [
      ["<|begin_of_text|>", 128000],
      ["<|end_of_text|>", 128001],
      ["<|eot_id|>", 128009],
    ],
    {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "<|begin_of_text|>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
      ],
      special_tokens: {
        "<|begin_of_text|>": {
          id: "<|begin_of_text|>",
          ids: [128000],
          tokens: ["<|begin_of_text|>"],
        },
      },
    },
  ),
  "tokenizer_config.json": {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<|begin_of_text|>",
    eos_token: "<|eot_id|>",
    model_max_length: 1e30,
    added_tokens_decoder: { 128000: { content: "<|begin_of_text|>", special: true } },
    chat_template:
      "{{ bos_token }}{% for message in messages %}{{ message['content'] }}<|eot_id|>{% endfor %}",
  },
  "model.safetensors": safetensors({
    "model.embed_tokens.weight": [128256, 4096],
    "lm_head.weight": [128256, 4096],
  }),
};

const config = (type: string, architecture: string, rest: object): object => ({
  model_type: type,
  architectures: [architecture],
  transformers_version: "4.44.0",
  ...rest,
});

const healthy: readonly (readonly [string, Files])[] = [
  ["Llama 3 with two ends of a text", llama3],
  [
    "Qwen2.5 with padded rows and no first token",
    {
      "config.json": config("qwen2", "Qwen2ForCausalLM", {
        vocab_size: 151936,
        bos_token_id: 151643,
        eos_token_id: 151645,
      }),
      "generation_config.json": {
        bos_token_id: 151643,
        pad_token_id: 151643,
        eos_token_id: [151645, 151643],
      },
      "tokenizer.json": tokenizer(151642, [
        ["<|endoftext|>", 151643],
        ["<|im_start|>", 151644],
        ["<|im_end|>", 151645],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "Qwen2Tokenizer",
        bos_token: null,
        eos_token: "<|im_end|>",
        pad_token: "<|endoftext|>",
        unk_token: null,
      },
    },
  ],
  [
    "Mistral",
    {
      "config.json": config("mistral", "MistralForCausalLM", {
        vocab_size: 32000,
        bos_token_id: 1,
        eos_token_id: 2,
      }),
      "tokenizer.json": tokenizer(31999, [
        ["<unk>", 0],
        ["<s>", 1],
        ["</s>", 2],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "LlamaTokenizer",
        bos_token: "<s>",
        eos_token: "</s>",
        unk_token: "<unk>",
        add_bos_token: true,
      },
      "model.safetensors.index.json": {
        metadata: {},
        weight_map: { "lm_head.weight": "model-00002-of-00002.safetensors" },
      },
    },
  ],
  [
    "Gemma 3 without images, whose tokenizer keeps the token of images",
    {
      "config.json": config("gemma3_text", "Gemma3ForCausalLM", {
        vocab_size: 262144,
        bos_token_id: 2,
        eos_token_id: [1, 106],
        pad_token_id: 0,
      }),
      "tokenizer.json": tokenizer(262143, [
        ["<pad>", 0],
        ["<eos>", 1],
        ["<bos>", 2],
        ["<image_soft_token>", 262144],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "GemmaTokenizer",
        bos_token: "<bos>",
        eos_token: "<eos>",
        pad_token: "<pad>",
      },
    },
  ],
  [
    "Phi-3 with added tokens within its rows",
    {
      "config.json": config("phi3", "Phi3ForCausalLM", {
        vocab_size: 32064,
        bos_token_id: 1,
        eos_token_id: 32000,
        pad_token_id: 32000,
      }),
      "generation_config.json": {
        eos_token_id: [32000, 32001, 32007],
        pad_token_id: 32000,
        transformers_version: "4.39.3",
      },
      "tokenizer.json": tokenizer(31999, [
        ["<s>", 1],
        ["<|endoftext|>", 32000],
        ["<|end|>", 32007],
      ]),
      "added_tokens.json": { "<|endoftext|>": 32000, "<|end|>": 32007 },
      "tokenizer_config.json": {
        tokenizer_class: "LlamaTokenizer",
        bos_token: "<s>",
        eos_token: "<|endoftext|>",
        pad_token: "<|endoftext|>",
      },
    },
  ],
  [
    "GPT-NeoX with padded rows",
    {
      "config.json": config("gpt_neox", "GPTNeoXForCausalLM", {
        vocab_size: 50432,
        bos_token_id: 0,
        eos_token_id: 0,
      }),
      "tokenizer.json": tokenizer(50253, [
        ["<|endoftext|>", 0],
        ["<|padding|>", 1],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "GPTNeoXTokenizer",
        bos_token: "<|endoftext|>",
        eos_token: "<|endoftext|>",
        unk_token: "<|endoftext|>",
      },
      "model.safetensors": safetensors({
        "gpt_neox.embed_in.weight": [50432, 6144],
        "embed_out.weight": [50432, 6144],
      }),
    },
  ],
  [
    "BERT with a list of its vocabulary alone",
    {
      "config.json": config("bert", "BertForMaskedLM", { vocab_size: 5, pad_token_id: 0 }),
      "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\n",
      "tokenizer_config.json": { do_lower_case: true, pad_token: "[PAD]", unk_token: "[UNK]" },
      "model.safetensors": safetensors({ "bert.embeddings.word_embeddings.weight": [5, 768] }),
    },
  ],
  [
    "added tokens beyond the size in the settings, with rows that were made for them",
    {
      "config.json": config("llama", "LlamaForCausalLM", {
        vocab_size: 32000,
        bos_token_id: 1,
        eos_token_id: 2,
      }),
      "tokenizer.json": tokenizer(31999, [
        ["<s>", 1],
        ["</s>", 2],
        ["<|im_start|>", 32000],
        ["<|im_end|>", 32001],
      ]),
      "model.safetensors": safetensors({ "model.embed_tokens.weight": [32002, 4096] }),
    },
  ],
  [
    "a model of images with rows for them in the embedding alone",
    {
      "config.json": config("mllama", "MllamaForConditionalGeneration", {
        text_config: { vocab_size: 128256 },
      }),
      "tokenizer.json": tokenizer(127999, [["<|image|>", 128256]]),
      "model.safetensors": safetensors({
        "language_model.model.embed_tokens.weight": [128264, 4096],
        "language_model.lm_head.weight": [128256, 4096],
      }),
    },
  ],
  [
    "a distilled model whose settings of generation correct the first token",
    {
      "config.json": config("qwen2", "Qwen2ForCausalLM", {
        vocab_size: 152064,
        bos_token_id: 151643,
        eos_token_id: 151643,
      }),
      "generation_config.json": { bos_token_id: 151646, eos_token_id: 151643, do_sample: true },
      "tokenizer.json": tokenizer(151642, [
        ["<|end|>", 151643],
        ["<|begin|>", 151646],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "LlamaTokenizerFast",
        bos_token: "<|begin|>",
        eos_token: "<|end|>",
        pad_token: "<|end|>",
        add_bos_token: true,
      },
    },
  ],
  [
    "an encoder of captions whose ids nothing reads",
    {
      "config.json": config("clip_text_model", "CLIPTextModel", {
        vocab_size: 49408,
        bos_token_id: 0,
        eos_token_id: 2,
        pad_token_id: 1,
      }),
      "tokenizer.json": tokenizer(49405, [
        ["<|startoftext|>", 49406],
        ["<|endoftext|>", 49407],
      ]),
      "tokenizer_config.json": {
        tokenizer_class: "CLIPTokenizer",
        bos_token: "<|startoftext|>",
        eos_token: "<|endoftext|>",
        pad_token: "!",
      },
    },
  ],
];

describe("models of one release", () => {
  it.each(healthy)("violate nothing: %s", (_name, files) => {
    expect(findingsOf(files).filter(({ verdict }) => verdict === "violated")).toEqual([]);
  });

  it("hold where everything is there", () => {
    expect(findingsOf(llama3).map(({ contract, verdict }) => [contract, verdict])).toEqual([
      ["versions/chat-template", "holds"],
      ["versions/special-tokens", "holds"],
      ["versions/vocabulary-fits", "holds"],
      ["versions/one-release", "holds"],
    ]);
  });
});

const mistral = healthy[2]?.[1] ?? {};

describe("vocabularies that do not fit", () => {
  it.each<[string, Files]>([
    ["a tokenizer of another model", { ...mistral, "tokenizer.json": llama3["tokenizer.json"] }],
    [
      "an added token without a row",
      {
        ...mistral,
        "tokenizer.json": tokenizer(31999, [
          ["<s>", 1],
          ["</s>", 2],
          ["<unk>", 0],
          ["[PAD]", 32000],
        ]),
      },
    ],
    [
      "added tokens in a list of their own",
      { ...mistral, "added_tokens.json": { "<|im_end|>": 32001 } },
    ],
    [
      "an embedding smaller than the settings say",
      {
        ...llama3,
        "model.safetensors": safetensors({ "model.embed_tokens.weight": [128000, 4096] }),
      },
    ],
    [
      "an output smaller than the vocabulary",
      {
        ...llama3,
        "model.safetensors": safetensors({
          "model.embed_tokens.weight": [128256, 4096],
          "lm_head.weight": [32000, 4096],
        }),
      },
    ],
  ])("are violated: %s", (_name, files) => {
    const findings = findingsOf(files, [vocabularyFits]);
    expect(findings.map(({ verdict }) => verdict)).toEqual(["violated"]);
    expect(findings[0]?.evidence.every(({ quote }) => quote !== undefined)).toBe(true);
  });

  it("are inconclusive where nothing says how many rows there are", () => {
    const files = { ...mistral, "config.json": config("mistral", "MistralForCausalLM", {}) };
    expect(verdictsOf(files, vocabularyFits)).toEqual(["inconclusive"]);
  });
});

describe("special tokens that do not agree", () => {
  it.each<[string, Files]>([
    [
      "the end of a text is an ordinary token in the settings",
      {
        ...mistral,
        "tokenizer.json": tokenizer(31999, [
          ["<unk>", 0],
          ["<s>", 1],
          ["</s>", 5],
        ]),
      },
    ],
    [
      "generation is not told of the end of a turn",
      { ...llama3, "generation_config.json": { eos_token_id: 128001, do_sample: true } },
    ],
    [
      "two lists give a token two ids",
      { ...llama3, "added_tokens.json": { "<|eot_id|>": 128010 } },
    ],
    [
      "two lists give an id two tokens",
      { ...llama3, "added_tokens.json": { "<|im_end|>": 128009 } },
    ],
    [
      "the last token is none of the vocabulary",
      { ...mistral, "tokenizer_config.json": { tokenizer_class: "X", eos_token: "<|im_end|>" } },
    ],
    [
      "the first token is added twice",
      {
        ...mistral,
        "tokenizer.json": tokenizer(
          31999,
          [
            ["<unk>", 0],
            ["<s>", 1],
            ["</s>", 2],
          ],
          {
            type: "TemplateProcessing",
            single: [
              { SpecialToken: { id: "<s>", type_id: 0 } },
              { SpecialToken: { id: "<s>", type_id: 0 } },
              { Sequence: { id: "A", type_id: 0 } },
            ],
            special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
          },
        ),
      },
    ],
  ])("are violated: %s", (_name, files) => {
    expect(verdictsOf(files, specialTokens)).toContain("violated");
  });
});

const layered: Files = {
  "config.json": config("llama", "LlamaForCausalLM", {
    vocab_size: 8,
    hidden_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 96,
    num_hidden_layers: 2,
  }),
  "model.safetensors": safetensors({
    "model.embed_tokens.weight": [8, 64],
    "model.layers.0.self_attn.q_proj.weight": [64, 64],
    "model.layers.0.self_attn.k_proj.weight": [32, 64],
    "model.layers.0.mlp.gate_proj.weight": [96, 64],
    "model.layers.1.self_attn.q_proj.weight": [64, 64],
  }),
};

describe("weights and settings of one release", () => {
  it("hold", () => {
    expect(verdictsOf(layered, oneRelease)).toEqual(["holds"]);
  });

  it.each<[string, object, string]>([
    ["another width", { hidden_size: 128, num_attention_heads: 4, head_dim: 16 }, "64 wide"],
    ["another number of heads of keys", { num_key_value_heads: 4 }, "k_proj"],
    ["another inner size", { intermediate_size: 128 }, "gate_proj"],
    ["more layers", { num_hidden_layers: 3 }, "2 layers"],
    ["fewer layers", { num_hidden_layers: 1 }, "2 layers"],
    [
      "packed weights",
      { quantization_config: { quant_method: "gptq", bits: 4 } },
      "packed by gptq",
    ],
  ])("are violated where the settings name %s", (_name, change, words) => {
    const settings = { ...Object(layered["config.json"]), ...change };
    const [finding, ...more] = findingsOf({ ...layered, "config.json": settings }, [oneRelease]);
    expect(more).toEqual([]);
    expect(finding?.verdict).toBe("violated");
    expect(finding?.title).toContain(words);
  });

  it("are violated where a file lacks what the index says is in it", () => {
    const index = { metadata: {}, weight_map: { "model.layers.1.x.weight": "model.safetensors" } };
    const files = {
      "model.safetensors": layered["model.safetensors"],
      "model.safetensors.index.json": index,
    };
    expect(verdictsOf(files, oneRelease)).toEqual(["violated"]);
  });

  it("are violated where merges make tokens that the vocabulary does not have", () => {
    const files = {
      "tokenizer.json": {
        version: "1.0",
        truncation: null,
        added_tokens: [],
        model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b", ["ab", "b"]] },
      },
    };
    expect(verdictsOf(files, oneRelease)).toEqual(["violated"]);
  });
});

describe("replicas", () => {
  const replicas = (change: object): Files => ({
    "replica-0/config.json": layered["config.json"],
    "replica-1/config.json": { ...Object(layered["config.json"]), ...change },
  });

  it("hold where they differ in who wrote the file alone", () => {
    expect(
      verdictsOf(replicas({ transformers_version: "4.45.1", _name_or_path: "/x" }), oneRelease),
    ).toEqual(["holds"]);
  });

  it("are violated where they differ in a setting, which is named", () => {
    const [finding] = findingsOf(replicas({ rope_theta: 500_000 }), [oneRelease]);
    expect(finding).toMatchObject({ verdict: "violated", subject: { kind: "replicas" } });
    expect(finding?.title).toContain("rope_theta");
  });
});

describe("what changes no verdict", () => {
  const broken = { ...mistral, "added_tokens.json": { "<|im_end|>": 32001 } };

  it.each<[string, Files]>([
    ["healthy", llama3],
    ["broken", broken],
  ])("is the order of files, other evidence, and a trip through a file: %s", (_name, files) => {
    const plain = findingsOf(files);
    const reversed = Object.fromEntries(Object.entries(files).toReversed());
    expect(findingsOf(reversed)).toEqual(plain);
    const extra = {
      "prod.env": "LANG=C\nTZ=UTC\n",
      "models/other/config.json": llama3["config.json"],
    };
    expect(
      findingsOf(files, versionContracts, extra).filter(({ subject }) =>
        subject.name.includes("served"),
      ),
    ).toEqual(plain);
    const { evidence } = readEvidence(
      Object.entries(files).map(([name, value]) => ({
        name: `models/served/${name}`,
        bytes: bytesOf(value),
      })),
    );
    const again = decodeSnapshotFile(encodeSnapshotFile(snapshotOf(evidence)));
    expect(checkSnapshot(again, versionContracts)).toEqual(plain);
  });
});
