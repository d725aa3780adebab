/** A graph of ONNX as operators, whatever it was written in: what is constant and small becomes an attribute. */

import type {
  OperatorAttribute,
  OperatorsContent,
  TensorOperator,
  TensorShape,
} from "../../model/operators.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import { present } from "../training/named-values.ts";
import { operatorLimits } from "./limits.ts";

/** A node as it stands in the model. */
export interface OnnxNode {
  readonly operator: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Record<string, OperatorAttribute>;
  /** The value of a node that is a constant. */
  readonly value?: OnnxTensor | undefined;
  /** It has graphs of its own, as `If`, `Loop` and `Scan` have. */
  readonly hasBody?: boolean;
}

/** A tensor that the model holds, without its values but where they are few whole numbers. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly dtype: string | undefined;
  readonly values: readonly number[] | undefined;
}

/** Elements of a constant that are kept: a shape has no more. */
export const constantLengthMax = 64;

/** Kinds of operators that one sentence names. */
const bodiesListedMax = 8;

/** Gathers nodes and tensors, and gives the operators. */
export class OnnxGraph {
  name = "";
  readonly #nodes: OnnxNode[] = [];
  readonly #tensors = new Map<string, TensorShape>();
  readonly #constants = new Map<string, readonly number[]>();
  /** Nodes with graphs of their own, by what they are. */
  readonly #bodies = new Map<string, number>();

  addNode(node: OnnxNode): void {
    if (this.#nodes.length === operatorLimits.operatorCountMax) {
      throw new EvidenceError("The model has too many operators.", {
        expected: `at most ${operatorLimits.operatorCountMax} operators`,
      });
    }
    if (node.hasBody === true) {
      this.#bodies.set(node.operator, (this.#bodies.get(node.operator) ?? 0) + 1);
    }
    const [output = ""] = node.outputs;
    if (node.value !== undefined) this.addConstant(output, node.value);
    else if (node.operator !== "Constant") this.#nodes.push(node);
  }

  addTensor(name: string, tensor: Omit<TensorShape, "name">): void {
    if (this.#tensors.size >= operatorLimits.operatorCountMax || name === "") return;
    // Where a model declares a weight and holds it, what it holds counts.
    if (this.#constants.has(name) || this.#tensors.get(name)?.role === "held") return;
    this.#tensors.set(name, { name, ...tensor });
  }

  addConstant(name: string, { shape, dtype, values }: OnnxTensor): void {
    if (this.#tensors.size >= operatorLimits.operatorCountMax || name === "") return;
    this.#tensors.set(name, present({ name, shape: [...shape], dtype, role: "held" }));
    if (values !== undefined) this.#constants.set(name, values);
  }

  /**
   * What was left out. A branch may hold what never runs, such as a `Squeeze` for another rank, so that nothing of it can be
   * held against the shapes around it.
   */
  notes(): string[] {
    const names = [...this.#bodies]
      .slice(0, bodiesListedMax)
      .map(([operator, count]) => `${cutText(operator, 64)} (${count})`);
    return names.length === 0
      ? []
      : [`Graphs within operators are not read: those of ${names.join(", ")}.`];
  }

  content(fileName: string): OperatorsContent {
    if (this.#nodes.length === 0) {
      throw new EvidenceError("The model has no operator.", {
        expected: "a graph with nodes",
      });
    }
    return {
      kind: "operators",
      name: cutText(this.name === "" ? fileName.replace(/\.\w+$/, "") : this.name, 256),
      framework: "onnx",
      operators: this.#nodes.map((node, index) => this.#operatorOf(node, index)),
    };
  }

  #operatorOf(node: OnnxNode, index: number): TensorOperator {
    const attributes = { ...usualOf(node.operator), ...node.attributes };
    const names = settings.find(([pattern]) => pattern.test(node.operator))?.[1] ?? [];
    const inputs: TensorShape[] = [];
    for (const [place, name] of node.inputs.slice(0, operatorLimits.tensorCountMax).entries()) {
      const setting = names[place];
      const values = this.#constants.get(name);
      if (setting !== undefined && setting !== "" && values !== undefined) {
        attributes[setting] = [...values];
      } else if (name !== "") {
        const { role: _role, ...tensor } = this.#tensors.get(name) ?? { name: cutText(name, 512) };
        inputs.push(tensor);
      }
    }
    return present({
      operator: cutText(node.operator, 256),
      name: node.name === "" ? undefined : cutText(node.name, 512),
      inputs,
      outputs: node.outputs.slice(0, operatorLimits.outputCountMax).map((name) => {
        const { role: _role, ...tensor } = this.#tensors.get(name) ?? { name: cutText(name, 512) };
        return tensor;
      }),
      attributes,
      pointer: `/graph/node/${index}`,
    });
  }
}

/** Inputs that are settings, by their places. */
const settings: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^Reshape$/, ["", "shape"]],
  [/^(?:Unsqueeze|Squeeze|Reduce\w+)$/, ["", "axes"]],
  [/^Expand$/, ["", "shape"]],
  [/^Tile$/, ["", "repeats"]],
  [/^Split$/, ["", "split"]],
  [/^Slice$/, ["", "starts", "ends", "axes", "steps"]],
  [/^ConstantOfShape$/, ["size"]],
];

/** What an operator of ONNX takes where it is told nothing. */
function usualOf(operator: string): Record<string, OperatorAttribute> {
  switch (operator) {
    case "Conv":
    case "ConvTranspose":
      return { strides: 1, group: 1 };
    case "Flatten":
      return { axis: 1 };
    case "Gather":
    case "Split":
      return { axis: 0 };
    case "MaxPool":
    case "AveragePool":
      return { strides: 1 };
    default:
      return operator.startsWith("Reduce") ? { keepdims: 1 } : {};
  }
}

const elementTypes: readonly (string | undefined)[] = [
  undefined,
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
];

/** The type of elements by its number in ONNX. */
export function onnxType(code: number | undefined): string | undefined {
  return code === undefined ? undefined : elementTypes[code];
}
