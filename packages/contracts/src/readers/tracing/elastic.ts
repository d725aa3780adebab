/** Transactions and spans of Elastic APM: lines that an agent sends, and documents that a search of Elasticsearch finds. */

import { type Fields, isFields } from "../../model/fields.ts";
import type { Attributes } from "../../model/span.ts";
import type { FileContent } from "../format.ts";
import { numberOf, textOf } from "../loose-value.ts";
import { firstObjectOf, itemsOf } from "./documents.ts";
import { derivedId } from "./ids.ts";
import { ComposedCalls, isExactComposite } from "./elastic-composite.ts";
import { eventOfDocument } from "./elastic-document.ts";
import { type ForeignSpan, SpanCollector } from "./span-collector.ts";

/** Whether a text begins as lines of the intake protocol or as documents of it. */
export function recogniseElastic(head: string): boolean {
  // A line of an agent holds one thing alone; others write services and transactions of their own beside more.
  const first = firstObjectOf(head);
  const [key = "", more] = Object.keys(isFields(first) ? first : {});
  const only = isFields(first) && more === undefined ? fieldsOf(first[key]) : {};
  const service = fieldsOf(only["service"]);
  const isSent =
    key === "metadata" && (isFields(service["agent"]) || isFields(service["language"]));
  const isLine =
    (key === "transaction" || key === "span") &&
    textOf(only["id"]) !== "" &&
    textOf(only["trace_id"] ?? only["transaction_id"]) !== "";
  const isDocument =
    /"processor(?:\.event)?"\s*:\s*(?:\{\s*"(?:name"\s*:\s*"\w+"\s*,\s*")?event"\s*:\s*)?\[?\s*"(?:transaction|span)"/.test(
      head,
    ) || /"processor"\s*:\s*\{[^{}]*"event"\s*:\s*"(?:transaction|span)"/.test(head);
  return isSent || isLine || isDocument;
}

/** Reads every transaction and span of a text. */
export function readElastic(text: string): FileContent {
  const collector = new SpanCollector();
  const composed = new ComposedCalls(collector.tally);
  let metadata: Fields = {};
  for (const item of itemsOf(text).flatMap(hitsOf)) {
    if (!isFields(item)) continue;
    const own = item["metadata"];
    if (isFields(own)) {
      metadata = own;
      continue;
    }
    const event = eventOfDocument(item) ?? item;
    const told = isFields(event["metadata"]) ? event["metadata"] : metadata;
    const resource = resourceOf(told, collector);
    const { transaction, span } = event;
    if (isFields(transaction)) collector.add(transactionOf(transaction, resource, collector));
    else if (isFields(span)) {
      const one = spanOf(span, resource, collector);
      for (const each of composed.spansOf(one, span["composite"])) collector.add(each);
    }
  }
  return collector.content("Elastic APM");
}

/** The documents of a search, in the place of its answer. */
function hitsOf(item: unknown): readonly unknown[] {
  const hits = isFields(item) && isFields(item["hits"]) ? item["hits"]["hits"] : undefined;
  const list: readonly unknown[] = Array.isArray(hits) ? hits : [item];
  return list.map((hit) => (isFields(hit) && isFields(hit["_source"]) ? hit["_source"] : hit));
}

function transactionOf(
  transaction: Fields,
  resource: Attributes,
  collector: SpanCollector,
): ForeignSpan {
  const type = textOf(transaction["type"]);
  const context = fieldsOf(transaction["context"]);
  const attributes = collector.attributes(context["tags"]);
  const [request, response] = [fieldsOf(context["request"]), fieldsOf(context["response"])];
  const url = fieldsOf(request["url"]);
  put(collector, attributes, {
    "transaction.type": type,
    "transaction.result": transaction["result"],
    "http.request.method": request["method"],
    "url.full": url["full"],
    "url.path": url["pathname"],
    "http.response.status_code": response["status_code"],
  });
  const isHandled = /^(?:request|page-load|lambda)$/.test(type);
  return {
    ...shared(transaction, resource),
    kind: isHandled ? 2 : type === "messaging" ? 5 : 1,
    attributes: collector.bounded(attributes),
  };
}

function spanOf(span: Fields, resource: Attributes, collector: SpanCollector): ForeignSpan {
  const { type, subtype, action } = typesOf(span);
  const context = fieldsOf(span["context"]);
  const attributes = collector.attributes(context["tags"]);
  const [db, http] = [fieldsOf(context["db"]), fieldsOf(context["http"])];
  const destination = fieldsOf(context["destination"]);
  const isDatabase = type === "db";
  put(collector, attributes, {
    "elastic.span.type": [type, subtype, action].filter((part) => part !== "").join("."),
    ...(isDatabase ? { "db.system": subtype || textOf(db["type"]) || "sql" } : {}),
    "db.statement": isExactComposite(span["composite"])
      ? withoutValues(textOf(db["statement"]))
      : db["statement"],
    "db.name": db["instance"],
    "db.rows_affected": db["rows_affected"],
    "http.request.method": http["method"],
    "url.full": http["url"],
    "http.response.status_code": fieldsOf(http["response"])["status_code"] ?? http["status_code"],
    "server.address": destination["address"],
    "server.port": destination["port"],
    "peer.service": fieldsOf(destination["service"])["resource"],
    "messaging.destination.name": fieldsOf(fieldsOf(context["message"])["queue"])["name"],
  });
  const isSent = /^(?:send|publish)$/.test(action);
  const isCall = /^(?:db|external|storage|cache)$/.test(type);
  return {
    ...shared(span, resource),
    kind: type === "messaging" ? (isSent ? 4 : 5) : isCall ? 3 : 1,
    attributes: collector.bounded(attributes),
  };
}

/** A statement with marks for its values: of those that were put together only the first call had these. */
function withoutValues(statement: string): string {
  return statement
    .replaceAll(/'[^']*'/g, "?")
    .replaceAll(/(?<![$:@\w.])\d+(?:\.\d+)?(?![\w.])/g, "?");
}

/** Older agents write `db.postgresql.query` as one word. */
function typesOf(span: Fields): { type: string; subtype: string; action: string } {
  const [type = "", subtype = "", action = ""] = textOf(span["type"]).split(".");
  return {
    type,
    subtype: textOf(span["subtype"]) || subtype,
    action: textOf(span["action"]) || action,
  };
}

function shared(
  event: Fields,
  resource: Attributes,
): Omit<ForeignSpan, "kind" | "attributes"> & { readonly startMicros: number | undefined } {
  const start = numberOf(event["timestamp"]);
  const length = numberOf(event["duration"]);
  const [traceId, spanId] = [textOf(event["trace_id"]), textOf(event["id"])];
  const outcome = textOf(event["outcome"]);
  return {
    traceId,
    spanId: spanId || derivedId(traceId, "span"),
    parentSpanId: textOf(event["parent_id"]),
    name: textOf(event["name"]) || textOf(event["type"]),
    startMicros: start,
    endMicros: start === undefined || length === undefined ? undefined : start + length * 1e3,
    statusCode: outcome === "failure" ? 2 : outcome === "success" ? 1 : 0,
    resource,
  };
}

function resourceOf(metadata: Fields, collector: SpanCollector): Attributes {
  const service = fieldsOf(metadata["service"]);
  const resource: Attributes = {};
  put(collector, resource, {
    "service.name": service["name"],
    "service.version": service["version"],
    "deployment.environment.name": service["environment"],
    "service.instance.id": fieldsOf(service["node"])["configured_name"],
  });
  return resource;
}

function put(collector: SpanCollector, attributes: Attributes, values: Fields): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") {
      collector.set(attributes, name, value);
    }
  }
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
