/** Evaluates expressions. */

import { applyFilter, itemsOf } from "./filters.ts";
import { formatted } from "./format-text.ts";
import { methodOf } from "./methods.ts";
import type { Arguments, Expression } from "./syntax.ts";
import { TemplateError } from "./template-error.ts";
import { contains, passesTest } from "./tests.ts";
import {
  areEqual,
  type CallArguments,
  isCallable,
  isList,
  isTrue,
  printed,
  type Value,
} from "./value.ts";

/** Where names have their values, and where steps are counted. */
export interface Scope {
  lookUp(name: string): Value;
  /** Throws when there were too many, or when a text has become too long. */
  step(textLength?: number): void;
}

/** The value of an expression. */
export function evaluate(expression: Expression, scope: Scope): Value {
  scope.step();
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "name":
      return scope.lookUp(expression.name);
    case "list":
      return expression.items.map((item) => evaluate(item, scope));
    case "dictionary":
      return new Map(
        expression.entries.map(([key, value]) => [
          printed(evaluate(key, scope)),
          evaluate(value, scope),
        ]),
      );
    case "unary": {
      const value = evaluate(expression.of, scope);
      if (expression.operator === "not") return !isTrue(value);
      return expression.operator === "-" ? -numberOf(value) : numberOf(value);
    }
    case "choice":
      if (isTrue(evaluate(expression.condition, scope))) return evaluate(expression.chosen, scope);
      return expression.otherwise === undefined ? undefined : evaluate(expression.otherwise, scope);
    case "binary":
      return binary(expression, scope);
    case "member":
      return memberOf(evaluate(expression.of, scope), evaluate(expression.key, scope));
    case "slice":
      return sliceOf(
        evaluate(expression.of, scope),
        expression.bounds.map((bound) =>
          bound === undefined ? undefined : evaluate(bound, scope),
        ),
      );
    case "filter": {
      const value = evaluate(expression.of, scope);
      const result = applyFilter(expression.name, value, argumentsOf(expression.arguments, scope));
      if (typeof result === "string") scope.step(result.length);
      return result;
    }
    case "test": {
      const { positional } = argumentsOf(expression.arguments, scope);
      return (
        passesTest(expression.name, evaluate(expression.of, scope), positional) !==
        expression.isNegated
      );
    }
    case "call": {
      const callee = evaluate(expression.callee, scope);
      if (!isCallable(callee))
        throw new TemplateError(
          "unsupported",
          `${nameOf(expression.callee)} cannot be called here.`,
        );
      const result = callee.call(argumentsOf(expression.arguments, scope));
      if (typeof result === "string") scope.step(result.length);
      return result;
    }
  }
}

function nameOf(expression: Expression): string {
  if (expression.kind === "name") return `'${expression.name}'`;
  return expression.kind === "member" && expression.key.kind === "literal"
    ? `'${String(expression.key.value)}'`
    : "A value";
}

function argumentsOf({ positional, named }: Arguments, scope: Scope): CallArguments {
  return {
    positional: positional.map((item) => evaluate(item, scope)),
    named: new Map(named.map(([name, item]) => [name, evaluate(item, scope)])),
  };
}

function binary(expression: Extract<Expression, { kind: "binary" }>, scope: Scope): Value {
  const left = evaluate(expression.left, scope);
  if (expression.operator === "and") return isTrue(left) ? evaluate(expression.right, scope) : left;
  if (expression.operator === "or") return isTrue(left) ? left : evaluate(expression.right, scope);
  const right = evaluate(expression.right, scope);
  switch (expression.operator) {
    case "==":
      return areEqual(left, right);
    case "!=":
      return !areEqual(left, right);
    case "in":
      return contains(right, left);
    case "~":
      return longer(printed(left) + printed(right), scope);
    case "+":
      if (typeof left === "string" && typeof right === "string") return longer(left + right, scope);
      if (isList(left) && isList(right)) {
        scope.step(left.length + right.length);
        return [...left, ...right];
      }
      return numberOf(left) + numberOf(right);
    case "*":
      if (typeof left === "string" && typeof right === "number") {
        scope.step(left.length * Math.max(0, right));
        return left.repeat(Math.max(0, Math.trunc(right)));
      }
      return numberOf(left) * numberOf(right);
    default:
      if (expression.operator === "%" && typeof left === "string")
        return longer(formatted(left, isList(right) ? right : [right]), scope);
      return arithmetic(expression.operator, left, right);
  }
}

function longer(text: string, scope: Scope): string {
  scope.step(text.length);
  return text;
}

function arithmetic(operator: string, left: Value, right: Value): Value {
  if (typeof left === "string" && typeof right === "string") {
    if (operator === "<") return left < right;
    if (operator === ">") return left > right;
  }
  const [a, b] = [numberOf(left), numberOf(right)];
  switch (operator) {
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "<=":
      return a <= b;
    case ">=":
      return a >= b;
    case "-":
      return a - b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return ((a % b) + b) % b;
    case "**":
      return a ** b;
    default:
      throw new TemplateError("unsupported", `'${operator}' is not known here.`);
  }
}

function numberOf(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const words =
    value === undefined ? "what has no value" : value === null ? "None" : "a text or a list";
  throw new TemplateError("failed", `A number is needed, and it is ${words}.`);
}

function memberOf(value: Value, key: Value): Value {
  if (value === undefined)
    throw new TemplateError("failed", `What has no value has no field ${printed(key)}.`);
  if (typeof key === "number") {
    if (isList(value) || typeof value === "string") return itemsOf(value).at(key);
    return undefined;
  }
  const name = printed(key);
  if (value instanceof Map && value.has(name)) return value.get(name);
  return methodOf(value, name);
}

function sliceOf(value: Value, [from, to, step]: readonly Value[]): Value {
  const items = itemsOf(value);
  const stride = typeof step === "number" ? Math.trunc(step) : 1;
  if (stride === 0) throw new TemplateError("failed", "The step of a slice is 0.");
  const { length } = items;
  const bound = (given: Value, otherwise: number): number => {
    if (typeof given !== "number") return otherwise;
    const place = given < 0 ? given + length : given;
    return stride > 0
      ? Math.max(0, Math.min(length, place))
      : Math.max(-1, Math.min(length - 1, place));
  };
  const end = bound(to, stride > 0 ? length : -1);
  const part: Value[] = [];
  for (
    let at = bound(from, stride > 0 ? 0 : length - 1);
    stride > 0 ? at < end : at > end;
    at += stride
  ) {
    part.push(items[at]);
  }
  return typeof value === "string" ? part.map(printed).join("") : part;
}
