/** Values of a template, and how Python prints and compares them. */

import { TemplateError } from "./template-error.ts";

/** `undefined` is what has no value; it prints as nothing. */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | Map<string, Value>
  | Callable;

export interface CallArguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What can be called. */
export interface Callable {
  readonly call: (given: CallArguments) => Value;
}

export function isCallable(value: Value): value is Callable {
  return typeof value === "object" && value !== null && "call" in value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Values of JSON as those of a template. */
export function valueOf(value: unknown): Value {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map(valueOf);
  return new Map(Object.entries(value).map(([name, item]) => [name, valueOf(item)]));
}

/** What counts as true in Python. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return Boolean(value);
}

/** A value as text. */
export function printed(value: Value): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  return asJson(value, undefined);
}

export function areEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null)
    return false;
  return asJson(left, undefined) === asJson(right, undefined);
}

const jsonDepthMax = 50;

/** JSON as Python writes it, with blanks behind commas and colons. */
export function asJson(value: Value, indent: number | undefined, depth = 0): string {
  if (depth > jsonDepthMax) throw new TemplateError("bounded", "A value is nested too deeply.");
  if (value === undefined) throw new TemplateError("failed", "What has no value is no JSON.");
  if (isCallable(value)) throw new TemplateError("failed", "A function is no JSON.");
  const inner = (item: Value): string => asJson(item, indent, depth + 1);
  if (isList(value)) return bracketed("[]", value.map(inner), { indent, depth });
  if (value instanceof Map) {
    const entries = [...value].map(([name, item]) => `${JSON.stringify(name)}: ${inner(item)}`);
    return bracketed("{}", entries, { indent, depth });
  }
  return JSON.stringify(value);
}

function bracketed(
  brackets: "[]" | "{}",
  items: readonly string[],
  { indent, depth }: { readonly indent: number | undefined; readonly depth: number },
): string {
  const [open = "", close = ""] = brackets.split("");
  if (items.length === 0) return brackets;
  if (indent === undefined) return `${open}${items.join(", ")}${close}`;
  const line = (count: number): string => `\n${" ".repeat(Math.min(count, 1_000))}`;
  const inner = line(indent * (depth + 1));
  return `${open}${inner}${items.join(`,${inner}`)}${line(indent * depth)}${close}`;
}
