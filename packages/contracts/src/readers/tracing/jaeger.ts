/** Jaeger's JSON: the answer of its query API, a bare trace, or spans as its stores keep them. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes, SpanEvent } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { itemsOf } from "./documents.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { type ForeignLink, SpanCollector } from "./span-collector.ts";

/** Whether a text begins as Jaeger's. */
export function recogniseJaeger(head: string): boolean {
  return (
    /"traceID"\s*:/.test(head) && /"(?:spans"\s*:\s*\[|operationName"\s*:|spanID"\s*:)/.test(head)
  );
}

/** Reads every span of every trace of a text. */
export function readJaeger(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) readItem(item, collector);
  return collector.content("Jaeger");
}

function readItem(item: unknown, collector: SpanCollector): void {
  if (!isFields(item)) return;
  const source = isFields(item["_source"]) ? item["_source"] : item;
  if (Array.isArray(source["data"])) {
    for (const trace of source["data"]) readItem(trace, collector);
  } else if (isFields(source["data"])) {
    readItem(source["data"], collector);
  } else if (Array.isArray(source["spans"])) {
    readTrace(source, source["spans"], collector);
  } else if (source["spanID"] !== undefined) {
    readSpan(source, resourceOf(source["process"], collector), collector);
  }
}

function readTrace(trace: Fields, spans: readonly unknown[], collector: SpanCollector): void {
  const processes = isFields(trace["processes"]) ? trace["processes"] : {};
  const resources = new Map<string, Attributes>();
  for (const span of spans) {
    if (!isFields(span)) continue;
    const processId = textOf(span["processID"]);
    const known = resources.get(processId);
    const process =
      span["process"] ?? (Object.hasOwn(processes, processId) ? processes[processId] : {});
    const resource = known ?? resourceOf(process, collector);
    if (span["process"] === undefined) resources.set(processId, resource);
    readSpan(span, resource, collector);
  }
}

function resourceOf(process: unknown, collector: SpanCollector): Attributes {
  if (!isFields(process)) return {};
  const resource = tagsOf(process, collector);
  const service = textOf(process["serviceName"]);
  if (service !== "") collector.set(resource, "service.name", service);
  return resource;
}

/** Tags that say what a span has fields for. */
const fieldTags = [
  "span.kind",
  "error",
  "otel.status_code",
  "otel.status_description",
  "otel.scope.name",
  "otel.scope.version",
  "otel.library.name",
  "otel.library.version",
  "internal.span.format",
];

function readSpan(span: Fields, resource: Attributes, collector: SpanCollector): void {
  const tags = tagsOf(span, collector);
  const field = (name: string): string => textOf(tags[name]);
  const { parent, links } = referencesOf(span);
  const start = numberOf(span["startTime"]);
  const duration = numberOf(span["duration"]) ?? 0;
  const isError = /^true$/i.test(field("error")) || /^error$/i.test(field("otel.status_code"));
  const scopeName = field("otel.scope.name") || field("otel.library.name");
  const scopeVersion = field("otel.scope.version") || field("otel.library.version");
  const attributes = collector.bounded(
    Object.fromEntries(Object.entries(tags).filter(([name]) => !fieldTags.includes(name))),
  );
  collector.add({
    traceId: textOf(span["traceID"]),
    spanId: textOf(span["spanID"]),
    parentSpanId: parent,
    name: textOf(span["operationName"]),
    kind: kindOf(field("span.kind")),
    startMicros: start,
    // A span without a duration has ended when it began.
    endMicros: start === undefined ? undefined : start + Math.max(0, duration),
    attributes,
    events: eventsOf(span["logs"], collector),
    links,
    statusCode: isError ? 2 : Number(/^ok$/i.test(field("otel.status_code"))),
    statusMessage: field("otel.status_description"),
    resource,
    scope: scopeVersion === "" ? { name: scopeName } : { name: scopeName, version: scopeVersion },
  });
}

function kindOf(kind: string): number {
  return Math.max(
    0,
    ["", "internal", "server", "client", "producer", "consumer"].indexOf(kind.toLowerCase()),
  );
}

/** The parent is the first reference of the same trace, one to a parent before one to a predecessor. */
function referencesOf(span: Fields): { parent: string; links: ForeignLink[] } {
  const list: readonly unknown[] = Array.isArray(span["references"]) ? span["references"] : [];
  const references = list.filter(isFields).map((reference) => ({
    type: textOf(reference["refType"]),
    traceId: textOf(reference["traceID"]),
    spanId: textOf(reference["spanID"]),
  }));
  const own = textOf(span["traceID"]).replace(/^0+/, "");
  const inTrace = references.filter(({ traceId }) => traceId.replace(/^0+/, "") === own);
  const parent = inTrace.find(({ type }) => type !== "FOLLOWS_FROM") ?? inTrace[0];
  const links = references
    .filter((reference) => reference !== parent)
    .map(({ type, traceId, spanId }) => ({
      traceId,
      spanId,
      attributes: { "opentracing.ref_type": type.toLowerCase() },
    }));
  return { parent: parent?.spanId ?? textOf(span["parentSpanID"]), links };
}

function eventsOf(logs: unknown, collector: SpanCollector): SpanEvent[] {
  if (!Array.isArray(logs)) return [];
  return logs.filter(isFields).map((log) => {
    const fields = pairsOf(log["fields"], collector);
    const { event, message, ...rest } = fields;
    const name = textOf(event ?? message);
    const attributes = event === undefined || message === undefined ? rest : { ...rest, message };
    return {
      name: name === "" ? "log" : name,
      timeMicros: Math.max(0, numberOf(log["timestamp"]) ?? 0),
      attributes: collector.bounded(attributes),
    };
  });
}

/** Tags as a list of typed pairs, or as Elasticsearch keeps them: an object whose names have `@` for points. */
function tagsOf(owner: Fields, collector: SpanCollector): Attributes {
  const tags = pairsOf(owner["tags"], collector);
  if (isFields(owner["tag"])) {
    for (const [name, value] of Object.entries(owner["tag"])) {
      collector.set(tags, name.replaceAll("@", "."), value);
    }
  }
  return tags;
}

function pairsOf(list: unknown, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  if (!Array.isArray(list)) return collector.attributes(list);
  for (const pair of list) {
    if (!isFields(pair) || typeof pair["key"] !== "string") continue;
    collector.set(attributes, pair["key"], typed(pair["type"], pair["value"]));
  }
  return attributes;
}

/** Stores write numbers and booleans as text beside their type. */
function typed(type: unknown, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (type === "bool") return value === "true";
  if (type !== "int64" && type !== "float64") return value;
  const number = Number(value);
  return value.trim() === "" ||
    !Number.isFinite(number) ||
    Math.abs(number) > Number.MAX_SAFE_INTEGER
    ? value
    : number;
}
