/** Reads the dialects in which tools describe their input as JSON Schema 2020-12. */

import { isFields } from "../model/fields.ts";
import { schemaTypes } from "./json-schema/assertions.ts";

/** Names of types in other dialects whose meaning is plain. */
const typeNames: Readonly<Record<string, string | undefined>> = {
  dict: "object",
  float: "number",
  double: "number",
  int: "integer",
  long: "integer",
  str: "string",
  bool: "boolean",
  list: "array",
  tuple: "array",
};
const depthMax = 150;

/** Keywords under which plain data stands, which is not to be touched. */
const dataKeywords: ReadonlySet<string> = new Set([
  "const",
  "default",
  "enum",
  "example",
  "examples",
  "required",
]);

/**
 * A schema in which types of other dialects bear their JSON Schema names, `any` asks for nothing, and `nullable` allows null.
 * What is not understood stays as it is, and is then doubted rather than guessed.
 */
export function normaliseSchema(schema: unknown, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((item) => normaliseSchema(item, depth + 1));
  if (!isFields(schema) || depth > depthMax) return schema;
  const fields = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (dataKeywords.has(keyword)) return [keyword, value];
    if (keyword === "properties" && isFields(value)) return [keyword, normaliseMap(value, depth)];
    return [keyword, normaliseSchema(value, depth + 1)];
  });
  return withNullable(withType(Object.fromEntries(fields)));
}

/** The names of fields are no keywords, whatever they are called. */
function normaliseMap(map: Record<string, unknown>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(map).map(([name, schema]) => [name, normaliseSchema(schema, depth + 1)]),
  );
}

function withType(schema: Record<string, unknown>): Record<string, unknown> {
  const { type } = schema;
  if (type === undefined) return schema;
  const names: unknown[] = Array.isArray(type) ? type : [type];
  if (names.some((name) => typeof name === "string" && name.toLowerCase() === "any")) {
    const { type: _any, ...rest } = schema;
    return rest;
  }
  const renamed = names.map((name) => (typeof name === "string" ? typeNameOf(name) : name));
  return { ...schema, type: Array.isArray(type) ? renamed : renamed[0] };
}

function typeNameOf(name: string): string {
  const lower = name.toLowerCase();
  if (schemaTypes.includes(lower)) return lower;
  return (Object.hasOwn(typeNames, lower) ? typeNames[lower] : undefined) ?? name;
}

function withNullable(schema: Record<string, unknown>): Record<string, unknown> {
  if (schema["nullable"] !== true) return schema;
  const { type, enum: allowed } = schema;
  return {
    ...schema,
    ...(typeof type === "string" ? { type: [type, "null"] } : {}),
    ...(Array.isArray(type) ? { type: [...type, "null"] } : {}),
    ...(Array.isArray(allowed) ? { enum: [...allowed, null] } : {}),
  };
}
