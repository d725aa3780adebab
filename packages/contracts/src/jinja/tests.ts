/** The tests that chat templates use, as in `x is defined`. */

import { TemplateError } from "./template-error.ts";
import { areEqual, isCallable, isList, type Value } from "./value.ts";

/** Whether a value passes a test. Throws where the test is not known. */
export function passesTest(name: string, value: Value, given: readonly Value[]): boolean {
  const [other] = given;
  switch (name) {
    case "defined":
      return value !== undefined;
    case "undefined":
      return value === undefined;
    case "none":
      return value === null;
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number" || typeof value === "boolean";
    case "integer":
      return Number.isInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "true":
      return value === true;
    case "false":
      return value === false;
    case "mapping":
      return value instanceof Map;
    case "iterable":
    case "sequence":
      return typeof value === "string" || isList(value) || value instanceof Map;
    case "callable":
      return isCallable(value);
    case "equalto":
    case "eq":
    case "==":
      return areEqual(value, other);
    case "ne":
    case "!=":
      return !areEqual(value, other);
    case "in":
      return contains(other, value);
    case "float":
      return typeof value === "number" && !Number.isInteger(value);
    case "lower":
      return typeof value === "string" && value === value.toLowerCase();
    case "upper":
      return typeof value === "string" && value === value.toUpperCase();
    case "gt":
    case "greaterthan":
    case ">":
      return Number(value) > Number(other);
    case "ge":
    case ">=":
      return Number(value) >= Number(other);
    case "lt":
    case "lessthan":
    case "<":
      return Number(value) < Number(other);
    case "le":
    case "<=":
      return Number(value) <= Number(other);
    case "sameas":
      return value === other;
    case "odd":
      return Math.abs(Number(value) % 2) === 1;
    case "even":
      return Number(value) % 2 === 0;
    case "divisibleby":
      return Number(value) % Number(other) === 0;
    default:
      throw new TemplateError("unsupported", `The test '${name}' is not known here.`);
  }
}

/** `part in whole`. */
export function contains(whole: Value, part: Value): boolean {
  if (typeof whole === "string") return typeof part === "string" && whole.includes(part);
  if (whole instanceof Map) return typeof part === "string" && whole.has(part);
  if (isList(whole)) return whole.some((item) => areEqual(item, part));
  if (whole === undefined) return false;
  throw new TemplateError("failed", "What has no items contains nothing.");
}
