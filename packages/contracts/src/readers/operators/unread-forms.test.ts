/** What is not read of models, and is said to be: graphs within operators of ONNX, and descriptions of Keras. */

import { describe, expect, it } from "vitest";

import { readEvidence } from "../read-evidence.ts";

/** A field of protobuf: text and messages by their length, numbers as they are. */
function field(number: number, value: number | string | readonly Uint8Array[]): Uint8Array {
  if (typeof value === "number") return Uint8Array.of(...numberOf(number * 8), ...numberOf(value));
  const bytes =
    typeof value === "string"
      ? new TextEncoder().encode(value)
      : Uint8Array.from(value.flatMap((part) => [...part]));
  return Uint8Array.of(...numberOf(number * 8 + 2), ...numberOf(bytes.length), ...bytes);
}

function numberOf(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...numberOf(value >>> 7)];
}

const node = (operator: string, inputs: string[], ...more: Uint8Array[]): Uint8Array =>
  field(1, [
    ...inputs.map((name) => field(1, name)),
    field(2, `${operator}-out`),
    field(4, operator),
    ...more,
  ]);

/** A branch that could not run on what the model is given, as exporters write it for another rank. */
const branch = [node("Squeeze", ["x"])];
const model = Uint8Array.of(
  ...field(1, 8),
  ...field(7, [
    node("Relu", ["x"]),
    node(
      "If",
      ["condition"],
      field(5, [field(1, "then_branch"), field(6, branch), field(20, 5)]),
      field(5, [field(1, "else_branch"), field(6, branch), field(20, 5)]),
    ),
    field(2, "net"),
  ]),
);

describe("graphs within operators of ONNX", () => {
  it("are not read, which is said of the model", () => {
    const { evidence, unreadable } = readEvidence([{ name: "net.onnx", bytes: model }]);
    expect(unreadable).toEqual([]);
    expect(evidence[0]?.content).toMatchObject({
      operators: [{ operator: "Relu" }, { operator: "If" }],
    });
    expect(evidence[0]?.source.notes).toEqual([
      "Graphs within operators are not read: those of If (1).",
    ]);
  });

  it("are not read of its JSON either", () => {
    const document = {
      irVersion: "8",
      graph: {
        node: [
          { input: ["x"], output: ["y"], opType: "Relu" },
          {
            input: ["n"],
            output: ["z"],
            opType: "Loop",
            attribute: [{ name: "body", type: "GRAPH", g: { node: [] } }],
          },
        ],
      },
    };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const { evidence } = readEvidence([{ name: "net.json", bytes }]);
    expect(evidence[0]?.source.notes).toEqual([
      "Graphs within operators are not read: those of Loop (1).",
    ]);
  });
});

describe("a description of Keras", () => {
  it.each([
    [
      "summary.txt",
      'Model: "sequential"\n┏━━━━━━━━┳━━━━━━━━┓\n┃ Layer (type)     ┃ Output Shape ┃ Param # ┃\n┡━━━━━━━━╇━━━━━━━━┩\n│ dense (Dense)    │ (None, 64)   │  50,240 │\n└────────┴────────┘\n',
    ],
    [
      "old-summary.txt",
      'Model: "model_1"\n_________________\nLayer (type)                 Output Shape              Param #   \n=================\ninput_1 (InputLayer)         [(None, 784)]             0         \n',
    ],
    [
      "config.json",
      '{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": []}, "registered_name": null}',
    ],
  ])("in %s is refused with what to give instead", (name, text) => {
    const { evidence, unreadable } = readEvidence([
      { name, bytes: new TextEncoder().encode(text) },
    ]);
    expect(evidence).toEqual([]);
    expect(unreadable[0]).toMatchObject({ isUnknownForm: true });
    expect(unreadable[0]?.message).toContain("Keras");
    expect(unreadable[0]?.expected).toContain("ONNX");
  });

  it("is none where a log of training goes on behind it", () => {
    const log = `${"2026-01-01 10:00:01 INFO step\n".repeat(6)}Model: "s"\n Layer (type)   Output Shape\n`;
    const bytes = new TextEncoder().encode(`${log}Epoch 1/3\n${log}`);
    const { evidence } = readEvidence([{ name: "stdout.txt", bytes }]);
    expect(evidence.map(({ source }) => source.format)).toEqual(["text-log"]);
  });
});
