/** Groups the calls of a trace into attempts of one request: the same call again after the one before failed. */

import type { Attributes } from "../model/span.ts";
import { noParent, endMicrosOf, type Trace } from "../traces/trace.ts";
import { mark } from "../traces/marks.ts";
import { largestOf } from "./extremes.ts";
import { countOf } from "./attribute-value.ts";
import { effectKeysOf } from "./effect-keys.ts";
import { type Edge, edgeOf, isCall, targetOf } from "./edge.ts";
import { mayHaveFailed, outcomeAt, suspectsOf } from "./failures.ts";
import type { Outcome } from "./outcome.ts";
import { haveSameArguments } from "./same-arguments.ts";

export interface AttemptGroup {
  readonly trace: Trace;
  readonly edge: Edge;
  /** The span that made the attempts, or `noParent`. */
  readonly parent: number;
  /** In order of time. */
  readonly calls: readonly number[];
  readonly outcomes: readonly Outcome[];
  /** Attempts that were made, also where the trace has only the last of them. */
  readonly count: number;
  /** Whether a span says of itself that it is a further attempt. */
  readonly isDeclared: boolean;
  /** Whether these are attempts of one request beyond doubt, and not calls for several things that failed alike. */
  readonly isCertain: boolean;
  /** A read of what was not there yet, asked for again after a pause: waiting, not retrying. */
  readonly isPolling: boolean;
}

/** Between the end of one attempt and the start of the next, clocks may be off by this much. */
const overlapMicrosMax = 2_000;
/** From this pause on, asking again for what was not found may be waiting for it. */
const pollingPauseMicrosMin = 500_000;
/** A loop over things goes on at once; who waits this long between calls waits for better times. */
const pauseMicrosMin = 20_000;
/** More calls that failed alike, without a word about attempts, are rather a loop that ignores failures. */
const undeclaredCountMax = 10;
/** Wrappers of an attempt within one another. */
const wrapperDepthMax = 8;
/** Groups that are still open for a further attempt, of one edge and parent. */
const openGroupCountMax = 64;

/** All groups of two and more attempts of a trace, and single calls that declare earlier attempts. By start. */
export function attemptsOf(trace: Trace): readonly AttemptGroup[] {
  const known = attemptsByTrace.get(trace);
  if (known !== undefined) return known;
  const groups = findAttempts(trace);
  attemptsByTrace.set(trace, groups);
  return groups;
}

/** A memory and no state: a trace always has the same attempts. */
const attemptsByTrace = new WeakMap<Trace, readonly AttemptGroup[]>();

function findAttempts(trace: Trace): readonly AttemptGroup[] {
  const callers = new Set<number>();
  for (const index of suspectsOf(trace).failed) {
    if (isCall(trace, index)) callers.add(callerOf(trace, index));
  }
  if (callers.size === 0) return [];
  const groups: AttemptGroup[] = [];
  for (const caller of callers) {
    // Calls without a parent are requests of their own.
    if (caller < 0) continue;
    for (const group of groupsBelow(trace, caller)) groups.push(group);
  }
  return groups.sort((left, right) => (left.calls[0] ?? 0) - (right.calls[0] ?? 0));
}

/** The span that decided to call: the parent, past spans that only wrap an attempt. */
function callerOf(trace: Trace, index: number): number {
  let parent = trace.parents[index] ?? noParent;
  for (let depth = 0; depth < wrapperDepthMax && parent >= 0; depth += 1) {
    if (!isWrapper(trace, parent)) break;
    parent = trace.parents[parent] ?? noParent;
  }
  return parent;
}

function isWrapper(trace: Trace, index: number): boolean {
  const { kind, name } = trace.span(index);
  if (kind !== "internal" && kind !== "unspecified") return false;
  return (
    /\b(?:re-?)?tr(?:y|ies)\b|attempt|retry/i.test(name) ||
    (trace.marksOf(index) & mark.connection) !== 0
  );
}

function groupsBelow(trace: Trace, caller: number): AttemptGroup[] {
  const byKey = new Map<string, { edge: Edge; calls: number[] }>();
  const below = callsBelow(trace, caller);
  const names = new Set<string>();
  for (const call of below) if (mayHaveFailed(trace, call)) names.add(trace.span(call).name);
  for (const call of below) {
    // Attempts of one call have one name, but for a number in it.
    const { name } = trace.span(call);
    if (!names.has(name) && !/\d/.test(name)) continue;
    const edge = edgeOf(trace, call);
    const key = `${edge.name}\n${targetOf(trace, call)}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { edge, calls: [call] });
    else known.calls.push(call);
  }
  const groups: AttemptGroup[] = [];
  for (const { edge, calls } of byKey.values()) {
    const [only] = calls;
    if (calls.length === 1 && only !== undefined && declaredResends(trace, only) === 0) continue;
    for (const sequence of sequencesOf(trace, calls)) {
      const isAlone = sequence.calls.length === calls.length;
      const group = groupOf(trace, caller, { edge, isAlone, ...sequence });
      if (group.count > 1) groups.push(group);
    }
  }
  return groups;
}

function callsBelow(trace: Trace, caller: number): number[] {
  const calls: number[] = [];
  const waiting = [{ index: caller, depth: 0 }];
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    const depth = step.depth + 1;
    for (const child of trace.children(step.index)) {
      if (isCall(trace, child)) calls.push(child);
      else if (depth <= wrapperDepthMax && isWrapper(trace, child)) {
        waiting.push({ index: child, depth });
      }
    }
  }
  return calls.sort((left, right) => left - right);
}

interface Sequence {
  readonly calls: number[];
  readonly outcomes: Outcome[];
}

interface EdgeSequence extends Sequence {
  readonly edge: Edge;
  /** The caller made no other call of this edge and target. */
  readonly isAlone: boolean;
}

/** Chains each call to the earlier one that it repeats: one that failed, was over, and asked for the same. */
function sequencesOf(trace: Trace, calls: readonly number[]): Sequence[] {
  const sequences: Sequence[] = [];
  const open: Sequence[] = [];
  for (const call of calls) {
    const outcome = outcomeAt(trace, call);
    const at = open.findLastIndex((sequence) => isContinuedBy(trace, sequence, call));
    const sequence = open[at] ?? { calls: [], outcomes: [] };
    if (at >= 0) open.splice(at, 1);
    else sequences.push(sequence);
    sequence.calls.push(call);
    sequence.outcomes.push(outcome);
    // Who succeeded is not tried again.
    if (!outcome.hasFailed) continue;
    open.push(sequence);
    if (open.length > openGroupCountMax) open.shift();
  }
  return sequences;
}

function isContinuedBy(trace: Trace, { calls }: Sequence, next: number): boolean {
  const last = calls.at(-1);
  if (last === undefined) return false;
  const [before, after] = [trace.span(last), trace.span(next)];
  const isOver = endMicrosOf(before) - overlapMicrosMax <= after.startMicros;
  // Two at once are a hedge, unless the later one says that it is a further attempt.
  if (!isOver && declaredResends(trace, next) === 0) return false;
  return haveSameArguments(before.attributes, after.attributes);
}

function groupOf(
  trace: Trace,
  parent: number,
  { edge, isAlone, calls, outcomes }: EdgeSequence,
): AttemptGroup {
  const declared = calls.map((call) => declaredResends(trace, call));
  const declaredMax = largestOf(declared);
  // A redirect is also sent again: a count alone shows attempts only where the call failed.
  const isDeclared = declaredMax > 0 && (calls.length > 1 || outcomes[0]?.hasFailed === true);
  return {
    trace,
    edge,
    parent,
    calls,
    outcomes,
    count: Math.max(calls.length, isDeclared ? declaredMax + 1 : 0),
    isDeclared,
    isCertain: isDeclared || areAttempts(trace, parent, { edge, isAlone, calls, outcomes }),
    isPolling: edge.effect === "reads" && isWaiting(trace, calls, outcomes),
  };
}

/** Without a word in the spans: by what is asked for, by pauses, by wrappers, or by how all calls of the edge ended. */
function areAttempts(
  trace: Trace,
  caller: number,
  { edge, isAlone, calls, outcomes }: EdgeSequence,
): boolean {
  if (asksForOneThing(trace, calls, edge) || nameOneThing(trace, calls)) return true;
  if (calls.every((call) => (trace.parents[call] ?? noParent) !== caller)) return true;
  if (waitsOf(trace, calls).every((wait) => wait >= pauseMicrosMin)) return true;
  // Beside other calls of the edge, failures are rather items of a loop that goes on.
  if (!isAlone) return false;
  if (outcomes.at(-1)?.hasFailed === false) return true;
  // A loop over rows may fail as a whole too, and its statements hide their values.
  return (
    calls.length <= undeclaredCountMax && !edge.isDatabase && outcomeAt(trace, caller).hasFailed
  );
}

/** Whether the calls read, and what they read stands in their URL or statement. */
function asksForOneThing(trace: Trace, [first]: readonly number[], edge: Edge): boolean {
  const call = first === undefined ? undefined : trace.callOf(first);
  if (first === undefined || call === undefined || edge.effect !== "reads") return false;
  if (call.kind === "http") return true;
  if (call.kind !== "database" || call.truncated) return false;
  const hasValues = !/[?]|\$\d|(?<![:\w]):\w|%s/.test(call.target) && /['"\d]/.test(call.target);
  return hasValues || hasParameters(trace.span(first).attributes);
}

/** Whether a statement's parameters were recorded: calls of other ones are no attempts of this. */
function hasParameters(attributes: Attributes): boolean {
  for (const name in attributes) if (/^db\..*param/.test(name)) return true;
  return false;
}

/** Whether every call names the same thing, or sent a body of the same size: their arguments do not differ elsewhere. */
function nameOneThing(trace: Trace, calls: readonly number[]): boolean {
  const told = calls.map((call) => {
    const { attributes } = trace.span(call);
    const { payload, things } = effectKeysOf(attributes);
    const size = countOf(attributes, "http.request.body.size", "http.request_content_length");
    return things.length > 0
      ? things.join()
      : (payload ?? (size === undefined ? "" : String(size)));
  });
  const [first] = told;
  return first !== undefined && first !== "" && told.every((item) => item === first);
}

/** The time from the end of each attempt to the start of the next, in microseconds. */
export function waitsOf(trace: Trace, calls: readonly number[]): number[] {
  return calls.slice(1).map((call, position) => {
    const before = trace.span(calls[position] ?? call);
    return Math.max(0, trace.span(call).startMicros - endMicrosOf(before));
  });
}

function isWaiting(trace: Trace, calls: readonly number[], outcomes: readonly Outcome[]): boolean {
  const failures = outcomes.filter(({ hasFailed }) => hasFailed);
  if (!failures.every(({ code }) => /^HTTP 40[49]$|^HTTP 425$|^NOT_FOUND$/.test(code)))
    return false;
  return waitsOf(trace, calls).every((wait) => wait >= pollingPauseMicrosMin);
}

/** How many attempts a span says came before it. */
export function declaredResends(trace: Trace, index: number): number {
  if ((trace.marksOf(index) & mark.attempt) === 0) return 0;
  const { attributes } = trace.span(index);
  const before = countOf(
    attributes,
    "http.request.resend_count",
    "http.resend_count",
    "http.retry_count",
    "rpc.grpc.retry_count",
    "grpc.retry_count",
    "previous-rpc-attempts",
    "rpc.grpc.request.metadata.grpc-previous-rpc-attempts",
    "retry.count",
    "retry_count",
    "retryCount",
  );
  if (before !== undefined) return before;
  const ordinal = countOf(
    attributes,
    "http.request.header.x-envoy-attempt-count",
    "retry.attempt",
    "retry_attempt",
    "retry.number",
    "attempt.number",
    "attempt_number",
    "attempt",
  );
  return Math.max(0, (ordinal ?? 1) - 1);
}
