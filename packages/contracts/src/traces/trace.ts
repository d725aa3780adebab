/** A trace as contracts walk it: spans in order of time, each once, with their parents, children and calls. */

import type { EvidenceId, EvidenceReference } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span, SpanKind } from "../model/span.ts";
import type { Call } from "./call.ts";
import { CallIdentifier } from "./identify-call.ts";
import { mark, MarkFinder } from "./marks.ts";
import { indicesOf, noParent, orderOf, type TraceOrder } from "./trace-order.ts";
import { kindOf } from "./vendor-span.ts";

export { missingParent, noParent } from "./trace-order.ts";

/** The traces of a snapshot, made once for all contracts that read it. Pieces of one trace are joined. */
export function tracesOf(snapshot: Snapshot): readonly Trace[] {
  const known = tracesBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const parts = new Map<string, TracePart[]>();
  for (const evidence of evidenceOfKind(snapshot, "trace")) {
    const { traceId } = evidence.content;
    const list = parts.get(traceId);
    if (list === undefined) parts.set(traceId, [evidence]);
    else list.push(evidence);
  }
  const tools = {
    identifier: new CallIdentifier(),
    markFinder: new MarkFinder(),
    services: new Map(),
  };
  const traces = [...parts].map(([traceId, list]) => new Trace(traceId, list, tools));
  tracesBySnapshot.set(snapshot, traces);
  return traces;
}

/** A memory and no state: the same snapshot always has the same traces. */
const tracesBySnapshot = new WeakMap<Snapshot, readonly Trace[]>();

/** A piece of evidence. Its id is asked for only where it is quoted: it may have to be computed. */
interface TracePart {
  readonly id: EvidenceId;
  readonly content: { readonly spans: readonly Span[] };
}

const noCalls: readonly (Call | undefined)[] = [];

/** For each span the first of its children, and the next child of its parent; `noParent` ends a list. */
interface ChildLinks {
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
}

/** What the traces of a snapshot share: memories of texts that come again and again. */
interface SharedTools {
  readonly identifier: CallIdentifier;
  readonly markFinder: MarkFinder;
  /** A number for each service. */
  readonly services: Map<string, number>;
}

/**
 * Spans are named by their index in `spans`, so that what is known about them lies in flat arrays. All that is known is
 * found where it is asked for first: the spans of one trace may lie far apart in memory, and who goes through all traces
 * finds those of each still in the processor's cache when it comes to what follows from their order.
 */
export class Trace {
  readonly traceId: string;
  readonly #parts: readonly TracePart[];
  readonly #tools: SharedTools;
  #order: TraceOrder | undefined;
  #links: ChildLinks | undefined;
  /** Made again where it is asked for: it is large, and few ask. */
  #indexById: ReadonlyMap<string, number> | undefined;
  #evidenceOf: ReadonlyMap<Span, EvidenceId> | undefined;
  #calls: readonly (Call | undefined)[] = noCalls;
  #marks: Uint32Array | undefined;
  #marksOfAny = 0;
  #services: Uint32Array = new Uint32Array();

  constructor(traceId: string, parts: readonly TracePart[], tools: SharedTools) {
    this.traceId = traceId;
    this.#parts = parts;
    this.#tools = tools;
  }

  /** In order of their start, of two at once the longer one first; a span that was recorded twice stands here once. */
  get spans(): readonly Span[] {
    return (this.#order ?? this.#findOrder()).spans;
  }

  /** For each span the index of its parent, `noParent` or `missingParent`. Never a cycle. */
  get parents(): Int32Array {
    return (this.#order ?? this.#findOrder()).parents;
  }

  #findOrder(): TraceOrder {
    const parts = this.#parts;
    const [only] = parts;
    const isWhole = parts.length === 1 && only !== undefined;
    this.#order = orderOf(
      isWhole ? only.content.spans : parts.flatMap(({ content }) => content.spans),
    );
    return this.#order;
  }

  /** The span at an index of this trace. */
  span(index: number): Span {
    const span = this.spans[index];
    if (span === undefined) throw new RangeError(`The trace has no span ${index}.`);
    return span;
  }

  /** The index of a span's id, or `undefined` when the trace does not have it. */
  indexOf(spanId: string): number | undefined {
    this.#indexById ??= indicesOf(this.spans);
    return this.#indexById.get(spanId);
  }

  /** The indices of a span's children, by start. */
  *children(index: number): Generator<number> {
    const { firstChild, nextSibling } = (this.#links ??= linksOf(this.parents));
    for (
      let child = firstChild[index] ?? noParent;
      child >= 0;
      child = nextSibling[child] ?? noParent
    ) {
      yield child;
    }
  }

  /** The call that a span records, or `undefined` when it records none. */
  callOf(index: number): Call | undefined {
    if (this.#marks === undefined) this.#findMarks();
    return this.#calls[index];
  }

  /** What a span tells of, as a sum of `mark`. */
  marksOf(index: number): number {
    return (this.#marks ?? this.#findMarks())[index] ?? 0;
  }

  /** A number that spans of one service share, whatever their trace. */
  serviceAt(index: number): number {
    if (this.#marks === undefined) this.#findMarks();
    return this.#services[index] ?? 0;
  }

  /** The span's kind, also where only a tag tells it; `internal` where there is none. */
  kindAt(index: number): SpanKind {
    const marks = this.marksOf(index);
    if ((marks & mark.vendor) !== 0) return kindOf(this.span(index), marks);
    if ((marks & mark.client) !== 0) return "client";
    if ((marks & mark.server) !== 0) return "server";
    if ((marks & mark.consumer) !== 0) return "consumer";
    return (marks & mark.producer) === 0 ? "internal" : "producer";
  }

  /** Whether any span has one of these marks: most traces have nothing of what a contract looks for. */
  hasMarks(marks: number): boolean {
    if (this.#marks === undefined) this.#findMarks();
    return (this.#marksOfAny & marks) !== 0;
  }

  /** Marks and calls are found together: nearly all who ask for the ones ask for the others, and both read attributes. */
  #findMarks(): Uint32Array {
    const { markFinder, identifier, services } = this.#tools;
    const { spans } = this;
    const found = new Uint32Array(spans.length);
    const numbers = new Uint32Array(spans.length);
    let marksOfAny = 0;
    let service: string | undefined;
    let number = 0;
    this.#calls = spans.map((span, index) => {
      const marks = markFinder.marksOf(span);
      found[index] = marks;
      marksOfAny |= marks;
      // Spans of one service mostly follow one another.
      if (span.service !== service) {
        service = span.service;
        number = numberOf(service, services);
      }
      numbers[index] = number;
      return identifier.identify(span, marks);
    });
    this.#services = numbers;
    this.#marksOfAny = marksOfAny;
    this.#marks = found;
    return found;
  }

  /** A pointer to a span, with words from it when given. */
  reference(index: number, quote?: string): EvidenceReference {
    const span = this.span(index);
    return {
      evidenceId: this.evidenceIdOf(index),
      locator: span.spanId,
      ...(quote === undefined ? {} : { quote }),
    };
  }

  /** The evidence that recorded a span. */
  evidenceIdOf(index: number): EvidenceId {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only !== undefined) return only.id;
    this.#evidenceOf ??= new Map(
      this.#parts.flatMap((part) =>
        part.content.spans.map((span): [Span, EvidenceId] => [span, part.id]),
      ),
    );
    const id = this.#evidenceOf.get(this.span(index));
    if (id === undefined) throw new RangeError(`No evidence recorded the span ${index}.`);
    return id;
  }
}

function numberOf(service: string, services: Map<string, number>): number {
  const known = services.get(service);
  if (known !== undefined) return known;
  services.set(service, services.size + 1);
  return services.size;
}

/** When a span ended, in microseconds since 1970. */
export function endMicrosOf({ startMicros, durationNanos }: Span): number {
  return startMicros + durationNanos / 1_000;
}

function linksOf(parents: Int32Array): ChildLinks {
  const firstChild = new Int32Array(parents.length).fill(noParent);
  const nextSibling = new Int32Array(parents.length).fill(noParent);
  // From the last to the first, so that each list of children comes out in order of time.
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    const parent = parents[index] ?? noParent;
    if (parent < 0) continue;
    nextSibling[index] = firstChild[parent] ?? noParent;
    firstChild[parent] = index;
  }
  return { firstChild, nextSibling };
}
