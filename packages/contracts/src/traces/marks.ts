/** What kinds of things a span tells of, found in one pass, so that nobody looks for what is not there. */

import type { Span, SpanKind } from "../model/span.ts";
import { hasGrpcFailure, hasHttpFailure } from "./answer-code.ts";
import { traceLimits } from "./limits.ts";
import { recordKeyNames } from "./record-key.ts";

/** A bit for each family of attributes, and for what else many ask of a span; its marks are their sum. */
export const mark = {
  database: 1,
  http: 2,
  rpc: 4,
  graphql: 8,
  genAi: 16,
  /** What tracers other than OpenTelemetry call a span's work: `sentry.op`, `resource.name`, `component`. */
  vendor: 32,
  /** Bytes, rows or tokens that a call brought. */
  size: 64,
  cache: 128,
  messaging: 256,
  /** Partitions, shards, slots and keys. */
  partition: 512,
  /** Connection pools. */
  pool: 1_024,
  /** By its name the span only opens, takes or gives back a connection: no call, and transparent for its parent. */
  connection: 2_048,
  /** The span's name is a statement in SQL. */
  statementName: 4_096,
  /** The span's name is a gRPC method: `/shop.Catalog/GetProduct`. */
  methodName: 8_192,
  /** Errors, exceptions and flags that say that something failed. */
  failure: 16_384,
  /** Attempts, resends and when to try again. */
  attempt: 32_768,
  /** Timeouts and deadlines. */
  deadline: 65_536,
  /** What tells one effect from another: idempotency keys, ids of things, of messages, hashes of bodies. */
  effectKey: 131_072,
  /** Bytes of an answer. */
  answerBytes: 262_144,
  /** The span's name says that it runs a tool of an agent. */
  toolName: 524_288,
  /** The span's status says that it failed. */
  failedStatus: 1_048_576,
  /** The code of an answer over HTTP or gRPC says that it failed. */
  failedAnswer: 2_097_152,
  /** The span has events. */
  event: 4_194_304,
  /** The span serves a request. */
  server: 8_388_608,
  /** The record that is read or written. */
  recordKey: 16_777_216,
  /** What tells one version of behaviour from another: versions, variants, flags. */
  version: 33_554_432,
  /** The span calls somebody. */
  client: 67_108_864,
  /** The span sends a message. */
  producer: 134_217_728,
  /** The span takes a message. */
  consumer: 268_435_456,
  /** The span has no length. */
  instant: 536_870_912,
} as const;

const marksByKind: Readonly<Record<SpanKind, number>> = {
  unspecified: 0,
  internal: 0,
  server: mark.server,
  client: mark.client,
  producer: mark.producer,
  consumer: mark.consumer,
};

/** What a name means, and which name came after it the last time: mostly it is the same again. */
interface KnownName {
  readonly name: string;
  readonly marks: number;
  next: KnownName | undefined;
}

/** Finds marks; remembers what each name of an attribute means, because the same few come in every span. */
export class MarkFinder {
  readonly #byAttribute = new Map<string, KnownName>();
  readonly #bySpanName = new Map<string, KnownName>();
  #lastSpanName: KnownName = { name: "", marks: 0, next: undefined };
  /** Stands before the first attribute of each span. */
  readonly #start: KnownName = { name: "", marks: 0, next: undefined };

  /** The marks of a span. */
  marksOf({ name: spanName, kind, attributes, status, events, durationNanos }: Span): number {
    const last = this.#lastSpanName;
    const next = last.next?.name === spanName ? last.next : this.#knownSpanName(spanName);
    last.next = next;
    this.#lastSpanName = next;
    let marks = next.marks | marksByKind[kind];
    if (durationNanos === 0) marks |= mark.instant;
    if (status.code === "error") marks |= mark.failedStatus;
    if (events.length > 0) marks |= mark.event;
    let known = this.#start;
    for (const name in attributes) {
      const expected = known.next;
      known = expected?.name === name ? expected : (known.next = this.#knownName(name));
      marks |= known.marks;
    }
    if ((marks & mark.http) !== 0 && hasHttpFailure(attributes)) marks |= mark.failedAnswer;
    if ((marks & mark.rpc) !== 0 && hasGrpcFailure(attributes)) marks |= mark.failedAnswer;
    return marks;
  }

  #knownName(name: string): KnownName {
    const known = this.#byAttribute.get(name);
    if (known !== undefined) return known;
    const made = { name, marks: marksOfAttribute(name), next: undefined };
    if (this.#byAttribute.size < traceLimits.nameCacheMax) this.#byAttribute.set(name, made);
    return made;
  }

  #knownSpanName(name: string): KnownName {
    const known = this.#bySpanName.get(name);
    if (known !== undefined) return known;
    const made = { name, marks: marksOfName(name), next: undefined };
    // Some tracers write whole statements into names: those come once.
    if (this.#bySpanName.size >= traceLimits.nameCacheMax) this.#bySpanName.clear();
    this.#bySpanName.set(name, made);
    return made;
  }
}

/** Whether a name, or what stands in place of a statement, only opens, takes or gives back a connection. */
export function namesConnection(name: string): boolean {
  return name.length <= connectionNameLengthMax && connectionNames.test(name);
}

const connectionNameLengthMax = 40;

function marksOfName(name: string): number {
  const marks = marksOfForm(name);
  return name.startsWith("execute_tool ") ? marks | mark.toolName : marks;
}

function marksOfForm(name: string): number {
  if (name.startsWith("graphql.")) return mark.graphql;
  if (connectionNames.test(name)) return mark.connection;
  if (statementNames.test(name)) return mark.statementName;
  return methodNames.test(name) ? mark.methodName : 0;
}

const statementNames =
  /^\s*(?:select\b[\s\S]{1,8000}\bfrom\b|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|merge\s+into\s|with\s+\S+\s+as\s*\()/i;

const methodNames =
  /^(?:grpc\.|grpc )?\/?[a-z_][\w]*(?:\.[a-z_]\w*)*\.?[A-Za-z_]\w*\/[A-Za-z]\w*$|^(?:Sent|Recv)\.[\w.]+\.\w+$/;

const connectionNames = new RegExp(
  [
    "^(?:pg|pg-pool|mysql2?|mongodb|redis|ioredis|tedious|knex|tcp|tls|dns|net|http|prisma:engine)[.: -]?(?:pool[.: -]?)?(?:connect|connection|acquire|getConnection|lookup|release|handshake)\\b",
    "\\bpool[.:_ -]?(?:connect|acquire|checkout|get|release)\\b",
    "^(?:redis\\.dial|http\\.getconn|http connection_setup\\b.*)$",
    "^(?:connect|tcp connect|socket connect|tls handshake|dns lookup|connection|acquire connection|get connection|sql\\.conn\\.\\w+|sql\\.connector\\.connect|hikari\\w*\\.\\w+|\\w*datasource\\.getconnection)$",
    "^(?:acquire|get|borrow|check ?out|obtain|wait(?:ing)? for)[ _.-]?(?:a )?(?:db |database |sql )?conn(?:ection)?$|^db[._]connection[._](?:acquire|wait)$|^prisma:(?:client|engine):(?:connection|acquire_connection)$",
  ].join("|"),
  "i",
);

const families: readonly (readonly [RegExp, number])[] = [
  [/^(?:db|sql|mongodb|elasticsearch|cassandra|redis|memcached)\.|^aws\.dynamodb\./, mark.database],
  [/^(?:http|url)\./, mark.http],
  [/^(?:rpc|grpc)\.|^aws\.(?:operation|service)/, mark.rpc],
  [/^graphql\./, mark.graphql],
  [
    /^(?:gen_ai|llm|openinference|traceloop|langfuse|langsmith|embedding|ai|tool|mcp)\./,
    mark.genAi,
  ],
  [
    /^(?:sentry\.|span\.|resource\.name$|component$|op$|description$|operation\.name$)/,
    mark.vendor,
  ],
  [/size|length|bytes|rows|row_count|_count$|tokens/, mark.size],
  [/response.*(?:size|length)/, mark.answerBytes],
  [/cache|memcached|redis/, mark.cache],
  [/^messaging\./, mark.messaging],
  [/partition|shard|slot|bucket|hash_key|key$|token_range/i, mark.partition],
  [/pool|connection/, mark.pool],
  [
    /^(?:error|exception)(?:[._]|$)|^otel\.status|response_flags|cancell?ed$|timed_?out$|aborted$|disconnected$/i,
    mark.failure,
  ],
  [/resend|retr(?:y|ies)|attempt/i, mark.attempt],
  [/timeout|deadline/i, mark.deadline],
  [
    /^(?!thread|process|session|enduser|user|service|container|host|k8s|cloud|faas|code|client|otel|span|trace|http\.request_id|request)[\w.-]*(?:[._-]id|[a-z]Id)$/i,
    mark.effectKey,
  ],
  [
    /idempot|dedup|hash|digest|checksum|sha-?256|offset|token$|(?:key|number|ref)$/i,
    mark.effectKey,
  ],
  // Versions of protocols, and of what recorded a span, are no versions of behaviour.
  [
    /^(?!network|http|net|tls|db|telemetry|otel|url|browser|os|user_agent|messaging|rpc|process)(?:[\w.-]*[._])?(?:version|variant|canary|experiment|revision|commit|release|track|ring)(?:[._]|$)|^feature_flag/i,
    mark.version,
  ],
];

function marksOfAttribute(name: string): number {
  let marks = recordKeyNames.includes(name) ? mark.recordKey : 0;
  for (const [pattern, bit] of families) if (pattern.test(name)) marks |= bit;
  return marks;
}
