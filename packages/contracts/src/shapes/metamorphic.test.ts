import { describe, expect, it } from "vitest";

import type { OperatorsContent } from "../model/operators.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../snapshot/file.ts";
import { operatorsFit } from "./operators-fit.ts";

type Operator = OperatorsContent["operators"][number];
type Tensor = Operator["inputs"][number];

function operator(kind: string, inputs: Tensor[], outputs: Tensor[]): Operator {
  return { operator: kind, inputs, outputs, attributes: {}, pointer: "/operators/0" };
}

/** A small model: an embedding, a linear layer, a split into heads and their scores. */
function model(width: number): OperatorsContent {
  const list = [
    operator(
      "aten::embedding",
      [
        { shape: [100, 64], dtype: "float32" },
        { shape: ["batch", 16], dtype: "int64" },
      ],
      [{ name: "hidden", shape: ["batch", 16, 64] }],
    ),
    operator(
      "linear",
      [{ name: "hidden" }, { shape: [64, width] }],
      [{ name: "query", shape: ["batch", 16, 64] }],
    ),
    {
      ...operator("view", [{ name: "query" }], [{ name: "heads" }]),
      attributes: { size: [8, 16, 4, 16] },
    },
    {
      ...operator("transpose", [{ name: "heads" }], [{ name: "turned" }]),
      attributes: { dim0: 1, dim1: 2 },
    },
    operator("matmul", [{ name: "turned" }, { shape: [8, 4, 16, 16] }], [{ name: "scores" }]),
  ];
  return {
    kind: "operators",
    name: "model",
    framework: "torch",
    operators: list.map((one, index) => ({ ...one, pointer: `/operators/${index}` })),
  };
}

const source = { name: "x", format: "operator-list", notes: [] };

function factsOf(...contents: OperatorsContent[]): unknown[] {
  const snapshot = createSnapshot([
    ...contents.map((content) => ({ source, content })),
    { source, content: { kind: "logs" as const, lines: [{ text: "unrelated" }] } },
  ]);
  return operatorsFit
    .check(decodeSnapshotFile(encodeSnapshotFile(snapshot)))
    .filter(({ subject }) => subject.name === "model")
    .map(({ verdict, title, actual, evidence }) => [
      verdict,
      title,
      actual,
      evidence.map(({ locator, quote }) => [locator, quote]),
    ]);
}

function renamed(content: OperatorsContent): OperatorsContent {
  const other = (tensor: Tensor): Tensor => ({
    ...tensor,
    ...(tensor.name === undefined ? {} : { name: `%${tensor.name}` }),
    ...(tensor.shape === undefined
      ? {}
      : { shape: tensor.shape.map((length) => (length === "batch" ? "s0" : length)) }),
  });
  return {
    ...content,
    operators: content.operators.map((one) => ({
      ...one,
      inputs: one.inputs.map(other),
      outputs: one.outputs.map(other),
    })),
  };
}

describe.each([
  ["that fits", 64, "holds"],
  ["that cannot fit", 32, "violated"],
] as const)("a list of operators %s", (_name, width, verdict) => {
  const content = model(width);
  const before = factsOf(content);

  it("is judged the same beside others, twice, and with other names of tensors and symbols", () => {
    expect(before[0]).toContain(verdict);
    expect(factsOf(content, content, { ...model(7), name: "unrelated" })).toEqual(before);
    const restored = JSON.stringify(factsOf(renamed(content))).replaceAll("s0", "batch");
    expect(JSON.parse(restored)).toEqual(before);
  });

  it("is judged the same with operators between that change nothing", () => {
    const identity = operator("identity", [{ shape: [3] }], [{ name: "unrelated", shape: [3] }]);
    const more = { ...content, operators: [...content.operators, identity] };
    const told = (facts: readonly unknown[]): unknown => (verdict === "holds" ? verdict : facts);
    expect(told(factsOf(more))).toEqual(told(before));
  });

  it("is judged the same under the names that ATen gives", () => {
    const aten = {
      ...content,
      operators: content.operators.map((one) => ({
        ...one,
        operator: one.operator.includes("::") ? one.operator : `aten.${one.operator}.default`,
      })),
    };
    expect(factsOf(aten)[0]).toContain(verdict);
  });
});
