/** Takes a trace apart into units of work: what one service does for one request, message or tool call. */

import type { EvidenceId } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { type Call, CallIdentifier, isConnectionSpan } from "./identify-call.ts";
import { graphqlOperationOf, type ResolverPath, resolverPathOf } from "./resolver-path.ts";
import { looksLikeId, templateOfPath } from "./url-template.ts";

/** A span that belongs to a unit, with what was recognised in it. */
export interface UnitCall {
  readonly span: Span;
  readonly evidenceId: EvidenceId;
  readonly call: Call;
  /** The resolver that made the call, when one did. */
  readonly resolver: ResolverPath | undefined;
  /** GraphQL operation above the call. */
  readonly operation: string | undefined;
  /** The parent is named but not in the trace, and no other span says who made the call. */
  readonly isOrphan: boolean;
}

/** The work of one entry span. */
export interface Unit {
  readonly traceId: string;
  readonly service: string;
  /** What the unit does: `GET /orders`, `execute_tool search`, a function's name. */
  readonly operation: string;
  /** The span that the work begins with; absent when it is not in the trace. */
  readonly entry: Span | undefined;
  readonly calls: UnitCall[];
  /** Resolver spans by `operation` and pattern: the distinct recorded paths of each. */
  readonly resolvers: Map<string, ResolverSpans>;
}

export interface ResolverSpans {
  readonly operation: string | undefined;
  readonly pattern: string;
  readonly paths: Set<string>;
  readonly first: { readonly span: Span; readonly evidenceId: EvidenceId };
  readonly hasIndices: boolean;
}

/** The units of all traces of a snapshot; pieces of one trace in several pieces of evidence are joined. */
export function unitsOf(snapshot: Snapshot): Unit[] {
  const traces = new Map<string, TracePart[]>();
  for (const evidence of evidenceOfKind(snapshot, "trace")) {
    const parts = traces.get(evidence.content.traceId);
    const part = { evidenceId: evidence.id, spans: evidence.content.spans };
    if (parts === undefined) traces.set(evidence.content.traceId, [part]);
    else parts.push(part);
  }
  const identifier = new CallIdentifier();
  return [...traces].flatMap(([traceId, parts]) =>
    new TraceReader(traceId, parts, identifier).read(),
  );
}

interface TracePart {
  readonly evidenceId: EvidenceId;
  readonly spans: readonly Span[];
}

/** What is known about the surroundings of a span, from itself and its ancestors in the same unit. */
interface Context {
  readonly unit: Unit;
  readonly resolver: ResolverPath | undefined;
  readonly operation: string | undefined;
  /** Within a call or a model call of the same unit: what is nested in it is its own transport. */
  readonly isCovered: boolean;
  /** The nearest ancestor that is no connection span is missing. */
  readonly isOrphan: boolean;
}

class TraceReader {
  readonly #traceId: string;
  readonly #identifier: CallIdentifier;
  readonly #byId = new Map<string, Span>();
  readonly #evidenceOf = new Map<Span, EvidenceId>();
  readonly #contexts = new Map<string, Context>();
  readonly #units: Unit[] = [];
  readonly #strays = new Map<string, Unit>();

  constructor(traceId: string, parts: readonly TracePart[], identifier: CallIdentifier) {
    this.#traceId = traceId;
    this.#identifier = identifier;
    for (const { evidenceId, spans } of parts) {
      for (const span of spans) {
        // A span that was sent twice is one span.
        if (this.#byId.has(span.spanId)) continue;
        this.#byId.set(span.spanId, span);
        this.#evidenceOf.set(span, evidenceId);
      }
    }
  }

  read(): Unit[] {
    for (const span of this.#byId.values()) this.#contextOf(span);
    for (const unit of this.#units) unit.calls.sort(byTime);
    return this.#units;
  }

  /** Computes contexts from the outermost unknown ancestor inwards, without recursion. */
  #contextOf(span: Span): Context {
    const chain: Span[] = [];
    const onTheWay = new Set<string>();
    let current: Span | undefined = span;
    let context: Context | undefined;
    // A span that is its own ancestor has no outermost one: the walk ends where it would turn.
    while (current !== undefined && !onTheWay.has(current.spanId)) {
      context = this.#contexts.get(current.spanId);
      if (context !== undefined) break;
      chain.push(current);
      onTheWay.add(current.spanId);
      current =
        current.parentSpanId === undefined ? undefined : this.#byId.get(current.parentSpanId);
    }
    for (let index = chain.length - 1; index >= 0; index -= 1) {
      const next = chain[index];
      if (next !== undefined) context = this.#enter(next, context);
    }
    return context ?? this.#enter(span, undefined);
  }

  /** The context of a span below `outer`, which is absent for a span without a known parent. */
  #enter(span: Span, outer: Context | undefined): Context {
    const own = this.#contextWithin(span, outer);
    this.#contexts.set(span.spanId, own);
    return own;
  }

  #contextWithin(span: Span, outer: Context | undefined): Context {
    const evidenceId = this.#evidenceOf.get(span);
    const parentMissing = outer === undefined && span.parentSpanId !== undefined;
    const call = this.#identifier.identify(span);
    let base = outer;
    if (base === undefined || startsUnit(span, base, call)) {
      const isStray = parentMissing && (call !== undefined || isConnectionSpan(span.name));
      base = contextOfUnit(isStray ? this.#strayUnit(span) : this.#openUnit(span), isStray);
    }
    const ownResolver = resolverPathOf(span);
    const resolver = ownResolver ?? base.resolver;
    const operation = graphqlOperationOf(span) ?? base.operation;
    if (evidenceId === undefined) return base;
    if (outer !== undefined && outer.unit !== base.unit && !outer.isCovered) {
      const served = servedCall(span, base.unit.operation);
      if (served !== undefined) outer.unit.calls.push({ ...outer, span, evidenceId, call: served });
    }
    if (ownResolver !== undefined) {
      noteResolver(base.unit, { path: ownResolver, operation, first: { span, evidenceId } });
    }
    const isModelCall = callsModel(span);
    if (call !== undefined && !base.isCovered && !isModelCall) {
      base.unit.calls.push({
        span,
        evidenceId,
        call,
        resolver,
        operation,
        isOrphan: base.isOrphan,
      });
    }
    return {
      unit: base.unit,
      resolver,
      operation,
      isCovered: base.isCovered || call !== undefined || isModelCall,
      isOrphan: base.isOrphan && isConnectionSpan(span.name),
    };
  }

  #openUnit(span: Span): Unit {
    const unit: Unit = {
      traceId: this.#traceId,
      service: span.service,
      operation: operationOf(span),
      entry: span,
      calls: [],
      resolvers: new Map(),
    };
    this.#units.push(unit);
    return unit;
  }

  /** Calls whose parent is missing are gathered per trace: nobody can say which work they belong to. */
  #strayUnit(span: Span): Unit {
    const known = this.#strays.get(span.service);
    if (known !== undefined) return known;
    const strays: Unit = {
      traceId: this.#traceId,
      service: span.service,
      operation: "unknown operation",
      entry: undefined,
      calls: [],
      resolvers: new Map(),
    };
    this.#strays.set(span.service, strays);
    this.#units.push(strays);
    return strays;
  }
}

function contextOfUnit(unit: Unit, isOrphan: boolean): Context {
  return { unit, resolver: undefined, operation: undefined, isCovered: false, isOrphan };
}

interface SeenResolver {
  readonly path: ResolverPath;
  readonly operation: string | undefined;
  readonly first: ResolverSpans["first"];
}

function noteResolver(unit: Unit, { path, operation, first }: SeenResolver): void {
  const key = `${operation ?? ""}\n${path.pattern}`;
  const known = unit.resolvers.get(key);
  if (known !== undefined) known.paths.add(path.path);
  else {
    unit.resolvers.set(key, {
      operation,
      pattern: path.pattern,
      paths: new Set([path.path]),
      first,
      hasIndices: path.indexCount > 0,
    });
  }
}

/** Whether a span begins work of its own: a request or message taken in, a tool's run, another service. */
function startsUnit(span: Span, outer: Context, call: Call | undefined): boolean {
  if (span.kind === "server" || span.kind === "consumer") return true;
  if (span.attributes["gen_ai.operation.name"] === "execute_tool") return true;
  if (span.service === outer.unit.service) return false;
  // Some tracers file a database's client spans under a service of the database's own name.
  return outer.isCovered || (call === undefined && span.kind !== "client");
}

/** A request that another service took in, seen from its caller when the caller's own span is not there. */
function servedCall(span: Span, operation: string): Call | undefined {
  if (span.kind !== "server") return undefined;
  const shape = `${span.service} ${operation}`;
  return {
    kind: "rpc.method" in span.attributes ? "rpc" : "http",
    identity: `served ${shape}`,
    shape,
    target: shape,
    peer: span.service,
    isRead: /^(?:GET|HEAD|QUERY) /.test(operation),
    batch: { isBatch: false },
    isPaged: false,
    truncated: false,
    system: "http",
    isResend: false,
  };
}

/** A call of a language model: its turns follow one another by nature, and its transport is no call of ours. */
function callsModel(span: Span): boolean {
  const { attributes } = span;
  if (typeof attributes["gen_ai.request.model"] !== "string") return false;
  const operation = attributes["gen_ai.operation.name"];
  return (
    operation !== "invoke_agent" && operation !== "create_agent" && operation !== "execute_tool"
  );
}

/** What a unit does, in words that are the same for each request of its kind. */
function operationOf(span: Span): string {
  const { attributes } = span;
  const tool = attributes["gen_ai.tool.name"];
  if (typeof tool === "string") return `execute_tool ${tool}`;
  const method = attributes["http.request.method"] ?? attributes["http.method"];
  if (typeof method === "string" && span.kind === "server") {
    const route = attributes["http.route"];
    if (typeof route === "string" && route !== "") return `${method} ${route}`;
    const target = attributes["url.path"] ?? attributes["http.target"];
    if (typeof target === "string")
      return `${method} ${templateOfPath(target.split("?", 1)[0] ?? "")}`;
  }
  return span.name
    .split(" ")
    .map((word) => (word.includes("/") ? templateOfPath(word) : looksLikeId(word) ? "{id}" : word))
    .join(" ");
}

function byTime(left: UnitCall, right: UnitCall): number {
  const [a, b] = [left.span, right.span];
  return (
    a.startMicros - b.startMicros ||
    a.durationNanos - b.durationNanos ||
    (left.call.target < right.call.target ? -1 : left.call.target > right.call.target ? 1 : 0)
  );
}
