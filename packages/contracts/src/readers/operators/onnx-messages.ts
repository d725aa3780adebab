/** Messages of ONNX's protobuf as nodes and tensors. Numbers of fields are those of `onnx.proto`. */

import type { Dimension, OperatorAttribute, TensorShape } from "../../model/operators.ts";
import { ProtobufCursor } from "../protobuf-cursor.ts";
import { present } from "../training/named-values.ts";
import {
  constantLengthMax,
  OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  onnxType,
} from "./onnx-graph.ts";

/** Values of a message by the numbers of their fields. */
export type Message = Map<number, (number | Uint8Array | Message)[]>;

const words = { subject: "The model", expected: "a model of ONNX in protobuf" };

/** Takes the messages of a graph one after the other. */
export class OnnxMessages {
  readonly graph = new OnnxGraph();

  add(kind: string, message: Message): void {
    if (kind === "node") this.graph.addNode(nodeOf(message));
    else if (kind === "tensor") this.graph.addConstant(textOf(message, 8), tensorOf(message));
    else this.graph.addTensor(textOf(message, 1), declaredOf(message));
  }

  nameGraph(message: Message): void {
    this.graph.name = textOf(message, 2);
  }
}

function nodeOf(message: Message): OnnxNode {
  const attributes: Record<string, OperatorAttribute> = {};
  let value: OnnxTensor | undefined;
  let hasBody = false;
  const operator = textOf(message, 4);
  for (const item of message.get(5) ?? []) {
    if (!(item instanceof Map)) continue;
    hasBody ||= graphTypes.includes(numberOf(item, 20));
    const name = textOf(item, 1);
    const [tensor] = item.get(5) ?? [];
    if (tensor instanceof Map && name === "value" && operator === "Constant")
      value = tensorOf(tensor);
    const attribute = attributeOf(item);
    if (operator === "Constant" && name === "value_ints" && Array.isArray(attribute)) {
      const values = attribute.filter((element) => typeof element === "number");
      value = { shape: [values.length], dtype: "int64", values };
    }
    if (attribute !== undefined && name.length <= 128) attributes[name] = attribute;
  }
  const domain = textOf(message, 7);
  const isStandard = domain === "" || domain === "ai.onnx";
  return {
    operator: isStandard ? operator : `${domain}.${operator}`,
    name: textOf(message, 3),
    inputs: textsOf(message, 1),
    outputs: textsOf(message, 2),
    attributes,
    value,
    hasBody,
  };
}

/** The types of attributes that are one graph, or several. */
const graphTypes: readonly (number | undefined)[] = [5, 10];

function attributeOf(message: Message): OperatorAttribute | undefined {
  switch (numberOf(message, 20)) {
    case 1: {
      const [bytes] = message.get(2) ?? [];
      if (!(bytes instanceof Uint8Array) || bytes.length !== 4) return undefined;
      const value = new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
      return Number.isFinite(value) ? value : String(value);
    }
    case 2:
      return numberOf(message, 3) ?? 0;
    case 3:
      return textOf(message, 4).slice(0, 1_024);
    case 7:
      return wholeNumbers(message, 8).slice(0, 256);
    default:
      return undefined;
  }
}

function tensorOf(message: Message): OnnxTensor {
  const shape = wholeNumbers(message, 1).slice(0, 64);
  const dtype = onnxType(numberOf(message, 2));
  return { shape, dtype, values: valuesOf(message, dtype) };
}

/** The elements of a small tensor of whole numbers. */
function valuesOf(message: Message, dtype: string | undefined): number[] | undefined {
  if (dtype !== "int64" && dtype !== "int32") return undefined;
  const [raw] = message.get(9) ?? [];
  const width = dtype === "int64" ? 8 : 4;
  if (raw instanceof Uint8Array) {
    if (raw.length % width !== 0 || raw.length > constantLengthMax * width) return undefined;
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return Array.from({ length: raw.length / width }, (_, index) =>
      width === 8 ? Number(view.getBigInt64(index * 8, true)) : view.getInt32(index * 4, true),
    );
  }
  const values = wholeNumbers(message, dtype === "int64" ? 7 : 5);
  const count = wholeNumbers(message, 1).reduce((product, length) => product * length, 1);
  return values.length === count && values.length <= constantLengthMax ? values : undefined;
}

/** The shape and type that a graph declares for a tensor. */
function declaredOf(message: Message): Omit<TensorShape, "name"> {
  const type = innerOf(innerOf(message, 2), 1);
  const shape = innerOf(type, 2);
  const dimensions = shape
    ?.get(1)
    ?.slice(0, 64)
    .map((item): Dimension => {
      if (!(item instanceof Map)) return null;
      const length = numberOf(item, 1);
      const symbol = textOf(item, 2);
      if (length !== undefined && Number.isSafeInteger(length) && length >= 0) return length;
      return /^[\w.]{1,64}$/.test(symbol) ? symbol : null;
    });
  return present({
    shape: shape === undefined ? undefined : (dimensions ?? []),
    dtype: onnxType(type === undefined ? undefined : numberOf(type, 1)),
  });
}

function innerOf(message: Message | undefined, field: number): Message | undefined {
  const [inner] = message?.get(field) ?? [];
  return inner instanceof Map ? inner : undefined;
}

function numberOf(message: Message, field: number): number | undefined {
  const value = message.get(field)?.at(-1);
  return typeof value === "number" ? value : undefined;
}

function textOf(message: Message, field: number): string {
  return textsOf(message, field).at(-1) ?? "";
}

function textsOf(message: Message, field: number): string[] {
  return (message.get(field) ?? []).flatMap((value) =>
    value instanceof Uint8Array ? [new TextDecoder().decode(value)] : [],
  );
}

/** Numbers of a field, whether they stand together or each for itself. */
function wholeNumbers(message: Message, field: number): number[] {
  const numbers: number[] = [];
  for (const value of message.get(field) ?? []) {
    if (typeof value === "number") numbers.push(value);
    else if (value instanceof Uint8Array) {
      const cursor = new ProtobufCursor(value, words);
      while (!cursor.isAtEnd) numbers.push(cursor.signed());
    }
  }
  return numbers.filter((number) => Number.isFinite(number));
}
