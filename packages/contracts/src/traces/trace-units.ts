/** Takes traces apart into units of work: what one service does for one request, message or tool call. */

import type { Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { type Call, isReadName } from "./call.ts";
import { mark } from "./marks.ts";
import { OperationNames, stableName } from "./name-operation.ts";
import { graphqlOperationOf, type ResolverPath, resolverPathOf } from "./resolver-path.ts";
import { missingParent, type Trace, tracesOf } from "./trace.ts";
import { Trail } from "./trail.ts";
import type { Unit, UnitCall } from "./unit.ts";
import { telltaleNameOf } from "./vendor-span.ts";

/** The units of all traces of a snapshot, made once for all contracts that read them. */
export function unitsOf(snapshot: Snapshot): readonly Unit[] {
  const known = unitsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const shared: SharedByReaders = {
    entryTrail: new Trail(),
    names: new OperationNames(),
    contexts: [],
  };
  const units = tracesOf(snapshot).flatMap((trace) => new UnitReader(trace, shared).read());
  unitsBySnapshot.set(snapshot, units);
  return units;
}

/** A memory and no state: the same snapshot always has the same units. */
const unitsBySnapshot = new WeakMap<Snapshot, readonly Unit[]>();

/** What is known about the surroundings of a span, from itself and its ancestors in the same unit. */
interface Context {
  readonly unit: Unit;
  readonly resolver: ResolverPath | undefined;
  readonly operation: string | undefined;
  readonly trail: Trail;
  /** Within a call or a model call of the same unit: what is nested in it is its own transport. */
  readonly isCovered: boolean;
  /** The nearest ancestor that is no connection span is missing. */
  readonly isOrphan: boolean;
}

/** What the readers of all traces of a snapshot share. */
interface SharedByReaders {
  readonly entryTrail: Trail;
  readonly names: OperationNames;
  /** By the index of the span; each reader uses the list anew. */
  readonly contexts: (Context | undefined)[];
}

class UnitReader {
  readonly #trace: Trace;
  readonly #shared: SharedByReaders;
  readonly #contexts: (Context | undefined)[];
  readonly #units: Unit[] = [];
  /** Most traces have none. */
  #fragments: Map<string, Unit> | undefined;

  constructor(trace: Trace, shared: SharedByReaders) {
    this.#trace = trace;
    this.#shared = shared;
    this.#contexts = shared.contexts;
  }

  read(): Unit[] {
    const { length } = this.#trace.spans;
    this.#contexts.fill(undefined, 0, length);
    while (this.#contexts.length < length) this.#contexts.push(undefined);
    for (let index = 0; index < length; index += 1) this.#contextOf(index);
    for (const { calls } of this.#units) {
      // A parent that seems to start after its child was entered early, and with it its place among the calls.
      if (!areInOrder(calls)) calls.sort((left, right) => left.index - right.index);
    }
    return this.#units;
  }

  /** Computes contexts from the outermost unknown ancestor inwards, without recursion. */
  #contextOf(index: number): void {
    if (this.#contexts[index] !== undefined) return;
    const { parents } = this.#trace;
    const parent = parents[index] ?? missingParent;
    const parentContext = parent < 0 ? undefined : this.#contexts[parent];
    // Parents come before their children, except where clocks disagree.
    if (parent < 0 || parentContext !== undefined) {
      this.#contexts[index] = this.#enter(index, parentContext);
      return;
    }
    const chain: number[] = [];
    let current = index;
    let context: Context | undefined;
    while (current >= 0) {
      context = this.#contexts[current];
      if (context !== undefined) break;
      chain.push(current);
      current = parents[current] ?? missingParent;
    }
    for (let at = chain.length - 1; at >= 0; at -= 1) {
      const next = chain[at] ?? index;
      context = this.#enter(next, context);
      this.#contexts[next] = context;
    }
  }

  /** The context of a span below `outer`, which is absent for a span without a known parent. */
  #enter(index: number, outer: Context | undefined): Context {
    const trace = this.#trace;
    const span = trace.span(index);
    const marks = trace.marksOf(index);
    const call = trace.callOf(index);
    const isConnection = call === undefined && (marks & mark.connection) !== 0;
    let base = outer;
    if (base === undefined || startsUnit({ span, marks }, base, call)) {
      const parentMissing = outer === undefined && span.parentSpanId !== undefined;
      const isStray = parentMissing && (call !== undefined || isConnection);
      const isFragment = parentMissing && !beginsWork(span, marks);
      const unit = isFragment ? this.#joinFragment(index, isStray) : this.#openUnit(index);
      base = {
        unit,
        resolver: undefined,
        operation: undefined,
        trail: this.#shared.entryTrail,
        isCovered: false,
        isOrphan: isStray,
      };
    }
    const mayResolve = (marks & mark.graphql) !== 0;
    const ownResolver = mayResolve ? resolverPathOf(span) : undefined;
    const resolver = ownResolver ?? base.resolver;
    const operation = (mayResolve ? graphqlOperationOf(span) : undefined) ?? base.operation;
    if (outer !== undefined && outer.unit !== base.unit && !outer.isCovered) {
      this.#noteServed(index, outer, base.unit.operation);
    }
    if (ownResolver !== undefined) noteResolver(base.unit, ownResolver, operation, index);
    const isModelCall = (marks & mark.genAi) !== 0 && callsModel(span);
    if (call !== undefined && !base.isCovered && !isModelCall) {
      const { isOrphan } = base;
      const place = base.trail.placeOf(call.identity);
      base.unit.calls.push({ trace, index, span, call, resolver, operation, place, isOrphan });
    }
    const isFunction = call === undefined && outer?.unit === base.unit && !isConnection;
    const isCovered = base.isCovered || call !== undefined || isModelCall;
    const isOrphan = base.isOrphan && isConnection;
    // Most spans change nothing: they live in the context of their parent.
    if (
      !(isFunction && ownResolver === undefined) &&
      resolver === base.resolver &&
      operation === base.operation &&
      isCovered === base.isCovered &&
      isOrphan === base.isOrphan
    ) {
      return base;
    }
    return {
      unit: base.unit,
      resolver,
      operation,
      trail:
        ownResolver === undefined && isFunction
          ? base.trail.below((marks & mark.vendor) === 0 ? span.name : telltaleNameOf(span))
          : base.trail,
      isCovered,
      isOrphan,
    };
  }

  #noteServed(index: number, outer: Context, servedOperation: string): void {
    const trace = this.#trace;
    const span = trace.span(index);
    const call = servedCall(span, outer, servedOperation);
    if (call === undefined) return;
    const { resolver, operation, isOrphan } = outer;
    const place = outer.trail.placeOf(call.identity);
    outer.unit.calls.push({ trace, index, span, call, resolver, operation, place, isOrphan });
  }

  #openUnit(index: number): Unit {
    const span = this.#trace.span(index);
    const unit: Unit = {
      trace: this.#trace,
      service: span.service,
      operation: this.#shared.names.operationOf(span),
      entry: span,
      entryIndex: index,
      calls: [],
      resolvers: undefined,
    };
    this.#units.push(unit);
    return unit;
  }

  /**
   * Spans whose parent is missing are joined by service and name: they may be the items of one list, and nobody
   * can say which work they belong to. A single one stands for itself.
   */
  #joinFragment(index: number, isStray: boolean): Unit {
    const span = this.#trace.span(index);
    const label = isStray ? "" : (resolverPathOf(span)?.pattern ?? stableName(span.name));
    const key = `${span.service}\n${label}`;
    this.#fragments ??= new Map();
    const known = this.#fragments.get(key);
    if (known !== undefined) {
      known.entry = undefined;
      return known;
    }
    const unit = this.#openUnit(index);
    this.#fragments.set(key, unit);
    return unit;
  }
}

function areInOrder(calls: readonly UnitCall[]): boolean {
  let last = 0;
  for (const { index } of calls) {
    if (index < last) return false;
    last = index;
  }
  return true;
}

function noteResolver(
  unit: Unit,
  path: ResolverPath,
  ...[operation, firstIndex]: [string | undefined, number]
): void {
  const key = `${operation ?? ""}\n${path.pattern}`;
  const resolvers = (unit.resolvers ??= new Map());
  const known = resolvers.get(key);
  if (known !== undefined) {
    known.paths.add(path.path);
    return;
  }
  resolvers.set(key, {
    operation,
    pattern: path.pattern,
    paths: new Set([path.path]),
    firstIndex,
    hasIndices: path.indexCount > 0,
  });
}

/** A request or message that was taken in, or a tool's run. */
function beginsWork(span: Span, marks: number): boolean {
  if (span.kind === "server" || span.kind === "consumer") return true;
  return (marks & mark.genAi) !== 0 && span.attributes["gen_ai.operation.name"] === "execute_tool";
}

/** Whether a span begins work of its own within `outer`: it takes something in, or is another service's. */
function startsUnit(
  { span, marks }: { span: Span; marks: number },
  outer: Context,
  call: Call | undefined,
): boolean {
  if (beginsWork(span, marks)) return true;
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
