/** What traces tell of the time that requests take. */

import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { numberIn } from "../traces/call.ts";
import {
  addPoint,
  addPlace,
  type DriftPart,
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

/** The operations of services, each with what its requests took. */
export function driftOfTraces(snapshot: Snapshot): DriftSubject[] {
  const subjects = new Map<string, DriftSubject>();
  // Spans are many, and their names few.
  const partsByName = new Map<string, DriftPart | undefined>();
  const partOf = ({ name, kind }: Span): DriftPart | undefined => {
    if (!partsByName.has(name)) partsByName.set(name, partOfName(name));
    return partsByName.get(name) ?? (kind === "client" ? "downstream" : undefined);
  };
  for (const evidence of evidenceOfKind(snapshot, "trace")) {
    const { content } = evidence;
    const below = new Map<string, Map<DriftPart, number>>();
    const measured: Span[] = [];
    for (const span of content.spans) {
      if (isMeasured(span)) {
        measured.push(span);
        below.set(span.spanId, new Map());
      }
    }
    if (measured.length === 0) continue;
    for (const span of content.spans) {
      const parts = span.parentSpanId === undefined ? undefined : below.get(span.parentSpanId);
      if (parts === undefined) continue;
      const part = partOf(span);
      if (part !== undefined) parts.set(part, (parts.get(part) ?? 0) + span.durationNanos);
    }
    for (const span of measured) {
      const subject = subjectOf(subjects, span);
      if (subject === undefined) continue;
      addPlace(subject, { evidence, locator: span.spanId });
      addSpan(subject, span, below.get(span.spanId) ?? new Map());
    }
  }
  return [...subjects.values()];
}

/** Requests that are served, and calls of models. */
function isMeasured(span: Span): boolean {
  if (span.kind === "server" || span.kind === "consumer") return true;
  return (
    span.attributes["gen_ai.operation.name"] !== undefined ||
    span.attributes["gen_ai.request.model"] !== undefined
  );
}

function subjectOf(subjects: Map<string, DriftSubject>, span: Span): DriftSubject | undefined {
  const name = `${span.service} ${span.name}`;
  const known = subjects.get(name);
  if (known !== undefined || subjects.size >= operationCountMax) return known;
  const made: DriftSubject = {
    kind: "operation",
    name,
    unit: "ms",
    parts: new Map(),
    load: undefined,
    places: [],
  };
  subjects.set(name, made);
  return made;
}

function addSpan(subject: DriftSubject, span: Span, below: ReadonlyMap<DriftPart, number>): void {
  const timeMicros = span.startMicros;
  const total = span.durationNanos / nanosPerMilli;
  let rest = total;
  addPoint(subject, "total", { timeMicros, value: total });
  for (const part of ["queue", "connect", "downstream"] as const) {
    const value = Math.min((below.get(part) ?? 0) / nanosPerMilli, rest);
    rest -= value;
    addPoint(subject, part, { timeMicros, value });
  }
  const first = firstTokenOf(span);
  const tokens = numberIn(span.attributes, outputTokens);
  if (first !== undefined && first <= total) {
    addPoint(subject, "first token", { timeMicros, value: first });
    if (tokens !== undefined && tokens > 1) {
      addPoint(subject, "inter-token", { timeMicros, value: (total - first) / (tokens - 1) });
    }
  } else addPoint(subject, "service", { timeMicros, value: rest });
}

function firstTokenOf(span: Span): number | undefined {
  const seconds = numberIn(span.attributes, firstTokenSeconds);
  if (seconds !== undefined) return seconds * 1_000;
  const millis = numberIn(span.attributes, firstTokenMillis);
  if (millis !== undefined) return millis;
  const event = span.events.find(({ name }) => firstTokenEvent.test(name));
  return event === undefined ? undefined : (event.timeMicros - span.startMicros) / 1_000;
}
