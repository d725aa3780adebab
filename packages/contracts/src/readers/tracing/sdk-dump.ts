/** Spans as the SDKs of OpenTelemetry print them: JavaScript's, Python's and Go's exporters for people. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes, SpanEvent } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { firstObjectOf, itemsOf } from "./documents.ts";
import { inspectedValuesOf } from "./inspected.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { type ForeignLink, type ForeignSpan, SpanCollector } from "./span-collector.ts";

/** Whether a text begins with a span that an SDK printed. */
export function recogniseSdkDump(head: string): boolean {
  if (!/"(?:context|SpanContext|_?spanContext|traceId)"\s*:/.test(head)) return false;
  const first = firstObjectOf(head);
  return isFields(first) && dialectOf(first) !== undefined;
}

/** Reads every span of a text. */
export function readSdkDump(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) {
    const dialect = isFields(item) ? dialectOf(item) : undefined;
    if (dialect === undefined || !isFields(item)) {
      collector.tally.note("A document that is no span was skipped.");
    } else collector.add(readers[dialect](item, collector));
  }
  return collector.content("OpenTelemetry's SDK");
}

/** Whether a text holds spans as the console exporter of JavaScript prints them. */
export function recogniseConsoleDump(head: string): boolean {
  return (
    /^ {2}traceId: '[0-9a-f]{32}',\r?$/m.test(head) &&
    /^ {2}id: '[0-9a-f]{16}',\r?$/m.test(head) &&
    /^ {2}timestamp: \d/m.test(head)
  );
}

/** Reads every span that the console exporter printed, whatever else stands between them. */
export function readConsoleDump(text: string): FileContent {
  const collector = new SpanCollector();
  const { values, skippedCount } = inspectedValuesOf(text);
  if (skippedCount > 0) collector.tally.note("A block of output that is no span was skipped.");
  for (const value of values) {
    if (isFields(value) && dialectOf(value) === "console") {
      collector.add(readConsole(value, collector));
    }
  }
  return collector.content("OpenTelemetry's console exporter");
}

type Dialect = "python" | "go" | "readable" | "console";

function dialectOf(span: Fields): Dialect | undefined {
  const { context, attributes } = span;
  if (isFields(context) && context["trace_id"] !== undefined && "start_time" in span)
    return "python";
  const go = span["SpanContext"];
  if (isFields(go) && go["TraceID"] !== undefined) return "go";
  const readable = span["_spanContext"] ?? span["spanContext"];
  if (isFields(readable) && readable["traceId"] !== undefined && "startTime" in span)
    return "readable";
  const isConsole =
    "traceId" in span && "id" in span && "timestamp" in span && isFields(attributes);
  return isConsole ? "console" : undefined;
}

type Reader = (span: Fields, collector: SpanCollector) => ForeignSpan;

const readers: Readonly<Record<Dialect, Reader>> = {
  python: readPython,
  go: readGo,
  readable: readReadable,
  console: readConsole,
};

function readPython(span: Fields, collector: SpanCollector): ForeignSpan {
  const { context, status, resource } = span;
  return {
    ...idsOf(context, "trace_id", "span_id"),
    parentSpanId: textOf(span["parent_id"]),
    name: textOf(span["name"]),
    kind: kindOfName(textOf(span["kind"]).replace("SpanKind.", "")),
    startMicros: timeOf(span["start_time"]),
    endMicros: timeOf(span["end_time"]),
    attributes: collector.bounded(collector.attributes(span["attributes"])),
    events: eventsOf(span["events"], "timestamp", collector),
    links: linksOf(span["links"], { trace: "trace_id", span: "span_id" }, collector),
    statusCode: isFields(status) ? statusOf(status["status_code"]) : 0,
    statusMessage: isFields(status) ? textOf(status["description"]) : "",
    resource: collector.attributes(isFields(resource) ? (resource["attributes"] ?? resource) : {}),
  };
}

function readConsole(span: Fields, collector: SpanCollector): ForeignSpan {
  const start = numberOf(span["timestamp"]);
  const { parentSpanContext, resource, status } = span;
  const parent = isFields(parentSpanContext) ? parentSpanContext["spanId"] : span["parentId"];
  return {
    traceId: textOf(span["traceId"]),
    spanId: textOf(span["id"]),
    parentSpanId: textOf(parent),
    name: textOf(span["name"]),
    kind: kindOfApi(span["kind"]),
    startMicros: start,
    endMicros:
      start === undefined ? undefined : start + Math.max(0, numberOf(span["duration"]) ?? 0),
    ...commonOf(span, collector),
    statusCode: isFields(status) ? statusOf(status["code"]) : 0,
    statusMessage: isFields(status) ? textOf(status["message"]) : "",
    resource: resourceOf(resource, collector),
    scope: scopeOf(span["instrumentationScope"] ?? span["instrumentationLibrary"]),
  };
}

function readReadable(span: Fields, collector: SpanCollector): ForeignSpan {
  const { parentSpanContext, status } = span;
  const parent = isFields(parentSpanContext) ? parentSpanContext["spanId"] : span["parentSpanId"];
  const start = timeOf(span["startTime"]);
  const duration = pairMicros(span["_duration"] ?? span["duration"]);
  const end = timeOf(span["endTime"]);
  return {
    ...idsOf(span["_spanContext"] ?? span["spanContext"], "traceId", "spanId"),
    parentSpanId: textOf(parent),
    name: textOf(span["name"]),
    kind: kindOfApi(span["kind"]),
    startMicros: start,
    endMicros: end ?? (start === undefined ? undefined : start + (duration ?? 0)),
    ...commonOf(span, collector),
    statusCode: isFields(status) ? statusOf(status["code"]) : 0,
    statusMessage: isFields(status) ? textOf(status["message"]) : "",
    resource: resourceOf(span["resource"], collector),
    scope: scopeOf(span["instrumentationScope"] ?? span["instrumentationLibrary"]),
  };
}

function readGo(span: Fields, collector: SpanCollector): ForeignSpan {
  const { Parent, Status, Resource } = span;
  const events: readonly unknown[] = Array.isArray(span["Events"]) ? span["Events"] : [];
  const links: readonly unknown[] = Array.isArray(span["Links"]) ? span["Links"] : [];
  const scope = span["InstrumentationScope"] ?? span["InstrumentationLibrary"];
  return {
    ...idsOf(span["SpanContext"], "TraceID", "SpanID"),
    parentSpanId: isFields(Parent) ? textOf(Parent["SpanID"]) : "",
    name: textOf(span["Name"]),
    kind: numberOf(span["SpanKind"]) ?? 0,
    startMicros: timeOf(span["StartTime"]),
    endMicros: timeOf(span["EndTime"]),
    attributes: collector.bounded(goAttributes(span["Attributes"], collector)),
    events: events.filter(isFields).map((event) => ({
      name: textOf(event["Name"]),
      timeMicros: timeOf(event["Time"]) ?? 0,
      attributes: collector.bounded(goAttributes(event["Attributes"], collector)),
    })),
    links: links.filter(isFields).map((link) => ({
      ...idsOf(link["SpanContext"], "TraceID", "SpanID"),
      attributes: goAttributes(link["Attributes"], collector),
    })),
    statusCode: isFields(Status) ? statusOf(Status["Code"]) : 0,
    statusMessage: isFields(Status) ? textOf(Status["Description"]) : "",
    resource: goAttributes(Resource, collector),
    scope: isFields(scope)
      ? scopeOf({ name: scope["Name"], version: scope["Version"] })
      : scopeOf({}),
  };
}

function goAttributes(list: unknown, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  for (const pair of Array.isArray(list) ? list : []) {
    if (!isFields(pair)) continue;
    const { Value } = pair;
    collector.set(
      attributes,
      textOf(pair["Key"]),
      isFields(Value) ? (Value["Value"] ?? null) : Value,
    );
  }
  return attributes;
}

function commonOf(
  span: Fields,
  collector: SpanCollector,
): Pick<ForeignSpan, "attributes" | "events" | "links"> {
  return {
    attributes: collector.bounded(collector.attributes(span["attributes"])),
    events: eventsOf(span["events"], "time", collector),
    links: linksOf(span["links"], { trace: "traceId", span: "spanId" }, collector),
  };
}

function idsOf(context: unknown, trace: string, span: string): { traceId: string; spanId: string } {
  const fields = isFields(context) ? context : {};
  return { traceId: textOf(fields[trace]), spanId: textOf(fields[span]) };
}

function eventsOf(list: unknown, time: string, collector: SpanCollector): SpanEvent[] {
  return (Array.isArray(list) ? list : []).filter(isFields).map((event) => ({
    name: textOf(event["name"]).toWellFormed(),
    timeMicros: timeOf(event[time]) ?? 0,
    attributes: collector.bounded(collector.attributes(event["attributes"])),
  }));
}

function linksOf(
  list: unknown,
  names: { trace: string; span: string },
  collector: SpanCollector,
): ForeignLink[] {
  return (Array.isArray(list) ? list : []).filter(isFields).map((link) => ({
    ...idsOf(link["context"] ?? link, names.trace, names.span),
    attributes: collector.attributes(link["attributes"]),
  }));
}

function resourceOf(resource: unknown, collector: SpanCollector): Attributes {
  if (!isFields(resource)) return {};
  const attributes = resource["attributes"] ?? resource["_attributes"];
  // The SDK's second version keeps pairs before they are settled.
  const raw = resource["_rawAttributes"];
  const pairs: unknown = Array.isArray(raw)
    ? Object.fromEntries(
        raw.filter(
          (pair): pair is [string, unknown] => Array.isArray(pair) && typeof pair[0] === "string",
        ),
      )
    : {};
  return collector.attributes(isFields(attributes) ? attributes : pairs);
}

function scopeOf(scope: unknown): { name: string; version?: string } {
  const fields = isFields(scope) ? scope : {};
  const version = textOf(fields["version"]).slice(0, 1_024);
  const name = textOf(fields["name"]).slice(0, 1_024);
  return version === "" ? { name } : { name, version };
}

/** The API of JavaScript counts kinds from `internal`, which is 0. */
function kindOfApi(kind: unknown): number {
  return typeof kind === "number" ? kind + 1 : kindOfName(textOf(kind));
}

function kindOfName(name: string): number {
  const plain = name.toLowerCase().replace("span_kind_", "");
  return Math.max(0, ["", "internal", "server", "client", "producer", "consumer"].indexOf(plain));
}

function statusOf(code: unknown): number {
  if (typeof code === "number") return code;
  return Math.max(
    0,
    ["unset", "ok", "error"].indexOf(textOf(code).toLowerCase().replace("status_code_", "")),
  );
}

/** A time as text, as a number, or as the pair of seconds and nanoseconds that JavaScript's SDK keeps. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === "string") return timeOfText(value);
  if (typeof value === "number") return timeOfNumber(value);
  const micros = pairMicros(value);
  return micros === undefined || micros <= 0 ? undefined : micros;
}

function pairMicros(value: unknown): number | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [seconds, nanos]: unknown[] = value;
  return typeof seconds === "number" && typeof nanos === "number"
    ? seconds * 1e6 + nanos / 1e3
    : undefined;
}
