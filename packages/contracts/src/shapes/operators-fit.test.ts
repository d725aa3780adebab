import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../test/survives.ts";
import { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { operatorFormats } from "../readers/operators/formats.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { operatorsFit } from "./operators-fit.ts";

function check(...operators: object[]): Finding | undefined {
  const bytes = new TextEncoder().encode(JSON.stringify({ operators }));
  const { evidence, unreadable } = readEvidence([{ name: "x.json", bytes }]);
  expect(unreadable).toEqual([]);
  const [finding] = operatorsFit.check(createSnapshot(evidence));
  expect(Value.Check(Finding, finding)).toBe(true);
  return finding;
}

/** An operator; what follows its inputs are its attributes and its outputs. */
function op(name: string, inputs: unknown, ...rest: readonly unknown[]): object {
  const [attributes = {}, outputs] = rest;
  return { op: name, inputs, attributes, ...(outputs === undefined ? {} : { outputs }) };
}

describe("operators that cannot fit", () => {
  it.each<[string, object, string]>([
    [
      "broadcasting",
      op("add", [
        [2, 3],
        [2, 4],
      ]),
      "[2, 3], [2, 4]",
    ],
    [
      "matmul",
      op("aten::matmul", [
        [8, 16],
        [32, 4],
      ]),
      "16 and 32",
    ],
    [
      "bmm",
      op("bmm", [
        [2, 3, 4],
        [5, 4, 6],
      ]),
      "[5, 4, 6]",
    ],
    ["linear", op("nn.Linear", [[8, 512]], { in_features: 256, out_features: 10 }), "[8, 512]"],
    [
      "a convolution's channels",
      op("conv2d", [
        [1, 1, 28, 28],
        [16, 3, 3, 3],
      ]),
      "1 channels",
    ],
    [
      "a convolution's kernel",
      op(
        "conv2d",
        [
          [1, 3, 2, 2],
          [16, 3, 5, 5],
        ],
        { stride: 1 },
      ),
      "[5, 5]",
    ],
    [
      "concat",
      op(
        "torch.cat",
        [
          [2, 3],
          [3, 4],
        ],
        { dim: 1 },
      ),
      "[3, 4]",
    ],
    [
      "stack",
      op("stack", [
        [2, 3],
        [2, 4],
      ]),
      "[2, 4]",
    ],
    ["view", op("view", [[2, 3, 4]], { shape: [5, -1] }), "24 elements"],
    ["permute", op("permute", [[2, 3, 4]], { dims: [0, 1] }), "[0, 1]"],
    ["transpose", op("transpose", [[2, 3]], { dim0: 1, dim1: 2 }), "1 and 2"],
    ["unsqueeze", op("unsqueeze", [[2, 3]], { dim: 4 }), "dimension 4"],
    [
      "attention",
      op("scaled_dot_product_attention", [
        [1, 8, 10, 64],
        [1, 8, 10, 32],
        [1, 8, 10, 64],
      ]),
      "key [1, 8, 10, 32]",
    ],
    ["layer norm", op("layer_norm", [[2, 10, 768]], { normalized_shape: [512] }), "[2, 10, 768]"],
    ["batch norm", op("BatchNorm2d", [[2, 64, 8, 8]], { num_features: 32 }), "[2, 64, 8, 8]"],
    ["a reduction", op("sum", [[2, 3]], { dim: 2 }), "dimensions 2"],
    ["types", op("matmul", ["float32[2, 3]", "float16[3, 4]"]), "float32 and float16"],
    [
      "indices as floats",
      op("embedding", ["float32[100, 8]", "float32[2, 5]"]),
      "indices are float32",
    ],
    [
      "an output",
      op(
        "matmul",
        [
          [2, 3],
          [3, 4],
        ],
        {},
        [[2, 5]],
      ),
      "[2, 5]",
    ],
  ])("%s", (_name, operator, words) => {
    const finding = check(op("relu", [[1]]), operator);
    expect(finding).toMatchObject({ verdict: "violated", measures: { faultyIndex: 1 } });
    expect(finding?.actual).toContain(words);
    expect(finding?.evidence[0]?.locator).toBe("/operators/1");
  });

  it("give a symbol two lengths", () => {
    const operators = (name: string | undefined): object[] => [
      op(
        "matmul",
        [
          ["batch", "k"],
          [64, 10],
        ],
        {},
        [{ shape: ["batch", 10], name }],
      ),
      op("matmul", [
        [8, "k"],
        [32, 10],
      ]),
    ];
    expect(check(...operators("x"))).toMatchObject({
      verdict: "violated",
      measures: { faultyIndex: 1 },
    });
    // Where no tensor has a name, each operator may have symbols of its own.
    expect(check(...operators(undefined))).toMatchObject({ verdict: "inconclusive" });
  });

  it("are found through names of tensors", () => {
    const finding = check(
      {
        op: "linear",
        inputs: [{ name: "x", shape: [4, 8] }],
        attributes: { in_features: 8, out_features: 16 },
        outputs: [{ name: "h" }],
      },
      { op: "linear", inputs: ["h"], attributes: { in_features: 32, out_features: 2 } },
    );
    expect(finding?.actual).toContain("[4, 16]");
  });
});

describe("operators that fit", () => {
  it.each<[string, object]>([
    [
      "broadcasting",
      op(
        "mul",
        [
          [8, 1, 6],
          [7, 1],
        ],
        {},
        [[8, 7, 6]],
      ),
    ],
    ["a vector", op("matmul", [[3], [2, 3, 4]], {}, [[2, 4]])],
    [
      "batches that stretch",
      op(
        "matmul",
        [
          [1, 8, 10, 64],
          [4, 1, 64, 10],
        ],
        {},
        [[4, 8, 10, 10]],
      ),
    ],
    [
      "strides and padding",
      op(
        "conv2d",
        [
          [1, 3, 224, 224],
          [64, 3, 7, 7],
        ],
        { stride: 2, padding: 3 },
        [[1, 64, 112, 112]],
      ),
    ],
    [
      "padding by name",
      op(
        "Conv",
        [
          [1, 3, 8, 8],
          [4, 3, 3, 3],
        ],
        { auto_pad: "SAME_UPPER" },
        [[1, 4, 8, 8]],
      ),
    ],
    [
      "groups",
      op(
        "conv1d",
        [
          [1, 8, 10],
          [16, 2, 3],
        ],
        { groups: 4 },
        [[1, 16, 8]],
      ),
    ],
    ["pooling", op("MaxPool2d", [[1, 3, 32, 32]], { kernel_size: 2 }, [[1, 3, 16, 16]])],
    [
      "concat",
      op(
        "Concat",
        [
          [2, 3],
          [2, 4],
        ],
        { axis: -1 },
        [[2, 7]],
      ),
    ],
    ["view", op("view", [[2, 3, 4]], { shape: [2, -1] }, [[2, 12]])],
    ["flatten", op("nn.Flatten", [[8, 3, 4]], {}, [[8, 12]])],
    ["transpose", op("transpose", [["n", 3, 4]], { dim0: -1, dim1: -2 }, [["n", 4, 3]])],
    ["squeeze", op("squeeze", [[2, 1, 3]], { dim: 1 }, [[2, 3]])],
    [
      "attention over another length",
      op(
        "sdpa",
        [
          [1, 8, 10, 64],
          [1, 8, 20, 64],
          [1, 8, 20, 32],
        ],
        {},
        [[1, 8, 10, 32]],
      ),
    ],
    [
      "an embedding with its table last",
      op("embedding", ["int64[2, 5]", "float32[100, 8]"], {}, [[2, 5, 8]]),
    ],
    ["embedding", op("embedding", ["float32[100, 8]", "int64[2, 5]"], {}, [[2, 5, 8]])],
    ["a mean", op("mean", [[2, 3, 4]], { dim: [1, 2], keepdim: true }, [[2, 1, 1]])],
    [
      "unknown lengths",
      op("linear", [[null, 8]], { in_features: 8, out_features: 2 }, [[null, 2]]),
    ],
  ])("%s", (_name, operator) => {
    expect(check(operator)).toMatchObject({ verdict: "holds" });
  });

  it("are not judged by the layout of another framework", () => {
    expect(
      check(
        op("Conv2D", [
          [1, 28, 28, 3],
          [3, 3, 3, 16],
        ]),
      ),
    ).toMatchObject({ verdict: "inconclusive" });
    expect(check(op("Attention", [[2, 8, 16], [16, 48], [48]]))).toMatchObject({
      verdict: "inconclusive",
    });
    expect(
      check(
        op(
          "convolution",
          [
            [1, 8, 4, 4],
            [8, 3, 3, 3],
          ],
          { transposed: true },
        ),
      ),
    ).toMatchObject({ verdict: "inconclusive" });
    expect(check(op("sum", [[2, 3]], { dim: [] }, [[]]))).toMatchObject({
      verdict: "inconclusive",
    });
  });

  it("are not judged where their rule or shapes are unknown", () => {
    expect(check(op("my_kernel", [[2]]))).toMatchObject({ verdict: "inconclusive" });
    expect(check(op("reshape", [[2, 3]]))).toMatchObject({ verdict: "inconclusive" });
  });
});

describe("records of other makings", () => {
  it.each<[string, object]>([
    ["weights by role", { op: "Linear", input_shape: [32, 784], weight_shape: [10, 512] }],
    ["sides by name", { operator: "matmul", lhs: [2, 3], rhs: [4, 5] }],
    ["settings beside", { op: "linear", in_features: 512, out_features: 10, input: [32, 784] }],
    ["a dimension beside", { op: "softmax", input_shape: [2, 3], axis: 3 }],
    ["a shape that is asked for", { op: "reshape", input: [2, 3], target_shape: [4, 2] }],
    [
      "nodes with shapes of their own",
      {
        nodes: [
          { id: "x", op: "placeholder", shape: [2, 3] },
          { id: "y", op: "placeholder", shape: [4, 5] },
          { id: "z", op: "matmul", inputs: ["x", "y"], shape: [2, 5] },
        ],
      },
    ],
    [
      "tensors apart",
      {
        tensors: { x: { shape: [2, 3], dtype: "float32" }, w: { shape: [4, 5] } },
        operators: [{ op: "matmul", inputs: ["x", "w"], outputs: ["y"] }],
      },
    ],
    [
      "a graph within",
      {
        graph: {
          nodes: [
            {
              op: "matmul",
              inputs: [
                [2, 3],
                [4, 5],
              ],
            },
          ],
        },
      },
    ],
  ])("%s", (_what, document) => {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const { evidence, unreadable } = readEvidence([{ name: "x.json", bytes }]);
    expect(unreadable).toEqual([]);
    expect(operatorsFit.check(createSnapshot(evidence))).toMatchObject([{ verdict: "violated" }]);
  });

  it.each<[string, object]>([
    ["a slice", { op: "slice", input: [10, 4], dim: 0, start: 2, end: 8, step: 2, output: [3, 4] }],
    [
      "a record with a number",
      { op: "add", a: [2, 3], b: [3], step: 17, index: 4, output: [2, 3] },
    ],
    ["a lookup", { op: "gather", input: [3, 4], dim: 1, index: { shape: [3, 2] }, output: [3, 2] }],
    [
      "a bias that is told as a flag",
      { op: "linear", input: [2, 4], in_features: 4, out_features: 3, bias: true, output: [2, 3] },
    ],
  ])("%s that fits is at no fault", (_what, document) => {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const { evidence } = readEvidence([{ name: "x.json", bytes }]);
    expect(operatorsFit.check(createSnapshot(evidence))).toMatchObject([{ verdict: "holds" }]);
  });
});

it("are not taken for what agents do", () => {
  const step =
    '{"operation":"chat","kind":"llm","input":[{"role":"user","content":"hi"}],"output":"x"}';
  const input = { bytes: new Uint8Array(), head: step, name: "x.json", text: () => step };
  expect(operatorFormats.filter((format) => format.recognise(input))).toEqual([]);
});

const seeds = [
  JSON.stringify({
    operators: [
      op(
        "matmul",
        [
          ["n", 3],
          [3, 4],
        ],
        { a: [1, "x"] },
        [["n", 4]],
      ),
    ],
  }),
  '[{"op":"add","input_shapes":[[1,2],[2]],"input_dtypes":["float","half"],"output":"f32[1,2]"}]',
  '{"op":"cat","inputs":{"a":"(2, 3)","b":{"shape":"torch.Size([2, 3])"}}}\n{"op":"relu","inputs":[null]}',
];

it("lists end in operators or in a named fault for any input", () => {
  survivesAnyInput(operatorFormats, seeds);
  readWithAll(operatorFormats, new TextEncoder().encode(`[${'{"op":"a","inputs":'.repeat(5_000)}`));
});
