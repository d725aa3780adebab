/** Reads the dialects in which tools describe their input as JSON Schema 2020-12. */

import { isFields } from "../model/fields.ts";
import { parseForeignJson } from "../text/foreign-json.ts";
import { schemaTypes } from "./json-schema/assertions.ts";
import { schemaOfType } from "./type-names.ts";

type Schema = Readonly<Record<string, unknown>>;

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
/** Keywords one of which a schema has when it is one, and not a map of parameters by their names. */
const schemaKeywords: readonly string[] = [
  "$ref",
  "$defs",
  "$schema",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "enum",
  "items",
  "oneOf",
  "patternProperties",
  "properties",
  "required",
  "type",
];

export interface NormaliseOptions {
  /** Contradictions of the schema stay as they are, for those who look for them. */
  readonly isFaithful?: boolean;
}

/**
 * A schema in which types of other dialects bear their JSON Schema names, `any` asks for nothing, `nullable` allows null,
 * and what stands in another shape (a map or list of parameters) is an object's. An enum that its type contradicts
 * allows its values in both; on a list it is that of the items. What is not understood stays as it is, and is then
 * doubted rather than guessed.
 */
export function normaliseSchema(schema: unknown, options: NormaliseOptions = {}): unknown {
  return normalise(ofParameters(schema), options, 0);
}

function normalise(schema: unknown, options: NormaliseOptions, depth: number): unknown {
  if (Array.isArray(schema)) return schema.map((item) => normalise(item, options, depth + 1));
  if (!isFields(schema) || depth > depthMax) return schema;
  const fields = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (dataKeywords.has(keyword)) return [keyword, value];
    if (keyword === "properties" && isFields(value)) {
      return [keyword, normaliseMap(value, options, depth)];
    }
    return [keyword, normalise(value, options, depth + 1)];
  });
  const typed = withType(withRequired(Object.fromEntries(fields)));
  return withNullable(
    options.isFaithful === true ? typed : withPossibleEnum(withEnumOfItems(typed)),
  );
}

/** The names of fields are no keywords, whatever they are called. */
function normaliseMap(map: Schema, options: NormaliseOptions, depth: number): Schema {
  return Object.fromEntries(
    Object.entries(map).map(([name, schema]) => [name, normalise(schema, options, depth + 1)]),
  );
}

/** Parameters by their names, or in a list, without an object's schema around them. */
function ofParameters(schema: unknown): unknown {
  if (Array.isArray(schema)) {
    const named = schema.flatMap((item) =>
      isFields(item) && typeof item["name"] === "string" ? [[item["name"], item] as const] : [],
    );
    if (named.length < schema.length) return schema;
    return objectOf(named.map(([name, { name: _name, ...item }]) => [name, item]));
  }
  if (!isFields(schema)) return schema;
  const entries = Object.entries(schema);
  const isMap =
    entries.length > 0 &&
    entries.every(([, value]) => isFields(value) && isParameter(value)) &&
    !schemaKeywords.some(
      (keyword) => typeof schema[keyword] === "string" || Array.isArray(schema[keyword]),
    ) &&
    !isFields(schema["properties"]);
  return isMap ? objectOf(entries) : schema;
}

function isParameter(value: Schema): boolean {
  return typeof value["type"] === "string" || typeof value["description"] === "string";
}

/** Parameters are required unless they say otherwise: by a default, or the word in their type. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Schema {
  const required = entries.flatMap(([name, value]) => {
    if (!isFields(value) || Object.hasOwn(value, "default") || value["required"] === false)
      return [];
    const type = value["type"];
    return typeof type === "string" && /optional/i.test(type) ? [] : [name];
  });
  return { type: "object", properties: Object.fromEntries(entries), required };
}

/** `required: true` on a property, as older drafts have it, is a name in the list of the object around it. */
function withRequired(schema: Schema): Schema {
  const { properties, required } = schema;
  if (!isFields(properties)) return schema;
  const marked = Object.entries(properties).filter(
    ([, property]) => isFields(property) && typeof property["required"] === "boolean",
  );
  if (marked.length === 0) return schema;
  const names = marked.flatMap(([name, property]) =>
    isFields(property) && property["required"] === true ? [name] : [],
  );
  const listed: readonly unknown[] = Array.isArray(required) ? required : [];
  const plain = Object.entries(properties).map(([name, property]) => {
    if (!isFields(property) || typeof property["required"] !== "boolean") return [name, property];
    const { required: _required, ...rest } = property;
    return [name, rest];
  });
  return {
    ...schema,
    properties: Object.fromEntries(plain),
    required: [...new Set([...listed, ...names])],
  };
}

function withType(schema: Schema): Schema {
  const { type } = schema;
  if (type === undefined) return schema;
  const names: unknown[] = Array.isArray(type) ? type : [type];
  if (names.some((name) => typeof name === "string" && name.trim().toLowerCase() === "any")) {
    const { type: _any, ...rest } = schema;
    return rest;
  }
  if (typeof type === "string" && !schemaTypes.includes(type.toLowerCase())) {
    const meant = schemaOfType(type);
    if (meant === undefined) return schema;
    const { type: _type, ...rest } = schema;
    // What the schema says itself is more exact than the name of its type.
    return { ...meant, ...rest };
  }
  const renamed = names.map((name) => (typeof name === "string" ? typeNameOf(name) : name));
  return { ...schema, type: Array.isArray(type) ? renamed : renamed[0] };
}

function typeNameOf(name: string): string {
  const meant = schemaOfType(name)?.["type"];
  return typeof meant === "string" ? meant : name;
}

/** Whether a list's enum names what its items may be, as many write it, and not what the list may be. */
export function isEnumOfItems({ type, enum: values }: Schema): boolean {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return (
    types.includes("array") &&
    types.every((name) => name === "array" || name === "null") &&
    Array.isArray(values) &&
    values.some((value) => value !== null) &&
    !values.some(Array.isArray)
  );
}

function withEnumOfItems(schema: Schema): Schema {
  const { enum: values, ...rest } = schema;
  if (!isEnumOfItems(schema) || !Array.isArray(values)) return schema;
  const { items = {} } = rest;
  if (!isFields(items)) return rest;
  // What the items say themselves is more exact.
  return { ...rest, items: items["enum"] === undefined ? { ...items, enum: values } : items };
}

/** An enum none of whose values has the type lists them in the wrong dress: each may come as written or as meant. */
function withPossibleEnum(schema: Schema): Schema {
  const { type, enum: values } = schema;
  if (!Array.isArray(values) || typeof type !== "string" || values.length === 0) return schema;
  if (values.some((value) => hasType(value, type))) return schema;
  const { type: _type, ...rest } = schema;
  return { ...rest, enum: [...values, ...values.flatMap((value) => asType(value, type))] };
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isFields(value);
    default:
      return typeof value === type;
  }
}

function asType(value: unknown, type: string): unknown[] {
  if (type === "string") {
    return typeof value === "number" || typeof value === "boolean" ? [String(value)] : [];
  }
  if (typeof value !== "string") return [];
  try {
    const parsed: unknown = parseForeignJson(value.toLowerCase());
    return hasType(parsed, type) ? [parsed] : [];
  } catch {
    // A word that is no value of the type is meant as a word.
    return [];
  }
}

function withNullable(schema: Schema): Schema {
  if (schema["nullable"] !== true) return schema;
  const { type, enum: allowed } = schema;
  return {
    ...schema,
    ...(typeof type === "string" ? { type: [type, "null"] } : {}),
    ...(Array.isArray(type) ? { type: [...type, "null"] } : {}),
    ...(Array.isArray(allowed) ? { enum: [...allowed, null] } : {}),
  };
}
