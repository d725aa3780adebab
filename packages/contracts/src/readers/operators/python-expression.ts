/** Expressions as graphs of PyTorch print them: names, numbers, lists, calls and sums. */

import type { OperatorAttribute } from "../../model/operators.ts";

/** A value of an expression; what is not understood is `other`. */
export type Expression =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "scalar"; readonly value: number | string | boolean | null }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "call"; readonly target: string; readonly call: CallArguments }
  | { readonly kind: "item"; readonly of: Expression; readonly index: Expression }
  | { readonly kind: "other" };

/** What stands between the brackets of a call. */
export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: ReadonlyMap<string, Expression>;
}

const depthMax = 24;
const itemCountMax = 4_096;
const lengthMax = 65_536;

const binaryNames: Readonly<Record<string, string>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floordivide",
  "@": "matmul",
  "**": "pow",
  "%": "remainder",
  "<": "lt",
  ">": "gt",
  "<=": "le",
  ">=": "ge",
  "==": "eq",
  "!=": "ne",
  "&": "bitwiseand",
  "|": "bitwiseor",
};

/** The expression with which a text begins, and where it ends; `other` where it is none that graphs have. */
export function expressionOf(text: string): Expression {
  return text.length > lengthMax ? { kind: "other" } : new Parser(text).whole();
}

/** The attribute that a value can be kept as; nothing where it names a tensor or is not understood. */
export function attributeOf(value: Expression): OperatorAttribute | undefined {
  if (value.kind === "scalar") return kept(value.value);
  if (value.kind !== "list" || value.items.length > 256) return undefined;
  // A length that is not known at this place is there all the same: rules must not take the list for a shorter one.
  return value.items.map((item) => {
    const told = item.kind === "scalar" ? attributeOf(item) : null;
    return Array.isArray(told) || told === undefined ? null : told;
  });
}

function kept(value: number | string | boolean | null): OperatorAttribute {
  if (typeof value === "string") return value.slice(0, 1_024);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    return this.#expression(0);
  }

  #expression(depth: number): Expression {
    if (depth > depthMax) return this.#giveUp();
    const first = this.#operand(depth);
    const sign = /\s*(\/\/|\*\*|<=|>=|==|!=|[-+*/@%<>&|])\s*/y;
    const found = this.#match(sign)?.[1];
    if (found === undefined) return first;
    const second = this.#expression(depth + 1);
    if (first.kind === "other" || second.kind === "other") return { kind: "other" };
    return {
      kind: "call",
      target: binaryNames[found] ?? "unknown",
      call: { positional: [first, second], named: new Map() },
    };
  }

  #operand(depth: number): Expression {
    this.#match(/\s*/y);
    const number = this.#match(/-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?/y)?.[0];
    if (number !== undefined) return scalar(Number(number));
    const text = this.#match(/'([^'\\]{0,1024})'|"([^"\\]{0,1024})"/y);
    if (text !== null) return scalar(text[1] ?? text[2] ?? "");
    const bracket = this.#match(/[[({]/y)?.[0];
    if (bracket !== undefined) {
      const { positional, named } = this.#items(
        bracket === "(" ? ")" : bracket === "[" ? "]" : "}",
        depth,
      );
      if (bracket === "{") return { kind: "other" };
      const [only] = positional;
      const isGroup =
        bracket === "(" && positional.length === 1 && named.size === 0 && !this.#hadComma;
      return isGroup && only !== undefined
        ? this.#behind(only, depth)
        : { kind: "list", items: positional };
    }
    const name = this.#match(/-?%?[A-Za-z_][\w.]*/y)?.[0];
    if (name === undefined) return this.#giveUp();
    if (name.startsWith("-")) {
      return {
        kind: "call",
        target: "neg",
        call: { positional: [{ kind: "name", name: name.slice(1) }], named: new Map() },
      };
    }
    return this.#behind(nameOrWord(name.replace(/^%/, "")), depth);
  }

  /** A call, an item or a method of what was read. */
  #behind(first: Expression, depth: number): Expression {
    let value = first;
    for (let count = 0; count < depthMax; count += 1) {
      if (this.#match(/\(/y) !== null) {
        const call = this.#items(")", depth);
        const target = targetOf(value);
        value = target === undefined ? { kind: "other" } : { kind: "call", target, call };
      } else if (this.#match(/\[/y) !== null) {
        const { positional } = this.#items("]", depth);
        const [index] = positional;
        value =
          index !== undefined && positional.length === 1
            ? { kind: "item", of: value, index }
            : { kind: "other" };
      } else return value;
    }
    return this.#giveUp();
  }

  /** Whether the bracket that was closed last had a comma in it. */
  #hadComma = false;

  #items(end: string, depth: number): CallArguments {
    const positional: Expression[] = [];
    const named = new Map<string, Expression>();
    let hadComma = false;
    while (this.#at < this.#text.length && positional.length + named.size < itemCountMax) {
      this.#match(/\s*/y);
      if (this.#text[this.#at] === end) break;
      const name = this.#match(/['"]?([A-Za-z_]\w*)['"]?\s*(?:=(?!=)|:)\s*/y)?.[1];
      const value = this.#expression(depth + 1);
      if (name === undefined) positional.push(value);
      else named.set(name, value);
      this.#match(/\s*/y);
      if (this.#match(/,/y) === null) break;
      hadComma = true;
    }
    this.#match(/\s*/y);
    if (this.#text[this.#at] === end) this.#at += 1;
    else this.#giveUp();
    this.#hadComma = hadComma;
    return { positional, named };
  }

  /** What is not understood ends the reading: nothing behind it is taken for something else. */
  #giveUp(): Expression {
    this.#at = this.#text.length;
    return { kind: "other" };
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }
}

/** The name of what is called; layers of a list are got by `getattr(self.layers, "0")`. */
function targetOf(value: Expression): string | undefined {
  if (value.kind === "name") return value.name;
  if (value.kind !== "call" || value.target !== "getattr") return undefined;
  const [owner, field] = value.call.positional;
  const path = owner === undefined ? undefined : targetOf(owner);
  return path !== undefined && field?.kind === "scalar" ? `${path}.${field.value}` : undefined;
}

function scalar(value: number | string | boolean | null): Expression {
  return { kind: "scalar", value };
}

function nameOrWord(name: string): Expression {
  switch (name) {
    case "True":
      return scalar(true);
    case "False":
      return scalar(false);
    case "None":
      return scalar(null);
    default:
      return /^torch\.(?:b?float|u?int|bool|half|double|long|complex)\w*$/.test(name)
        ? scalar(name.slice(6))
        : { kind: "name", name };
  }
}
