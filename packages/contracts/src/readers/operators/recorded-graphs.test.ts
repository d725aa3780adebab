import { readdirSync, readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { inputOf, readInPieces } from "../../../test/read-in-pieces.ts";
import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { operatorsFit } from "../../shapes/operators-fit.ts";
import { createSnapshot } from "../../snapshot/create-snapshot.ts";
import { readEvidence } from "../read-evidence.ts";
import { operatorFormats } from "./formats.ts";

const folder = new URL("../../../test/recorded/operators/graphs/", import.meta.url);
const names = readdirSync(folder);

function check(name: string, bytes: Uint8Array) {
  const { evidence, unreadable } = readEvidence([{ name, bytes }]);
  expect(unreadable).toEqual([]);
  const [finding] = operatorsFit.check(createSnapshot(evidence));
  return { content: evidence[0]?.content, format: evidence[0]?.source.format, finding };
}

function textOf(name: string): string {
  return readFileSync(new URL(name, folder), "utf-8");
}

describe("graphs that PyTorch and ONNX printed of models that run", () => {
  it.each(names)("%s has no operator at fault", (name) => {
    const { content, finding } = check(name, readFileSync(new URL(name, folder)));
    expect(content).toMatchObject({ kind: "operators" });
    expect(finding?.verdict).not.toBe("violated");
  });

  it.each(["export.txt", "export-dynamic.txt", "print-readable.txt", "net.onnx", "net-onnx.json"])(
    "%s is judged to its last operator",
    (name) => {
      const { finding } = check(name, readFileSync(new URL(name, folder)));
      expect(finding?.verdict).toBe("holds");
      expect(finding?.measures?.["judgedCount"]).toBe(finding?.measures?.["operatorCount"]);
    },
  );

  it("a profile names the operators that the program called, each once", () => {
    const { finding } = check("profiler.json", readFileSync(new URL("profiler.json", folder)));
    expect(finding?.measures?.["judgedCount"]).toBeGreaterThan(90);
  });
});

describe("graphs with one shape changed", () => {
  it.each<[string, string, string, string]>([
    ["export.txt", 'p_fc_weight: "f32[16, 128]"', 'p_fc_weight: "f32[16, 127]"', "linear"],
    ["export.txt", 'add: "f32[2, 5, 16]"', 'add: "f32[2, 4, 16]"', "add"],
    [
      "export-dynamic.txt",
      'p_conv_weight: "f32[8, 3, 3, 3]"',
      'p_conv_weight: "f32[8, 4, 3, 3]"',
      "conv2d",
    ],
    ["export-decomposed.txt", "p_fc_weight, [1, 0]", "p_fc_weight, [0, 1]", "permute"],
    [
      "export-decomposed.txt",
      'getitem_5: "f32[s23, 5, 16]"',
      'getitem_5: "f32[s23, 6, 16]"',
      "native_layer_norm",
    ],
    [
      "print-readable.txt",
      "flatten.using_ints(max_pool2d, 1)",
      "flatten.using_ints(max_pool2d, 2)",
      "flatten",
    ],
    [
      "symbolic-readable.txt",
      'matmul: "f32[4, 4]" = getitem @ t',
      'matmul: "f32[4, 4]" = getitem @ getitem_1',
      "matmul",
    ],
  ])("%s: %s as %s", (...[name, from, to, operator]) => {
    const text = textOf(name);
    expect(text).toContain(from);
    const { finding } = check(name, new TextEncoder().encode(text.replace(from, to)));
    expect(finding).toMatchObject({ verdict: "violated" });
    expect(finding?.title).toContain(operator);
  });

  it("net-onnx.json: a weight of 127 where 128 come in", () => {
    const text = textOf("net-onnx.json").replace(/"128"/, '"127"');
    const { finding } = check("net.json", new TextEncoder().encode(text));
    expect(finding).toMatchObject({ verdict: "violated" });
    expect(finding?.title).toContain("Gemm (head)");
  });
});

describe("a model of ONNX", () => {
  const bytes = Uint8Array.from(readFileSync(new URL("net.onnx", folder)));

  it("is the same in pieces of any size", () => {
    const input = inputOf(bytes, "net.onnx");
    const format = operatorFormats.find((candidate) => candidate.recognise(input));
    expect(format?.name).toBe("onnx");
    if (format === undefined) return;
    const every = Array.from(bytes, (_, index) => index);
    for (const cuts of [every, [3, 900, 5_000], []]) {
      expect(readInPieces(format, input, cuts)).toEqual(format.read(input));
    }
  });

  it("that is cut anywhere is refused by name", () => {
    for (let end = 20; end < bytes.length; end += 61) {
      const { evidence, unreadable } = readEvidence([
        { name: "net.onnx", bytes: bytes.subarray(0, end) },
      ]);
      expect(evidence).toEqual([]);
      expect(unreadable[0]?.message).toMatch(/^The model /);
    }
  });
});

it("a log of TORCH_LOGS gives the graphs that it prints", () => {
  const prefix =
    "V1128 09:18:46.123456 4242 torch/_functorch/_aot_autograd/graph_compile.py:226] [0/0] [__aot_graphs] ";
  const graph = [
    "TRACED GRAPH",
    " ===== Forward graph 0 =====",
    "class GraphModule(torch.nn.Module):",
    '    def forward(self, arg0_1: "f32[8, 16][16, 1]cpu", arg1_1: "f32[32, 4][4, 1]cpu"):',
    '        mm: "f32[8, 4][4, 1]cpu" = torch.ops.aten.mm.default(arg0_1, arg1_1);  arg0_1 = arg1_1 = None',
    "        return (mm,)",
  ];
  const text = graph.map((line) => `${prefix}${line}\n`).join("");
  const { finding } = check("torch.log", new TextEncoder().encode(text));
  expect(finding).toMatchObject({ verdict: "violated", actual: "[8, 16], [32, 4]: 16 and 32." });
});

it("the fragments of compiled code give their graph", () => {
  const text = `# Topologically Sorted Source Nodes: [mm], Original ATen: [aten.mm]
# Graph fragment:
#   %arg0_1 : Tensor "f32[8, 16][16, 1]cpu" = PlaceHolder[target=arg0_1]
#   %arg1_1 : Tensor "f32[16, 4][4, 1]cpu" = PlaceHolder[target=arg1_1]
#   %mm : Tensor "f32[8, 4][4, 1]cpu"[num_users=1] = call_function[target=torch.ops.aten.mm.default](args = (%arg0_1, %arg1_1), kwargs = {})
#   %sum_1 : Tensor "f32[8][1]cpu"[num_users=1] = call_function[target=torch.ops.aten.sum.dim_IntList](args = (%mm, [1]), kwargs = {})
`;
  expect(check("output_code.py", new TextEncoder().encode(text)).finding).toMatchObject({
    verdict: "holds",
    measures: { operatorCount: 2 },
  });
});

it("what repeats itself without end in a line is passed over at once", () => {
  const graph =
    "graph():\n  %x = placeholder[target=x]\n  %mm : = call_function[target=torch.mm](args = (%x, %x), kwargs = {})\n";
  const lines = [
    `a :${" ".repeat(300_000)}!`,
    `def forward(self, ${")->".repeat(100_000)}`,
    `%y : = call_function[target=torch.mm](args = (${"), kwargs = {})".repeat(30_000)}!`,
  ];
  for (const line of lines) {
    const bytes = new TextEncoder().encode(`${graph}${line}\n`);
    expect(check("graph.txt", bytes).content).toMatchObject({ kind: "operators" });
  }
});

it("the source of a model is no graph", () => {
  const source = `import torch.nn as nn

class Net(nn.Module):
    def forward(self, x: "Tensor"):
        h = self.fc1(x)
        return torch.relu(h)
`;
  const { evidence } = readEvidence([{ name: "net.py", bytes: new TextEncoder().encode(source) }]);
  expect(evidence).toEqual([]);
});

it("any change of a graph ends in operators or in a named fault", () => {
  const seeds = ["export-dynamic.txt", "symbolic-print.txt", "symbolic-readable.txt"].map(textOf);
  const fragment =
    '#   %mm : Tensor "f32[8, s0][4, 1]cpu"[num_users=1] = call_function[target=torch.ops.aten.mm.default](args = (%a, [1, (2, -%b)]), kwargs = {x: {1: 2}})\n';
  survivesAnyInput(operatorFormats, [...seeds, fragment, textOf("net-onnx.json")]);
});

it("any change of a model's bytes ends in operators or in a named fault", () => {
  const bytes = readFileSync(new URL("net.onnx", folder)).subarray(0, 1_500);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1_499), fc.nat(255)), { maxLength: 6 }), (changes) => {
      const changed = Uint8Array.from(bytes);
      for (const [at, value] of changes) changed[at] = value;
      readWithAll(operatorFormats, changed);
    }),
    { numRuns: 300 },
  );
});
