/** What is wrong with the schema of a tool itself: it contradicts itself, or checks nothing. */

import { isFields } from "../model/fields.ts";
import { checkValue } from "./json-schema/check-value.ts";
import { isEnumOfItems, normaliseSchema } from "./normalise-schema.ts";

export interface SchemaFlaw {
  readonly kind:
    | "enum-of-other-type"
    | "enum-of-items"
    | "empty-range"
    | "requires-what-it-forbids"
    | "const-outside-enum"
    | "default-does-not-fit"
    | "values-in-words-only";
  /** JSON pointer into the schema. */
  readonly pointer: string;
  readonly what: string;
  readonly fix: string;
}

/** Schemas within one schema that are looked at. */
const nodeCountMax = 5_000;
const depthMax = 40;

/** Descriptions that list the only values there are. */
const listsValues =
  /\b(?:must be (?:one of|either)|(?:allowed|valid|possible|accepted|permitted|supported) values(?: are| include)?|one of(?: the following)?)\s*[:(]?\s*(?:["'`[]|\w+\s*(?:,|\bor\b|\|))/i;

/** The flaws of a schema, outermost first. */
export function flawsOf(schema: unknown): SchemaFlaw[] {
  const flaws: SchemaFlaw[] = [];
  const stack: { readonly node: unknown; readonly pointer: string; readonly depth: number }[] = [
    { node: normaliseSchema(schema, { isFaithful: true }), pointer: "", depth: 0 },
  ];
  for (let count = 0; count < nodeCountMax; count += 1) {
    const next = stack.shift();
    if (next === undefined) break;
    const { node, pointer, depth } = next;
    if (!isFields(node) || depth > depthMax) continue;
    flaws.push(...flawsOfNode(node, pointer));
    for (const [name, child] of childrenOf(node)) {
      stack.push({ node: child, pointer: `${pointer}/${name}`, depth: depth + 1 });
    }
  }
  return [...flaws, ...describedValues(schema)];
}

function flawsOfNode(node: Readonly<Record<string, unknown>>, pointer: string): SchemaFlaw[] {
  return [
    ...enumFlaws(node, pointer),
    ...rangeFlaws(node, pointer),
    ...requiredFlaws(node, pointer),
  ];
}

function enumFlaws(node: Readonly<Record<string, unknown>>, pointer: string): SchemaFlaw[] {
  const { enum: values, type, const: constant } = node;
  const flaws: SchemaFlaw[] = [];
  if (isEnumOfItems(node)) {
    flaws.push({
      kind: "enum-of-items",
      pointer,
      what: `has an enum of single values at ${placeOf(pointer)}, which is a list: read strictly it allows no list, but it is likely meant for the items`,
      fix: "Write the enum within the items of the list.",
    });
  } else if (Array.isArray(values) && type !== undefined) {
    const fitting = values.filter((value) => checkValue({ type }, value).verdict !== "invalid");
    if (fitting.length === 0) {
      flaws.push({
        kind: "enum-of-other-type",
        pointer,
        what: `allows no value at ${placeOf(pointer)}: none of its enum has its type`,
        fix: "Write the values of the enum in the type that the schema asks for.",
      });
    }
  }
  if (
    constant !== undefined &&
    Array.isArray(values) &&
    checkValue({ enum: values }, constant).verdict === "invalid"
  ) {
    flaws.push({
      kind: "const-outside-enum",
      pointer,
      what: `allows no value at ${placeOf(pointer)}: its const is not in its enum`,
      fix: "Leave one of the two out.",
    });
  }
  return flaws;
}

function rangeFlaws(node: Readonly<Record<string, unknown>>, pointer: string): SchemaFlaw[] {
  const pairs = [
    ["minimum", "maximum"],
    ["exclusiveMinimum", "exclusiveMaximum"],
    ["minLength", "maxLength"],
    ["minItems", "maxItems"],
    ["minProperties", "maxProperties"],
  ] as const;
  return pairs.flatMap(([least, most]) => {
    const [low, high] = [node[least], node[most]];
    if (typeof low !== "number" || typeof high !== "number" || low <= high) return [];
    return [
      {
        kind: "empty-range" as const,
        pointer,
        what: `allows no value at ${placeOf(pointer)}: ${least} ${low} is above ${most} ${high}`,
        fix: `Set ${least} and ${most} so that something lies between them.`,
      },
    ];
  });
}

function requiredFlaws(node: Readonly<Record<string, unknown>>, pointer: string): SchemaFlaw[] {
  const { required, properties, additionalProperties, patternProperties } = node;
  if (!Array.isArray(required) || additionalProperties !== false || patternProperties !== undefined)
    return [];
  const names = isFields(properties) ? properties : {};
  return required.flatMap((name) =>
    typeof name !== "string" || Object.hasOwn(names, name)
      ? []
      : [
          {
            kind: "requires-what-it-forbids" as const,
            pointer,
            what: `allows no arguments at ${placeOf(pointer)}: it requires ${name.slice(0, 64)}, which it does not describe, and forbids other fields`,
            fix: `Describe ${name.slice(0, 64)}, or do not require it.`,
          },
        ],
  );
}

/** A schema that takes any text everywhere, although it describes the only values there are. */
function describedValues(schema: unknown): SchemaFlaw[] {
  const properties = isFields(schema) ? schema["properties"] : undefined;
  const entries = isFields(properties) ? Object.entries(properties) : [];
  if (entries.length === 0 || !entries.every(([, property]) => isFreeText(property))) return [];
  return entries.flatMap(([name, property]) => {
    const description = isFields(property) ? property["description"] : undefined;
    if (typeof description !== "string" || !listsValues.test(description)) return [];
    const pointer = `/properties/${name.slice(0, 64)}`;
    return [
      {
        kind: "values-in-words-only" as const,
        pointer,
        what: `lists the values of ${placeOf(pointer)} in its description only, so that any text passes`,
        fix: "Write the values as an enum.",
      },
    ];
  });
}

function isFreeText(property: unknown): boolean {
  if (!isFields(property)) return false;
  const { type, enum: values, const: constant, pattern, format } = property;
  return (
    type === "string" &&
    values === undefined &&
    constant === undefined &&
    pattern === undefined &&
    format === undefined
  );
}

function placeOf(pointer: string): string {
  return pointer === ""
    ? "its arguments"
    : pointer.replaceAll("/properties/", "/").replaceAll("/items", "/*");
}

function childrenOf(node: Readonly<Record<string, unknown>>): [string, unknown][] {
  const { properties, items, additionalProperties, anyOf, oneOf, allOf, $defs } = node;
  const lists = Object.entries({ anyOf, oneOf, allOf }).flatMap(([name, list]) =>
    Array.isArray(list)
      ? list.map((item, index): [string, unknown] => [`${name}/${index}`, item])
      : [],
  );
  const maps = Object.entries({ properties, $defs }).flatMap(([name, map]) =>
    isFields(map)
      ? Object.entries(map).map(([field, item]): [string, unknown] => [
          `${name}/${field.slice(0, 64)}`,
          item,
        ])
      : [],
  );
  return [...maps, ["items", items], ["additionalProperties", additionalProperties], ...lists];
}

/** Whether a schema says nothing about the arguments that it is given: no field of it is described. */
export function checksNothing(schema: unknown): boolean {
  if (schema === true) return true;
  if (!isFields(schema)) return false;
  const keywords = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "enum",
    "const",
    "patternProperties",
    "propertyNames",
    "required",
    "dependentSchemas",
    "dependentRequired",
    "minProperties",
    "pattern",
    "items",
    "prefixItems",
  ];
  if (keywords.some((keyword) => isSet(schema[keyword]))) return false;
  const { type, properties, additionalProperties } = schema;
  if (type !== undefined && type !== "object" && type !== "dict") return false;
  if (
    additionalProperties === false ||
    (isFields(additionalProperties) && Object.keys(additionalProperties).length > 0)
  )
    return false;
  if (!isFields(properties)) return true;
  const fields = Object.values(properties);
  // An object that names no field is closed, as tool-call/schema reads it, unless it says that it is open.
  if (fields.length === 0) return additionalProperties !== undefined;
  return fields.every(
    (field) =>
      field === true ||
      (isFields(field) &&
        field["type"] === undefined &&
        checksNothing({ ...field, description: undefined })) ||
      isFreeObject(field),
  );
}

/** An object of which no field is described. */
function isFreeObject(field: unknown): boolean {
  return (
    isFields(field) &&
    (field["type"] === "object" || field["type"] === "dict") &&
    checksNothing(field)
  );
}

function isSet(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}
