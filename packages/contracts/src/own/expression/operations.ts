/**
 * Operators and functions of CEL. The library knows them all; each is parsed once and called with its operands. Those
 * whose work or result grows faster than their operands are done or measured here.
 */

import { Environment } from "@marcbachmann/cel-js";

import { Fault } from "./fault.ts";
import type { Patterns } from "./patterns.ts";
import { type Steps, StepsUsedUp } from "./steps.ts";
import { equalValues, isMap, itemOf, keysOf } from "./values.ts";

const library = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
});
const operandNames = ["a", "b", "c", "d"] as const;
/** The most operands, with the receiver, that an operation takes. */
export const operandCountMax = operandNames.length;
/** Length of a text that is read as a duration; the library's pattern takes time in the cube of it. */
const durationLengthMax = 100;

/** How deep an operand is nested; the library names the type of each level after those within it. */
const operandDepthMax = 64;
/** Instructions of a pattern that handle one character in one step. */
const instructionsPerStep = 16;

/** An operation on values that are no faults. */
export type Operation = (operands: readonly unknown[], steps: Steps) => unknown;

/** The binary operator at a place of an expression. */
export function binaryOperation(operator: string, start: number): Operation {
  switch (operator) {
    case "==":
      return ([left, right], steps) => guarded(() => equalValues(left, right, steps), start);
    case "!=":
      return ([left, right], steps) => guarded(() => !equalValues(left, right, steps), start);
    default:
      return libraryOperation(operator, start);
  }
}

function libraryOperation(operator: string, start: number): Operation {
  const call = library.parse(`a ${operator} b`);
  const isArithmetic = ["+", "-", "*", "/", "%"].includes(operator);
  return ([left, right], steps) => {
    steps.takeFor(sizeOf(left) + sizeOf(right));
    if (operator === "+" && Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
    // JSON has one type of number, which is a double here: a whole number beside it is meant as one.
    const isMixed = isArithmetic && typeof left !== typeof right;
    const [one, other] = isMixed ? [asDouble(left), asDouble(right)] : [left, right];
    if (isTooDeep(one) || isTooDeep(other)) return tooDeep(start);
    return guarded(() => call({ a: one, b: other }), start);
  };
}

/** The function of a name at a place of an expression; a method's receiver comes first among the operands. */
export function functionOperation(
  name: string,
  place: {
    readonly isMethod: boolean;
    readonly operandCount: number;
    readonly start: number;
    readonly patterns: Patterns;
  },
): Operation {
  const { isMethod, operandCount, start, patterns } = place;
  if (isMethod && name === "matches" && operandCount === 2) return matchOperation(start, patterns);
  if (name === "size" && operandCount === 1) return sizeOperation(start);
  const names = operandNames.slice(0, operandCount);
  const text = isMethod
    ? `a.${name}(${names.slice(1).join(", ")})`
    : `${name}(${names.join(", ")})`;
  const call = library.parse(text);
  return (operands, steps) => {
    steps.takeFor(operands.reduce<number>((sum, operand) => sum + sizeOf(operand), 0));
    if (operands.some(isTooDeep)) return tooDeep(start);
    const [a, b, c, d] = operands;
    if (name === "join") steps.takeFor(joinedLengthOf(a, b));
    if (name === "split") steps.takeSteps(splitCountOf(a, b));
    if (name === "duration" && typeof a === "string" && a.length > durationLengthMax) {
      return new Fault("value", `a duration has at most ${durationLengthMax} characters`, start);
    }
    return guarded(() => call({ a, b, c, d }), start);
  };
}

function matchOperation(start: number, patterns: Patterns): Operation {
  return ([text, pattern], steps) => {
    if (typeof text !== "string" || typeof pattern !== "string") {
      return new Fault("type", "matches takes a text and a pattern", start);
    }
    const compiled = patterns.compile(pattern, steps);
    if (typeof compiled === "string") return new Fault("value", compiled, start);
    // The engine takes time in proportion to the text; where it cannot remember its states, to the program too.
    steps.takeSteps(text.length * Math.max(1, compiled.programSize() / instructionsPerStep));
    return compiled.test(text);
  };
}

/** Characters of a text, as code points; items of a list or a map. */
function sizeOperation(start: number): Operation {
  return ([value], steps) => {
    if (typeof value === "string") {
      steps.takeFor(value.length);
      let count = 0;
      for (const _character of value) count += 1;
      return BigInt(count);
    }
    if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length);
    if (isMap(value)) return BigInt(keysOf(value, steps).length);
    return new Fault("type", "size takes a text, bytes, a list or a map", start);
  };
}

function joinedLengthOf(list: unknown, separator: unknown): number {
  if (!Array.isArray(list)) return 0;
  const between = typeof separator === "string" ? separator.length : 0;
  return list.reduce<number>((sum, item) => sum + sizeOf(item) + between, 0);
}

function splitCountOf(text: unknown, separator: unknown): number {
  if (typeof text !== "string" || typeof separator !== "string") return 0;
  if (separator === "") return text.length;
  let count = 1;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + 1)) count += 1;
  return count;
}

/** Whether the first of the first and so on is nested too deeply, which is the way that the library takes. */
function isTooDeep(value: unknown): boolean {
  let at = value;
  for (let depth = 0; depth < operandDepthMax; depth += 1) {
    if (Array.isArray(at)) at = at[0];
    else if (at instanceof Map) at = at.values().next().value;
    else if (isMap(at)) {
      const [name] = Object.keys(at);
      at = name === undefined ? undefined : itemOf(at, name);
    } else return false;
  }
  return true;
}

function tooDeep(start: number): Fault {
  return new Fault("value", `a value here is nested deeper than ${operandDepthMax}`, start);
}

/** The names of types, as they stand in `type(x) == string`. */
const typeNames = ["bool", "int", "uint", "double", "string", "bytes", "list", "map"];

/** The type of a name; `undefined` where it is none. */
export function typeOfName(name: string): unknown {
  return typeNames.includes(name) ? library.parse(name)() : undefined;
}

/** What an operation gives; what it throws becomes a fault. */
function guarded(call: () => unknown, start: number): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof StepsUsedUp) throw error;
    const code = "code" in error ? error.code : undefined;
    const summary =
      "summary" in error && typeof error.summary === "string" ? error.summary : error.message;
    const isType = code === "no_such_overload" || code === "no_matching_overload";
    return new Fault(isType ? "type" : "value", summary, start);
  }
}

function asDouble(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** How much a value weighs when it is handled: characters of text, items of a list. */
function sizeOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value) || value instanceof Uint8Array) {
    return value.length;
  }
  return typeof value === "object" && value !== null ? 16 : 0;
}
