/** Types as the dialects of tool descriptions write them: other languages' names, and expressions such as `List[int]`. */

import { schemaTypes } from "./json-schema/assertions.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Names of types in other dialects whose meaning is plain. */
const typeNames: Readonly<Record<string, string | undefined>> = {
  dict: "object",
  dictionary: "object",
  map: "object",
  hashmap: "object",
  mapping: "object",
  json: "object",
  float: "number",
  double: "number",
  decimal: "number",
  numeric: "number",
  int: "integer",
  int32: "integer",
  int64: "integer",
  long: "integer",
  short: "integer",
  byte: "integer",
  bigint: "integer",
  str: "string",
  text: "string",
  char: "string",
  date: "string",
  datetime: "string",
  time: "string",
  timestamp: "string",
  uuid: "string",
  url: "string",
  uri: "string",
  email: "string",
  bool: "boolean",
  list: "array",
  tuple: "array",
  set: "array",
  arraylist: "array",
  sequence: "array",
  iterable: "array",
  none: "null",
  nonetype: "null",
};
const depthMax = 8;

/** The schema that a type's name stands for, or `undefined` when it is not understood. */
export function schemaOfType(name: string, depth = 0): Schema | undefined {
  const text = name.trim().replace(/\s*,?\s*\(?(?:optional|required)\)?$/i, "");
  const lower = text.toLowerCase();
  if (depth > depthMax || text === "") return undefined;
  if (lower === "any" || lower === "object | any" || lower.startsWith("callable")) return {};
  if (schemaTypes.includes(lower)) return { type: lower };
  const known = Object.hasOwn(typeNames, lower) ? typeNames[lower] : undefined;
  if (known !== undefined) return { type: known };
  return ofExpression(text, depth);
}

function ofExpression(text: string, depth: number): Schema | undefined {
  const union = splitOutside(text, /^(?:\||\bor\b)/);
  if (union.length > 1) return unionOf(union, depth);
  const listed =
    /^(.{1,60})\[\]$/.exec(text)?.[1] ?? /^(?:array|list)s? of (.{1,60})$/i.exec(text)?.[1];
  if (listed !== undefined) return arrayOf(listed.replace(/s$/, ""), depth);
  const generic = /^([\w.]+)\s*[[<](.*)[\]>]$/s.exec(text);
  const outer = generic?.[1]?.toLowerCase().replace(/^typing\./, "");
  const inner = generic?.[2];
  if (outer === undefined || inner === undefined) return undefined;
  switch (outer) {
    case "optional":
      return unionOf([inner, "null"], depth);
    case "union":
      return unionOf(splitOutside(inner, /^,/), depth);
    case "literal":
      return {};
    case "list":
    case "array":
    case "sequence":
    case "iterable":
    case "set":
      return arrayOf(inner, depth);
    case "tuple":
      return { type: "array" };
    case "dict":
    case "map":
    case "mapping":
    case "record":
      return { type: "object" };
    default:
      return undefined;
  }
}

function arrayOf(inner: string, depth: number): Schema {
  const items = schemaOfType(inner, depth + 1);
  return items === undefined ? { type: "array" } : { type: "array", items };
}

/** One that is not understood makes the whole say nothing. */
function unionOf(parts: readonly string[], depth: number): Schema {
  const schemas = parts.map((part) => schemaOfType(part, depth + 1));
  const known = schemas.filter((schema) => schema !== undefined);
  const isOpen =
    known.length < schemas.length || known.some((schema) => Object.keys(schema).length === 0);
  return isOpen ? {} : { anyOf: known };
}

/** The parts of a text between separators that stand outside of brackets. */
function splitOutside(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if ("[<(".includes(letter)) depth += 1;
    else if ("]>)".includes(letter)) depth -= 1;
    if (depth > 0) continue;
    const isWordStart = !/\w/.test(text[at - 1] ?? " ");
    const found =
      isWordStart || !/\w/.test(letter) ? separator.exec(text.slice(at, at + 4))?.[0] : undefined;
    if (found === undefined) continue;
    parts.push(text.slice(from, at));
    from = at + found.length;
    at = from - 1;
  }
  return [...parts, text.slice(from)].map((part) => part.trim()).filter((part) => part !== "");
}
