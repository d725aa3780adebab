/** What traces tell of the time that requests take. */

import type { Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { numberIn } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { noParent, type Trace, tracesOf } from "../traces/trace.ts";
import {
  addPlace,
  type DriftPart,
  type DriftPlace,
  type DriftSubject,
  partOfName,
} from "./drift-parts.ts";

const nanosPerMilli = 1_000_000;
const operationCountMax = 10_000;
const firstTokenSeconds = [
  "gen_ai.response.time_to_first_chunk",
  "gen_ai.server.time_to_first_token",
  "gen_ai.response.time_to_first_token",
  "llm.time_to_first_token",
];
const firstTokenMillis = ["gen_ai.response.ttft_ms", "llm.ttft_ms", "ttft_ms"];
const outputTokens = [
  "gen_ai.usage.output_tokens",
  "gen_ai.usage.completion_tokens",
  "llm.usage.completion_tokens",
];
const firstTokenEvent = /first[_. -]?(?:token|chunk)/i;

const servedMarks = mark.server | mark.consumer;

/** What is told of a request by the spans below it; the rest is its service's own. */
const partsBelow = ["queue", "connect", "downstream"] as const;

/** An operation while its requests are gathered. Of parts that few requests tell of, a value stands only where it is told. */
interface Operation extends DriftSubject {
  readonly times: number[];
  readonly parts: Map<DriftPart, number[]>;
}

/** The operations of services, each with what its requests took. */
export function driftOfTraces(snapshot: Snapshot): DriftSubject[] {
  const operations = new Operations();
  const parts = new PartsByName();
  for (const trace of tracesOf(snapshot)) {
    if (trace.hasMarks(servedMarks | mark.genAi)) addTrace(trace, operations, parts);
  }
  return operations.list();
}

function addTrace(trace: Trace, operations: Operations, parts: PartsByName): void {
  const { parents } = trace;
  // For each span one more than its place among the measured ones, and zero for all others.
  const places = new Uint32Array(parents.length);
  const measured: number[] = [];
  for (let index = 0; index < parents.length; index += 1) {
    if (isMeasured(trace, index)) places[index] = measured.push(index);
  }
  if (measured.length === 0) return;
  const below = new Float64Array(measured.length * partsBelow.length);
  for (let index = 0; index < parents.length; index += 1) {
    const place = places[parents[index] ?? noParent] ?? 0;
    if (place === 0) continue;
    const span = trace.span(index);
    const part = parts.of(span);
    if (part < 0) continue;
    const at = (place - 1) * partsBelow.length + part;
    below[at] = (below[at] ?? 0) + span.durationNanos;
  }
  measured.forEach((index, at) => {
    const span = trace.span(index);
    const operation = operations.of(span);
    if (operation === undefined) return;
    addPlace(operation, () => ({ evidence: evidenceOf(trace, index), locator: span.spanId }));
    const first = mayTellFirstToken(trace, index) ? firstTokenOf(span) : undefined;
    addSpan(operation, span, { below, from: at * partsBelow.length, first });
  });
}

/** Requests that are served, and calls of models. */
function isMeasured(trace: Trace, index: number): boolean {
  const marks = trace.marksOf(index);
  if ((marks & servedMarks) !== 0) return true;
  if ((marks & mark.genAi) === 0) return false;
  const { attributes } = trace.span(index);
  return (
    attributes["gen_ai.operation.name"] !== undefined ||
    attributes["gen_ai.request.model"] !== undefined
  );
}

function evidenceOf(trace: Trace, index: number): DriftPlace["evidence"] {
  return {
    get id() {
      return trace.evidenceIdOf(index);
    },
  };
}

/** Which part of the request above a span tells of; spans are many, and their names few. */
class PartsByName {
  readonly #places = new Map<string, number>();

  /** Its place in `partsBelow`, or -1. */
  of({ name, kind }: Span): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      const part = partOfName(name);
      place = part === undefined ? unnamedPart : partsBelow.findIndex((below) => below === part);
      this.#places.set(name, place);
    }
    if (place !== unnamedPart) return place;
    return kind === "client" ? downstreamPlace : -1;
  }
}

const unnamedPart = -2;
const downstreamPlace = partsBelow.indexOf("downstream");

class Operations {
  readonly #byService = new Map<string, Map<string, Operation>>();
  readonly #list: Operation[] = [];

  of({ service, name }: Span): Operation | undefined {
    let byName = this.#byService.get(service);
    if (byName === undefined) {
      byName = new Map();
      this.#byService.set(service, byName);
    }
    const known = byName.get(name);
    if (known !== undefined || this.#list.length >= operationCountMax) return known;
    const made: Operation = {
      kind: "operation",
      name: `${service} ${name}`,
      unit: "ms",
      times: [],
      parts: new Map(),
      load: undefined,
      places: [],
    };
    byName.set(name, made);
    this.#list.push(made);
    return made;
  }

  list(): Operation[] {
    return this.#list;
  }
}

interface Measured {
  /** Nanoseconds of each of `partsBelow`, those of this span from `from` on. */
  readonly below: Float64Array;
  readonly from: number;
  /** Milliseconds to the first token of an answer. */
  readonly first: number | undefined;
}

function addSpan(operation: Operation, span: Span, { below, from, first }: Measured): void {
  const place = operation.times.push(span.startMicros) - 1;
  const total = span.durationNanos / nanosPerMilli;
  let rest = total;
  addValue(operation, "total", { place, value: total });
  for (let at = 0; at < partsBelow.length; at += 1) {
    const value = Math.min((below[from + at] ?? 0) / nanosPerMilli, rest);
    rest -= value;
    addValue(operation, partsBelow[at] ?? "service", { place, value });
  }
  if (first !== undefined && first <= total) {
    const tokens = numberIn(span.attributes, outputTokens);
    addValue(operation, "first token", { place, value: first });
    if (tokens !== undefined && tokens > 1) {
      addValue(operation, "inter-token", { place, value: (total - first) / (tokens - 1) });
    }
  } else addValue(operation, "service", { place, value: rest });
}

function addValue(
  { parts }: Operation,
  part: DriftPart,
  { place, value }: { readonly place: number; readonly value: number },
): void {
  let values = parts.get(part);
  if (values === undefined) {
    values = [];
    parts.set(part, values);
  }
  // Requests before this one that told nothing of the part.
  while (values.length < place) values.push(Number.NaN);
  values.push(value);
}

/** Most requests are answered whole, and say nothing of a first token. */
function mayTellFirstToken(trace: Trace, index: number): boolean {
  return (
    (trace.marksOf(index) & (mark.genAi | mark.event)) !== 0 ||
    trace.span(index).attributes["ttft_ms"] !== undefined
  );
}

function firstTokenOf(span: Span): number | undefined {
  const seconds = numberIn(span.attributes, firstTokenSeconds);
  if (seconds !== undefined) return seconds * 1_000;
  const millis = numberIn(span.attributes, firstTokenMillis);
  if (millis !== undefined) return millis;
  const event = span.events.find(({ name }) => firstTokenEvent.test(name));
  return event === undefined ? undefined : (event.timeMicros - span.startMicros) / 1_000;
}
