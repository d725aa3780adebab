/** Operators and functions of CEL. The library knows them all; each is parsed once and called with its operands. */

import { Environment } from "@marcbachmann/cel-js";

import { Fault } from "./fault.ts";
import { Patterns } from "./patterns.ts";
import type { Steps } from "./steps.ts";

const library = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
});
const operandNames = ["a", "b", "c", "d"] as const;
/** The most operands, with the receiver, that an operation takes. */
export const operandCountMax = operandNames.length;

/** An operation on values that are no faults. */
export type Operation = (operands: readonly unknown[], steps: Steps) => unknown;

/** The binary operator at a place of an expression. */
export function binaryOperation(operator: string, start: number): Operation {
  const call = library.parse(`a ${operator} b`);
  const isArithmetic = ["+", "-", "*", "/", "%"].includes(operator);
  return ([left, right], steps) => {
    steps.takeFor(sizeOf(left) + sizeOf(right));
    // JSON has one type of number, which is a double here: a whole number beside it is meant as one.
    const isMixed = isArithmetic && typeof left !== typeof right;
    const [one, other] = isMixed ? [asDouble(left), asDouble(right)] : [left, right];
    return guarded(() => call({ a: one, b: other }), start);
  };
}

/** The function of a name at a place of an expression; a method's receiver comes first among the operands. */
export function functionOperation(
  name: string,
  { isMethod, operandCount, start }: { isMethod: boolean; operandCount: number; start: number },
): Operation {
  if (isMethod && name === "matches" && operandCount === 2) return matchOperation(start);
  const names = operandNames.slice(0, operandCount);
  const text = isMethod
    ? `a.${name}(${names.slice(1).join(", ")})`
    : `${name}(${names.join(", ")})`;
  const call = library.parse(text);
  return (operands, steps) => {
    steps.takeFor(operands.reduce<number>((sum, operand) => sum + sizeOf(operand), 0));
    const [a, b, c, d] = operands;
    return guarded(() => call({ a, b, c, d }), start);
  };
}

function matchOperation(start: number): Operation {
  const patterns = new Patterns();
  return ([text, pattern], steps) => {
    if (typeof text !== "string" || typeof pattern !== "string") {
      return new Fault("type", "matches takes a text and a pattern", start);
    }
    const compiled = patterns.compile(pattern);
    if (typeof compiled === "string") return new Fault("value", compiled, start);
    // The engine takes time in proportion to text and program.
    steps.takeFor(text.length * Math.max(1, compiled.programSize() / 16));
    return compiled.matcher(text).find();
  };
}

/** What an operation of the library gives; what it throws becomes a fault. */
function guarded(call: () => unknown, start: number): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
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
