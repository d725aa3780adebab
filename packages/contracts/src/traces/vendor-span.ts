/** What tracers other than OpenTelemetry call a span's work: Sentry, Datadog, OpenTracing and OpenCensus. */

import type { Span, SpanKind } from "../model/span.ts";
import { textOf } from "./call.ts";
import { mark } from "./marks.ts";

/** The kind of work in Sentry's words, for example `db.sql.query` or `http.client`; `undefined` when none is named. */
export function sentryOperationOf({ attributes }: Span, marks: number): string | undefined {
  if ((marks & mark.vendor) === 0) return undefined;
  return textOf(attributes, "sentry.op", "op", "span.op");
}

/** What the span did in its tracer's own words: Sentry's description, Datadog's resource, else the span's name. */
export function descriptionOf({ attributes, name }: Span): string {
  return (
    textOf(
      attributes,
      "sentry.description",
      "span.description",
      "description",
      "resource.name",
      "sentry.normalized_description",
    ) ?? name
  );
}

/** The span's kind, also where only a tag or Sentry's operation tells it. */
export function kindOf(span: Span, marks: number): SpanKind {
  const { kind, attributes } = span;
  if ((marks & mark.vendor) === 0 || (kind !== "internal" && kind !== "unspecified")) return kind;
  const tag = attributes["span.kind"];
  if (tag === "client" || tag === "server" || tag === "producer" || tag === "consumer") return tag;
  const operation = sentryOperationOf(span, marks);
  if (operation === undefined) return kind;
  if (/^(?:http|rpc|grpc|graphql)\.(?:client|graphql)|^grpc$/.test(operation)) return "client";
  return /^(?:http|rpc|grpc|queue)\.(?:server|process)/.test(operation) ? "server" : kind;
}

/** The database's system by the kind of work alone: `redis` of `db.redis`, `sql` of Datadog's type. */
export function databaseSystemOf(span: Span, marks: number): string | undefined {
  const operation = sentryOperationOf(span, marks);
  if (operation !== undefined) {
    const named = /^db(?:\.(\w+))?(?:\.|$)/.exec(operation);
    if (named === null) return undefined;
    const system = named[1];
    return system === undefined || /^(?:query|sql|execute|statement)$/.test(system)
      ? "sql"
      : system;
  }
  const type = span.attributes["span.type"];
  if (typeof type !== "string") return undefined;
  return /^(?:sql|mongodb|redis|valkey|memcached|cassandra|elasticsearch|opensearch|dynamodb|db)$/.test(
    type,
  )
    ? type
    : undefined;
}
