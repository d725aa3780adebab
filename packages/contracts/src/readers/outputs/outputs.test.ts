import { expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { readEvidence, type EvidenceFile } from "../read-evidence.ts";
import { outputFormats } from "./formats.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(...files: EvidenceFile[]): unknown[] {
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  return evidence.map(({ content }) => content);
}

const lines = `{"faultline":"outputs","version":1,"name":"decoder","role":"after"}
{"name":"logits","shape":[1,2],"dtype":"torch.float16","values":[NaN,1.5]}
{"name":"big","shape":[100],"values":[1,2],"places":[0,50]}
{"name":"wrong","shape":[3],"values":[1]}
`;

/** An array as NumPy 1 and 2 save it. */
function array(descr: string, shape: string, values: Uint8Array): Uint8Array {
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = encode(`${literal.padEnd(117)}\n`);
  const head = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >> 8];
  return Uint8Array.from([...head, ...header, ...values]);
}

it("reads recorded outputs with numbers that JSON does not have, and leaves out what does not fit its shape", () => {
  expect(read({ name: "x.jsonl", bytes: encode(lines) })).toEqual([
    {
      kind: "outputs",
      name: "decoder",
      role: "after",
      outputs: [
        { name: "logits", shape: [1, 2], dtype: "float16", values: ["NaN", 1.5] },
        { name: "big", shape: [100], values: [1, 2], places: [0, 50] },
      ],
    },
  ]);
});

it("reads arrays of NumPy, and from their folder or name whether they are from before or after", () => {
  const floats = new Uint8Array(Float32Array.of(0.5, -2).buffer);
  const halves = Uint8Array.of(0x00, 0x3c, 0x00, 0x7c, 0x01, 0x00);
  const contents = read(
    { name: "runs/before/logits.npy", bytes: array("<f4", "(1, 2)", floats) },
    { name: "logits-after.npy", bytes: array("<f2", "(3,)", halves) },
    { name: "count.npy", bytes: array("<i8", "()", Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0)) },
  );
  expect(contents).toHaveLength(3);
  expect(contents).toEqual(
    expect.arrayContaining([
      {
        kind: "outputs",
        name: "logits",
        role: "before",
        outputs: [{ name: "logits", shape: [1, 2], dtype: "float32", values: [0.5, -2] }],
      },
      {
        kind: "outputs",
        name: "logits",
        role: "after",
        outputs: [
          { name: "logits", shape: [3], dtype: "float16", values: [1, "Infinity", 2 ** -24] },
        ],
      },
      {
        kind: "outputs",
        name: "count",
        outputs: [{ name: "count", shape: [], dtype: "int64", values: [7] }],
      },
    ]),
  );
});

it("keeps an even choice of a large array", () => {
  const [content] = read({
    name: "big.npy",
    bytes: array("|u1", "(200000,)", new Uint8Array(200_000).fill(3)),
  });
  expect(content).toMatchObject({ outputs: [{ shape: [200_000] }] });
  expect(JSON.stringify(content)).toContain('"places":[0,3,6,9,');
});

it.each([
  ["a cut array", array("<f4", "(9,)", new Uint8Array(4))],
  ["an array of texts", array("<U3", "(1,)", new Uint8Array(12))],
  ["a shape without an end", array("<f4", "(9999999999999999, 9)", new Uint8Array(4))],
  ["no output", encode('{"faultline":"outputs","version":1}')],
  ["another version", encode('{"faultline":"outputs","version":2}')],
])("names the fault of %s", (_name, bytes) => {
  const { unreadable } = readEvidence([{ name: "x", bytes }]);
  expect(unreadable).toHaveLength(1);
});

it("ends in outputs or in a named fault for any input", () => {
  survivesAnyInput(outputFormats, [lines]);
  const bytes = array("<f8", "(2, 2)", new Uint8Array(32));
  for (let at = 0; at < bytes.length; at += 1) {
    readWithAll(outputFormats, bytes.with(at, 0xff));
    readWithAll(outputFormats, bytes.subarray(0, at));
  }
});
