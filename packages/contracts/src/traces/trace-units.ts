/** Takes a trace apart into units of work: what one service does for one request, message or tool call. */

import type { EvidenceId } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { compareText } from "../text/compare-text.ts";
import { type Call, isReadName } from "./call.ts";
import { CallIdentifier, isConnectionSpan } from "./identify-call.ts";
import { operationOf, stableName } from "./name-operation.ts";
import { graphqlOperationOf, type ResolverPath, resolverPathOf } from "./resolver-path.ts";
import { compareSpans } from "./trace.ts";
import type { Unit, UnitCall } from "./unit.ts";

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
  readonly trail: string;
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
  readonly #fragments = new Map<string, Unit>();

  constructor(traceId: string, parts: readonly TracePart[], identifier: CallIdentifier) {
    this.#traceId = traceId;
    this.#identifier = identifier;
    const spans = parts.flatMap(({ evidenceId, spans: list }) =>
      list.map((span) => ({ span, evidenceId })),
    );
    // In order of time, so that nothing depends on the order in which spans were sent.
    for (const { span, evidenceId } of spans.sort((a, b) => compareSpans(a.span, b.span))) {
      // A span that was sent twice is one span.
      if (this.#byId.has(span.spanId)) continue;
      this.#byId.set(span.spanId, span);
      this.#evidenceOf.set(span, evidenceId);
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
      const isFragment = parentMissing && !beginsWork(span);
      base = contextOfUnit(
        isFragment ? this.#joinFragment(span, isStray) : this.#openUnit(span),
        isStray,
      );
    }
    const ownResolver = resolverPathOf(span);
    const resolver = ownResolver ?? base.resolver;
    const operation = graphqlOperationOf(span) ?? base.operation;
    if (evidenceId === undefined) return base;
    if (outer !== undefined && outer.unit !== base.unit && !outer.isCovered) {
      const served = servedCall(span, outer, base.unit.operation);
      if (served !== undefined) {
        const { resolver, operation, trail, isOrphan } = outer;
        const seen = { span, evidenceId, call: served, resolver, operation, trail, isOrphan };
        outer.unit.calls.push(seen);
      }
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
        trail: base.trail,
        isOrphan: base.isOrphan,
      });
    }
    const isFunction =
      call === undefined && outer?.unit === base.unit && !isConnectionSpan(span.name);
    return {
      unit: base.unit,
      resolver,
      operation,
      trail:
        ownResolver === undefined && isFunction
          ? `${base.trail}>${stableName(span.name)}`
          : base.trail,
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

  /**
   * Spans whose parent is missing are joined by service and name: they may be the items of one list, and nobody
   * can say which work they belong to. A single one stands for itself.
   */
  #joinFragment(span: Span, isStray: boolean): Unit {
    const label = isStray ? "" : (resolverPathOf(span)?.pattern ?? stableName(span.name));
    const key = `${span.service}\n${label}`;
    const known = this.#fragments.get(key);
    if (known !== undefined) {
      known.entry = undefined;
      return known;
    }
    const unit = this.#openUnit(span);
    this.#fragments.set(key, unit);
    return unit;
  }
}

function contextOfUnit(unit: Unit, isOrphan: boolean): Context {
  return { unit, resolver: undefined, operation: undefined, trail: "", isCovered: false, isOrphan };
}

interface SeenResolver {
  readonly path: ResolverPath;
  readonly operation: string | undefined;
  readonly first: { readonly span: Span; readonly evidenceId: EvidenceId };
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

/** A request or message that was taken in, or a tool's run. */
function beginsWork(span: Span): boolean {
  if (span.kind === "server" || span.kind === "consumer") return true;
  return span.attributes["gen_ai.operation.name"] === "execute_tool";
}

/** Whether a span begins work of its own within `outer`: it takes something in, or is another service's. */
function startsUnit(span: Span, outer: Context, call: Call | undefined): boolean {
  if (beginsWork(span)) return true;
  if (span.service === outer.unit.service) return false;
  // Some tracers file a database's client spans under a service of the database's own name.
  return outer.isCovered || (call === undefined && span.kind !== "client");
}

/** A request that another service took in, seen from its caller when the caller's own span is not there. */
function servedCall(span: Span, outer: Context, operation: string): Call | undefined {
  if (span.kind === "consumer" || span.service === outer.unit.service) return undefined;
  const shape = `${span.service} ${operation}`;
  return {
    kind: "rpc.method" in span.attributes ? "rpc" : "http",
    identity: `served ${shape}`,
    shape,
    target: shape,
    peer: span.service,
    isRead: isReadName(operation),
    isKeyed: false,
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

function byTime(left: UnitCall, right: UnitCall): number {
  return compareSpans(left.span, right.span) || compareText(left.call.target, right.call.target);
}
