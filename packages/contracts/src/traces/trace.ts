/** A trace as contracts walk it: spans in order of time, each once, with their parents, children and calls. */

import type { EvidenceId, EvidenceReference } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { compareText } from "../text/compare-text.ts";
import type { Call } from "./call.ts";
import { CallIdentifier } from "./identify-call.ts";
import { MarkFinder } from "./marks.ts";

/** In `parents`: the span names no parent. */
export const noParent = -1;
/** In `parents`: the span names a parent that the trace does not have. */
export const missingParent = -2;

/** The traces of a snapshot, made once for all contracts that read it. Pieces of one trace are joined. */
export function tracesOf(snapshot: Snapshot): readonly Trace[] {
  const known = tracesBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const parts = new Map<string, TracePart[]>();
  for (const evidence of evidenceOfKind(snapshot, "trace")) {
    const { content } = evidence;
    const part = { evidence, spans: content.spans };
    const list = parts.get(content.traceId);
    if (list === undefined) parts.set(content.traceId, [part]);
    else list.push(part);
  }
  const tools = { identifier: new CallIdentifier(), markFinder: new MarkFinder() };
  const traces = [...parts].map(([traceId, list]) => new Trace(traceId, list, tools));
  tracesBySnapshot.set(snapshot, traces);
  return traces;
}

/** A memory and no state: the same snapshot always has the same traces. */
const tracesBySnapshot = new WeakMap<Snapshot, readonly Trace[]>();

interface TracePart {
  /** Its id is asked for only where it is quoted: it may have to be computed. */
  readonly evidence: { readonly id: EvidenceId };
  readonly spans: readonly Span[];
}

/** What the traces of a snapshot share: memories of texts that come again and again. */
interface SharedTools {
  readonly identifier: CallIdentifier;
  readonly markFinder: MarkFinder;
}

/** Spans are named by their index in `spans`, so that what is known about them lies in flat arrays. */
export class Trace {
  readonly traceId: string;
  /** In order of their start, of two at once the longer one first; a span that was recorded twice stands here once. */
  readonly spans: readonly Span[];
  /** For each span the index of its parent, `noParent` or `missingParent`. Never a cycle. */
  readonly parents: Int32Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  /** Made again where it is asked for: it is large, and few ask. */
  #indexById: ReadonlyMap<string, number> | undefined;
  readonly #parts: readonly TracePart[];
  readonly #tools: SharedTools;
  #evidenceOf: ReadonlyMap<Span, EvidenceId> | undefined;
  #calls: (Call | undefined)[] | undefined;
  #marks: Uint32Array | undefined;
  #marksOfAny = 0;
  #hasEventOrError = false;

  constructor(traceId: string, parts: readonly TracePart[], tools: SharedTools) {
    this.traceId = traceId;
    this.#parts = parts;
    this.#tools = tools;
    const indexById = new Map<string, number>();
    const spans: Span[] = [];
    const [only] = parts;
    const all =
      parts.length === 1 && only !== undefined
        ? [...only.spans]
        : parts.flatMap((part) => part.spans);
    for (const span of all.sort(compareSpans)) {
      if (indexById.has(span.spanId)) continue;
      indexById.set(span.spanId, spans.length);
      spans.push(span);
    }
    this.spans = spans;
    this.parents = parentsOf(spans, indexById);
    this.#firstChild = new Int32Array(spans.length).fill(noParent);
    this.#nextSibling = new Int32Array(spans.length).fill(noParent);
    // From the last to the first, so that each list of children comes out in order of time.
    for (let index = spans.length - 1; index >= 0; index -= 1) {
      const parent = this.parents[index] ?? noParent;
      if (parent < 0) continue;
      this.#nextSibling[index] = this.#firstChild[parent] ?? noParent;
      this.#firstChild[parent] = index;
    }
  }

  /** The span at an index of this trace. */
  span(index: number): Span {
    const span = this.spans[index];
    if (span === undefined) throw new RangeError(`The trace has no span ${index}.`);
    return span;
  }

  /** The index of a span's id, or `undefined` when the trace does not have it. */
  indexOf(spanId: string): number | undefined {
    this.#indexById ??= new Map(this.spans.map((span, index) => [span.spanId, index]));
    return this.#indexById.get(spanId);
  }

  /** The indices of a span's children, by start. */
  *children(index: number): Generator<number> {
    for (
      let child = this.#firstChild[index] ?? noParent;
      child >= 0;
      child = this.#nextSibling[child] ?? noParent
    ) {
      yield child;
    }
  }

  /** The call that a span records, or `undefined` when it records none. */
  callOf(index: number): Call | undefined {
    return (this.#calls ?? this.#findCalls())[index];
  }

  #findCalls(): (Call | undefined)[] {
    const { identifier } = this.#tools;
    this.#calls = this.spans.map((span, at) => identifier.identify(span, this.marksOf(at)));
    return this.#calls;
  }

  /** Which families of attributes a span has, as a sum of `mark`. */
  marksOf(index: number): number {
    return (this.#marks ?? this.#findMarks())[index] ?? 0;
  }

  /** Whether any span has one of these marks: most traces have nothing of what a contract looks for. */
  hasMarks(marks: number): boolean {
    if (this.#marks === undefined) this.#findMarks();
    return (this.#marksOfAny & marks) !== 0;
  }

  /** Whether any span has an event, or a status that says that it failed. */
  hasEventOrError(): boolean {
    if (this.#marks === undefined) this.#findMarks();
    return this.#hasEventOrError;
  }

  #findMarks(): Uint32Array {
    const { markFinder } = this.#tools;
    const found = new Uint32Array(this.spans.length);
    let at = 0;
    for (const { name, attributes, events, status } of this.spans) {
      const marks = markFinder.marksOf(name, attributes);
      found[at] = marks;
      at += 1;
      this.#marksOfAny |= marks;
      if (events.length > 0 || status.code === "error") this.#hasEventOrError = true;
    }
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
    if (this.#parts.length === 1 && only !== undefined) return only.evidence.id;
    this.#evidenceOf ??= new Map(
      this.#parts.flatMap((part) =>
        part.spans.map((span): [Span, EvidenceId] => [span, part.evidence.id]),
      ),
    );
    const id = this.#evidenceOf.get(this.span(index));
    if (id === undefined) throw new RangeError(`No evidence recorded the span ${index}.`);
    return id;
  }
}

/** When a span ended, in microseconds since 1970. */
export function endMicrosOf({ startMicros, durationNanos }: Span): number {
  return startMicros + durationNanos / 1_000;
}

/** By start; of two that start at once the longer one comes first, as a parent does. */
export function compareSpans(left: Span, right: Span): number {
  return (
    left.startMicros - right.startMicros ||
    right.durationNanos - left.durationNanos ||
    compareText(left.name, right.name) ||
    compareText(left.spanId, right.spanId)
  );
}

function parentsOf(spans: readonly Span[], indexById: ReadonlyMap<string, number>): Int32Array {
  const parents = Int32Array.from(spans, ({ parentSpanId }) =>
    parentSpanId === undefined ? noParent : (indexById.get(parentSpanId) ?? missingParent),
  );
  cutCycles(parents);
  return parents;
}

/** A span that is its own ancestor has no outermost one: the first of them in time counts as cut off. */
function cutCycles(parents: Int32Array): void {
  const walkOf = new Int32Array(parents.length).fill(noParent);
  for (let start = 0; start < parents.length; start += 1) {
    let index = start;
    while (index >= 0 && walkOf[index] === noParent) {
      walkOf[index] = start;
      index = parents[index] ?? noParent;
    }
    if (index >= 0 && walkOf[index] === start) parents[earliestOf(parents, index)] = missingParent;
  }
}

/** The lowest index on the cycle through `index`. */
function earliestOf(parents: Int32Array, index: number): number {
  let earliest = index;
  for (let at = parents[index] ?? index; at !== index; at = parents[at] ?? index) {
    earliest = Math.min(earliest, at);
  }
  return earliest;
}
