/** Attributes, resources and scopes from OTLP's JSON. */

import { type Attributes, type AttributeValue, spanLimits } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import {
  booleanOf,
  doubleNumber,
  eachObject,
  inObject,
  type JsonObject,
  JsonMismatch,
  type JsonValue,
  textOf,
} from "./json.ts";
import type { OtlpTally } from "./tally.ts";
import {
  attributeDouble,
  attributeText,
  notes,
  type Origin,
  otlpLimits,
  serviceOf,
  setAttribute,
} from "./value.ts";

/** Reads the attributes of one record. */
export function readAttributes(owner: JsonObject, tally: OtlpTally): Attributes {
  const attributes: Attributes = {};
  eachObject(owner, "attributes", (entry, index) => {
    if (index >= spanLimits.attributeCountMax) tally.note(notes.attributesBeyond);
    else readEntry(entry, attributes, { depth: 0, tally });
  });
  return attributes;
}

interface Nesting {
  readonly depth: number;
  readonly tally: OtlpTally;
}

function readEntry(entry: JsonObject, entries: Attributes, nesting: Nesting): void {
  const key = textOf(entry, "key");
  const value = inObject(entry, "value", (value) => readValue(value, nesting)) ?? null;
  if (key.length > otlpLimits.keyLengthMax) nesting.tally.note(notes.keyBeyond);
  else setAttribute(entries, key, value);
}

/** Reads one AnyValue. */
export function readValue(value: JsonObject, nesting: Nesting): AttributeValue {
  if (isThere(value, "stringValue")) {
    return attributeText(textOf(value, "stringValue"), nesting.tally);
  }
  if (isThere(value, "intValue")) return integerOf(value["intValue"]);
  if (isThere(value, "boolValue")) return booleanOf(value, "boolValue");
  if (isThere(value, "doubleValue")) {
    return attributeDouble(doubleNumber(value["doubleValue"], "doubleValue"));
  }
  if (isThere(value, "bytesValue")) {
    return attributeText(textOf(value, "bytesValue"), nesting.tally);
  }
  const nested = readNested(value, nesting);
  return nested ?? null;
}

function readNested(value: JsonObject, nesting: Nesting): AttributeValue | undefined {
  const isArray = isThere(value, "arrayValue");
  if (!isArray && !isThere(value, "kvlistValue")) return undefined;
  if (nesting.depth >= otlpLimits.valueDepthMax) {
    nesting.tally.note(notes.depthBeyond);
    return null;
  }
  const inner = { depth: nesting.depth + 1, tally: nesting.tally };
  return isArray
    ? inObject(value, "arrayValue", (list) => readArray(list, inner))
    : inObject(value, "kvlistValue", (list) => readMap(list, inner));
}

function readArray(list: JsonObject, nesting: Nesting): AttributeValue[] {
  const values: AttributeValue[] = [];
  eachObject(list, "values", (item, index) => {
    if (index < otlpLimits.valueEntryCountMax) values.push(readValue(item, nesting));
    else nesting.tally.note(notes.entriesBeyond);
  });
  return values;
}

function readMap(list: JsonObject, nesting: Nesting): Attributes {
  const entries: Attributes = {};
  eachObject(list, "values", (item, index) => {
    if (index < otlpLimits.valueEntryCountMax) readEntry(item, entries, nesting);
    else nesting.tally.note(notes.entriesBeyond);
  });
  return entries;
}

function isThere<K extends string>(
  value: JsonObject,
  key: K,
): value is JsonObject & Record<K, JsonValue> {
  return value[key] !== undefined && value[key] !== null;
}

function integerOf(value: JsonValue): number | string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : BigInt(value).toString();
  }
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value).toString();
  throw new JsonMismatch("a whole number", value, "intValue");
}

/** Reads the scope of a block. */
export function readScope(block: JsonObject): Origin["scope"] {
  const scope = inObject(block, "scope", (value) => {
    const name = cutText(textOf(value, "name"), otlpLimits.scopeLengthMax);
    const version = cutText(textOf(value, "version"), otlpLimits.scopeLengthMax);
    return version === "" ? { name } : { name, version };
  });
  return scope ?? { name: "" };
}

/** Visits the records of a request: blocks of a resource, blocks of a scope, records. */
export function eachRecord(
  root: JsonObject,
  names: { readonly blocks: string; readonly scopes: string; readonly records: string },
  options: { readonly tally: OtlpTally; visit(record: JsonObject, origin: Origin): void },
): void {
  if (root[names.blocks] === undefined && Object.keys(root).length > 0) {
    options.tally.note(
      `The request has no ${names.blocks}, and its other fields mean nothing here.`,
    );
  }
  eachObject(root, names.blocks, (block) => {
    const resource =
      inObject(block, "resource", (value) => readAttributes(value, options.tally)) ?? {};
    const emitter = { resource, service: serviceOf(resource) };
    eachObject(block, names.scopes, (group) => {
      const origin = { ...emitter, scope: readScope(group) };
      eachObject(group, names.records, (record) => options.visit(record, origin));
    });
  });
}
