/** Recognises the calls of a trace. */

import type { Attributes, Span } from "../model/span.ts";
import { type Call, isBatchName, isReadName, numberOf, textOf } from "./call.ts";
import { databaseSpanOf, operationCall, statementCall } from "./database-call.ts";
import { traceLimits } from "./limits.ts";
import { type SqlShape, sqlShape } from "./sql-fingerprint.ts";
import { doubleQuotesOf } from "./sql-tokens.ts";
import { type UrlTarget, urlTarget } from "./url-template.ts";

/** Recognises calls; remembers the reduced form of texts it has seen, so that a loop costs one reduction. */
export class CallIdentifier {
  readonly #statements = { names: new Map<string, SqlShape>(), text: new Map<string, SqlShape>() };
  readonly #urls = new Map<string, UrlTarget>();

  /** The call that a span records, or `undefined` when it records none that this contract judges. */
  identify(span: Span): Call | undefined {
    if (span.kind === "server" || span.kind === "consumer") return undefined;
    const database = databaseSpanOf(span);
    if (database !== undefined) {
      if (isConnectionSpan(span.name)) return undefined;
      const { statement, system } = database;
      if (statement === undefined) return operationCall(span, database);
      return statementCall(span, database, this.#shapeOf(statement, system));
    }
    if (span.kind !== "client" && span.kind !== "unspecified") return undefined;
    const rpc = textOf(span.attributes, "rpc.system.name", "rpc.system");
    return rpc === undefined ? this.#http(span) : rpcCall(span, rpc);
  }

  #http({ attributes }: Span): Call | undefined {
    const method = textOf(attributes, "http.request.method", "http.method");
    const url = textOf(attributes, "url.full", "http.url") ?? urlOfParts(attributes);
    if (method === undefined || url === undefined) return undefined;
    const parsed = this.#urlOf(url, textOf(attributes, "url.template", "http.route"));
    const verb = method.toUpperCase();
    const host =
      parsed.host === ""
        ? (textOf(attributes, "server.address", "net.peer.name", "peer.service") ?? "")
        : parsed.host;
    const shape = `${verb} ${stableHost(host)}${parsed.template}`;
    const isList = parsed.valueCount > 1;
    return {
      kind: "http",
      identity: `http ${shape}`,
      shape,
      target: `${verb} ${parsed.target}`,
      peer: host,
      isRead: verb === "GET" || verb === "HEAD" || verb === "QUERY",
      isKeyed: !isList && parsed.template.includes("{id}"),
      batch: isList
        ? { isBatch: true, size: parsed.valueCount }
        : { isBatch: isBatchName(parsed.template) },
      isPaged: parsed.isPaged,
      truncated: false,
      system: "http",
      isResend: (numberOf(attributes, "http.request.resend_count", "http.resend_count") ?? 0) > 0,
    };
  }

  #shapeOf(statement: string, system: string): SqlShape {
    const quotes = doubleQuotesOf(system, statement);
    return remember(this.#statements[quotes], statement, () => sqlShape(statement, quotes));
  }

  #urlOf(url: string, route: string | undefined): UrlTarget {
    const key = route === undefined ? url : `${route}\n${url}`;
    return remember(this.#urls, key, () => urlTarget(url, route));
  }
}

/** Whether a span only opens, takes or gives back a connection: no call, and transparent for its parent. */
export function isConnectionSpan(name: string): boolean {
  return connectionNames.test(name);
}

const connectionNames = new RegExp(
  [
    "^(?:pg|pg-pool|mysql2?|mongodb|redis|ioredis|tedious|knex|tcp|tls|dns|net|http|prisma:engine)[.: -]?(?:pool[.: -]?)?(?:connect|connection|acquire|getConnection|lookup|release|handshake)\\b",
    "\\bpool[.:_ -]?(?:connect|acquire|checkout|get|release)\\b",
    "^(?:connect|tcp connect|tls handshake|dns lookup|connection|acquire connection|get connection|sql\\.conn\\.\\w+|sql\\.connector\\.connect|hikaricp?\\.\\w+)$",
  ].join("|"),
  "i",
);

function rpcCall({ attributes }: Span, system: string): Call | undefined {
  const method = textOf(attributes, "rpc.method");
  if (method === undefined) return undefined;
  const service = textOf(attributes, "rpc.service") ?? "";
  const name = service === "" ? method : `${service}/${method}`;
  return {
    kind: "rpc",
    identity: `rpc ${system} ${name}`,
    shape: name,
    target: name,
    peer: textOf(attributes, "server.address", "net.peer.name") ?? "",
    isRead: isReadName(method),
    isKeyed: false,
    batch: { isBatch: isBatchName(method) },
    isPaged: false,
    truncated: false,
    system,
    isResend: (numberOf(attributes, "rpc.grpc.retry_count") ?? 0) > 0,
  };
}

/** A host without what tells one replica from another: an address or an ordinal. */
function stableHost(host: string): string {
  return host
    .replace(/^(?:\d{1,3}\.){3}\d{1,3}(?=:|$)|^\[[0-9a-f:.]+\]/i, "{address}")
    .replace(/^([a-z][a-z0-9-]*)-\d+(?=[.:]|$)/i, "$1-{n}");
}

function urlOfParts(attributes: Attributes): string | undefined {
  const path = textOf(attributes, "url.path", "http.target");
  if (path === undefined) return undefined;
  const query = textOf(attributes, "url.query");
  return query === undefined ? path : `${path}?${query}`;
}

/** A bounded memory: when it is full it starts anew, because statements come in runs. */
function remember<T>(memory: Map<string, T>, key: string, make: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size >= traceLimits.fingerprintCacheMax) memory.clear();
  const made = make();
  memory.set(key, made);
  return made;
}
