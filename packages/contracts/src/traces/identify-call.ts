/** Recognises the calls of a trace. */

import type { Attributes, Span } from "../model/span.ts";
import { type Batch, type Call, isBatchName, numberIn, textIn } from "./call.ts";
import {
  databaseSpanOf,
  type KnownShape,
  knownShape,
  operationCall,
  statementCall,
} from "./database-call.ts";
import { traceLimits } from "./limits.ts";
import { mark, namesConnection } from "./marks.ts";
import { graphqlOperationOf } from "./resolver-path.ts";
import { rpcCallOf } from "./rpc-call.ts";
import { sqlShape } from "./sql-fingerprint.ts";
import { doubleQuotesOf } from "./sql-tokens.ts";
import { type UrlTarget, urlTarget } from "./url-template.ts";
import { descriptionOf, kindOf } from "./vendor-span.ts";

/** Marks of which a call's span has at least one. */
const callMarks =
  mark.database | mark.http | mark.rpc | mark.vendor | mark.statementName | mark.methodName;

/** Recognises calls; remembers the reduced form of texts it has seen, so that a loop costs one reduction. */
export class CallIdentifier {
  readonly #statements = {
    names: new Map<string, KnownShape>(),
    text: new Map<string, KnownShape>(),
  };
  readonly #urls = new Map<string, KnownUrl>();
  readonly #hosts = new Map<string, string>();
  readonly #addresses = new Map<string, Address>();

  /** The call that a span with these marks records, or `undefined` when it records none that a contract judges. */
  identify(span: Span, marks: number): Call | undefined {
    if ((marks & callMarks) === 0 && span.kind !== "client") return undefined;
    const kind = kindOf(span, marks);
    if (kind === "server" || kind === "consumer") return undefined;
    const database = databaseSpanOf(span, marks);
    if (database !== undefined) {
      if ((marks & mark.connection) !== 0) return undefined;
      const { statement, system } = database;
      if (statement === undefined) {
        const isTaken = (marks & mark.vendor) !== 0 && namesConnection(descriptionOf(span));
        return isTaken ? undefined : operationCall(span, database);
      }
      return statementCall(span, database, this.#shapeOf(statement, system));
    }
    if (kind !== "client" && kind !== "unspecified") return undefined;
    return rpcCallOf(span, marks) ?? this.#http(span, marks);
  }

  #http(span: Span, marks: number): Call | undefined {
    const { attributes } = span;
    const request = requestOf(span, marks);
    // A browser that fetches ahead makes one request for each link, which is no loop over a list.
    if (request === undefined || attributes["http.request.prefetch"] === true) return undefined;
    const url = withoutIds(request.url);
    const known = this.#urlOf(url, textIn(attributes, routeNames));
    const { parsed } = known;
    const verb = request.method.toUpperCase();
    const host = parsed.host === "" ? (textIn(attributes, hostNames) ?? "") : parsed.host;
    // All operations of GraphQL go to one address: where the call names its own, that tells them apart.
    const operation = (marks & mark.graphql) === 0 ? undefined : graphqlOperationOf(span);
    const { shape, identity, oneBatch } = this.#addressOf(known, { verb, host, operation });
    const isList = parsed.valueCount > 1;
    return {
      kind: "http",
      identity,
      shape,
      target: `${verb} ${targetOf(request.url, url, known)}`,
      peer: host,
      isRead: verb === "GET" || verb === "HEAD" || verb === "QUERY",
      isKeyed: !isList && parsed.template.includes("{id}"),
      batch: isList ? { isBatch: true, size: parsed.valueCount } : oneBatch,
      isPaged: parsed.isPaged,
      truncated: false,
      system: "http",
      isResend: (marks & mark.attempt) !== 0 && (numberIn(attributes, resendNames) ?? 0) > 0,
    };
  }

  /** Calls of one shape share its texts, so that whoever compares them later compares the same. */
  #addressOf(known: KnownUrl, { verb, host, operation }: Asked): Address {
    const { latest, parsed } = known;
    if (latest?.verb === verb && latest.host === host && latest.operation === operation) {
      return latest.address;
    }
    const stable = remember(this.#hosts, host, () => stableHost(host));
    const words = `${verb} ${stable}${parsed.template}${operation === undefined ? "" : ` ${operation}`}`;
    const address = remember(this.#addresses, words, () => ({
      shape: words,
      identity: `http ${words}`,
      oneBatch: { isBatch: isBatchName(parsed.template) },
    }));
    known.latest = { verb, host, operation, address };
    return address;
  }

  #shapeOf(statement: string, system: string): KnownShape {
    const quotes = doubleQuotesOf(system, statement);
    const known = this.#statements[quotes];
    return (
      known.get(statement) ??
      // A number is a value whatever it is, so statements that differ only in numbers cost one reduction.
      remember(known, withoutNumbers(statement), () =>
        knownShape(sqlShape(statement, quotes), namesConnection(statement)),
      )
    );
  }

  #urlOf(url: string, route: string | undefined): KnownUrl {
    const key = route === undefined ? url : `${route}\n${url}`;
    return remember(this.#urls, key, () => ({ parsed: urlTarget(url, route), latest: undefined }));
  }
}

const routeNames = ["url.template", "http.route"] as const;
const methodNames = ["http.request.method", "http.method"] as const;
const urlNames = ["url.full", "http.url"] as const;
const urlPartNames = ["url.path", "http.target", "http.path", "url.template"] as const;
const queryNames = ["http.query", "url.query"] as const;
const resendNames = ["http.request.resend_count", "http.resend_count"] as const;
const hostNames = [
  "server.address",
  "net.peer.name",
  "http.host",
  "peer.service",
  "peer.hostname",
  "out.host",
] as const;

/** Who is asked, beside the URL. */
interface Asked {
  readonly verb: string;
  readonly host: string;
  readonly operation: string | undefined;
}

/** A URL, and what was asked there the last time: the next call often asks the same. */
interface KnownUrl {
  readonly parsed: UrlTarget;
  latest: (Asked & { readonly address: Address }) | undefined;
}

/** A number as a segment of a path is an id whatever it is, so that URLs which differ only there cost one reduction. */
function withoutIds(url: string): string {
  return /[?#]/.test(url) ? url : url.replace(/(?<=[^/])\/\d+(?=\/|$)/g, "/0");
}

/** Path and query of a URL, of which the one without its ids is known. */
function targetOf(url: string, plain: string, { parsed }: KnownUrl): string {
  // Ids stand in the path, which goes on to the end: what stands before it is as long in both.
  return url === plain ? parsed.target : url.slice(plain.length - parsed.target.length);
}

/** What calls of one shape over HTTP have in common. */
interface Address {
  readonly shape: string;
  readonly identity: string;
  readonly oneBatch: Batch;
}

interface HttpRequest {
  readonly method: string;
  readonly url: string;
}

/** Method and URL by their attributes, else by a name such as `GET https://users/users/7`. */
function requestOf(span: Span, marks: number): HttpRequest | undefined {
  const { attributes } = span;
  const hasAttributes = (marks & mark.http) !== 0;
  const method = hasAttributes ? textIn(attributes, methodNames) : undefined;
  const url = hasAttributes
    ? (textIn(attributes, urlNames) ?? textIn(attributes, urlPartNames))
    : undefined;
  if (method !== undefined && url !== undefined) return { method, url: withQuery(url, attributes) };
  const named = namedRequest.exec((marks & mark.vendor) === 0 ? span.name : descriptionOf(span));
  const [, namedMethod, namedUrl] = named ?? [];
  if (namedMethod === undefined || namedUrl === undefined) return undefined;
  const known = url ?? namedUrl;
  return {
    method: method ?? namedMethod,
    url: hasAttributes ? withQuery(known, attributes) : known,
  };
}

/** Some tracers take the query out of the URL, and record it beside it. */
function withQuery(url: string, attributes: Attributes): string {
  const query = textIn(attributes, queryNames);
  return query === undefined || url.includes("?") ? url : `${url}?${query.replace(/^\?/, "")}`;
}

const namedRequest =
  /^(?:HTTP )?(GET|HEAD|POST|PUT|PATCH|DELETE|QUERY|OPTIONS) ((?:https?:\/\/|\/)\S*)$/i;

/** A host without what tells one replica from another: an address or an ordinal. */
function stableHost(host: string): string {
  return host
    .replace(/^(?:\d{1,3}\.){3}\d{1,3}(?=:|$)|^\[[0-9a-f:.]+\]/i, "{address}")
    .replace(/^([a-z][a-z0-9-]*)-\d+(?=[.:]|$)/i, "$1-{n}");
}

function withoutNumbers(statement: string): string {
  return statement.length > traceLimits.statementLengthMemorable
    ? statement
    : statement.replace(/(?<![\w$.@?"'`])\d+(?![\w.])/g, "0");
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
