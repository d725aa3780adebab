/** Histories of keys: what was read, written and added, as spans and records of logs tell it. */

import type { Attributes, AttributeValue } from "../model/span.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { shorten } from "../text/cut-text.ts";
import { mark } from "../traces/marks.ts";
import { recordKeyNames, recordOwnerNames, recordPlaceNames } from "../traces/record-key.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";

/** One operation on a key that is known to have succeeded. */
export interface HistoryStep {
  readonly kind: "read" | "write" | "increment";
  /** The version that a write went out from, and the one that it left. */
  readonly base: string | undefined;
  readonly result: string | undefined;
  readonly value: number | undefined;
  readonly delta: number | undefined;
  /** Who did it: a process, a session, a request. */
  readonly author: string;
  /** Whose span or line it is; not every line tells. */
  readonly service: string | undefined;
  readonly timeMicros: number;
  readonly endMicros: number;
  /** Its id is read when it is quoted, as it may have to be computed. */
  readonly evidence: { readonly id: string };
  readonly locator: string;
  readonly quote: string;
}

const kindNames = [
  "history.op",
  "db.operation.name",
  "db.operation",
  "operation",
  "op",
  "action",
  "f",
];
const baseNames = [
  "base_version",
  "version.read",
  "read_version",
  "expected_version",
  "version.base",
  "if_match",
  "version_before",
  "prev_version",
];
const resultNames = [
  "new_version",
  "version.written",
  "written_version",
  "version_after",
  "version.new",
];
const valueNames = ["value", "counter.value", "balance", "count"];
const deltaNames = ["delta", "increment", "amount", "by"];
const authorNames = [
  "process",
  "session.id",
  "session",
  "client.id",
  "client",
  "actor",
  "worker",
  "writer",
];

/** The steps of each key; of what failed, or is not known to have succeeded, none. */
export function historiesOf(snapshot: Snapshot): ReadonlyMap<string, readonly HistoryStep[]> {
  const histories = new Map<string, HistoryStep[]>();
  const add: AddStep = (attributes, step) => {
    const key = recordOf(attributes, step.service);
    const kind = kindOf(textAt(attributes, kindNames));
    if (key === undefined || kind === undefined || hasFailed(attributes)) return;
    const known = histories.get(key) ?? [];
    histories.set(key, known);
    known.push({
      ...step,
      kind,
      base: textAt(attributes, baseNames),
      result: textAt(attributes, resultNames),
      value: numberAt(attributes, valueNames),
      delta: numberAt(attributes, deltaNames),
      author: textAt(attributes, authorNames) ?? step.author,
    });
  };
  // Most traces are of no history, which their marks tell before anything is made for them.
  for (const trace of tracesOf(snapshot)) {
    if (trace.hasMarks(mark.recordKey)) addTrace(trace, add);
  }
  for (const evidence of evidenceOfKind(snapshot, "logs")) {
    evidence.content.lines.forEach(
      ({ attributes, timeMicros, text, traceId, severity, service }, index) => {
        const isFailure = severity === "error" || severity === "fatal";
        if (attributes === undefined || timeMicros === undefined || isFailure) return;
        add(attributes, {
          author: traceId === undefined ? `line ${index + 1}` : `trace ${traceId.slice(0, 12)}`,
          service,
          timeMicros,
          endMicros: timeMicros,
          evidence,
          locator: `/lines/${index}`,
          quote: shorten(text, 200),
        });
      },
    );
  }
  return histories;
}

/**
 * The record with its place, as far as it is told. Bare numbers are counted by every table anew: without a table they
 * name one record only within a service.
 */
function recordOf(attributes: Attributes, service: string | undefined): string | undefined {
  const key = textAt(attributes, recordKeyNames);
  if (key === undefined) return undefined;
  const place = textAt(attributes, recordPlaceNames) ?? (/^\d+$/.test(key) ? service : undefined);
  return [textAt(attributes, recordOwnerNames), place, key]
    .filter((part) => part !== undefined)
    .join(" ");
}

type AddStep = (attributes: Attributes, step: Omit<HistoryStep, StepFact>) => void;

function addTrace(trace: Trace, add: AddStep): void {
  for (let index = 0; index < trace.spans.length; index += 1) {
    const marks = trace.marksOf(index);
    if ((marks & mark.recordKey) === 0 || (marks & mark.failedStatus) !== 0) continue;
    const span = trace.span(index);
    add(span.attributes, {
      author: `trace ${span.traceId.slice(0, 12)}`,
      service: span.service,
      timeMicros: span.startMicros,
      endMicros: span.startMicros + span.durationNanos / 1_000,
      evidence: {
        get id() {
          return trace.evidenceIdOf(index);
        },
      },
      locator: span.spanId,
      quote: span.name,
    });
  }
}

type StepFact = "kind" | "base" | "result" | "value" | "delta";

function kindOf(operation: string | undefined): HistoryStep["kind"] | undefined {
  if (operation === undefined) return undefined;
  if (/^(?:read|get|select|load)$/i.test(operation)) return "read";
  if (/^(?:incr\w*|increment|add|inc)$/i.test(operation)) return "increment";
  return /^(?:write|put|set|update|cas|save)$/i.test(operation) ? "write" : undefined;
}

/** What Jepsen calls `info` may have happened or not; it is no step that is known to have succeeded. */
function hasFailed(attributes: Attributes): boolean {
  const outcome = textAt(attributes, ["outcome", "type", "status", "result", "ok"]);
  return (
    outcome !== undefined &&
    /^(?:fail\w*|error|info|invoke|false|conflict|rejected|aborted|timeout)$/i.test(outcome)
  );
}

function textAt(attributes: Attributes, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value: AttributeValue | undefined = attributes[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
  }
  return undefined;
}

function numberAt(attributes: Attributes, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = attributes[name];
    const number =
      typeof value === "string" && /^-?\d{1,15}(?:\.\d{1,6})?$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number)) return number;
  }
  return undefined;
}
