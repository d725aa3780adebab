import { crc32, deflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { EvaluationContent } from "../../model/evaluation.ts";
import { EvidenceError } from "../evidence-error.ts";
import { type ReadEvidence, readEvidence, type ReadOptions } from "../read-evidence.ts";
import { evaluationArchiveFormats } from "./formats.ts";

interface Packed {
  readonly name: string;
  readonly content: string;
  readonly method?: number;
  /** Another size than that of the content. */
  readonly saidBytes?: number;
  readonly flags?: number;
  /** Lies where the first entry lies. */
  readonly liesOverFirst?: true;
}

const packers: Readonly<Record<number, (bytes: Buffer) => Buffer>> = {
  8: (bytes) => deflateRawSync(bytes),
  93: (bytes) => zstdCompressSync(bytes),
};

/** A zip archive, as honest as it is told to be. */
function archiveOf(entries: readonly Packed[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method = 8, saidBytes, flags = 0, liesOverFirst } of entries) {
    const plain = Buffer.from(content);
    const packed = packers[method]?.(plain) ?? plain;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x0403_4b50, 0);
    header.writeUInt16LE(method, 8);
    header.writeUInt32LE(crc32(plain), 14);
    header.writeUInt32LE(packed.length, 18);
    header.writeUInt32LE(saidBytes ?? plain.length, 22);
    header.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x0201_4b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    header.copy(entry, 16, 14, 28);
    entry.writeUInt32LE(liesOverFirst === true ? 0 : offset, 42);
    directory.push(entry, Buffer.from(name));
    if (liesOverFirst === true) continue;
    pieces.push(header, Buffer.from(name), packed);
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, ...directory, end]);
}

const about = {
  version: 2,
  status: "success",
  eval: {
    created: "2026-06-01T10:00:00+00:00",
    task: "sums",
    model: "openai/gpt-4o",
    dataset: { name: "sums-1", samples: 3 },
  },
};

const sample = (id: number, value: unknown, more: object = {}): object => ({
  id,
  epoch: 1,
  input: "What is 1+1?",
  messages: [
    { role: "user", content: "What is 1+1?", source: "input" },
    { role: "assistant", content: `It is ${id}.`, source: "generate" },
  ],
  scores: { includes: { value, answer: "2" } },
  events: [{ event: "span_begin" }],
  ...more,
});

function samplesOf(method: number): Packed[] {
  const values: unknown[] = ["C", "I", "P", "N", 0.25, null, true];
  return values.map((value, at) => ({
    name: `samples/${at + 1}_epoch_1.json`,
    content: JSON.stringify(sample(at + 1, value)),
    method,
  }));
}

const log = (method = 8): Packed[] => [
  { name: "_journal/start.json", content: JSON.stringify(about), method },
  ...samplesOf(method),
  { name: "summaries.json", content: "[]", method },
  { name: "header.json", content: JSON.stringify(about), method },
];

function read(entries: readonly Packed[], options: ReadOptions = {}): ReadEvidence {
  return readEvidence([{ name: "logs/2026_sums.eval", bytes: archiveOf(entries) }], options);
}

function evaluationOf({ evidence, unreadable }: ReadEvidence): EvaluationContent {
  expect(unreadable).toEqual([]);
  const content = evidence.map((item) => item.content).find(({ kind }) => kind === "evaluation");
  if (content?.kind !== "evaluation") throw new Error("There is no evaluation.");
  return content;
}

const withZstd: ReadOptions = {
  expandZstd: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
};
const faultOf = (result: ReadEvidence): string =>
  result.unreadable.map((file) => `${file.message} ${file.where} ${file.expected}`).join();

describe("an archive of Inspect", () => {
  it.each<[number, string, ReadOptions]>([
    [0, "this package", {}],
    [8, "this package", {}],
    [93, "this package", {}],
    [93, "the host", withZstd],
  ])(
    "that is packed by method %i and expanded by %s gives scores and conversations",
    (method, _who, options) => {
      const result = read(log(method), options);
      expect(evaluationOf(result)).toMatchObject({
        tool: "inspect",
        suite: "sums",
        run: "logs/2026_sums",
        variants: [{ components: { model: "openai/gpt-4o", dataset: "sums-1" } }],
        cases: [
          { id: "1", scores: { includes: 1 } },
          { id: "2", scores: { includes: 0 } },
          { id: "3", scores: { includes: 0.5 } },
          { id: "4", scores: { includes: 0 } },
          { id: "5", scores: { includes: 0.25 } },
          { id: "7", scores: { includes: 1 } },
        ],
      });
      const conversations = result.evidence.filter(({ content }) => content.kind === "transcript");
      expect(conversations).toHaveLength(7);
      expect(result.evidence[0]?.source.format).toBe("evaluation-inspect-archive");
    },
  );

  it("whose scores are no numbers is read without those", () => {
    const [first = log()[0], ...others] = log();
    const nan = JSON.stringify(sample(9, 7)).replace('"value":7', '"value":NaN');
    const content = evaluationOf(
      read([
        ...(first === undefined ? [] : [first]),
        { name: "samples/9.json", content: nan },
        ...others,
      ]),
    );
    expect(content.cases.map(({ id }) => id)).not.toContain("9");
    expect(content.cases).toHaveLength(6);
  });

  it("of a run that did not end is read from its journal", () => {
    const { evidence, unreadable } = read(
      log().filter(({ name }) => name !== "header.json" && name !== "summaries.json"),
    );
    expect(unreadable).toEqual([]);
    expect(evidence[0]?.source.notes.join()).toContain("had not ended");
  });

  it("without samples is read from its summaries", () => {
    const summaries = [{ id: 1, epoch: 1, scores: { includes: { value: "C" } } }];
    const result = read([
      { name: "_journal/start.json", content: JSON.stringify(about) },
      { name: "_journal/summaries/1.json", content: JSON.stringify(summaries) },
    ]);
    expect(evaluationOf(result).cases).toMatchObject([{ id: "1", scores: { includes: 1 } }]);
  });

  it("is read from its summaries where its samples are too large, and says so", () => {
    const large = { name: "samples/1_epoch_1.json", content: "{}", saidBytes: 300 * 1024 * 1024 };
    const summaries = [
      { id: 1, epoch: 1, error: "it broke", scores: { includes: { value: "C" } } },
    ];
    const result = read([
      large,
      { name: "summaries.json", content: JSON.stringify(summaries) },
      { name: "header.json", content: JSON.stringify(about) },
    ]);
    expect(evaluationOf(result).cases).toMatchObject([{ id: "1", error: "it broke" }]);
    expect(result.evidence[0]?.source.notes.join()).toContain("too large to be read");
  });

  it.each<[string, (entries: Packed[]) => Packed[], RegExp]>([
    ["has no header", (all) => all.filter(({ name }) => samplesOnly.test(name)), /no header/],
    [
      "holds more than it says",
      (all) => all.map((one) => ({ ...one, saidBytes: 10 })),
      /not as large.*start\.json|not as large.*header\.json/,
    ],
    [
      "holds less than it says",
      (all) => all.map((one) => ({ ...one, saidBytes: 1_000_000 })),
      /not as large/,
    ],
    [
      "says that it is stored, and is another size",
      (all) => all.map((one) => ({ ...one, method: 0, saidBytes: 5 })),
      /not as large/,
    ],
    ["is encrypted", (all) => all.map((one) => ({ ...one, flags: 1 })), /encrypted/],
    ["is packed in another way", (all) => all.map((one) => ({ ...one, method: 14 })), /\(14\)/],
    [
      "holds no JSON",
      (all) => all.map((one) => ({ ...one, content: `${one.content}x` })),
      /malformed.*json, line 1/,
    ],
    [
      "has entries that lie over one another",
      (all) => [
        ...all,
        ...Array.from({ length: 2_000 }, (_, index) => ({
          name: `samples/${index + 100}_epoch_1.json`,
          content: all[0]?.content ?? "",
          liesOverFirst: true as const,
        })),
      ],
      /cut or broken/,
    ],
    [
      "has no sample with a score",
      (all) => all.filter(({ name }) => !name.startsWith("samples/")),
      /no case with a score/,
    ],
  ])("that %s is refused by name", (_what, change, fault) => {
    const { evidence, ...result } = read(change(log()));
    expect(evidence).toEqual([]);
    expect(faultOf({ evidence, ...result })).toMatch(fault);
  });

  it.each([{}, withZstd])("that is a bomb of zstd expands no further than it says", (options) => {
    const bomb = {
      name: "header.json",
      content: " ".repeat(50_000_000),
      method: 93,
      saidBytes: 99,
    };
    expect(faultOf(read([...samplesOf(8), bomb], options))).toMatch(/broken or cut\. header\.json/);
  });

  it("whose names lead elsewhere opens nothing by them", () => {
    const content = evaluationOf(
      read([...log(), { name: "samples/../../etc/passwd", content: "no JSON" }]),
    );
    expect(content.cases).toHaveLength(6);
  });

  it("ends in a result or in a named fault, wherever it is cut or changed", () => {
    const whole = archiveOf(log());
    const [format] = evaluationArchiveFormats;
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        (length, edits) => {
          const bytes = Uint8Array.from(
            whole.subarray(0, length > whole.length / 4 ? undefined : length),
          );
          for (const [at, byte] of edits) bytes[at] = byte;
          try {
            format?.read({ bytes, head: undefined, name: "a.eval", text: () => "", ...withZstd });
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

const samplesOnly = /^samples\//;
