/** Recognises the calls of a trace: what one asks of a database or another service, reduced to its shape. */

import type { Attributes, Span } from "../model/span.ts";
import { fanOutLimits } from "./options.ts";
import { type SqlShape, sqlShape } from "./sql-fingerprint.ts";
import { doubleQuotesOf } from "./sql-tokens.ts";
import { type UrlTarget, urlTarget } from "./url-template.ts";

export type CallKind = "database" | "http" | "rpc";

export interface Call {
  readonly kind: CallKind;
  /** Equal for calls of one shape: system and fingerprint, or method, host and path template. */
  readonly identity: string;
  /** The shape in the words of a person: the statement, or `GET host/path/{id}`. */
  readonly shape: string;
  /** The call with its values where the trace has them; tells repeats of one call from calls for many things. */
  readonly target: string;
  /** The machine it goes to, when recorded. */
  readonly peer: string;
  /** Whether the call only reads, as far as method, verb or name tell. */
  readonly isRead: boolean;
  /** Values asked for at once: more than 1 when the call is a batch; `undefined` when that is unknown. */
  readonly batch: { readonly isBatch: boolean; readonly size?: number };
  /** Reads one page of a longer result. */
  readonly isPaged: boolean;
  /** The recorded statement is cut, so that two of one shape may differ. */
  readonly truncated: boolean;
  /** A store in memory, by the name of its system. */
  readonly system: string;
  /** An attempt that says of itself that it repeats an earlier one. */
  readonly isResend: boolean;
  /** Rows that came back, when recorded. */
  readonly rowCount?: number;
}

/** Recognises calls; remembers the reduced form of texts it has seen, so that a loop costs one reduction. */
export class CallIdentifier {
  readonly #statements = { names: new Map<string, SqlShape>(), text: new Map<string, SqlShape>() };
  readonly #urls = new Map<string, UrlTarget>();

  /** The call that a span records, or `undefined` when it records none that this contract judges. */
  identify(span: Span): Call | undefined {
    if (span.kind === "server" || span.kind === "consumer") return undefined;
    const { attributes } = span;
    const system = text(attributes, "db.system.name", "db.system");
    const statement = text(attributes, "db.query.text", "db.statement");
    if (system !== undefined || statement !== undefined) {
      return this.#database(span, system ?? "sql", statement);
    }
    if (span.kind !== "client" && span.kind !== "unspecified") return undefined;
    const rpc = text(attributes, "rpc.system", "rpc.system.name");
    if (rpc !== undefined) return rpcCall(span, rpc);
    return this.#http(span);
  }

  #database(span: Span, system: string, statement: string | undefined): Call | undefined {
    const { attributes } = span;
    if (isConnectionSpan(span.name)) return undefined;
    const collection = text(
      attributes,
      "db.collection.name",
      "db.sql.table",
      "db.mongodb.collection",
      "db.cassandra.table",
    );
    const operation = text(attributes, "db.operation.name", "db.operation");
    if (statement === undefined) {
      // An operation on a named collection is a call; a span that names neither is a transaction or a pool.
      if (operation === undefined || collection === undefined) return undefined;
      return databaseCall(span, system, shapeOfOperation(operation, collection));
    }
    const shape = this.#shapeOf(statement, system);
    if (isSessionStatement(shape)) return undefined;
    // A document store records its query as JSON, which says little without the collection it goes to.
    const prefix =
      collection !== undefined && /^\s*[{[]/.test(statement)
        ? `${operation ?? ""} ${collection} `
        : "";
    return databaseCall(span, system, {
      ...shape,
      fingerprint: `${prefix}${shape.fingerprint}`,
      verb: prefix === "" ? shape.verb : (operation ?? shape.verb).toLowerCase(),
    });
  }

  #http(span: Span): Call | undefined {
    const { attributes } = span;
    const method = text(attributes, "http.request.method", "http.method");
    const url = text(attributes, "url.full", "http.url") ?? urlOfParts(attributes);
    if (method === undefined || url === undefined) return undefined;
    const route = text(attributes, "url.template", "http.route");
    const parsed = this.#urlOf(url, route);
    const peer = text(attributes, "server.address", "net.peer.name") ?? parsed.host;
    const verb = method.toUpperCase();
    const address = parsed.host === "" ? peer : parsed.host;
    return {
      kind: "http",
      identity: `http ${verb} ${address}${parsed.template}`,
      shape: `${verb} ${address}${parsed.template}`,
      target: `${verb} ${parsed.target}`,
      peer: address,
      isRead: verb === "GET" || verb === "HEAD" || verb === "QUERY",
      batch: { isBatch: false },
      isPaged: parsed.isPaged,
      truncated: false,
      system: "http",
      isResend: isPositive(
        attributes["http.request.resend_count"] ?? attributes["http.resend_count"],
      ),
    };
  }

  #shapeOf(statement: string, system: string): SqlShape {
    const quotes = doubleQuotesOf(system, statement);
    return remember(this.#statements[quotes], statement, () => sqlShape(statement, quotes));
  }

  #urlOf(url: string, route: string | undefined): UrlTarget {
    return remember(this.#urls, `${route ?? ""}\n${url}`, () => urlTarget(url, route));
  }
}

/** Whether a span only opens, takes or gives back a connection: no call, and transparent for its parent. */
export function isConnectionSpan(name: string): boolean {
  return /^(?:pg|pg-pool|mysql2?|mongodb|redis|ioredis|tedious|knex|tcp|tls|dns|net|http|prisma:engine)[.: -]?(?:pool[.: -]?)?(?:connect|connection|acquire|getConnection|lookup|release|handshake)\b|\bpool[.:_ -]?(?:connect|acquire|checkout|get|release)\b|^(?:connect|tcp connect|tls handshake|dns lookup|connection|acquire connection|get connection|sql\.conn\.\w+|sql\.connector\.connect|hikaricp?\.\w+)$/i.test(
    name,
  );
}

function databaseCall(
  span: Span,
  system: string,
  shape: SqlShape & { readonly target?: string },
): Call {
  const { attributes } = span;
  const rowCount = numberOf(
    attributes["db.response.returned_rows"] ??
      attributes["db.rows_returned"] ??
      attributes["db.row_count"] ??
      attributes["db.result.rows"] ??
      attributes["db.sql.rows"] ??
      attributes["db.rows"],
  );
  const isBatch =
    shape.listValueCount > 1 ||
    shape.takesArray ||
    isPositive(attributes["db.operation.batch.size"]);
  const size =
    numberOf(attributes["db.operation.batch.size"]) ?? (shape.listValueCount || undefined);
  const database = text(attributes, "db.namespace", "db.name") ?? "";
  return {
    kind: "database",
    identity: `${system} ${database} ${shape.fingerprint}`,
    shape: shape.fingerprint,
    target: text(attributes, "db.query.text", "db.statement") ?? shape.fingerprint,
    peer: text(attributes, "server.address", "net.peer.name") ?? "",
    isRead: isReadVerb(shape.verb),
    batch: size === undefined || !isBatch ? { isBatch } : { isBatch, size },
    isPaged: isPagedStatement(shape.fingerprint),
    truncated: shape.truncated,
    system: system.toLowerCase(),
    isResend: false,
    ...(rowCount === undefined ? {} : { rowCount }),
  };
}

function rpcCall(span: Span, system: string): Call | undefined {
  const method = text(span.attributes, "rpc.method");
  if (method === undefined) return undefined;
  const service = text(span.attributes, "rpc.service") ?? "";
  const name = [service, method].filter((part) => part !== "").join("/");
  return {
    kind: "rpc",
    identity: `rpc ${system} ${name}`,
    shape: name,
    target: name,
    peer: text(span.attributes, "server.address", "net.peer.name") ?? "",
    isRead: /^(?:get|list|find|fetch|lookup|load|read|query|resolve|search|describe|check)/i.test(
      method.slice(method.lastIndexOf("/") + 1),
    ),
    batch: { isBatch: /batch|bulk|multi|many/i.test(method) },
    isPaged: false,
    truncated: false,
    system,
    isResend: isPositive(span.attributes["rpc.grpc.retry_count"]),
  };
}

function shapeOfOperation(operation: string, collection: string): SqlShape {
  return {
    fingerprint: `${operation.toLowerCase()} ${collection}`,
    verb: operation.toLowerCase(),
    listValueCount: 0,
    takesArray: false,
    truncated: false,
  };
}

/** Statements that set up a session or a transaction, and pings: they fetch nothing for an item of a list. */
function isSessionStatement(shape: SqlShape): boolean {
  return (
    /^(?:begin|start|commit|rollback|savepoint|release|set|show|use|prepare|deallocate|discard|ping|reset|listen|unlisten|notify|explain|close|declare|fetch|move|lock|analyze|vacuum|pragma|isready)$/.test(
      shape.verb,
    ) ||
    /^select ?(?:\?|version\(\)|now\(\)|current_\w+(?:\(\))?|pg_advisory\w*\(.*)?$/.test(
      shape.fingerprint,
    )
  );
}

function isReadVerb(verb: string): boolean {
  return /^(?:select|find|findone|get|getitem|query|scan|aggregate|count|distinct|search|mget|read|values|table|match|"?find)/.test(
    verb,
  );
}

/** OFFSET, FETCH NEXT, or a range over the sort key with a limit and nothing that names one owner. */
function isPagedStatement(fingerprint: string): boolean {
  if (/\boffset \?|\bfetch (?:next|first) \?|\blimit \?, ?\?/.test(fingerprint)) return true;
  if (!/\blimit \?$/.test(fingerprint) || !/\border by\b/.test(fingerprint)) return false;
  const where = /\bwhere\b(.*)\border by\b/.exec(fingerprint)?.[1] ?? "";
  return /[<>]=? ?\(?\?/.test(where) && !/[^<>!]= ?\?/.test(where);
}

function urlOfParts(attributes: Attributes): string | undefined {
  const path = text(attributes, "url.path", "http.target");
  if (path === undefined) return undefined;
  const query = text(attributes, "url.query");
  return query === undefined ? path : `${path}?${query}`;
}

function text(attributes: Attributes, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = attributes[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && value > 0;
}

/** A bounded memory: when it is full it starts anew, because statements come in runs. */
function remember<T>(memory: Map<string, T>, key: string, make: () => T): T {
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size >= fanOutLimits.fingerprintCacheMax) memory.clear();
  const made = make();
  memory.set(key, made);
  return made;
}
