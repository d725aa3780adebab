/** Traces as Datadog's tracers send them to an agent: lists of lists of spans, and what its API of spans answers. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { timeOfText } from "../time-text.ts";
import { itemsOf } from "./documents.ts";
import { SpanCollector } from "./span-collector.ts";

/** Whether a text begins as Datadog's. */
export function recogniseDatadog(head: string): boolean {
  if (!/"span_id"\s*:/.test(head) || !/"parent_id"\s*:/.test(head)) return false;
  const isSent =
    /"resource"\s*:\s*"/.test(head) &&
    /"(?:meta|metrics)"\s*:\s*\{/.test(head) &&
    /"duration"\s*:\s*\d/.test(head);
  return isSent || (/"resource_name"\s*:/.test(head) && /"start_timestamp"\s*:/.test(head));
}

/** Reads every span of a text. */
export function readDatadog(text: string): FileContent {
  const collector = new SpanCollector();
  const spans = itemsOf(text).flatMap((item) => spansIn(item, 0));
  const upperHalves = upperHalvesOf(spans);
  for (const { fields, isFound } of spans) {
    if (isFound) addFound(fields, collector);
    else addSent(fields, upperHalves, collector);
  }
  return collector.content("Datadog");
}

interface Told {
  readonly fields: Fields;
  /** Whether the API answered with it, rather than a tracer sent it. */
  readonly isFound: boolean;
}

/** Lists of traces in wrappers: `{"traces": [[…]]}` of a forwarder, `{"data": […]}` of the API. */
const listDepthMax = 4;

function spansIn(item: unknown, depth: number): readonly Told[] {
  if (depth > listDepthMax) return [];
  if (Array.isArray(item)) return item.flatMap((inner: unknown) => spansIn(inner, depth + 1));
  if (!isFields(item)) return [];
  for (const name of ["traces", "data"]) {
    const list = item[name];
    if (Array.isArray(list)) return spansIn(list, depth + 1);
  }
  const found = isFields(item["attributes"]) ? item["attributes"] : undefined;
  if (found !== undefined && textOf(found["span_id"]) !== "") {
    return [{ fields: found, isFound: true }];
  }
  return item["span_id"] === undefined ? [] : [{ fields: item, isFound: false }];
}

/** Of ids of 128 bits, the upper half by the lower one: tracers write it on the first span of each piece of a trace alone. */
function upperHalvesOf(spans: readonly Told[]): ReadonlyMap<string, string> {
  const halves = new Map<string, string>();
  for (const { fields } of spans) {
    const upper = isFields(fields["meta"]) ? textOf(fields["meta"]["_dd.p.tid"]) : "";
    if (upper !== "") halves.set(lowerId(fields["trace_id"], "trace"), upper);
  }
  return halves;
}

/** A span on its way to the agent: times in nanoseconds, ids as decimal numbers or as hexadecimal text. */
function addSent(
  span: Fields,
  upperHalves: ReadonlyMap<string, string>,
  collector: SpanCollector,
): void {
  const meta = isFields(span["meta"]) ? span["meta"] : {};
  const metrics = isFields(span["metrics"]) ? span["metrics"] : {};
  const [start, length] = [numberOf(span["start"]), numberOf(span["duration"])];
  const startMicros = start === undefined ? undefined : start / 1e3;
  const lower = lowerId(span["trace_id"], "trace");
  const upper = textOf(meta["_dd.p.tid"]) || (upperHalves.get(lower) ?? "");
  add(collector, {
    traceId: /^\w{32}$/.test(textOf(span["trace_id"]))
      ? textOf(span["trace_id"])
      : `${upper.slice(0, 16).padStart(16, "0")}${lower}`,
    spanId: lowerId(span["span_id"], "span"),
    parentId: isNone(span["parent_id"]) ? "" : lowerId(span["parent_id"], "span"),
    operation: textOf(span["name"]),
    resourceName: textOf(span["resource"]),
    type: textOf(span["type"]),
    service: textOf(span["service"]),
    isError: numberOf(span["error"]) === 1 || span["error"] === true,
    startMicros,
    endMicros:
      startMicros === undefined || length === undefined ? undefined : startMicros + length / 1e3,
    maps: [meta, metrics],
  });
}

/** A span that was searched for: times as dates, tags in lists of attributes. */
function addFound(span: Fields, collector: SpanCollector): void {
  const moment = (name: string): number | undefined => timeOfText(textOf(span[name]));
  add(collector, {
    traceId: wideId(textOf(span["trace_id"])),
    spanId: lowerId(span["span_id"], "span"),
    parentId: isNone(span["parent_id"]) ? "" : lowerId(span["parent_id"], "span"),
    operation: textOf(span["operation_name"]),
    resourceName: textOf(span["resource_name"]),
    type: textOf(span["type"]),
    service: textOf(span["service"]),
    isError: textOf(span["status"]) === "error" || isFields(span["error"]),
    startMicros: moment("start_timestamp"),
    endMicros: moment("end_timestamp"),
    maps: [span["attributes"], span["custom"]].filter(isFields),
  });
}

interface DatadogSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly operation: string;
  readonly resourceName: string;
  readonly type: string;
  readonly service: string;
  readonly isError: boolean;
  readonly startMicros: number | undefined;
  readonly endMicros: number | undefined;
  readonly maps: readonly Fields[];
}

function add(collector: SpanCollector, span: DatadogSpan): void {
  const attributes: Attributes = {};
  for (const map of span.maps) {
    for (const [name, value] of Object.entries(map)) {
      // What the tracer keeps for itself says nothing about the work.
      if (!name.startsWith("_dd.") && !name.startsWith("_sampling")) {
        collector.set(attributes, name, value);
      }
    }
  }
  const told = { "operation.name": span.operation, "resource.name": span.resourceName };
  for (const [name, value] of Object.entries({ ...told, "span.type": span.type })) {
    if (value !== "") collector.set(attributes, name, value);
  }
  const message = textOf(attributes["error.message"]) || textOf(attributes["error.msg"]);
  collector.add({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentId,
    name: span.operation || span.resourceName,
    kind: kindOf(textOf(attributes["span.kind"]), span.type),
    startMicros: span.startMicros,
    endMicros: span.endMicros,
    attributes: collector.bounded(attributes),
    statusCode: span.isError ? 2 : 0,
    ...(span.isError && message !== "" ? { statusMessage: message } : {}),
    resource: span.service === "" ? {} : { "service.name": span.service },
  });
}

const kinds: Readonly<Record<string, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};

/** OTLP's number of the kind, as a tag tells it or as the type of the work means it. */
function kindOf(tag: string, type: string): number {
  const told = kinds[tag];
  if (told !== undefined) return told;
  if (type === "web" || type === "serverless") return 2;
  return /^(?:sql|db|cache|redis|memcached|mongodb|cassandra|elasticsearch|opensearch|dynamodb|http)$/.test(
    type,
  )
    ? 3
    : 1;
}

function isNone(id: unknown): boolean {
  return id === undefined || id === null || /^0*$/.test(textOf(id));
}

/** The sixteen digits of an id of 64 bits. A zero, which tests write for the first of their ids, is none that may stand. */
function lowerId(id: unknown, kind: string): string {
  const text = textOf(id);
  if (/^[0-9a-fA-F]{16}$/.test(text)) return text.toLowerCase();
  if (typeof id === "string" && /[a-fA-F]/.test(text)) return text.padStart(16, "0");
  if (!/^\d{1,20}$/.test(text) && !Number.isFinite(id)) return text;
  const digits = BigInt(typeof id === "number" ? Math.trunc(id) : text).toString(16);
  return /^0+$/.test(digits) ? `${kind}-0` : digits.slice(-16).padStart(16, "0");
}

function wideId(id: string): string {
  return /^\d{1,20}$/.test(id) ? BigInt(id).toString(16).padStart(32, "0") : id;
}
