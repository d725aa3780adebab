/** What own contracts are asked over: the items of each kind of evidence, as their expressions see them. */

import type { EvidenceReference, LogsContent, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type EvidenceOf, type Snapshot } from "../model/snapshot.ts";
import { nameOf, objectsOf, referenceTo } from "../kubernetes/objects.ts";
import type { Span } from "../model/span.ts";
import { sortedName } from "../text/labelled-name.ts";
import { operationOf } from "../traces/name-operation.ts";
import { noParent, type Trace, tracesOf } from "../traces/trace.ts";
import type { VariableTypes } from "./expression/check.ts";
import { transcriptItem } from "./transcript-item.ts";

/** One thing that a contract is asked about. */
export interface Item {
  /** In the order of the population's variables. */
  readonly values: readonly unknown[];
  /** The subject where the contract does not name it. */
  readonly subject: { readonly kind: string; readonly name: string };
  readonly reference: EvidenceReference;
}

export interface Population {
  /** For people. */
  readonly description: string;
  readonly reads: "trace" | "kubernetes" | "metrics" | "logs" | "transcript" | "environment";
  readonly variables: VariableTypes;
  items(snapshot: Snapshot): Iterable<Item>;
}

/** By the word that stands after `over:`. */
export const populations: Readonly<Record<string, Population>> = {
  span: {
    description: "each span; `trace` is the trace that it stands in",
    reads: "trace",
    variables: { span: "Span", trace: "Trace" },
    items: spanItems,
  },
  trace: {
    description: "each trace with its spans",
    reads: "trace",
    variables: { trace: "Trace" },
    items: traceItems,
  },
  kubernetes: {
    description: "each Kubernetes object; `objects` are all of them",
    reads: "kubernetes",
    variables: { object: "map", objects: "list<map>" },
    items: objectItems,
  },
  metrics: {
    description: "each metric series; `series` are its name, labels and values, `all` every series",
    reads: "metrics",
    variables: { series: "Series", all: "list<Series>" },
    items: seriesItems,
  },
  logs: {
    description: "each log with its lines",
    reads: "logs",
    variables: { log: "Log" },
    items: logItems,
  },
  line: {
    description: "each line of a log; `log` is the log that it stands in",
    reads: "logs",
    variables: { line: "Line", log: "Log" },
    items: lineItems,
  },
  transcript: {
    description: "each conversation with its turns and tool calls",
    reads: "transcript",
    variables: { transcript: "Transcript" },
    items: transcriptItems,
  },
  "tool-call": {
    description: "each call of a tool; `transcript` is the conversation that it stands in",
    reads: "transcript",
    variables: { call: "Call", transcript: "Transcript" },
    items: callItems,
  },
  environment: {
    description: "each environment; `environments` are all of them",
    reads: "environment",
    variables: { environment: "Surroundings", environments: "list<Surroundings>" },
    items: environmentItems,
  },
};

function* traceItems(snapshot: Snapshot): Generator<Item> {
  for (const trace of tracesOf(snapshot)) {
    const [first] = trace.spans;
    if (first === undefined) continue;
    const root = trace.spans.find((_span, index) => trace.parents[index] === noParent) ?? first;
    yield {
      values: [traceValue(trace)],
      subject: { kind: "trace", name: `${root.service} ${operationOf(root)}` },
      reference: trace.reference(trace.indexOf(root.spanId) ?? 0),
    };
  }
}

function* spanItems(snapshot: Snapshot): Generator<Item> {
  for (const trace of tracesOf(snapshot)) {
    const whole = traceValue(trace);
    for (const [index, span] of trace.spans.entries())
      yield new SpanItem(span, index, { trace, whole });
  }
}

/** A span, whose name and reference are made when they are asked for: most spans concern no contract. */
class SpanItem implements Item {
  readonly values: readonly unknown[];
  readonly #span: Span;
  readonly #index: number;
  readonly #trace: Trace;

  constructor(
    span: Span,
    index: number,
    { trace, whole }: { readonly trace: Trace; readonly whole: TraceValue },
  ) {
    this.values = [whole.spans[index], whole];
    this.#span = span;
    this.#index = index;
    this.#trace = trace;
  }

  get subject(): Item["subject"] {
    return { kind: "operation", name: `${this.#span.service} ${operationOf(this.#span)}` };
  }

  get reference(): EvidenceReference {
    return this.#trace.reference(this.#index);
  }
}

interface TraceValue {
  readonly traceId: string;
  readonly spans: readonly unknown[];
  readonly services: readonly string[];
}

/** What expressions see of a trace, made once for all contracts of a check. */
const traceValues = new WeakMap<Trace, TraceValue>();

function traceValue(trace: Trace): TraceValue {
  const known = traceValues.get(trace);
  if (known !== undefined) return known;
  const { traceId, spans } = trace;
  const made = {
    traceId,
    spans: spans.map(spanValue),
    services: [...new Set(spans.map((span) => span.service))].sort(),
  };
  traceValues.set(trace, made);
  return made;
}

function spanValue(span: Span): unknown {
  const { traceId, spanId, parentSpanId, name, kind, service, startMicros } = span;
  const value = {
    traceId,
    spanId,
    name,
    kind,
    service,
    startMicros,
    durationMillis: span.durationNanos / 1e6,
    status: span.status.code,
    statusMessage: span.status.message ?? "",
    attributes: span.attributes,
    resource: span.resource,
    events: span.events,
  };
  return parentSpanId === undefined ? value : Object.assign(value, { parentSpanId });
}

function* objectItems(snapshot: Snapshot): Generator<Item> {
  const sources = objectsOf(snapshot).all();
  const objects = sources.map(({ object }) => object);
  for (const source of sources) {
    yield {
      values: [source.object, objects],
      subject: { kind: source.object.kind.toLowerCase(), name: nameOf(source.object) },
      reference: referenceTo(source),
    };
  }
}

function* seriesItems(snapshot: Snapshot): Generator<Item> {
  const all = evidenceOfKind(snapshot, "metrics").flatMap(({ id, content }) =>
    content.series.map((series, index) => ({ id, index, series, value: seriesValue(series) })),
  );
  const values = all.map(({ value }) => value);
  for (const { id, index, series, value } of all) {
    yield {
      values: [value, values],
      subject: { kind: "metric", name: sortedName(series.name, series.labels) },
      reference: { evidenceId: id, locator: `/series/${index}` },
    };
  }
}

function seriesValue({ name, labels, unit, type, values, timesMicros }: MetricSeries): unknown {
  const count = values.length;
  const bounds =
    count === 0
      ? {}
      : {
          first: values[0],
          last: values[count - 1],
          min: values.reduce((least, value) => Math.min(least, value)),
          max: values.reduce((most, value) => Math.max(most, value)),
          mean: values.reduce((sum, value) => sum + value, 0) / count,
        };
  return { name, labels, unit: unit ?? "", type, values, timesMicros, ...bounds };
}

function* logItems(snapshot: Snapshot): Generator<Item> {
  for (const log of evidenceOfKind(snapshot, "logs")) {
    yield {
      values: [logValue(log.content)],
      subject: logSubject(log),
      reference: { evidenceId: log.id },
    };
  }
}

function* lineItems(snapshot: Snapshot): Generator<Item> {
  for (const log of evidenceOfKind(snapshot, "logs")) {
    const whole = logValue(log.content);
    const subject = logSubject(log);
    for (const [index, line] of whole.lines.entries()) {
      yield {
        values: [line, whole],
        subject,
        reference: { evidenceId: log.id, locator: `/lines/${index}` },
      };
    }
  }
}

function logSubject({ content, source }: EvidenceOf<"logs">): Item["subject"] {
  const { about } = content;
  if (about === undefined) return { kind: "log", name: source.name };
  const place = [about.namespace, about.pod, about.container].filter((part) => part !== undefined);
  return { kind: "log", name: place.join("/") };
}

function logValue({ about, lines }: LogsContent): { readonly lines: readonly unknown[] } {
  return {
    ...about,
    isPrevious: about?.isPrevious ?? false,
    lines: lines.map((line) => ({ attributes: {}, ...line })),
  } as { readonly lines: readonly unknown[] };
}

function* transcriptItems(snapshot: Snapshot): Generator<Item> {
  for (const evidence of evidenceOfKind(snapshot, "transcript")) {
    yield {
      values: [transcriptItem(evidence.content).value],
      subject: { kind: "transcript", name: evidence.source.name },
      reference: { evidenceId: evidence.id },
    };
  }
}

function* callItems(snapshot: Snapshot): Generator<Item> {
  for (const evidence of evidenceOfKind(snapshot, "transcript")) {
    const { value, calls } = transcriptItem(evidence.content);
    for (const call of calls) {
      yield {
        values: [call.value, value],
        subject: { kind: "tool", name: call.tool },
        reference: { evidenceId: evidence.id, locator: call.pointer },
      };
    }
  }
}

function* environmentItems(snapshot: Snapshot): Generator<Item> {
  const all = evidenceOfKind(snapshot, "environment");
  const environments = all.map(({ content }) => ({ name: content.name, facts: content.facts }));
  for (const [index, { id, content }] of all.entries()) {
    yield {
      values: [environments[index], environments],
      subject: { kind: "environment", name: content.name },
      reference: { evidenceId: id },
    };
  }
}
