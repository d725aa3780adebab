/** Reads models of ONNX: protobuf, of any size as its bytes come, and the JSON of the same messages. */

import type { Dimension, OperatorAttribute, TensorShape } from "../../model/operators.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import type { FileContent, FormatInput, FormatStream } from "../format.ts";
import { parseJson } from "../text.ts";
import { NamedValues, present } from "../training/named-values.ts";
import {
  constantLengthMax,
  OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  onnxType,
} from "./onnx-graph.ts";
import { OnnxSkimmer } from "./onnx-skimmer.ts";

/** Whether bytes begin as a model does: its version, then fields that only models have in this order. */
export function recogniseOnnx(bytes: Uint8Array): boolean {
  const [version, number = 0, next = 0] = bytes;
  if (version !== 0x08 || number < 1 || number > 32) return false;
  if (next === 0x3a) return true;
  // The name of what made it, which is a text.
  const length = bytes[3] ?? 0;
  return next === 0x12 && length < 128 && isPlainText(bytes.subarray(4, 4 + length));
}

function isPlainText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 32 && byte < 127);
}

/** Reads the graph of a model that comes in pieces. */
export function openOnnx({ name }: FormatInput): FormatStream {
  const skimmer = new OnnxSkimmer();
  return {
    spanCount: 0,
    push: (chunk) => skimmer.push(chunk),
    end: () => {
      const { graph } = skimmer.end();
      return { contents: [graph.content(name)], notes: graph.notes() };
    },
  };
}

/** Reads a model that is there as a whole. */
export function readOnnx(input: FormatInput): FileContent {
  const stream = openOnnx(input);
  stream.push(input.bytes);
  return stream.end();
}

/** Whether a text begins as the JSON of a model. */
export function recogniseOnnxJson(head: string): boolean {
  return (
    /^\s*\{\s*"(?:ir_?version|graph|node|producer_?name|opset_?import)"\s*:/i.test(head) &&
    /"op_?type"\s*:\s*"/i.test(head) &&
    /"(?:node|initializer|opset_?import)"\s*:/i.test(head)
  );
}

/** Reads the JSON that protobuf makes of a model, in either spelling of its fields. */
export function readOnnxJson(input: FormatInput): FileContent {
  const document = parseJson(input.text());
  const outer = new NamedValues(isFields(document) ? document : {});
  const inner = outer.first("graph");
  const model = new NamedValues(isFields(inner) ? inner : isFields(document) ? document : {});
  const graph = new OnnxGraph();
  graph.name = model.text("name", 256) ?? "";
  for (const node of itemsOf(model, "node nodes")) graph.addNode(nodeOf(new NamedValues(node)));
  for (const item of itemsOf(model, "initializer initializers")) {
    const tensor = new NamedValues(item);
    graph.addConstant(tensor.text("name", 512) ?? "", tensorOf(tensor));
  }
  for (const field of ["input inputs", "output outputs", "valueinfo"]) {
    for (const item of itemsOf(model, field)) {
      const value = new NamedValues(item);
      graph.addTensor(value.text("name", 512) ?? "", declaredOf(value.first("type")));
    }
  }
  return { contents: [graph.content(input.name)], notes: graph.notes() };
}

function itemsOf(named: NamedValues, names: string): Fields[] {
  return (named.list(names) ?? []).filter((item) => isFields(item));
}

function nodeOf(named: NamedValues): OnnxNode {
  const attributes: Record<string, OperatorAttribute> = {};
  let value: OnnxTensor | undefined;
  let hasBody = false;
  for (const item of itemsOf(named, "attribute attributes")) {
    const attribute = new NamedValues(item);
    const name = attribute.text("name", 128);
    if (name === undefined) continue;
    hasBody ||= isFields(attribute.first("g")) || (attribute.list("graphs") ?? []).length > 0;
    const tensor = attribute.first("t");
    if (isFields(tensor)) value = tensorOf(new NamedValues(tensor));
    const kept = attributeOf(attribute);
    if (kept !== undefined) attributes[name] = kept;
  }
  const operator = named.text("optype", 256) ?? "";
  return {
    operator,
    name: named.text("name", 512) ?? "",
    inputs: textsOf(named.list("input inputs")),
    outputs: textsOf(named.list("output outputs")),
    attributes,
    value: operator === "Constant" ? value : undefined,
    hasBody,
  };
}

/** Numbers of 64 bits are texts in the JSON of protobuf. */
function attributeOf(named: NamedValues): OperatorAttribute | undefined {
  const whole = wholeOf(named.first("i"));
  if (whole !== undefined) return whole;
  const list = named.list("ints");
  if (list !== undefined) return wholesOf(list).slice(0, 256);
  const text = named.text("s", 2_048);
  return text === undefined ? named.number("f") : decoded(text);
}

/** Bytes are in base64. */
function decoded(text: string): string {
  try {
    return atob(text).slice(0, 1_024);
  } catch {
    // What is no base64 was written as it is.
    return text.slice(0, 1_024);
  }
}

function tensorOf(named: NamedValues): OnnxTensor {
  const type = wholeOf(named.first("datatype"));
  const dtype = onnxType(type) ?? named.text("datatype", 64)?.toLowerCase();
  const shape = wholesOf(named.list("dims") ?? []).slice(0, 64);
  const listed = named.list("int64data int32data");
  const raw = named.text("rawdata", constantLengthMax * 12);
  const values = listed === undefined ? rawValues(raw, dtype) : wholesOf(listed);
  const isSmall = values !== undefined && values.length <= constantLengthMax;
  return { shape, dtype, values: isSmall ? values : undefined };
}

function rawValues(raw: string | undefined, dtype: string | undefined): number[] | undefined {
  if (raw === undefined || dtype !== "int64") return undefined;
  const bytes = Uint8Array.from(decoded(raw), (character) => character.charCodeAt(0));
  if (bytes.length % 8 !== 0) return undefined;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 8 }, (_, index) =>
    Number(view.getBigInt64(index * 8, true)),
  );
}

function declaredOf(type: unknown): Omit<TensorShape, "name"> {
  const tensor = fieldsIn(type, "tensortype") ?? (isFields(type) ? type : {});
  const named = new NamedValues(tensor);
  const code = wholeOf(named.first("elemtype"));
  const shape = fieldsIn(tensor, "shape");
  return present({
    shape: shape === undefined ? undefined : itemsOf(new NamedValues(shape), "dim").map(lengthOf),
    dtype: onnxType(code) ?? named.text("elemtype", 64)?.toLowerCase(),
  });
}

function lengthOf(dimension: Fields): Dimension {
  const named = new NamedValues(dimension);
  const length = wholeOf(named.first("dimvalue"));
  if (length !== undefined && length >= 0) return length;
  const symbol = named.text("dimparam", 64);
  return symbol !== undefined && /^[\w.]+$/.test(symbol) ? symbol : null;
}

function fieldsIn(value: unknown, name: string): Fields | undefined {
  const found = isFields(value) ? new NamedValues(value).first(name) : undefined;
  return isFields(found) ? found : undefined;
}

function wholeOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d{1,19}$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) ? Number(number) : undefined;
}

function wholesOf(list: readonly unknown[]): number[] {
  return list.flatMap((item) => wholeOf(item) ?? []);
}

function textsOf(list: readonly unknown[] | undefined): string[] {
  return (list ?? []).filter((item) => typeof item === "string");
}
