/** Renders a parsed template: bounded in steps and in text, without generating code, the same everywhere. */

import { evaluate, type Scope } from "./evaluate.ts";
import { itemsOf } from "./filters.ts";
import type { Statement } from "./syntax.ts";
import { TemplateError } from "./template-error.ts";
import {
  areEqual,
  type CallArguments,
  isList,
  isTrue,
  printed,
  type Value,
  valueOf,
} from "./value.ts";

const stepCountMax = 500_000;
/** Characters of all texts that are made on the way. */
const textLengthMax = 8_000_000;
const callDepthMax = 50;
const rangeCountMax = 10_000;

/** The text of a template for these variables. Throws a `TemplateError`. */
export function renderTemplate(
  statements: readonly Statement[],
  variables: Readonly<Record<string, unknown>>,
): string {
  const names = new Map(Object.entries(variables).map(([name, value]) => [name, valueOf(value)]));
  const rendering = new Rendering();
  rendering.body(statements, new Names([new Map([...globals(), ...names])], rendering));
  return rendering.text;
}

function globals(): [string, Value][] {
  const raise = ({ positional: [message] }: CallArguments): Value => {
    throw new TemplateError("raised", printed(message));
  };
  const range = ({ positional }: CallArguments): Value => {
    const [from = 0, to = 0] = positional.length > 1 ? positional : [0, positional[0]];
    const step = Number(positional[2] ?? 1);
    if (step === 0) throw new TemplateError("failed", "The step of a range is 0.");
    const count = Math.max(0, Math.ceil((Number(to) - Number(from)) / step));
    if (!(count <= rangeCountMax)) throw new TemplateError("bounded", "A range is too long.");
    return Array.from({ length: count }, (_, index) => Number(from) + index * step);
  };
  return [
    // The same everywhere: a moment that never comes.
    [
      "strftime_now",
      { call: ({ positional: [form] }) => printed(form).replaceAll(/%[A-Za-z]/g, "0") },
    ],
    ["raise_exception", { call: raise }],
    ["range", { call: range }],
    ["namespace", { call: ({ named }) => new Map(named) }],
    ["joiner", { call: ({ positional: [separator] }) => joiner(printed(separator ?? ", ")) }],
    ["dict", { call: ({ named }) => new Map(named) }],
  ];
}

/** Says nothing when it is asked first, and the separator from then on. */
function joiner(separator: string): Value {
  let isFirst = true;
  return {
    call: () => {
      const said = isFirst ? "" : separator;
      isFirst = false;
      return said;
    },
  };
}

type Signal = "break" | "continue" | undefined;

/** Names and their values, the innermost block last. */
class Names implements Scope {
  readonly #blocks: readonly Map<string, Value>[];
  readonly #rendering: Rendering;

  constructor(blocks: readonly Map<string, Value>[], rendering: Rendering) {
    this.#blocks = blocks;
    this.#rendering = rendering;
  }

  lookUp(name: string): Value {
    return this.#blocks.findLast((block) => block.has(name))?.get(name);
  }

  set(name: string, value: Value): void {
    this.#blocks.at(-1)?.set(name, value);
  }

  step(textLength = 0): void {
    this.#rendering.step(textLength);
  }

  inner(): Names {
    return new Names([...this.#blocks, new Map<string, Value>()], this.#rendering);
  }
}

class Rendering {
  #pieces: string[] = [];
  #stepCount = 0;
  #textLength = 0;
  #callDepth = 0;
  /** What the call blocks that are open hold, the innermost last. */
  readonly #callers: Value[] = [];

  get text(): string {
    return this.#pieces.join("");
  }

  step(textLength = 0): void {
    this.#stepCount += 1;
    this.#textLength += textLength;
    if (this.#stepCount > stepCountMax || !(this.#textLength <= textLengthMax)) {
      throw new TemplateError("bounded", "Rendering takes too many steps, or makes too much text.");
    }
  }

  body(statements: readonly Statement[], names: Names): Signal {
    for (const statement of statements) {
      this.step();
      const signal = this.#statement(statement, names);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  #statement(statement: Statement, names: Names): Signal {
    switch (statement.kind) {
      case "text":
        this.#write(statement.text);
        return undefined;
      case "output":
        this.#write(printed(evaluate(statement.value, names)));
        return undefined;
      case "body":
        return this.body(statement.body, names);
      case "if": {
        const branch = statement.branches.find(
          ({ condition }) => condition === undefined || isTrue(evaluate(condition, names)),
        );
        return branch === undefined ? undefined : this.body(branch.body, names);
      }
      case "for":
        this.#loop(statement, names);
        return undefined;
      case "set":
        setValue(statement, evaluate(statement.value, names), names);
        return undefined;
      case "set-block":
        names.set(statement.name, this.#captured(statement.body, names));
        return undefined;
      case "macro":
        names.set(statement.name, { call: (given) => this.#call(statement, given, names) });
        return undefined;
      case "call-block": {
        const inner = names.inner();
        inner.set("caller", { call: (given) => this.#call(statement, given, names) });
        this.#callers.push(inner.lookUp("caller"));
        this.#write(printed(evaluate(statement.call, inner)));
        this.#callers.pop();
        return undefined;
      }
      case "break":
      case "continue":
        return statement.kind;
    }
  }

  #write(text: string): void {
    this.step(text.length);
    this.#pieces.push(text);
  }

  #captured(body: readonly Statement[], names: Names): string {
    const outer = this.#pieces;
    this.#pieces = [];
    this.body(body, names.inner());
    const text = this.text;
    this.#pieces = outer;
    return text;
  }

  #call(
    macro: Extract<Statement, { kind: "macro" | "call-block" }>,
    given: CallArguments,
    names: Names,
  ): Value {
    if (this.#callDepth === callDepthMax)
      throw new TemplateError("bounded", "Macros call one another too deeply.");
    const inner = names.inner();
    // A macro is written where its caller is not in sight.
    if (macro.kind === "macro") inner.set("caller", this.#callers.at(-1));
    for (const [index, [name, standard]] of macro.parameters.entries()) {
      const value = given.named.get(name) ?? given.positional[index];
      const isGiven = given.named.has(name) || index < given.positional.length;
      inner.set(name, isGiven || standard === undefined ? value : evaluate(standard, names));
    }
    this.#callDepth += 1;
    const text = this.#captured(macro.body, inner);
    this.#callDepth -= 1;
    return text;
  }

  #loop(loop: Extract<Statement, { kind: "for" }>, names: Names): void {
    const bound = (item: Value): Names => {
      const inner = names.inner();
      bindNames(loop.names, item, inner);
      return inner;
    };
    const { filter } = loop;
    const items = itemsOf(evaluate(loop.of, names)).filter(
      (item) => filter === undefined || isTrue(evaluate(filter, bound(item))),
    );
    if (items.length === 0) this.body(loop.otherwise, names);
    const changed = changes();
    for (const [index, item] of items.entries()) {
      this.step();
      const inner = bound(item);
      inner.set("loop", loopValue(items, index, changed));
      if (this.body(loop.body, inner) === "break") return;
    }
  }
}

/** Whether a value differs from the one in the turn before. */
function changes(): Value {
  let last: Value;
  return {
    call: ({ positional }) => {
      const isSame = last !== undefined && areEqual(last, positional);
      last = positional;
      return !isSame;
    },
  };
}

function loopValue(items: readonly Value[], index: number, changed: Value): Value {
  return new Map<string, Value>([
    ["index", index + 1],
    ["index0", index],
    ["revindex", items.length - index],
    ["revindex0", items.length - index - 1],
    ["first", index === 0],
    ["last", index === items.length - 1],
    ["length", items.length],
    ["previtem", items[index - 1]],
    ["nextitem", items[index + 1]],
    ["changed", changed],
    ["cycle", { call: ({ positional }) => positional[index % positional.length] }],
  ]);
}

function bindNames(names: readonly string[], value: Value, into: Names): void {
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    into.set(only, value);
    return;
  }
  if (!isList(value) || value.length !== names.length) {
    throw new TemplateError(
      "failed",
      `A value does not have the ${names.length} items that are named.`,
    );
  }
  for (const [index, name] of names.entries()) into.set(name, value[index]);
}

function setValue(
  statement: Extract<Statement, { kind: "set" }>,
  value: Value,
  names: Names,
): void {
  const { member } = statement;
  if (member === undefined) {
    bindNames(statement.names, value, names);
    return;
  }
  const target = names.lookUp(statement.names[0] ?? "");
  if (!(target instanceof Map))
    throw new TemplateError("failed", `A field ${member} of what is no namespace is set.`);
  target.set(member, value);
}
