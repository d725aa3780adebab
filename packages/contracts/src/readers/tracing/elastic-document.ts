/** Documents of Elastic APM in Elasticsearch, brought to the events that an agent sent. */

import { type Fields, isFields } from "../../model/fields.ts";
import { numberOf } from "../loose-value.ts";
import { timeOfText } from "../time-text.ts";

/** The event of a document, with what it says of its service; nothing when it is none. */
export function eventOfDocument(document: Fields): Fields | undefined {
  const kind = at(document, "processor.event");
  if (kind !== "span" && kind !== "transaction") return undefined;
  const date = at(document, "@timestamp");
  const micros =
    numberOf(at(document, "timestamp.us")) ??
    (typeof date === "string" ? timeOfText(date) : undefined);
  const length = numberOf(at(document, `${kind}.duration.us`));
  const event = {
    trace_id: at(document, "trace.id"),
    id: at(document, `${kind}.id`),
    parent_id: at(document, "parent.id"),
    name: at(document, `${kind}.name`),
    type: at(document, `${kind}.type`),
    subtype: at(document, `${kind}.subtype`),
    action: at(document, `${kind}.action`),
    timestamp: micros,
    duration: length === undefined ? undefined : length / 1e3,
    outcome: at(document, "event.outcome"),
    result: at(document, "transaction.result"),
    composite: compositeOf(document),
    context: contextOf(document, kind),
  };
  return { [kind]: event, metadata: { service: serviceOf(document) } };
}

function compositeOf(document: Fields): Fields | undefined {
  const count = at(document, "span.composite.count");
  if (count === undefined) return undefined;
  const sum = numberOf(at(document, "span.composite.sum.us"));
  return {
    count,
    ...(sum === undefined ? {} : { sum: sum / 1e3 }),
    compression_strategy: at(document, "span.composite.compression_strategy"),
  };
}

function contextOf(document: Fields, kind: "span" | "transaction"): Fields {
  const [method, status] = [
    at(document, "http.request.method"),
    at(document, "http.response.status_code"),
  ];
  const full = at(document, "url.full") ?? at(document, "url.original");
  const tags = at(document, "labels");
  if (kind === "transaction") {
    return {
      tags,
      request: { method, url: { full, pathname: at(document, "url.path") } },
      response: { status_code: status },
    };
  }
  return {
    tags,
    db: {
      statement: at(document, "span.db.statement"),
      instance: at(document, "span.db.instance"),
      type: at(document, "span.db.type"),
      rows_affected: at(document, "span.db.rows_affected"),
    },
    http: { method, url: full, status_code: status },
    destination: {
      address: at(document, "destination.address"),
      port: at(document, "destination.port"),
      service: { resource: at(document, "span.destination.service.resource") },
    },
    message: { queue: { name: at(document, "span.message.queue.name") } },
  };
}

function serviceOf(document: Fields): Fields {
  return {
    name: at(document, "service.name"),
    version: at(document, "service.version"),
    environment: at(document, "service.environment"),
    node: { configured_name: at(document, "service.node.name") },
  };
}

/** The value at a path whose steps are fields of their own or written in one name; a list of one is that one. */
function at(document: Fields, path: string): unknown {
  const steps = path.split(".");
  let value: unknown = document;
  for (const [index, step] of steps.entries()) {
    if (!isFields(value)) return undefined;
    const rest = steps.slice(index).join(".");
    if (rest !== step && Object.hasOwn(value, rest)) return onlyOf(value[rest]);
    value = value[step];
  }
  return onlyOf(value);
}

function onlyOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
}
