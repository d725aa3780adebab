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
  if (typeof value === "number") return printedNumber(value);
  return represented(value, 0);
}

/** Python begins with exponents later, and writes them with two digits at least. */
function printedNumber(value: number): string {
  const text = Math.abs(value) >= 1e16 ? value.toExponential() : String(value);
  return text.replace(/e([-+])(\d)$/, "e$10$2").replace(/e(?=\d)/, "e+");
}

/** A value inside a list or a dictionary, as Python shows it. */
function represented(value: Value, depth: number): string {
  if (depth > jsonDepthMax) throw new TemplateError("bounded", "A value is nested too deeply.");
  if (typeof value === "string") return quoted(value);
  if (isList(value)) return `[${value.map((item) => represented(item, depth + 1)).join(", ")}]`;
  if (value instanceof Map) {
    const entries = [...value].map(
      ([name, item]) => `${quoted(name)}: ${represented(item, depth + 1)}`,
    );
    return `{${entries.join(", ")}}`;
  }
  if (isCallable(value)) throw new TemplateError("failed", "A function is no text.");
  return value === undefined ? "Undefined" : printed(value);
}

/** A text in the quotes that Python chooses. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\\n\r\t]|[^\P{Cc}]/gu, (character) => {
    const known = pythonEscapes[character];
    if (known !== undefined) return known;
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return `\\x${code}`;
  });
  return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}

const pythonEscapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

export function areEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null)
    return false;
  const form = { areNamesSorted: true };
  return asJson(left, form) === asJson(right, form);
}

const jsonDepthMax = 50;

/** How JSON is laid out. */
export interface JsonForm {
  readonly indent?: number | undefined;
  readonly areNamesSorted?: boolean;
  /** What stands behind an item and behind a name; with blanks unless said otherwise. */
  readonly separators?: readonly [item: string, name: string] | undefined;
}

/** JSON as Python writes it. */
export function asJson(value: Value, form: JsonForm, depth = 0): string {
  if (depth > jsonDepthMax) throw new TemplateError("bounded", "A value is nested too deeply.");
  if (value === undefined) throw new TemplateError("failed", "What has no value is no JSON.");
  if (isCallable(value)) throw new TemplateError("failed", "A function is no JSON.");
  const inner = (item: Value): string => asJson(item, form, depth + 1);
  if (isList(value)) return bracketed("[]", value.map(inner), { form, depth });
  if (value instanceof Map) {
    const names = form.areNamesSorted === true ? [...value.keys()].sort() : [...value.keys()];
    const colon = form.separators?.[1] ?? ": ";
    const entries = names.map((name) => JSON.stringify(name) + colon + inner(value.get(name)));
    return bracketed("{}", entries, { form, depth });
  }
  return JSON.stringify(value);
}

function bracketed(
  brackets: "[]" | "{}",
  items: readonly string[],
  { form, depth }: { readonly form: JsonForm; readonly depth: number },
): string {
  const { indent, separators } = form;
  const [open = "", close = ""] = brackets.split("");
  if (items.length === 0) return brackets;
  if (indent === undefined) return `${open}${items.join(separators?.[0] ?? ", ")}${close}`;
  const line = (count: number): string => `\n${" ".repeat(Math.min(count, 1_000))}`;
  const inner = line(indent * (depth + 1));
  const comma = separators?.[0] ?? ",";
  return `${open}${inner}${items.join(`${comma}${inner}`)}${line(indent * depth)}${close}`;
}
