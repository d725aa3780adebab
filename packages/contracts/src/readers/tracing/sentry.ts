/** Spans as Sentry keeps them: transactions with the spans of one service, alone, in an envelope, or one on each line. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { itemsOf } from "./documents.ts";
import { derivedId } from "./ids.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { type ForeignSpan, SpanCollector } from "./span-collector.ts";

/** Whether a text begins with a transaction, or with spans that were sent without one. */
export function recogniseSentry(head: string): boolean {
  if (!/"start_?[tT]imestamp"\s*:/.test(head)) return false;
  if (/"is_segment"\s*:/.test(head)) return /"trace_id"\s*:/.test(head);
  return (
    /"span_id"\s*:/.test(head) &&
    /"op"\s*:/.test(head) &&
    /"(?:spans|contexts|entries)"\s*:/.test(head)
  );
}

/** Reads every transaction and every span of a text; what else stands in an envelope is passed over. */
export function readSentry(text: string): FileContent {
  const collector = new SpanCollector();
  for (const item of itemsOf(text)) {
    if (!isFields(item)) continue;
    const { items } = item;
    const alone: readonly unknown[] = Array.isArray(items) ? items : [item];
    for (const span of alone) {
      if (isFields(span) && isStandalone(span)) addStandalone(span, collector);
    }
    if (timeOf(item["start_timestamp"] ?? item["startTimestamp"]) !== undefined) {
      addTransaction(item, collector);
    }
  }
  return collector.content("Sentry");
}

/** What the spans of a transaction share with it. */
interface Transaction {
  readonly traceId: string;
  readonly spanId: string;
  /** The id under which its spans know it, where that is another. */
  readonly otherId: string | undefined;
  readonly resource: Attributes;
}

function addTransaction(event: Fields, collector: SpanCollector): void {
  if (isStandalone(event)) return;
  const contexts = isFields(event["contexts"]) ? event["contexts"] : {};
  const trace = isFields(contexts["trace"]) ? contexts["trace"] : {};
  const eventId = textOf(event["event_id"] ?? event["eventID"] ?? event["id"]);
  const spans = spansOf(event);
  const [first] = spans;
  const traceId = textOf(trace["trace_id"]) || textOf(first?.["trace_id"]) || eventId;
  const spanId = textOf(trace["span_id"]) || derivedId(eventId || traceId, "transaction");
  const transaction = {
    traceId,
    spanId,
    otherId: otherIdOf(spans, spanId),
    resource: resourceOf(event, contexts, collector),
  };
  const name = textOf(event["transaction"]) || textOf(event["title"]) || textOf(trace["op"]);
  collector.add({
    ...timesOf(event),
    ...doneBy(trace, collector),
    traceId,
    spanId,
    resource: transaction.resource,
    parentSpanId: textOf(trace["parent_span_id"]),
    name,
  });
  for (const span of spans) collector.add(ofTransaction(span, transaction, collector));
}

/** The spans of a transaction, also where the API wraps them in an entry. */
function spansOf(event: Fields): readonly Fields[] {
  const { spans, entries } = event;
  if (Array.isArray(spans)) return spans.filter(isFields);
  const lists: readonly unknown[] = Array.isArray(entries) ? entries : [];
  return lists.flatMap((entry) =>
    isFields(entry) && entry["type"] === "spans" && Array.isArray(entry["data"])
      ? entry["data"].filter(isFields)
      : [],
  );
}

/**
 * The one parent that no span of the event is, when none has the transaction as its parent: ids were replaced, or the
 * event does not tell its own.
 */
function otherIdOf(spans: readonly Fields[], spanId: string): string | undefined {
  const ids = new Set(spans.map((span) => textOf(span["span_id"])));
  const parents = new Set(spans.map((span) => textOf(span["parent_span_id"])));
  const [only, ...others] = [...parents].filter((id) => id !== "" && !ids.has(id));
  return parents.has(spanId) || others.length > 0 ? undefined : only;
}

function ofTransaction(
  span: Fields,
  { traceId, spanId, otherId, resource }: Transaction,
  collector: SpanCollector,
): ForeignSpan {
  const parent = textOf(span["parent_span_id"]);
  return {
    ...timesOf(span),
    ...doneBy(span, collector),
    // One transaction is one trace: only events whose ids were replaced say otherwise of their spans.
    traceId,
    spanId: textOf(span["span_id"]),
    parentSpanId: parent === "" || parent === otherId ? spanId : parent,
    name: textOf(span["description"]) || textOf(span["op"]),
    resource,
  };
}

/** What a span was about: its kind of work, its attributes and how it ended. */
function doneBy(
  span: Fields,
  collector: SpanCollector,
): Pick<ForeignSpan, "kind" | "attributes" | "statusCode" | "statusMessage"> {
  const operation = textOf(span["op"]);
  const attributes: Attributes = {};
  for (const map of [span["tags"], span["data"]]) {
    for (const [name, value] of isFields(map) ? Object.entries(map) : []) {
      collector.set(attributes, name, value);
    }
  }
  if (operation !== "") attributes["sentry.op"] = operation;
  if (typeof span["description"] === "string") {
    collector.set(attributes, "sentry.description", span["description"]);
  }
  const status = textOf(span["status"]);
  const kind = kindOf(operation);
  return {
    kind,
    attributes: collector.bounded(attributes),
    statusCode: statusOf(status, kind),
    ...(statusOf(status, kind) === 2 ? { statusMessage: status } : {}),
  };
}

/** Whether a span was sent on its own, with typed attributes: the protocol's second version. */
function isStandalone(span: Fields): boolean {
  return span["is_segment"] !== undefined && span["trace_id"] !== undefined;
}

function addStandalone(span: Fields, collector: SpanCollector): void {
  const attributes = isFields(span["attributes"]) ? span["attributes"] : {};
  const data: Record<string, unknown> = {};
  for (const [name, typed] of Object.entries(attributes)) {
    if (name !== "__proto__") data[name] = isFields(typed) ? typed["value"] : typed;
  }
  const operation = textOf(data["sentry.op"] ?? span["op"]);
  const service = textOf(data["service.name"]) || projectOf(span);
  collector.add({
    ...timesOf(span),
    ...doneBy({ ...span, op: operation, data: { ...data, ...fieldsOf(span["data"]) } }, collector),
    traceId: textOf(span["trace_id"]),
    spanId: textOf(span["span_id"]),
    parentSpanId: textOf(span["parent_span_id"]),
    name: textOf(span["name"]) || textOf(span["description"]) || operation,
    resource: service === "" ? {} : { "service.name": service },
  });
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Beginning and end in seconds, or as dates. */
function timesOf(fields: Fields): Pick<ForeignSpan, "startMicros" | "endMicros"> {
  const start = timeOf(fields["start_timestamp"] ?? fields["startTimestamp"]);
  const end = timeOf(fields["end_timestamp"] ?? fields["endTimestamp"] ?? fields["timestamp"]);
  return { startMicros: start, endMicros: end };
}

function timeOf(value: unknown): number | undefined {
  const number = numberOf(value);
  if (number !== undefined) return timeOfNumber(number);
  return typeof value === "string" ? timeOfText(value) : undefined;
}

/** OTLP's number for the kind that the kind of work means. */
function kindOf(operation: string): number {
  if (/^(?:http|rpc|grpc|websocket|ws)\.server|^function\.(?:aws|gcp|azure)/.test(operation))
    return 2;
  if (/^(?:http|rpc|grpc)\.client|^(?:db|cache)(?:\.|$)|^grpc$/.test(operation)) return 3;
  if (/^queue\.(?:publish|submit|create|task\.publish)/.test(operation)) return 4;
  return /^queue\.(?:process|receive|task)/.test(operation) ? 5 : 1;
}

const failures: readonly string[] = [
  "internal_error",
  "unknown_error",
  "deadline_exceeded",
  "unavailable",
  "unimplemented",
  "data_loss",
  "error",
];
/** What is the caller's fault: who answers so has not failed. */
const refusals: readonly string[] = [
  "invalid_argument",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unauthenticated",
];

function statusOf(status: string, kind: number): number {
  if (failures.includes(status)) return 2;
  if (refusals.includes(status)) return kind === 2 ? 0 : 2;
  return status === "ok" ? 1 : 0;
}

/** Sentry knows projects, and services only where an SDK of OpenTelemetry told them. */
function resourceOf(event: Fields, contexts: Fields, collector: SpanCollector): Attributes {
  const { otel } = contexts;
  const told = isFields(otel) ? collector.attributes(otel["resource"]) : {};
  const entries: readonly (readonly [string, string])[] = [
    ["service.name", projectOf(event)],
    ["service.version", textOf(event["release"])],
    ["deployment.environment.name", textOf(event["environment"])],
    ["host.name", textOf(event["server_name"])],
    ["telemetry.sdk.name", isFields(event["sdk"]) ? textOf(event["sdk"]["name"]) : ""],
  ];
  for (const [name, value] of entries) if (value !== "") told[name] ??= value;
  return told;
}

function projectOf(event: Fields): string {
  const named = event["project_slug"] ?? event["projectSlug"] ?? event["project_name"];
  if (typeof named === "string" && named !== "") return named;
  const project = textOf(event["project"] ?? event["project_id"] ?? event["projectID"]);
  return /^\d+$/.test(project) ? `project ${project}` : project;
}
