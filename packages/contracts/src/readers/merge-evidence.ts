/** Joins what several files hold: spans into traces, Kubernetes objects into one picture of the cluster. */

import type {
  EvidenceSource,
  KubernetesContent,
  KubernetesObject,
  TraceContent,
} from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import type { SnapshotPart } from "../snapshot/create-snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { keepParents, parentsIfDistinct } from "../traces/trace-order.ts";

/** Things of one kind that one file holds. */
export interface FromFile<T> {
  readonly source: EvidenceSource;
  readonly items: readonly T[];
}

const noteCountMax = 100;
const nameLengthMax = 4_096;

/** The spans of one trace while they are gathered, and the files in which they lie. */
interface GatheredTrace {
  readonly traceId: string;
  readonly spans: Span[];
  readonly sources: EvidenceSource[];
  /** Of which the span was that came the last time behind a span of this one: mostly it is the same again. */
  next: GatheredTrace | undefined;
}

/** Spans as traces, one for each trace id, in one order and each span once. */
export function* mergeSpans(files: readonly FromFile<Span>[]): Generator<SnapshotPart> {
  const traces = new Map<string, GatheredTrace>();
  for (const file of files) gather(file, traces);
  // Most traces lie in the same files, so what is said of them is one object.
  const known = new Map<EvidenceSource, EvidenceSource>();
  for (const { traceId, spans, sources } of traces.values()) {
    yield { source: sourceOf(sources, known), content: traceContentOf(traceId, spans) };
  }
}

function gather({ source, items }: FromFile<Span>, traces: Map<string, GatheredTrace>): void {
  let trace: GatheredTrace | undefined;
  for (let at = 0; at < items.length; at += 1) {
    const span = items[at];
    if (span === undefined) continue;
    if (trace?.traceId !== span.traceId) trace = traceAfter(trace, span.traceId, traces);
    trace.spans.push(span);
    if (trace.sources.at(-1) !== source) trace.sources.push(source);
  }
}

function traceAfter(
  last: GatheredTrace | undefined,
  traceId: string,
  traces: Map<string, GatheredTrace>,
): GatheredTrace {
  if (last?.next?.traceId === traceId) return last.next;
  const next = traceOf(traceId, traces);
  if (last !== undefined) last.next = next;
  return next;
}

function traceOf(traceId: string, traces: Map<string, GatheredTrace>): GatheredTrace {
  const known = traces.get(traceId);
  if (known !== undefined) return known;
  const trace: GatheredTrace = { traceId, spans: [], sources: [], next: undefined };
  traces.set(traceId, trace);
  return trace;
}

function sourceOf(
  sources: readonly EvidenceSource[],
  known: Map<EvidenceSource, EvidenceSource>,
): EvidenceSource {
  const [only] = sources;
  if (sources.length > 1 || only === undefined) return mergeSources(sources);
  const merged = known.get(only) ?? mergeSources(sources);
  known.set(only, merged);
  return merged;
}

/**
 * The content of one trace: sorted by time, with the most complete of the spans that share an id. They are put in order
 * where they are asked for: spans of one trace may lie far apart, and who asks finds them in the processor's cache. It
 * keeps the list.
 */
export function traceContentOf(traceId: string, spans: Span[]): TraceContent {
  let known = spans;
  let isOrdered = false;
  return {
    kind: "trace",
    traceId,
    get spans() {
      if (!isOrdered) known = inOrder(known);
      isOrdered = true;
      return known;
    },
  };
}

function inOrder(spans: Span[]): Span[] {
  const sorted = isSorted(spans) ? spans : spans.toSorted(byTime);
  const parents = parentsIfDistinct(sorted);
  if (parents !== undefined) {
    keepParents(sorted, parents);
    return sorted;
  }
  const byId = new Map<string, Span>();
  for (const span of spans) {
    const known = byId.get(span.spanId);
    if (known === undefined || isMoreComplete(span, known)) byId.set(span.spanId, span);
  }
  return sorted.filter((span) => byId.get(span.spanId) === span);
}

function isSorted(spans: readonly Span[]): boolean {
  let last = spans[0];
  for (const span of spans) {
    if (last !== undefined && byTime(last, span) > 0) return false;
    last = span;
  }
  return true;
}

function byTime(left: Span, right: Span): number {
  return (
    left.startMicros - right.startMicros ||
    (left.spanId === right.spanId ? 0 : left.spanId < right.spanId ? -1 : 1)
  );
}

function isMoreComplete(span: Span, than: Span): boolean {
  if (span === than) return false;
  if (span.durationNanos !== than.durationNanos) return span.durationNanos > than.durationNanos;
  return canonicalJson(span) > canonicalJson(than);
}

/** All objects as one piece of evidence, sorted by kind, namespace and name, equal ones once. */
export function mergeObjects(files: readonly FromFile<KubernetesObject>[]): SnapshotPart[] {
  if (files.length === 0) return [];
  const byName = Map.groupBy(
    files.flatMap((file) => file.items),
    ({ kind, metadata: { name, namespace } }) => [kind, namespace ?? "", name].join("\n"),
  );
  const sorted = [...byName].sort(([left], [right]) => compareText(left, right));
  const content: KubernetesContent = {
    kind: "kubernetes",
    objects: sorted.flatMap(([, objects]) => distinct(objects)),
  };
  return [{ source: mergeSources(files.map((file) => file.source)), content }];
}

/** Objects of one name, equal ones once, in one order. Most names have one object, and a text of each would be large. */
function distinct(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  if (objects.length === 1) return objects;
  const byText = new Map(objects.map((object) => [canonicalJson(object), object]));
  return [...byText]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, object]) => object);
}

/** One source for what came from several files; it does not depend on their order. */
export function mergeSources(sources: readonly EvidenceSource[]): EvidenceSource {
  const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();
  const name = unique(sources.map((source) => source.name)).join(", ");
  return {
    name: shorten(name, nameLengthMax),
    format: unique(sources.map((source) => source.format))
      .join(", ")
      .slice(0, 64),
    notes: unique(sources.flatMap((source) => source.notes)).slice(0, noteCountMax),
  };
}
