/** Spans as Phoenix exports them: rows of its data frame, pages of its API, or nested attributes. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes, SpanEvent } from "../../model/span.ts";
import { parsedJson } from "../../text/json-text.ts";
import { FieldPaths } from "../field-path.ts";
import type { FileContent } from "../format.ts";
import { timeOfValue } from "../time-text.ts";
import { itemsOf } from "./documents.ts";
import { textOf } from "../loose-value.ts";
import { SpanCollector } from "./span-collector.ts";

const paths = {
  trace: new FieldPaths(["context.trace_id", "context.traceId", "trace_id", "traceId"]),
  span: new FieldPaths(["context.span_id", "context.spanId", "span_id", "spanId"]),
  parent: new FieldPaths(["parent_id", "parentId"]),
  kind: new FieldPaths(["span_kind", "spanKind"]),
  start: new FieldPaths(["start_time", "startTime"]),
  end: new FieldPaths(["end_time", "endTime"]),
  status: new FieldPaths(["status_code", "statusCode"]),
  message: new FieldPaths(["status_message", "statusMessage"]),
};
/** Nesting of attributes that is followed. */
const depthMax = 12;

/** Whether a text begins with spans that have a kind of OpenInference beside their context. */
export function recognisePhoenix(head: string): boolean {
  return (
    /"span_?[kK]ind"\s*:\s*"(?:LLM|TOOL|CHAIN|AGENT|RETRIEVER|RERANKER|EMBEDDING|GUARDRAIL|EVALUATOR|PROMPT|UNKNOWN)"/.test(
      head,
    ) && /"(?:context|context\.trace_id|context\.traceId)"\s*:/.test(head)
  );
}

/** Reads every span of a text. */
export function readPhoenix(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) {
    if (!isFields(item)) continue;
    const { data } = item;
    for (const span of Array.isArray(data) ? data : [item]) {
      if (isFields(span)) addSpan(span, collector);
    }
  }
  return collector.content("Phoenix");
}

function addSpan(span: Fields, collector: SpanCollector): void {
  const status = textOf(paths.status.first(span)).toUpperCase();
  const attributes = attributesOf(span, collector);
  const kind = textOf(paths.kind.first(span));
  if (kind !== "") attributes["openinference.span.kind"] ??= kind;
  collector.add({
    traceId: textOf(paths.trace.first(span)),
    spanId: textOf(paths.span.first(span)),
    parentSpanId: textOf(paths.parent.first(span)),
    name: textOf(span["name"]),
    kind: 1,
    startMicros: timeOfValue(paths.start.first(span)),
    endMicros: timeOfValue(paths.end.first(span)),
    attributes: collector.bounded(attributes),
    events: eventsOf(span["events"], collector),
    statusCode: status === "ERROR" ? 2 : status === "OK" ? 1 : 0,
    statusMessage: paths.message.firstText(span),
    resource: {},
  });
}

function eventsOf(list: unknown, collector: SpanCollector): SpanEvent[] {
  return (Array.isArray(list) ? list : []).filter(isFields).map((event) => ({
    name: textOf(event["name"]).toWellFormed(),
    timeMicros: timeOfValue(event["timestamp"]) ?? 0,
    attributes: collector.bounded(collector.attributes(event["attributes"])),
  }));
}

/** Attributes from the columns of a data frame, or from a map of them, nested or flat, also as text. */
function attributesOf(span: Fields, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  const place = (name: string, value: unknown, depth: number): void => {
    if (value === null || value === undefined) return;
    // Lists stay whole: a long conversation would be more attributes than a span may have.
    if (!isFields(value) || depth >= depthMax) collector.set(attributes, name, nested(value, 0));
    else {
      for (const [key, inner] of Object.entries(value)) place(`${name}.${key}`, inner, depth + 1);
    }
  };
  for (const [name, value] of Object.entries(span)) {
    if (name.startsWith("attributes.")) place(name.slice("attributes.".length), value, 0);
  }
  const map = span["attributes"];
  const read = typeof map === "string" ? parsedJson(map) : map;
  if (isFields(read)) for (const [name, value] of Object.entries(read)) place(name, value, 0);
  return attributes;
}

/** A value in which `{"message.role": "user"}` is `{"message": {"role": "user"}}`. */
function nested(value: unknown, depth: number): unknown {
  if (depth >= depthMax) return value;
  if (Array.isArray(value)) return value.map((item) => nested(item, depth + 1));
  if (!isFields(value)) return value;
  const made: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== null) placeAt(made, name.split("."), nested(inner, depth + 1));
  }
  return made;
}

function placeAt(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const name of path.slice(0, -1).slice(0, depthMax)) {
    const known = Object.hasOwn(at, name) ? at[name] : undefined;
    // What lies there already was made by `nested` for this value alone, so that it need not be copied for each name.
    const inner = isFields(known) ? (known as Record<string, unknown>) : {};
    if (inner !== known) setOwn(at, name, inner);
    at = inner;
  }
  setOwn(at, path.at(-1) ?? "", value);
}

/** Sets a field as an own one whatever its name is. */
function setOwn(fields: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(fields, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
