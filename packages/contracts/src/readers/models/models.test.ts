import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ModelPart } from "../../model/model-release.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { EvidenceReader, readEvidence } from "../read-evidence.ts";

const encoder = new TextEncoder();

function partsOf(name: string, bytes: Uint8Array): readonly ModelPart[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes }]);
  expect(unreadable).toEqual([]);
  const [piece] = evidence;
  expect(isEvidenceContent(piece?.content)).toBe(true);
  return piece?.content.kind === "model-release" ? piece.content.parts : [];
}

/** Little-endian numbers and texts, as GGUF writes them. */
class Bytes {
  readonly list: number[] = [];

  number(value: number, size: number): this {
    for (let index = 0; index < size; index += 1) {
      this.list.push(Math.floor(value / 256 ** index) % 256);
    }
    return this;
  }

  text(text: string): this {
    const bytes = encoder.encode(text);
    this.number(bytes.length, 8).list.push(...bytes);
    return this;
  }
}

function gguf(tokens: readonly string[], eosId: number): Uint8Array {
  const bytes = new Bytes();
  bytes.list.push(...encoder.encode("GGUF"));
  bytes.number(3, 4).number(1, 8).number(3, 8);
  bytes.text("general.architecture").number(8, 4).text("llama");
  bytes.text("tokenizer.ggml.tokens").number(9, 4).number(8, 4).number(tokens.length, 8);
  for (const token of tokens) bytes.text(token);
  bytes.text("tokenizer.ggml.eos_token_id").number(4, 4).number(eosId, 4);
  bytes.text("token_embd.weight").number(2, 4).number(64, 8).number(3, 8).number(1, 4).number(0, 8);
  return new Uint8Array(bytes.list);
}

function sentencePiece(pieces: readonly (readonly [string, number])[]): Uint8Array {
  const bytes = pieces.flatMap(([text, type]) => {
    const encoded = encoder.encode(text);
    const piece = [0x0a, encoded.length, ...encoded, 0x15, 0, 0, 0, 0, 0x18, type];
    return [0x0a, piece.length, ...piece];
  });
  // The settings of training: the algorithm is BPE.
  return new Uint8Array([...bytes, 0x12, 2, 0x18, 2]);
}

function safetensors(header: string, length = encoder.encode(header).length): Uint8Array {
  const text = encoder.encode(header);
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

const weights = safetensors('{"a.weight":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}');

describe("files of a model", () => {
  it("are read: a GGUF file, rows first", () => {
    expect(partsOf("m.gguf", gguf(["<unk>", "<s>", "a"], 1))).toMatchObject([
      { kind: "tensors", tensors: [{ name: "token_embd.weight", dtype: "F16", shape: [3, 64] }] },
      { kind: "tokenizer", form: "gguf", vocabularySize: 3, vocabularyIdMax: 2 },
    ]);
  });

  it("are read: a model of SentencePiece", () => {
    const bytes = sentencePiece([
      ["<unk>", 2],
      ["<s>", 3],
      ["a", 1],
    ]);
    expect(partsOf("tokenizer.model", bytes)).toMatchObject([
      {
        form: "sentencepiece",
        algorithm: "BPE",
        vocabularySize: 3,
        tokens: [{ text: "<unk>", id: 0 }, { id: 1 }],
      },
    ]);
  });

  it("are read: ranks of tiktoken, and numbers that JSON does not have", () => {
    expect(partsOf("tokenizer.model", encoder.encode("IQ== 0\nIg== 1\nIw== 2\n"))).toMatchObject([
      { form: "tiktoken", vocabularyIdMax: 2 },
    ]);
    const config = '{"model_type":"mamba2","vocab_size":10,"time_step_limit":[0.0, Infinity]}';
    expect(partsOf("config.json", encoder.encode(config))).toMatchObject([
      { values: { time_step_limit: [0, null] } },
    ]);
  });

  it("are read by their header alone, and say when nothing more is needed", () => {
    const reader = new EvidenceReader();
    const sink = reader.open("m/model.safetensors", 1e12);
    sink.push(weights);
    for (let count = 0; count < 3 && sink.isSatisfied !== true; count += 1)
      sink.push(new Uint8Array(65_536));
    expect(sink.isSatisfied).toBe(true);
    sink.end();
    const { evidence, unreadable } = reader.finish();
    expect(unreadable).toEqual([]);
    expect(evidence).toMatchObject([{ content: { kind: "model-release", name: "m" } }]);
  });

  it.each([
    ["a header that is cut", weights.subarray(0, 40)],
    ["a header that is no JSON", safetensors('{"a": nothing}')],
    ["a tensor without a shape", safetensors('{"a":{"dtype":"F16"}}')],
    ["more text than bytes", gguf(["a"], 0).subarray(0, 60)],
    [
      "a list that is longer than a file can be",
      new Uint8Array([...gguf([], 0).subarray(0, 8), ...Array.from({ length: 16 }, () => 0xff)]),
    ],
  ])("are refused by name: %s", (_name, bytes) => {
    const { evidence, unreadable } = readEvidence([{ name: "x.bin", bytes }]);
    expect([evidence.length, unreadable.length]).toEqual([0, 1]);
  });

  it("give a result or a typed error, whatever is done to them", () => {
    const corpus = [
      weights,
      gguf(["<unk>", "<s>", "a"], 1),
      sentencePiece([["<unk>", 2]]),
      encoder.encode(
        '{"added_tokens":[{"id":1,"content":"<s>"}],"model":{"vocab":{"a":0},"merges":["a b"]}}',
      ),
      encoder.encode(
        '{"added_tokens_decoder":{"1":{"content":"<s>"}},"chat_template":"{{ messages }}"}',
      ),
      encoder.encode('{"weight_map":{"a":"b"}}'),
    ];
    const change = fc.tuple(fc.nat(300), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.array(change, { maxLength: 6 }),
        fc.nat(300),
        (bytes, changes, cut) => {
          const changed = bytes.slice(0, Math.max(1, bytes.length - (cut > 200 ? cut : 0)));
          for (const [place, value] of changes) changed[place % changed.length] = value;
          for (const { content } of readEvidence([{ name: "a/b", bytes: changed }]).evidence) {
            if (content.kind === "model-release") expect(isEvidenceContent(content)).toBe(true);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
