/** What tracers other than OpenTelemetry call a span's work: Sentry, Datadog, OpenTracing and OpenCensus. */

import type { Span, SpanKind } from "../model/span.ts";
import { textOf } from "./call.ts";
import { mark } from "./marks.ts";

/** The kind of work in Sentry's words, for example `db.sql.query` or `http.client`; `undefined` when none is named. */
export function sentryOperationOf({ attributes }: Span, marks: number): string | undefined {
  if ((marks & mark.vendor) === 0) return undefined;
  return textOf(attributes, ...sentryOperationNames);
}

const sentryOperationNames = ["sentry.op", "op", "span.op"] as const;

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
    ) ?? withoutOperation(name, textOf(attributes, ...sentryOperationNames))
  );
}

/** The span's name, or its description where the name only says which kind of work it is. */
export function telltaleNameOf(span: Span): string {
  const { attributes, name } = span;
  const kind = textOf(attributes, ...sentryOperationNames, "operation.name");
  return kind === undefined || !name.startsWith(kind) ? name : descriptionOf(span);
}

/** `db` and `SELECT 1` may stand together in a name: `db SELECT 1`, `db - SELECT 1`, `db: SELECT 1`. */
function withoutOperation(name: string, operation: string | undefined): string {
  if (operation === undefined || !name.startsWith(operation)) return name;
  const rest = /^(?:: ?| - | )(?=\S)/.exec(name.slice(operation.length))?.[0];
  return rest === undefined ? name : name.slice(operation.length + rest.length);
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
