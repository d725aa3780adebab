/** Shapes of tensors as records write them: lists, texts, or objects with a type. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Dimension, TensorShape } from "../../model/operators.ts";
import { NamedValues, present } from "../training/named-values.ts";

const dimensionCountMax = 64;
const nameLengthMax = 512;

/** Tensors of a field that holds one, several, or several by role. */
export function tensorsOf(value: unknown, areShapes: boolean): TensorShape[] {
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    if (isOneShape(list, areShapes)) return [present({ shape: shapeOf(list) })];
    return list.map(tensorOf);
  }
  if (isFields(value) && !isTensor(value)) {
    return Object.entries(value).map(([role, item]) =>
      role.length > 64 ? tensorOf(item) : { ...tensorOf(item), role },
    );
  }
  return value === undefined || value === null ? [] : [tensorOf(value)];
}

/** A flat list of lengths is one shape; a list of texts names tensors unless its field is one of shapes. */
function isOneShape(list: readonly unknown[], areShapes: boolean): boolean {
  const hasNumber = list.some((item) => typeof item === "number");
  const areLengths = list.every(
    (item) => typeof item === "number" || typeof item === "string" || item === null,
  );
  if (!areLengths || list.length === 0) return false;
  return (
    hasNumber || (areShapes && list.every((item) => typeof item === "string" && /^\w+$/.test(item)))
  );
}

function isTensor(value: Fields): boolean {
  return ["shape", "dims", "size", "dtype", "name", "tensor"].some((name) =>
    Object.hasOwn(value, name),
  );
}

function tensorOf(value: unknown): TensorShape {
  if (Array.isArray(value)) return present({ shape: shapeOf(value) });
  if (typeof value === "string") return tensorOfText(value);
  if (!isFields(value)) return {};
  const named = new NamedValues(value);
  const shape = named.first("shape dims size");
  const text = typeof shape === "string" ? tensorOfText(shape) : undefined;
  return present({
    name: named.text("name id tensor", nameLengthMax),
    shape: Array.isArray(shape) ? shapeOf(shape) : text?.shape,
    dtype: dtypeOf(named.text("dtype type elementtype", 64)) ?? text?.dtype,
    role: named.text("role", 64),
  });
}

/** `float32[2, 3]`, `(2, 3)`, `torch.Size([2, 3])`; anything else is the name of a tensor. */
function tensorOfText(text: string): TensorShape {
  const found = /^\s*(?:torch\.Size\()?([A-Za-z]\w*)?\s*[[(]([^[\]()]{0,1000})[\])]\)?\s*$/.exec(
    text,
  );
  if (found === null) return text.length > nameLengthMax ? {} : { name: text };
  const parts = (found[2] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return present({ shape: shapeOf(parts), dtype: dtypeOf(found[1]) });
}

/** `f32[8, s0]`, as graphs of PyTorch annotate names, with or without strides and a device behind it. */
export function annotatedTensor(text: string): TensorShape | undefined {
  const found = /\b((?:bf|f|i|u|b|c)\d[a-z0-9]{0,12})\[([^\]]{0,1000})\]/.exec(text);
  if (found === null) return undefined;
  const lengths = (found[2] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    // A sum or product of symbols stands for one length, but no name can be given to it.
    .map((part) => (/^\w{1,64}$/.test(part) ? part : null));
  return present({ shape: shapeOf(lengths), dtype: codeOf(found[1] ?? "") });
}

/** `float32` of `f32`, `bool` of `b8`. */
function codeOf(code: string): string {
  if (code === "b8") return "bool";
  if (code.startsWith("bf")) return `bfloat${code.slice(2)}`;
  const words: Readonly<Record<string, string>> = { f: "float", i: "int", u: "uint", c: "complex" };
  return `${words[code[0] ?? ""] ?? code[0] ?? ""}${code.slice(1)}`;
}

function shapeOf(list: readonly unknown[]): Dimension[] | undefined {
  if (list.length > dimensionCountMax) return undefined;
  const shape: Dimension[] = [];
  for (const item of list) {
    const length = typeof item === "string" && /^\d{1,15}$/.test(item) ? Number(item) : item;
    if (Number.isSafeInteger(length) && Number(length) >= 0) shape.push(Number(length));
    else if (
      typeof length === "string" &&
      length !== "?" &&
      length !== "-1" &&
      length.length <= 128
    )
      shape.push(length);
    else if (length === null || length === -1 || typeof length === "string") shape.push(null);
    else return undefined;
  }
  return shape;
}

/** A type of element without its module. */
export function dtypeOf(text: string | undefined): string | undefined {
  const bare = text?.replace(/^(?:torch|np|numpy|tf)\./, "").toLowerCase();
  const words: Readonly<Record<string, string>> = {
    f32: "float32",
    f16: "float16",
    bf16: "bfloat16",
    f64: "float64",
    i64: "int64",
    i32: "int32",
    float: "float32",
    half: "float16",
    double: "float64",
    long: "int64",
  };
  return bare !== undefined && Object.hasOwn(words, bare) ? words[bare] : bare;
}
