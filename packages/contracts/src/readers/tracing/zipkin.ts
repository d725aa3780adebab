/** Zipkin's JSON, version 2 and version 1: a list of spans, or a list of traces. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { itemsOf } from "./documents.ts";
import { derivedId, hexadecimalId } from "./ids.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { SpanCollector } from "./span-collector.ts";
import { secondVersionOf } from "./zipkin-v1.ts";

/** Whether a text begins as Zipkin's. */
export function recogniseZipkin(head: string): boolean {
  if (!/"traceId"\s*:/.test(head) || !/"id"\s*:/.test(head)) return false;
  if (/"(?:localEndpoint|remoteEndpoint|binaryAnnotations)"\s*:/.test(head)) return true;
  const hasMarks =
    /"tags"\s*:\s*\{|"annotations"\s*:\s*\[|"kind"\s*:\s*"(?:CLIENT|SERVER|PRODUCER|CONSUMER)"/;
  return hasMarks.test(head) && /"timestamp"\s*:\s*\d/.test(head) && !/"attributes"\s*:/.test(head);
}

/** Reads every span of a text. */
export function readZipkin(text: string): FileContent {
  const collector = new SpanCollector();
  const spans: Fields[] = [];
  for (const item of itemsOf(text)) {
    for (const span of Array.isArray(item) ? item : [item]) {
      if (!isFields(span)) continue;
      const isFirst =
        Array.isArray(span["binaryAnnotations"]) || /"endpoint"/.test(annotationKeys(span));
      for (const second of isFirst ? secondVersionOf(span) : [span]) spans.push(second);
    }
  }
  const halves = sharedHalvesOf(spans);
  for (const span of spans) addSpan(span, halves, collector);
  return collector.content("Zipkin");
}

function annotationKeys(span: Fields): string {
  const [first]: unknown[] = Array.isArray(span["annotations"]) ? span["annotations"] : [];
  return isFields(first) ? JSON.stringify(Object.keys(first)) : "";
}

/** The server's half of spans that client and server share, by trace and id, and who recorded it. */
type SharedHalves = ReadonlyMap<string, { readonly service: string }>;

function sharedHalvesOf(spans: readonly Fields[]): SharedHalves {
  const clients = new Set(spans.filter((span) => kindOf(span) === 3).map(keyOf));
  const halves = new Map<string, { service: string }>();
  for (const span of spans) {
    const isServer = span["shared"] === true || kindOf(span) === 2;
    if (isServer && clients.has(keyOf(span))) halves.set(keyOf(span), { service: serviceOf(span) });
  }
  return halves;
}

function keyOf(span: Fields): string {
  return `${idOf(span["traceId"], 32)}/${idOf(span["id"], 16)}`;
}

function idOf(value: unknown, length: 16 | 32): string {
  return hexadecimalId(textOf(value), length).id;
}

function kindOf(span: Fields): number {
  return Math.max(
    0,
    ["", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].indexOf(textOf(span["kind"])),
  );
}

function serviceOf(span: Fields): string {
  const endpoint = span["localEndpoint"];
  return isFields(endpoint) ? textOf(endpoint["serviceName"]) : "";
}

function addSpan(span: Fields, halves: SharedHalves, collector: SpanCollector): void {
  const traceId = textOf(span["traceId"]);
  const ownId = textOf(span["id"]);
  const service = serviceOf(span);
  const isServerHalf = halves.has(keyOf(span)) && kindOf(span) !== 3;
  const start = numberOf(span["timestamp"]);
  const tags = collector.attributes(span["tags"]);
  const error = tags["error"];
  const isError = error !== undefined && error !== "false" && error !== false;
  const name = textOf(span["name"]);
  if (name === "") collector.tally.note("A span without a name got the name 'unknown'.");
  collector.add({
    traceId,
    // The server's half gets an id of its own, below its client's.
    spanId: isServerHalf ? derivedId(idOf(ownId, 16), "server") : ownId,
    parentSpanId: isServerHalf ? ownId : parentOf(span, service, halves),
    name: name === "" ? "unknown" : name,
    kind: kindOf(span),
    startMicros: start,
    endMicros:
      start === undefined ? undefined : start + Math.max(0, numberOf(span["duration"]) ?? 0),
    attributes: collector.bounded(attributesOf(span, tags)),
    events: annotationsOf(span),
    statusCode: isError ? 2 : 0,
    statusMessage: typeof error === "string" && error !== "true" ? error : "",
    resource: service === "" ? {} : { "service.name": service },
  });
}

/** What a server does for a shared span is below the server's half of it. */
function parentOf(span: Fields, service: string, halves: SharedHalves): string {
  const parentId = textOf(span["parentId"]);
  if (parentId === "") return "";
  const half = halves.get(`${idOf(span["traceId"], 32)}/${idOf(parentId, 16)}`);
  const isBelowServer = half !== undefined && half.service === service;
  return isBelowServer ? derivedId(idOf(parentId, 16), "server") : parentId;
}

/** Names of tags whose text is a number in OpenTelemetry. */
const numberTag = /(?:status_code|\.port|_size|_length|_count|returned_rows)$/;

function attributesOf(span: Fields, tags: Attributes): Attributes {
  const { error: _error, ...rest } = tags;
  const attributes: Attributes = { ...rest };
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === "string" && numberTag.test(name) && /^\d{1,15}$/.test(value)) {
      attributes[name] = Number(value);
    }
  }
  const remote = span["remoteEndpoint"];
  if (!isFields(remote)) return attributes;
  const peer = textOf(remote["serviceName"]);
  const address = textOf(remote["ipv4"]) || textOf(remote["ipv6"]);
  const port = numberOf(remote["port"]);
  if (peer !== "") attributes["peer.service"] ??= peer;
  if (address !== "") attributes["network.peer.address"] ??= address;
  if (port !== undefined) attributes["network.peer.port"] ??= port;
  return attributes;
}

function annotationsOf(
  span: Fields,
): { name: string; timeMicros: number; attributes: Attributes }[] {
  const annotations: readonly unknown[] = Array.isArray(span["annotations"])
    ? span["annotations"]
    : [];
  return annotations.filter(isFields).map((annotation) => ({
    name: textOf(annotation["value"]).toWellFormed().slice(0, 1_024),
    timeMicros: Math.max(0, numberOf(annotation["timestamp"]) ?? 0),
    attributes: {},
  }));
}
