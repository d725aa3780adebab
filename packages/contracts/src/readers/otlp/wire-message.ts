/**
 * Logs and metrics from protobuf, by tables of fields. A message becomes the object that OTLP's JSON would carry, so that
 * both encodings share one reading. Field numbers are those of OTLP's common, resource, logs and metrics definitions.
 */

import type { JsonObject, JsonValue } from "./json.ts";
import type { WireReader } from "./wire.ts";

/** Nesting of messages: the fixed levels of a request, and the values of attributes with room to spare. */
const messageDepthMax = 64;

type Scalar =
  | "text"
  | "hex"
  | "base64"
  | "bool"
  | "int32"
  | "sint32"
  | "uint32"
  | "int64"
  | "uint64"
  | "fixed64"
  | "sfixed64"
  | "double";

interface Field {
  readonly name: string;
  readonly type: Scalar | (() => Message);
  readonly repeated: boolean;
}

/** Fields by number. */
type Message = Readonly<Record<number, Field>>;

const one = (name: string, type: Field["type"]): Field => ({ name, type, repeated: false });
const many = (name: string, type: Field["type"]): Field => ({ name, type, repeated: true });

const anyValue: Message = {
  1: one("stringValue", "text"),
  2: one("boolValue", "bool"),
  3: one("intValue", "int64"),
  4: one("doubleValue", "double"),
  5: one("arrayValue", () => arrayValue),
  6: one("kvlistValue", () => mapValue),
  7: one("bytesValue", "base64"),
};
const arrayValue: Message = { 1: many("values", () => anyValue) };
const mapValue: Message = { 1: many("values", () => keyValue) };
const keyValue: Message = { 1: one("key", "text"), 2: one("value", () => anyValue) };
const attributes = many("attributes", () => keyValue);
const resource: Message = { 1: attributes };
const scope: Message = { 1: one("name", "text"), 2: one("version", "text") };

const logRecord: Message = {
  1: one("timeUnixNano", "fixed64"),
  2: one("severityNumber", "int32"),
  3: one("severityText", "text"),
  5: one("body", () => anyValue),
  6: attributes,
  9: one("traceId", "hex"),
  10: one("spanId", "hex"),
  11: one("observedTimeUnixNano", "fixed64"),
  12: one("eventName", "text"),
};

/** ExportLogsServiceRequest. */
export const logsRequest: Message = {
  1: many("resourceLogs", () => ({
    1: one("resource", () => resource),
    2: many("scopeLogs", () => ({
      1: one("scope", () => scope),
      2: many("logRecords", () => logRecord),
    })),
  })),
};

const moments = { 2: one("startTimeUnixNano", "fixed64"), 3: one("timeUnixNano", "fixed64") };

const numberPoint: Message = {
  ...moments,
  4: one("asDouble", "double"),
  6: one("asInt", "sfixed64"),
  7: attributes,
  8: one("flags", "uint32"),
};

const histogramPoint: Message = {
  ...moments,
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: many("bucketCounts", "fixed64"),
  7: many("explicitBounds", "double"),
  9: attributes,
  10: one("flags", "uint32"),
  11: one("min", "double"),
  12: one("max", "double"),
};

const buckets: Message = { 1: one("offset", "sint32"), 2: many("bucketCounts", "uint64") };

const exponentialPoint: Message = {
  ...moments,
  1: attributes,
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: one("scale", "sint32"),
  7: one("zeroCount", "fixed64"),
  8: one("positive", () => buckets),
  9: one("negative", () => buckets),
  10: one("flags", "uint32"),
  12: one("min", "double"),
  13: one("max", "double"),
  14: one("zeroThreshold", "double"),
};

const summaryPoint: Message = {
  ...moments,
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: many("quantileValues", () => ({ 1: one("quantile", "double"), 2: one("value", "double") })),
  7: attributes,
  8: one("flags", "uint32"),
};

const temporality = one("aggregationTemporality", "int32");

const metric: Message = {
  1: one("name", "text"),
  2: one("description", "text"),
  3: one("unit", "text"),
  5: one("gauge", () => ({ 1: many("dataPoints", () => numberPoint) })),
  7: one("sum", () => ({
    1: many("dataPoints", () => numberPoint),
    2: temporality,
    3: one("isMonotonic", "bool"),
  })),
  9: one("histogram", () => ({ 1: many("dataPoints", () => histogramPoint), 2: temporality })),
  10: one("exponentialHistogram", () => ({
    1: many("dataPoints", () => exponentialPoint),
    2: temporality,
  })),
  11: one("summary", () => ({ 1: many("dataPoints", () => summaryPoint) })),
};

/** ExportMetricsServiceRequest. */
export const metricsRequest: Message = {
  1: many("resourceMetrics", () => ({
    1: one("resource", () => resource),
    2: many("scopeMetrics", () => ({
      1: one("scope", () => scope),
      2: many("metrics", () => metric),
    })),
  })),
};

/** Reads the fields of a message up to the reader's present end. */
export function readMessage(reader: WireReader, message: Message, depth = 0): JsonObject {
  if (depth > messageDepthMax) throw new RangeError("messages are nested too deeply");
  const object: JsonObject = {};
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const field = message[tag >>> 3];
    if (field === undefined || !readField(reader, { field, wireType: tag & 7, object, depth })) {
      reader.skipField(tag);
    }
  }
  return object;
}

interface FieldPlace {
  readonly field: Field;
  readonly wireType: number;
  readonly object: JsonObject;
  readonly depth: number;
}

/** Gives `false`, having read nothing, when the field came with a wire type that is not its own. */
function readField(reader: WireReader, { field, wireType, object, depth }: FieldPlace): boolean {
  const { type, name } = field;
  if (typeof type === "function") {
    if (wireType !== 2) return false;
    const outer = reader.enter();
    store(object, field, readMessage(reader, type(), depth + 1));
    reader.leave(outer);
    return true;
  }
  const expected = wireTypes[type];
  if (wireType === expected) {
    store(object, field, readScalar(reader, type));
    return true;
  }
  if (!field.repeated || wireType !== 2) return false;
  // Repeated numbers come packed: one length, then value after value.
  const outer = reader.enter();
  while (reader.pos < reader.len) store(object, field, readScalar(reader, type));
  reader.leave(outer);
  object[name] ??= [];
  return true;
}

function store(object: JsonObject, field: Field, value: JsonValue): void {
  if (!field.repeated) {
    object[field.name] = value;
    return;
  }
  const list = object[field.name];
  if (Array.isArray(list)) list.push(value);
  else object[field.name] = [value];
}

const wireTypes: Readonly<Record<Scalar, number>> = {
  text: 2,
  hex: 2,
  base64: 2,
  bool: 0,
  int32: 0,
  sint32: 0,
  uint32: 0,
  int64: 0,
  uint64: 0,
  fixed64: 1,
  sfixed64: 1,
  double: 1,
};

function readScalar(reader: WireReader, type: Scalar): JsonValue {
  switch (type) {
    case "text":
      return reader.text();
    case "hex":
      return reader.hex();
    case "base64":
      return reader.base64();
    case "bool":
      return reader.bool();
    case "int32":
      return reader.int32();
    case "sint32":
      return reader.sint32();
    case "uint32":
      return reader.uint32();
    case "int64":
      return reader.integer();
    case "uint64":
    case "fixed64":
    case "sfixed64":
      return reader.digits(type);
    case "double":
      return doubleAsJson(reader.double());
  }
}

/** JSON has no number for these; OTLP's JSON writes them as text. */
function doubleAsJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
