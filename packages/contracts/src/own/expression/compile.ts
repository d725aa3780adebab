/**
 * Turns an expression in CEL into a function of its variables. The library parses it and checks its names and types;
 * it is run here, because every turn of every iteration has to be counted.
 */

import type { ASTNode } from "@marcbachmann/cel-js";

import { checkedNode, type FieldTypes, recordTypes, type VariableTypes } from "./check.ts";
import { costOf, expressionCostMax } from "./cost.ts";
import { ExpressionError, Fault } from "./fault.ts";
import { compileMacro } from "./macros.ts";
import {
  binaryOperation,
  functionOperation,
  operandCountMax,
  type Operation,
  typeOfName,
} from "./operations.ts";
import { Patterns } from "./patterns.ts";
import { type Node, Slots } from "./node.ts";
import type { Steps } from "./steps.ts";
import { equalValues, isMap, itemOf, keyOf, wordsOf } from "./values.ts";

/** Length of a key in the words of a fault. */
const keyLengthShownMax = 200;

export interface Expression {
  readonly text: string;
  /** The type that the checker found: `bool`, `string`, `dyn` and so on. */
  readonly type: string;
  /** The value, or a `Fault`. `values` come in the order in which the variables were declared. */
  evaluate(values: readonly unknown[], steps: Steps): unknown;
}

/**
 * Compiles an expression over variables. Throws an `ExpressionError` with the place of what is wrong. `records` are the
 * types beside CEL's own that variables and fields may have.
 */
export function compileExpression(
  text: string,
  variables: VariableTypes,
  records: Readonly<Record<string, FieldTypes>> = recordTypes,
): Expression {
  const { node, type } = checkedNode(text, variables, records);
  const cost = costOf(node);
  if (cost > expressionCostMax) {
    throw new ExpressionError(
      `It may take ${cost.toExponential(0)} steps, more than ${expressionCostMax.toExponential(0)}: walks over lists are nested too deeply.`,
      node,
    );
  }
  const slots = Slots.of(Object.keys(variables));
  const run = compileNode(node, slots);
  return { text, type, evaluate: (values, steps) => run({ values: [...values], steps }) };
}

/** Compiles a node whose variables lie in `slots`. */
function compileNode(node: ASTNode, slots: Slots): Node {
  const run = compileByOperator(node, slots);
  return (scope) => {
    scope.steps.take();
    return run(scope);
  };
}

function compileByOperator(node: ASTNode, slots: Slots): Node {
  switch (node.op) {
    case "value": {
      const value = node.args;
      return () => value;
    }
    case "id":
      return compileVariable(node.args, node.start, slots);
    case ".":
      return compileAccess(node.args[0], compiledText(node.args[1]), { start: node.start, slots });
    case "[]":
      return compileAccess(node.args[0], compileNode(node.args[1], slots), {
        start: node.start,
        slots,
      });
    case "call":
      return compileCall(node.args[0], undefined, { node, given: node.args[1], slots });
    case "rcall":
      return compileCall(node.args[0], node.args[1], { node, given: node.args[2], slots });
    case "list":
      return compileList(node.args, slots);
    case "map":
      return compileMap(node.args, node.start, slots);
    case "?:":
      return compileCondition(node.args, node.start, slots);
    case "||":
    case "&&":
      return compileLogic(node.args, { decisive: node.op === "||", start: node.start, slots });
    case "!_":
      return compileNegation(node.args, node.start, slots);
    case "-_":
      return applied(functionOfMinus(node.start), [node.args], slots);
    case ".?":
    case "[?]":
      throw new ExpressionError("Optional access is not part of this language; use has().", node);
    case "in":
      return compileMembership(node.args, node.start, slots);
    default:
      return applied(binaryOperation(node.op, node.start), node.args, slots);
  }
}

function compileVariable(name: string, start: number, slots: Slots): Node {
  const slot = slots.get(name);
  const type = slot === undefined ? typeOfName(name) : undefined;
  if (type !== undefined) return () => type;
  if (slot === undefined)
    throw new ExpressionError(`There is no variable ${name}.`, { start, end: start + name.length });
  return (scope) => scope.values[slot];
}

function compiledText(text: string): Node {
  return () => text;
}

function compileAccess(
  of: ASTNode,
  key: Node,
  { start, slots }: { start: number; slots: Slots },
): Node {
  const container = compileNode(of, slots);
  const path = of.input.slice(of.start, of.end);
  return (scope) => {
    const held = container(scope);
    if (held instanceof Fault) return held;
    const name = key(scope);
    if (name instanceof Fault) return name;
    const found = itemOf(held, name);
    if (found !== undefined) return found;
    const shown = typeof name === "string" ? `'${name}'` : wordsOf(name, keyLengthShownMax);
    return new Fault("missing", `${path} has no ${shown}`, start);
  };
}

function compileCall(
  name: string,
  receiver: ASTNode | undefined,
  call: { readonly node: ASTNode; readonly given: readonly ASTNode[]; readonly slots: Slots },
): Node {
  const { node, given, slots } = call;
  const patterns = new Patterns();
  refuseBadPattern(name, given, patterns);
  const macro = compileMacro(name, receiver, { ...call, compile: compileNode });
  if (macro !== undefined) return macro;
  const operands = receiver === undefined ? given : [receiver, ...given];
  if (operands.length > operandCountMax) {
    throw new ExpressionError(`${name} takes at most ${operandCountMax} operands.`, node);
  }
  const operation = functionOperation(name, {
    isMethod: receiver !== undefined,
    operandCount: operands.length,
    start: node.start,
    patterns,
  });
  return applied(operation, operands, slots);
}

/** A pattern that is written out is checked when the expression is loaded. */
function refuseBadPattern(name: string, [pattern]: readonly ASTNode[], patterns: Patterns): void {
  if (name !== "matches" || pattern?.op !== "value" || typeof pattern.args !== "string") return;
  const compiled = patterns.compile(pattern.args);
  if (typeof compiled === "string")
    throw new ExpressionError(`${compiled} (patterns have the syntax of RE2).`, pattern);
}

/** An operation on operands that are all evaluated first; the first fault among them is its result. */
function applied(operation: Operation, operands: readonly ASTNode[], slots: Slots): Node {
  const nodes = operands.map((operand) => compileNode(operand, slots));
  return (scope) => {
    const values: unknown[] = [];
    for (const node of nodes) {
      const value = node(scope);
      if (value instanceof Fault) return value;
      values.push(value);
    }
    return operation(values, scope.steps);
  };
}

function functionOfMinus(start: number): Operation {
  return ([value]) => {
    if (typeof value === "bigint" || typeof value === "number") return -value;
    return new Fault("type", "only a number has a negative", start);
  };
}

function compileList(items: readonly ASTNode[], slots: Slots): Node {
  return applied((values) => values, items, slots);
}

function compileMap(entries: readonly [ASTNode, ASTNode][], start: number, slots: Slots): Node {
  return applied(
    (values) => {
      const map = new Map<unknown, unknown>();
      for (let index = 0; index < values.length; index += 2) {
        const key = keyOf(values[index]);
        if (key === undefined || map.has(key)) {
          const what = key === undefined ? "is no key of a map" : "stands in the map twice";
          return new Fault("value", `${wordsOf(values[index], keyLengthShownMax)} ${what}`, start);
        }
        map.set(key, values[index + 1]);
      }
      return map;
    },
    entries.flat(),
    slots,
  );
}

function compileCondition(
  [condition, then, otherwise]: readonly [ASTNode, ASTNode, ASTNode],
  start: number,
  slots: Slots,
): Node {
  const decide = compileNode(condition, slots);
  const [whenTrue, whenFalse] = [compileNode(then, slots), compileNode(otherwise, slots)];
  return (scope) => {
    const decision = decide(scope);
    if (decision instanceof Fault) return decision;
    if (typeof decision !== "boolean") return notBoolean("the condition", start);
    return decision ? whenTrue(scope) : whenFalse(scope);
  };
}

/** `||` and `&&`: an operand that decides alone does so beside a fault too, on whichever side it stands. */
function compileLogic(
  [left, right]: readonly [ASTNode, ASTNode],
  { decisive, start, slots }: { decisive: boolean; start: number; slots: Slots },
): Node {
  const nodes = [compileNode(left, slots), compileNode(right, slots)];
  return (scope) => {
    let fault: Fault | undefined;
    for (const node of nodes) {
      const value = node(scope);
      if (value === decisive) return decisive;
      if (value instanceof Fault) fault ??= value;
      else if (typeof value !== "boolean") fault ??= notBoolean("an operand", start);
    }
    return fault ?? !decisive;
  };
}

function compileNegation(of: ASTNode, start: number, slots: Slots): Node {
  const node = compileNode(of, slots);
  return (scope) => {
    const value = node(scope);
    if (value instanceof Fault) return value;
    return typeof value === "boolean" ? !value : notBoolean("the operand of !", start);
  };
}

function compileMembership(
  operands: readonly [ASTNode, ASTNode],
  start: number,
  slots: Slots,
): Node {
  return applied(
    ([sought, container], steps) => {
      if (Array.isArray(container)) {
        return container.some((item) => equalValues(sought, item, steps));
      }
      if (isMap(container)) return itemOf(container, sought) !== undefined;
      return new Fault("type", "in takes a list or a map on its right", start);
    },
    operands,
    slots,
  );
}

function notBoolean(what: string, start: number): Fault {
  return new Fault("type", `${what} is neither true nor false`, start);
}
