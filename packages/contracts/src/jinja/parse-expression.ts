/** Reads expressions. */

import type { Arguments, Expression } from "./syntax.ts";
import type { TokenReader } from "./token-reader.ts";

/** An expression with a choice, `a if b else c`. */
export function parseExpression(reader: TokenReader): Expression {
  return reader.within(() => {
    const chosen = parseOr(reader);
    if (!reader.take("if")) return chosen;
    const condition = parseOr(reader);
    const otherwise = reader.take("else") ? parseExpression(reader) : undefined;
    return { kind: "choice", condition, chosen, otherwise };
  });
}

/** An expression without a choice, as `for x in y if z` has it. */
export function parseOr(reader: TokenReader): Expression {
  let left = parseAnd(reader);
  while (reader.take("or"))
    left = { kind: "binary", operator: "or", left, right: parseAnd(reader) };
  return left;
}

function parseAnd(reader: TokenReader): Expression {
  let left = parseNot(reader);
  while (reader.take("and"))
    left = { kind: "binary", operator: "and", left, right: parseNot(reader) };
  return left;
}

function parseNot(reader: TokenReader): Expression {
  if (!reader.take("not")) return parseComparison(reader);
  return reader.within(() => ({ kind: "unary", operator: "not", of: parseNot(reader) }));
}

const comparisons = ["==", "!=", "<=", ">=", "<", ">", "in"];

function parseComparison(reader: TokenReader): Expression {
  let left = parseSum(reader);
  for (;;) {
    const operator = comparisons.find((candidate) => reader.isAt(candidate));
    if (operator !== undefined) {
      reader.next();
      left = { kind: "binary", operator, left, right: parseSum(reader) };
    } else if (reader.isAt("not") && reader.isAt("in", 1)) {
      reader.next();
      reader.next();
      const of: Expression = { kind: "binary", operator: "in", left, right: parseSum(reader) };
      left = { kind: "unary", operator: "not", of };
    } else return left;
  }
}

function parseSum(reader: TokenReader): Expression {
  let left = parseProduct(reader);
  for (;;) {
    const operator = ["+", "-", "~"].find((candidate) => reader.isAt(candidate));
    if (operator === undefined) return left;
    reader.next();
    left = { kind: "binary", operator, left, right: parseProduct(reader) };
  }
}

function parseProduct(reader: TokenReader): Expression {
  let left = parseUnary(reader);
  for (;;) {
    const operator = ["**", "*", "//", "/", "%"].find((candidate) => reader.isAt(candidate));
    if (operator === undefined) return left;
    reader.next();
    left = { kind: "binary", operator, left, right: parseUnary(reader) };
  }
}

function parseUnary(reader: TokenReader): Expression {
  return parseFilters(reader, parseSigned(reader));
}

/** Filters and tests are about a value with its sign. */
function parseSigned(reader: TokenReader): Expression {
  const operator = (["-", "+"] as const).find((candidate) => reader.isAt(candidate));
  if (operator === undefined) return parsePostfix(reader);
  reader.next();
  return reader.within(() => ({ kind: "unary", operator, of: parseSigned(reader) }));
}

function parsePostfix(reader: TokenReader): Expression {
  let value = parsePrimary(reader);
  for (;;) {
    if (reader.take(".")) {
      const token = reader.next();
      if (token?.kind !== "name" && token?.kind !== "number")
        throw reader.fault("a field is missing");
      const key = token.kind === "number" ? Number(token.text) : token.text;
      value = { kind: "member", of: value, key: { kind: "literal", value: key } };
    } else if (reader.take("[")) value = parseSubscript(reader, value);
    else if (reader.isAt("("))
      value = { kind: "call", callee: value, arguments: parseArguments(reader) };
    else return value;
  }
}

function parseFilters(reader: TokenReader, of: Expression): Expression {
  let value = of;
  for (;;) {
    if (reader.take("|")) {
      const name = reader.name();
      value = { kind: "filter", of: value, name, arguments: parseOptional(reader) };
    } else if (reader.take("is")) {
      const isNegated = reader.take("not");
      const name = reader.name();
      value = { kind: "test", of: value, name, isNegated, arguments: parseTestArguments(reader) };
    } else if (reader.isAt("(")) {
      value = { kind: "call", callee: value, arguments: parseArguments(reader) };
    } else return value;
  }
}

function parseSubscript(reader: TokenReader, of: Expression): Expression {
  const bounds: (Expression | undefined)[] = [];
  let isSlice = false;
  let bound: Expression | undefined;
  while (!reader.isAt("]")) {
    if (reader.take(":")) {
      isSlice = true;
      bounds.push(bound);
      bound = undefined;
    } else bound = parseExpression(reader);
    if (bounds.length > 2) throw reader.fault("a slice has too many bounds");
  }
  reader.expect("]");
  if (isSlice) return { kind: "slice", of, bounds: [...bounds, bound] };
  if (bound === undefined) throw reader.fault("an index is missing");
  return { kind: "member", of, key: bound };
}

const noArguments: Arguments = { positional: [], named: [] };

function parseOptional(reader: TokenReader): Arguments {
  return reader.isAt("(") ? parseArguments(reader) : noArguments;
}

/** Words behind a test that are not its value. */
const endsOfTests: ReadonlySet<string> = new Set(["and", "or", "not", "if", "else", "is", "in"]);

/** A test may take one value without brackets: `x is divisibleby 2`. */
function parseTestArguments(reader: TokenReader): Arguments {
  if (reader.isAt("(")) return parseArguments(reader);
  const token = reader.peek();
  const isValue =
    token?.kind === "string" ||
    token?.kind === "number" ||
    (token?.kind === "name" && !endsOfTests.has(token.text)) ||
    reader.isAt("[") ||
    reader.isAt("{");
  return isValue ? { positional: [parsePostfix(reader)], named: [] } : noArguments;
}

function parseArguments(reader: TokenReader): Arguments {
  const positional: Expression[] = [];
  const named: [string, Expression][] = [];
  reader.expect("(");
  while (!reader.take(")")) {
    if (reader.peek()?.kind === "name" && reader.isAt("=", 1)) {
      const name = reader.name();
      reader.expect("=");
      named.push([name, parseExpression(reader)]);
    } else positional.push(parseExpression(reader));
    if (!reader.isAt(")")) reader.expect(",");
  }
  return { positional, named };
}

const constants: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);

function parsePrimary(reader: TokenReader): Expression {
  const token = reader.next();
  if (token?.kind === "string") {
    let value = token.text;
    // Strings that stand side by side are one.
    for (let more = reader.peek(); more?.kind === "string"; more = reader.peek()) {
      value += more.text;
      reader.next();
    }
    return { kind: "literal", value };
  }
  if (token?.kind === "number") return { kind: "literal", value: Number(token.text) };
  if (token?.kind === "name") {
    const constant = constants.get(token.text);
    return constant === undefined
      ? { kind: "name", name: token.text }
      : { kind: "literal", value: constant };
  }
  if (token?.kind === "operator" && token.text === "(") return parseGroup(reader);
  if (token?.kind === "operator" && token.text === "[")
    return { kind: "list", items: parseItems(reader, "]") };
  if (token?.kind === "operator" && token.text === "{") return parseDictionary(reader);
  throw reader.fault("an expression is missing");
}

function parseGroup(reader: TokenReader): Expression {
  if (reader.take(")")) return { kind: "list", items: [] };
  const first = parseExpression(reader);
  if (reader.take(")")) return first;
  reader.expect(",");
  return { kind: "list", items: [first, ...parseItems(reader, ")")] };
}

function parseItems(reader: TokenReader, end: string): Expression[] {
  const items: Expression[] = [];
  while (!reader.take(end)) {
    items.push(parseExpression(reader));
    if (!reader.isAt(end)) reader.expect(",");
  }
  return items;
}

function parseDictionary(reader: TokenReader): Expression {
  const entries: [Expression, Expression][] = [];
  while (!reader.take("}")) {
    const key = parseExpression(reader);
    reader.expect(":");
    entries.push([key, parseExpression(reader)]);
    if (!reader.isAt("}")) reader.expect(",");
  }
  return { kind: "dictionary", entries };
}
