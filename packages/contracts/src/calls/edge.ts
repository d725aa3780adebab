/** Names who calls whom for what, in words that stay the same from snapshot to snapshot. */

import type { Boundary, Subject } from "../model/finding.ts";
import type { Attributes } from "../model/span.ts";
import type { Call } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { operationOf, stableName } from "../traces/name-operation.ts";
import type { Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { wordOf } from "./attribute-value.ts";

/** What a call does to its callee when it is made twice. */
export type Effect = "reads" | "same-when-repeated" | "adds" | "unknown";

export interface Edge {
  /** `caller → callee operation`. */
  readonly name: string;
  readonly caller: string;
  readonly callee: string;
  readonly operation: string;
  readonly isDatabase: boolean;
  readonly effect: Effect;
}

/** Whether a span is one side of a call that leaves its service: a client's span, or what another service took in. */
export function isCall(trace: Trace, index: number): boolean {
  const marks = trace.marksOf(index);
  if ((marks & mark.connection) !== 0) return false;
  const kind = trace.kindAt(index);
  if (kind === "client") return true;
  if (kind === "producer" || kind === "consumer") return false;
  if ((marks & mark.genAi) !== 0 && callsModel(trace.span(index).attributes)) return true;
  if (kind !== "server" && trace.callOf(index) !== undefined) return true;
  // A trace without client spans shows the call at the callee's end only.
  const parent = trace.parents[index] ?? -1;
  if (parent < 0 || trace.serviceAt(parent) === trace.serviceAt(index)) return false;
  return trace.kindAt(parent) !== "client" && !isAsyncSpan(trace, parent);
}

/** Whether a span hands work over without waiting for it. */
export function isAsyncSpan(trace: Trace, index: number): boolean {
  return (trace.marksOf(index) & (mark.producer | mark.consumer)) !== 0;
}

/** The edge of a call. */
export function edgeOf(trace: Trace, index: number): Edge {
  const span = trace.span(index);
  const call = trace.callOf(index);
  if (call === undefined) return uncachedEdgeOf(trace, index);
  const peer = peerOf(span.attributes) ?? call.peer;
  const isModel = (trace.marksOf(index) & mark.genAi) !== 0;
  // A model's call may look like any other by its URL, so it takes the long way.
  if (isModel) return uncachedEdgeOf(trace, index);
  const key = `${span.service}\n${peer}\n${call.identity}`;
  const known = edgesByKey.get(key);
  if (known !== undefined) return known;
  if (edgesByKey.size >= edgesRememberedMax) edgesByKey.clear();
  const edge = uncachedEdgeOf(trace, index);
  edgesByKey.set(key, edge);
  return edge;
}

/** A memory and no state: the same calls always have the same names. */
const edgesByKey = new Map<string, Edge>();
const edgesRememberedMax = 10_000;

function uncachedEdgeOf(trace: Trace, index: number): Edge {
  const span = trace.span(index);
  const { attributes } = span;
  const call = trace.callOf(index);
  const parent = trace.parents[index] ?? -1;
  const isServed = call === undefined && kindOf(span, trace.marksOf(index)) !== "client";
  const servedFrom =
    isServed && parent >= 0 && trace.span(parent).service !== span.service
      ? trace.span(parent).service
      : undefined;
  const caller = servedFrom ?? span.service;
  const parts =
    servedFrom === undefined
      ? (modelParts(attributes) ?? callParts(call, attributes) ?? namedParts(trace, index))
      : { callee: span.service, operation: operationOf(span) };
  return {
    name: `${caller} → ${parts.callee} ${parts.operation}`,
    caller,
    ...parts,
    isDatabase: call?.kind === "database",
    effect: effectOf(call, parts.operation, attributes),
  };
}

/** What tells a call from calls of the same edge for other things: the URL, the statement. */
export function targetOf(trace: Trace, index: number): string {
  const { attributes } = trace.span(index);
  const target = trace.callOf(index)?.target;
  return (
    target ??
    wordOf(attributes, "url.full", "http.url", "http.target") ??
    edgeOf(trace, index).operation
  );
}

/** The boundary that an edge crosses. */
export function boundaryOfEdge(edge: Pick<Edge, "isDatabase">): Boundary {
  return edge.isDatabase ? "resolver-database" : "service-service";
}

/** The subject of findings about an edge. */
export function subjectOfEdge(edge: Pick<Edge, "name">): Subject {
  return { kind: "edge", name: edge.name };
}

interface EdgeParts {
  readonly callee: string;
  readonly operation: string;
}

function callsModel(attributes: Attributes): boolean {
  const operation = attributes["gen_ai.operation.name"];
  if (
    operation === "execute_tool" ||
    operation === "invoke_agent" ||
    operation === "create_agent"
  ) {
    return false;
  }
  if (attributes["openinference.span.kind"] === "LLM") return true;
  return (
    typeof attributes["gen_ai.request.model"] === "string" &&
    attributes["openinference.span.kind"] === undefined
  );
}

function modelParts(attributes: Attributes): EdgeParts | undefined {
  if (!callsModel(attributes)) return undefined;
  const provider = wordOf(
    attributes,
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "server.address",
  );
  const model = wordOf(attributes, "gen_ai.request.model", "llm.model_name");
  const operation = wordOf(attributes, "gen_ai.operation.name") ?? "chat";
  return { callee: provider ?? "model", operation: `${operation} ${model ?? ""}`.trimEnd() };
}

function callParts(call: Call | undefined, attributes: Attributes): EdgeParts | undefined {
  if (call === undefined) return undefined;
  if (call.kind === "database") {
    const name = wordOf(attributes, "db.namespace", "db.name");
    return {
      callee: name === undefined ? call.system : `${call.system} ${name}`,
      operation: call.shape,
    };
  }
  const host = peerOf(attributes) ?? hostName(call.peer);
  if (call.kind === "rpc") {
    const slash = call.shape.lastIndexOf("/");
    const service = slash === -1 ? "" : call.shape.slice(0, slash);
    return {
      callee: host ?? (service === "" ? "rpc" : service),
      operation: host === undefined ? call.shape.slice(slash + 1) : call.shape,
    };
  }
  const [verb, rest] = splitOnce(call.shape, " ");
  const path = rest.indexOf("/");
  return { callee: host ?? "http", operation: `${verb} ${path === -1 ? "/" : rest.slice(path)}` };
}

function namedParts(trace: Trace, index: number): EdgeParts {
  const { attributes, name } = trace.span(index);
  const callee =
    peerOf(attributes) ??
    hostName(wordOf(attributes, "server.address", "net.peer.name", "http.host", "peer.hostname")) ??
    servingChildOf(trace, index);
  return { callee: callee ?? "other", operation: stableName(name) };
}

/** The service that took a call in, when its span is there. */
export function servingChildOf(trace: Trace, index: number): string | undefined {
  const { service } = trace.span(index);
  for (const child of trace.children(index)) {
    const other = trace.span(child).service;
    if (other !== service) return other;
  }
  return undefined;
}

/** The callee by name: what an operator called it, or Envoy's cluster. */
function peerOf(attributes: Attributes): string | undefined {
  const peer = wordOf(attributes, "peer.service", "service.peer.name");
  if (peer !== undefined) return peer;
  const cluster = wordOf(attributes, "upstream_cluster.name", "upstream_cluster");
  if (cluster === undefined) return undefined;
  return hostName(cluster.split("|").at(-1));
}

/** A host without its port and the cluster's domain; nothing for an address, which names nobody. */
function hostName(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  const plain = host
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/\.svc(?:\.cluster\.local)?\.?$/, "");
  if (plain === "" || plain.includes("{address}")) return undefined;
  if (/^(?:\d{1,3}\.){3}\d{1,3}$|^\[|:/.test(plain)) return undefined;
  return plain.replace(/^([a-z][a-z0-9-]*)-\d+(?=\.|$)/, "$1-{n}");
}

/** What a call does when it is made twice, as far as its method, verb or name tells. */
function effectOf(call: Call | undefined, operation: string, attributes: Attributes): Effect {
  if (callsModel(attributes)) return "reads";
  if (call?.isRead === true) return "reads";
  if (call?.kind === "database") return effectOfStatement(call.shape);
  const verb =
    wordOf(attributes, "http.request.method", "http.method")?.toUpperCase() ??
    /^(GET|HEAD|OPTIONS|PUT|DELETE|POST|PATCH)\b/.exec(operation)?.[1];
  if (verb !== undefined && call?.kind !== "rpc") return effectOfVerb(verb, operation);
  return effectOfName(operation.slice(operation.lastIndexOf("/") + 1).replace(/^.*[. ]/, ""));
}

function effectOfVerb(verb: string, operation: string): Effect {
  if (verb === "PUT" || verb === "DELETE") return "same-when-repeated";
  if (verb !== "POST" && verb !== "PATCH") return "reads";
  // Many APIs ask by POST because a question does not fit a URL.
  return /\/(?:_?search|query|graphql|lookup|find|filter|list|batchget|_msearch|validate|preview|estimate|quote|embeddings|completions|messages|responses|token)\b/i.test(
    operation,
  )
    ? "unknown"
    : "adds";
}

function effectOfStatement(shape: string): Effect {
  if (/^insert\b/.test(shape)) {
    return /\bon conflict\b|\bon duplicate key\b|^insert (?:or )?ignore\b|\bif not exists\b/.test(
      shape,
    )
      ? "same-when-repeated"
      : "adds";
  }
  if (/^(?:delete|merge|replace|upsert)\b/.test(shape)) return "same-when-repeated";
  if (/^(?:insertone|insertmany|incr|lpush|rpush|xadd|publish)/.test(shape)) return "adds";
  return "unknown";
}

function effectOfName(name: string): Effect {
  if (addingNames.test(name)) return "adds";
  return /^(?:update|set|put|delete|remove|upsert|cancel|replace|empty|clear|ensure|sync)/i.test(
    name,
  )
    ? "same-when-repeated"
    : "unknown";
}

const addingNames =
  /^(?:create|charge|pay|place|add|insert|send|transfer|refund|submit|book|reserve|post|publish|register|debit|credit|withdraw|capture|issue|emit|purchase|checkout|ship|append|increment|enqueue|deposit|redeem|dispatch|deduct|authori[sz]e(?:payment|charge|card))/i;

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
