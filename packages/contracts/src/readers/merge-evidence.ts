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
import { shorten } from "../text/cut-text.ts";

/** Things of one kind that one file holds. */
export interface FromFile<T> {
  readonly source: EvidenceSource;
  readonly items: readonly T[];
}

const noteCountMax = 100;
const nameLengthMax = 4_096;

/** Spans as traces, one for each trace id, in one order and each span once. */
export function mergeSpans(files: readonly FromFile<Span>[]): SnapshotPart[] {
  const traces = new Map<string, { spans: Span[]; sources: Set<EvidenceSource> }>();
  for (const { source, items } of files) {
    for (const span of items) {
      const trace = traces.get(span.traceId) ?? { spans: [], sources: new Set() };
      if (trace.spans.length === 0) traces.set(span.traceId, trace);
      trace.spans.push(span);
      trace.sources.add(source);
    }
  }
  return [...traces].map(([traceId, { spans, sources }]) => ({
    source: mergeSources([...sources]),
    content: traceContentOf(traceId, spans),
  }));
}

/** The content of one trace: sorted by time, with the most complete of the spans that share an id. */
export function traceContentOf(traceId: string, spans: readonly Span[]): TraceContent {
  const byId = new Map<string, Span>();
  for (const span of spans) {
    const known = byId.get(span.spanId);
    if (known === undefined || isMoreComplete(span, known)) byId.set(span.spanId, span);
  }
  const sorted = [...byId.values()].sort(
    (left, right) => left.startMicros - right.startMicros || (left.spanId < right.spanId ? -1 : 1),
  );
  return { kind: "trace", traceId, spans: sorted };
}

function isMoreComplete(span: Span, than: Span): boolean {
  if (span === than) return false;
  if (span.durationNanos !== than.durationNanos) return span.durationNanos > than.durationNanos;
  return canonicalJson(span) > canonicalJson(than);
}

/** All objects as one piece of evidence, sorted by kind, namespace and name, equal ones once. */
export function mergeObjects(files: readonly FromFile<KubernetesObject>[]): SnapshotPart[] {
  if (files.length === 0) return [];
  const byKey = new Map<string, KubernetesObject>();
  for (const object of files.flatMap((file) => file.items)) {
    const { name, namespace } = object.metadata;
    byKey.set([object.kind, namespace ?? "", name, canonicalJson(object)].join("\n"), object);
  }
  const sorted = [...byKey].sort(([left], [right]) => (left < right ? -1 : 1));
  const content: KubernetesContent = {
    kind: "kubernetes",
    objects: sorted.map(([, object]) => object),
  };
  return [{ source: mergeSources(files.map((file) => file.source)), content }];
}

/** One source for what came from several files; it does not depend on their order. */
function mergeSources(sources: readonly EvidenceSource[]): EvidenceSource {
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
