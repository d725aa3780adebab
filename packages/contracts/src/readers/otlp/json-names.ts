/** Both spellings of fields in the JSON of protobuf: `traceId`, and `trace_id` as the schema has it. */

import { parseForeignJson } from "../../text/foreign-json.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** Objects nested deeper keep their names: nothing lies so deep within the limits of attributes' values. */
const renamedDepthMax = 128;

/** The value of a text, with its fields named in camelCase. Throws a `SyntaxError`. */
export function parseJson(text: string): JsonValue {
  const json = parseForeignJson(text) as JsonValue;
  return hasSnakeCase(text) ? inCamelCase(json, 0) : json;
}

/** Whether a text of JSON seems to have fields in the schema's spelling. */
export function hasSnakeCase(text: string): boolean {
  return /"[a-z]+(?:_[a-z]+)+"\s*:/.test(text);
}

/** `trace_id` as `traceId`. */
export function camelCaseOf(name: string): string {
  if (!/^[a-z]+(?:_[a-z]+)+$/.test(name)) return name;
  return name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function inCamelCase(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== "object" || value === null || depth > renamedDepthMax) return value;
  if (Array.isArray(value)) return value.map((item) => inCamelCase(item, depth + 1));
  const renamed: [string, JsonValue][] = [];
  for (const [name, field] of Object.entries(value)) {
    const camel = camelCaseOf(name);
    // Of both spellings in one object JSON's own one counts.
    if (field === undefined || (camel !== name && Object.hasOwn(value, camel))) continue;
    renamed.push([camel, inCamelCase(field, depth + 1)]);
  }
  return Object.fromEntries(renamed) satisfies JsonObject;
}
