/** Parts of one model that are those of another: templates, ids of generation, vocabularies in two forms. */

import { describe, expect, it } from "vitest";

import type { ModelPart, ModelToken } from "../model/model-release.ts";
import type { Contract } from "../model/contract.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { chatTemplate } from "./chat-template.ts";
import { specialTokens } from "./special-tokens.ts";
import { vocabularyFits } from "./vocabulary-fits.ts";

type Settings = Readonly<Record<string, unknown>>;

interface Plan {
  readonly tokens?: readonly ModelToken[];
  readonly template?: string;
  readonly config?: Settings;
  readonly generation?: Settings;
  readonly tokenizerConfig?: Settings;
  readonly sentencepieceIdMax?: number;
  readonly rowCount?: number;
  readonly vocabularyIdMax?: number;
  /** As one file of GGUF, with these ids. */
  readonly gguf?: Settings;
}

const token = (text: string, id: number): ModelToken => ({ text, id, isSpecial: true });
const own = [token("<s>", 1), token("</s>", 2), token("<|user|>", 97), token("<|end|>", 98)];
const many = Array.from({ length: 20_000 - own.length }, (_, at) => token(`<u${at}>`, 100 + at));
const chatml =
  "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}";
const ownTemplate = "{% for m in messages %}<|user|>{{ m['content'] }}<|end|>{% endfor %}";

function partsOf(plan: Plan): ModelPart[] {
  const { tokens = own, template = ownTemplate, rowCount = 99, gguf } = plan;
  const isGguf = gguf !== undefined;
  const file = (name: string): string => (isGguf ? "model.gguf" : name);
  const tokenizer = {
    kind: "tokenizer" as const,
    vocabularySize: 99,
    vocabularyIdMax: plan.vocabularyIdMax ?? 98,
    vocabularyLastToken: "last",
    tokens: [...tokens],
  };
  const settings: [string, "model" | "generation" | "tokenizer", Settings | undefined][] = [
    [
      "config.json",
      "model",
      { architectures: ["LlamaForCausalLM"], vocab_size: 99, ...plan.config },
    ],
    ["generation_config.json", "generation", plan.generation],
    ["tokenizer_config.json", "tokenizer", { eos_token: "</s>", ...plan.tokenizerConfig }],
  ];
  return [
    { ...tokenizer, file: file("tokenizer.json"), form: isGguf ? "gguf" : "tokenizers" },
    { kind: "template", file: file("tokenizer_config.json"), name: "default", text: template },
    {
      kind: "tensors",
      file: file("model.safetensors"),
      form: isGguf ? "gguf" : "safetensors",
      tensors: [
        {
          name: isGguf ? "token_embd.weight" : "model.embed_tokens.weight",
          dtype: "F32",
          shape: [rowCount, 16],
        },
      ],
      metadata: { ...gguf },
    },
    ...(plan.sentencepieceIdMax === undefined
      ? []
      : [
          {
            ...tokenizer,
            file: "tokenizer.model",
            form: "sentencepiece" as const,
            vocabularyIdMax: plan.sentencepieceIdMax,
          },
        ]),
    ...(isGguf ? [] : settings).flatMap(([name, of, values]): ModelPart[] =>
      values === undefined ? [] : [{ kind: "settings", file: name, of, values: { ...values } }],
    ),
  ];
}

function titlesOf(contract: Contract, plan: Plan): string[] {
  const source = { name: "m/config.json", format: "test", notes: [] };
  const content = { kind: "model-release" as const, name: "m", parts: partsOf(plan) };
  return contract
    .check(createSnapshot([{ source, content }]))
    .filter(({ verdict }) => verdict === "violated")
    .map(({ title }) => title);
}

const contracts = [chatTemplate, specialTokens, vocabularyFits];

describe("a part of another model", () => {
  it.each<[string, Plan, readonly [Contract, RegExp]]>([
    [
      "is a template whose marks are no tokens, beside tokens for turns that it does not write",
      { template: chatml },
      [
        chatTemplate,
        /is of another model: it writes <\|im_start\|>, <\|im_end\|>.*not <\|user\|>, <\|end\|>/,
      ],
    ],
    [
      "is such a template in GGUF",
      { template: chatml, gguf: { "tokenizer.ggml.eos_token_id": 2 } },
      [chatTemplate, /is of another model/],
    ],
    [
      "is a list of ends that the model cannot give",
      { generation: { eos_token_id: [128_001, 128_009] } },
      [specialTokens, /ends at 128001, 128009, which its model with 99 rows cannot give/],
    ],
    [
      "is an end of GGUF that is a piece of text",
      { gguf: { "tokenizer.ggml.eos_token_id": 7 } },
      [specialTokens, /is 7, which is a piece of text/],
    ],
    [
      "is a file of GGUF with more rows than tokens",
      { gguf: { "tokenizer.ggml.eos_token_id": 2 }, rowCount: 128 },
      [vocabularyFits, /lists 99 tokens, and its weights have 128 rows/],
    ],
    [
      "is a vocabulary that is one further than its SentencePiece model",
      { sentencepieceIdMax: 97, tokenizerConfig: { tokenizer_class: "LlamaTokenizerFast" } },
      [vocabularyFits, /gives "last" the id 98, and tokenizer\.model 97/],
    ],
  ])("%s", (_what, plan, [contract, title]) => {
    const titles = titlesOf(contract, plan);
    expect(titles).toHaveLength(1);
    expect(titles[0]).toMatch(title);
  });

  it.each<[string, Plan]>([
    ["its own template", {}],
    [
      "a template whose marks are text, where no token is for turns",
      { template: chatml, tokens: own.slice(0, 2) },
    ],
    [
      "a template that writes marks as text beside a token of its own",
      { template: `<|user|>${chatml}` },
    ],
    [
      "a template of marks that are tokens",
      { template: chatml, tokens: [...own, token("<|im_end|>", 96)] },
    ],
    ["ends of which the model has one", { generation: { eos_token_id: [2, 128_009] } }],
    ["rows that were padded", { rowCount: 128 }],
    ["an end of GGUF that is a control token", { gguf: { "tokenizer.ggml.eos_token_id": 98 } }],
    [
      "an end of GGUF where nothing says which tokens are text",
      { gguf: { "tokenizer.ggml.eos_token_id": 7 }, tokens: [{ text: "<s>", id: 1 }] },
    ],
    [
      "an end of GGUF, or a mark, that a list of very many tokens does not show",
      {
        gguf: { "tokenizer.ggml.eos_token_id": 70_000 },
        template: chatml,
        tokens: [...own, ...many],
        rowCount: 80_000,
        vocabularyIdMax: 79_999,
      },
    ],
    [
      "a SentencePiece model whose ids its family moves",
      { sentencepieceIdMax: 97, tokenizerConfig: { tokenizer_class: "XLMRobertaTokenizer" } },
    ],
  ])("is not there: %s", (_what, plan) => {
    expect(contracts.flatMap((contract) => titlesOf(contract, plan))).toEqual([]);
  });
});
