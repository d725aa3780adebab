/** Spans as plain records, as people export them from a trace store: ids, a name, a start and a length. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import { FieldPaths } from "../field-path.ts";
import type { FileContent } from "../format.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { firstObjectOf, itemsOf } from "./documents.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { SpanCollector } from "./span-collector.ts";

const traceNames = ["trace_id", "traceId", "traceID", "TraceId", "context.trace_id"];
const spanNames = ["span_id", "spanId", "spanID", "SpanId", "context.span_id", "id"];
const parentNames = [
  "parent_id",
  "parentId",
  "parent_span_id",
  "parentSpanId",
  "parentSpanID",
  "ParentSpanId",
];
const nameNames = [
  "name",
  "span_name",
  "spanName",
  "SpanName",
  "operation_name",
  "operationName",
  "operation",
];
const serviceNames = [
  "service",
  "service_name",
  "serviceName",
  "ServiceName",
  "resource.service.name",
  "service.name",
];
const startNames = [
  "start",
  "start_time",
  "startTime",
  "start_timestamp",
  "Timestamp",
  "timestamp",
  "startTimeUnixNano",
  "start_time_unix_nano",
  "start_ms",
  "start_us",
  "start_ns",
  "startTimeUnixMs",
];
const endNames = [
  "end",
  "end_time",
  "endTime",
  "end_timestamp",
  "endTimeUnixNano",
  "end_time_unix_nano",
  "endTimeUnixMs",
];
/** Names of a length and how many microseconds one of it has. */
const lengthNames: readonly (readonly [string, number])[] = [
  ["duration_ms", 1e3],
  ["durationMs", 1e3],
  ["duration_millis", 1e3],
  ["latency_ms", 1e3],
  ["duration_us", 1],
  ["durationUs", 1],
  ["duration_micros", 1],
  ["duration_ns", 1e-3],
  ["durationNs", 1e-3],
  ["duration_nano", 1e-3],
  ["durationNano", 1e-3],
  ["durationNanos", 1e-3],
  ["duration_nanos", 1e-3],
  // ClickHouse's table of the collector.
  ["Duration", 1e-3],
  ["duration_s", 1e6],
  ["duration_seconds", 1e6],
];
const errorNames = [
  "error",
  "error_message",
  "errorMessage",
  "status_message",
  "statusMessage",
  "StatusMessage",
  "exception",
];
const paths = {
  trace: new FieldPaths(traceNames),
  span: new FieldPaths(spanNames),
  parent: new FieldPaths(parentNames),
  name: new FieldPaths(nameNames),
  service: new FieldPaths(serviceNames),
  start: new FieldPaths(startNames),
  end: new FieldPaths(endNames),
  error: new FieldPaths(errorNames),
  kind: new FieldPaths(["kind", "span_kind", "spanKind", "SpanKind"]),
  status: new FieldPaths(["status", "status_code", "statusCode", "StatusCode"]),
  resource: new FieldPaths([
    "resource.attributes",
    "ResourceAttributes",
    "resource_attributes",
    "resource",
  ]),
};
const used: ReadonlySet<string> = new Set([
  ...[traceNames, spanNames, parentNames, nameNames, serviceNames, startNames, endNames].flat(),
  ...lengthNames.map(([name]) => name),
  ...errorNames,
  ..."duration status status_code statusCode StatusCode kind span_kind spanKind SpanKind attributes tags SpanAttributes span_attributes resource ResourceAttributes resource_attributes events Events links Links".split(
    " ",
  ),
]);

/** Whether a text begins with a record that has all a span needs, and is no entry of a log. */
export function recogniseSpanRecord(head: string): boolean {
  if (!/"(?:context\.)?trace_?id"\s*:/i.test(head)) return false;
  const first = firstObjectOf(head);
  if (!isFields(first)) return false;
  if (["msg", "message", "level", "severity"].some((name) => first[name] !== undefined))
    return false;
  const has = (names: FieldPaths): boolean => names.first(first) !== undefined;
  return (
    [paths.trace, paths.span, paths.name, paths.start].every(has) &&
    (has(paths.end) || lengthOf(first) !== undefined)
  );
}

/** Reads every record of a text. */
export function readSpanRecords(text: string): FileContent {
  const collector = new SpanCollector();
  let traceBefore = "";
  for (const item of itemsOf(text)) {
    if (!isFields(item)) {
      collector.tally.note("A document that is no record was skipped.");
      continue;
    }
    const written = textOf(paths.trace.first(item));
    // Some exports write the id of a trace once and `same` below it.
    const traceId = written === "same" && traceBefore !== "" ? traceBefore : written;
    traceBefore = traceId;
    addRecord(item, traceId, collector);
  }
  return collector.content("records");
}

function addRecord(record: Fields, traceId: string, collector: SpanCollector): void {
  const start = timeOf(paths.start.first(record));
  const end = timeOf(paths.end.first(record));
  const length = lengthOf(record);
  if (length?.isAssumed === true && end === undefined) {
    collector.tally.note("A duration without a unit was taken as milliseconds.");
  }
  const byLength =
    start === undefined || length === undefined ? undefined : start + Math.max(0, length.micros);
  const failure = paths.error.firstText(record);
  collector.add({
    traceId,
    spanId: textOf(paths.span.first(record)),
    parentSpanId: textOf(paths.parent.first(record)),
    name: textOf(paths.name.first(record)),
    kind: kindOf(record),
    startMicros: start,
    endMicros: end ?? byLength,
    attributes: collector.bounded(attributesOf(record, collector)),
    statusCode: statusOf(record, failure),
    statusMessage: failure,
    resource: resourceOf(record, collector),
  });
}

function timeOf(value: unknown): number | undefined {
  const digits = numberOf(value);
  if (typeof value === "string") return timeOfText(value);
  return digits === undefined ? undefined : timeOfNumber(digits);
}

function lengthOf(record: Fields): { micros: number; isAssumed: boolean } | undefined {
  for (const [name, micros] of lengthNames) {
    const value = numberOf(record[name]);
    if (value !== undefined) return { micros: value * micros, isAssumed: false };
  }
  const bare = numberOf(record["duration"]);
  return bare === undefined ? undefined : { micros: bare * 1e3, isAssumed: true };
}

function kindOf(record: Fields): number {
  const kind = textOf(paths.kind.first(record));
  const plain = kind.toLowerCase().replace(/^span_?kind[_.]/, "");
  return Math.max(0, ["", "internal", "server", "client", "producer", "consumer"].indexOf(plain));
}

function statusOf(record: Fields, failure: string | undefined): number {
  const status = paths.status.first(record);
  const code = isFields(status) ? (status["code"] ?? status["status_code"]) : status;
  const plain = textOf(code)
    .toLowerCase()
    .replace(/^status_?code[_.]/, "");
  if (/^(?:error|err|failed|failure|internal_error|2)$/.test(plain)) return 2;
  if (plain === "ok" || plain === "1") return 1;
  // An HTTP status from 500 on is a failure of whoever answers with it.
  if (/^5\d\d$/.test(plain)) return 2;
  return failure === undefined || record["error"] === false ? 0 : 2;
}

function attributesOf(record: Fields, collector: SpanCollector): Attributes {
  const attributes: Attributes = {};
  for (const name of ["attributes", "SpanAttributes", "span_attributes", "tags"]) {
    const map = record[name];
    if (isFields(map))
      for (const [key, value] of Object.entries(map)) collector.set(attributes, key, value);
  }
  for (const [name, value] of Object.entries(record)) {
    if (used.has(name) || value === null) continue;
    collector.set(attributes, name.replace(/^attributes\./, ""), value);
  }
  return attributes;
}

function resourceOf(record: Fields, collector: SpanCollector): Attributes {
  const map = paths.resource.first(record);
  const resource = collector.attributes(isFields(map) ? map : {});
  const service = paths.service.firstText(record);
  if (service !== undefined) resource["service.name"] ??= service;
  return resource;
}
