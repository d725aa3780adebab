/** The keywords of JSON Schema 2020-12 that assert something about a value itself. */

import { isFields } from "../../model/fields.ts";
import { isMultipleOf } from "./decimal.ts";
import { describeAllowed, describeValue, typeOf } from "./describe-value.ts";
import { equalityKey } from "./equality.ts";
import type { Outcome } from "./outcome.ts";
import type { PatternCache } from "./pattern-cache.ts";

type Schema = Readonly<Record<string, unknown>>;

/** A value, where it stands, and where the verdict goes. */
export interface Assertion {
  readonly schema: Schema;
  readonly value: unknown;
  readonly pointer: string;
  readonly outcome: Outcome;
  readonly patterns: PatternCache;
}

/** Judges all asserting keywords. */
export function assertAll(assertion: Assertion): void {
  assertType(assertion);
  assertValues(assertion);
  const { value } = assertion;
  if (typeof value === "number") assertNumber(assertion, value);
  else if (typeof value === "string") assertText(assertion, value);
  else if (Array.isArray(value)) assertArray(assertion, value);
  else if (isFields(value)) assertObject(assertion, value);
}

/** The names that `type` may have. */
export const schemaTypes: readonly string[] = [
  "null",
  "boolean",
  "object",
  "array",
  "number",
  "string",
  "integer",
];

function assertType({ schema, value, pointer, outcome }: Assertion): void {
  const wanted = schema["type"];
  if (wanted === undefined) return;
  const names: unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  const actual = typeOf(value);
  if (names.includes(actual) || (actual === "integer" && names.includes("number"))) return;
  const foreign = names.find((name) => typeof name !== "string" || !schemaTypes.includes(name));
  if (foreign !== undefined) {
    outcome.doubt(
      `the schema asks for a type that JSON Schema does not have: ${describeAllowed([foreign]).slice(0, 40)}`,
    );
    return;
  }
  outcome.fail({
    keyword: "type",
    pointer,
    expected: names.join(" or "),
    actual: describeValue(value),
    actualType: actual,
  });
}

function assertValues({ schema, value, pointer, outcome }: Assertion): void {
  const { enum: allowed } = schema;
  if (Array.isArray(allowed) && !allowed.some((item) => equalityKey(item) === equalityKey(value))) {
    outcome.fail({
      keyword: "enum",
      pointer,
      expected: `one of ${describeAllowed(allowed)}`,
      actual: describeValue(value),
      allowed,
    });
  }
  if (Object.hasOwn(schema, "const") && equalityKey(schema["const"]) !== equalityKey(value)) {
    outcome.fail({
      keyword: "const",
      pointer,
      expected: describeAllowed([schema["const"]]),
      actual: describeValue(value),
      allowed: [schema["const"]],
    });
  }
}

/** Reports a keyword with a bound that a measure of the value breaks. */
function assertBound(
  { schema, value, pointer, outcome }: Assertion,
  keyword: string,
  { isBroken, expected }: { isBroken: (bound: number) => boolean; expected: string },
): void {
  const bound = schema[keyword];
  if (typeof bound !== "number" || !isBroken(bound)) return;
  outcome.fail({
    keyword,
    pointer,
    expected: `${expected} ${bound}`,
    actual: describeValue(value),
  });
}

function assertNumber(assertion: Assertion, value: number): void {
  const bound = (keyword: string, isBroken: (bound: number) => boolean, expected: string): void => {
    assertBound(assertion, keyword, { isBroken, expected });
  };
  bound("minimum", (least) => value < least, "at least");
  bound("maximum", (most) => value > most, "at most");
  bound("exclusiveMinimum", (limit) => value <= limit, "more than");
  bound("exclusiveMaximum", (limit) => value >= limit, "less than");
  bound("multipleOf", (divisor) => !isMultipleOf(value, divisor), "a multiple of");
}

function assertText(assertion: Assertion, value: string): void {
  const { schema, pointer, outcome, patterns } = assertion;
  if (schema["minLength"] !== undefined || schema["maxLength"] !== undefined) {
    const length = Array.from(value).length;
    assertBound(assertion, "minLength", {
      isBroken: (least) => length < least,
      expected: "a length of at least",
    });
    assertBound(assertion, "maxLength", {
      isBroken: (most) => length > most,
      expected: "a length of at most",
    });
  }
  const { pattern } = schema;
  if (typeof pattern !== "string") return;
  const matches = patterns.matches(pattern, value);
  if (typeof matches === "string") outcome.doubt(matches);
  else if (!matches) {
    outcome.fail({
      keyword: "pattern",
      pointer,
      expected: `a text that matches ${pattern.slice(0, 200)}`,
      actual: describeValue(value),
    });
  }
}

function assertArray(assertion: Assertion, value: readonly unknown[]): void {
  const { schema, pointer, outcome } = assertion;
  assertBound(assertion, "minItems", {
    isBroken: (least) => value.length < least,
    expected: "a number of items of at least",
  });
  assertBound(assertion, "maxItems", {
    isBroken: (most) => value.length > most,
    expected: "a number of items of at most",
  });
  if (schema["uniqueItems"] === true && new Set(value.map(equalityKey)).size < value.length) {
    outcome.fail({
      keyword: "uniqueItems",
      pointer,
      expected: "items that differ",
      actual: "items that are equal",
    });
  }
}

function assertObject(assertion: Assertion, value: Readonly<Record<string, unknown>>): void {
  const { schema, pointer, outcome } = assertion;
  const names = Object.keys(value);
  assertBound(assertion, "minProperties", {
    isBroken: (least) => names.length < least,
    expected: "a number of fields of at least",
  });
  assertBound(assertion, "maxProperties", {
    isBroken: (most) => names.length > most,
    expected: "a number of fields of at most",
  });
  const require = (wanted: unknown, why: string): void => {
    if (!Array.isArray(wanted)) return;
    for (const name of wanted) {
      if (typeof name !== "string" || Object.hasOwn(value, name)) continue;
      outcome.fail({
        keyword: "required",
        pointer,
        expected: `the field ${name}${why}`,
        actual: "no such field",
        field: name,
      });
    }
  };
  require(schema["required"], "");
  for (const keyword of ["dependentRequired", "dependencies"]) {
    const dependent = schema[keyword];
    if (!isFields(dependent)) continue;
    for (const [name, wanted] of Object.entries(dependent)) {
      if (Object.hasOwn(value, name)) require(wanted, `, because ${name} is there`);
    }
  }
}
