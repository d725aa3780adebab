/** The contract `fan-out/repeated-sequence`: no sequence of different calls is made anew for each item of a list. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import { coveredTime } from "../traces/intervals.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { hasFailed, isWarmUp } from "./repeated-query/classify-group.ts";
import { findSequence, type Sequence } from "./find-sequence.ts";
import {
  boundaryOfCalls,
  type Handler,
  handlersOf,
  millis,
  referenceToCall,
  shapeWords,
  shareOfUnit,
} from "./handlers.ts";
import { repeatedQueryOptions } from "./repeated-query/options.ts";
import { haveSameValues } from "./same-values.ts";

interface RepeatedSequenceOptions {
  readonly repetitionCountMin: number;
  readonly repetitionCountSlowMin: number;
  readonly slowTimeMillisMin: number;
  readonly patternLengthMax: number;
  readonly pollingPauseMicrosMin: number;
  readonly cacheSystems: readonly string[];
}

/** `fan-out/repeated-sequence` with its documented defaults. */
export const repeatedSequence: Contract = defineContract<RepeatedSequenceOptions>({
  id: "fan-out/repeated-sequence",
  version: 1,
  boundary: "resolver-database",
  promise:
    "No sequence of different calls is made anew for each item of a list within one request.",
  reads: ["trace"],
  options: {
    repetitionCountMin: {
      default: 5,
      description: "Repetitions from which on a sequence counts as repeated, however fast it is.",
    },
    repetitionCountSlowMin: {
      default: 3,
      description: "The same for sequences with a statement that take long together.",
    },
    slowTimeMillisMin: {
      default: 100,
      description: "Milliseconds from which on the calls of a sequence take long together.",
    },
    patternLengthMax: {
      default: 8,
      description: "Calls that one repetition of a sequence may have at most.",
    },
    pollingPauseMicrosMin: repeatedQueryOptions.pollingPauseMicrosMin,
    cacheSystems: repeatedQueryOptions.cacheSystems,
  },
  check: (snapshot, options, found) =>
    handlersOf(snapshot).flatMap((handler) => judgeHandler(handler, options, found)),
});

interface SequenceOfUnit {
  readonly unit: Unit;
  readonly sequence: Sequence;
  readonly timeMicros: number;
}

function judgeHandler(
  handler: Handler,
  options: RepeatedSequenceOptions,
  found: (parts: FindingParts) => Finding,
): Finding[] {
  const seen = handler.units.flatMap((unit) => sequenceOf(unit, options));
  const worst = widestOf(seen);
  if (worst === undefined) return [];
  const { unit, sequence, timeMicros } = worst;
  const { pattern, repetitionCount } = sequence;
  const others = seen.filter((item) => item !== worst);
  const doubt = doubtOf(worst);
  const shapes = pattern.map(shapeWords).join("; then ");
  const calls = plural(sequence.calls.length, "call");
  const part: FindingParts = {
    verdict: doubt === undefined ? "violated" : "inconclusive",
    subject: handler.subject,
    boundary: boundaryOfCalls(pattern),
    title: `${handler.service} ${handler.operation} ran one sequence of ${pattern.length} calls ${repetitionCount} times in one request${doubt === undefined ? "" : `, but ${doubt.words}`}: ${shapes}`,
    expected: `fewer than ${options.repetitionCountMin} repetitions of a sequence of calls for a list, however long it is`,
    actual: `${calls}: ${pattern.length} for each of ${repetitionCount} repetitions, ${millis(timeMicros)} ms in all: ${shapes}`,
    causeKind: doubt === undefined ? "change" : "none",
    measures: {
      repetitionCount,
      patternLength: pattern.length,
      callCount: sequence.calls.length,
      unionMillis: millis(timeMicros),
      shareOfOperation: shareOfUnit(unit, timeMicros),
      listLength: listLengthOf(unit, sequence),
      requestCount: handler.units.length,
      requestCountRepeated: seen.length,
    },
    evidence: [worst, ...others].flatMap((item) => item.sequence.calls).map(referenceToCall),
    missing: doubt === undefined ? [] : [doubt.missing],
    ...(doubt === undefined ? { fixes: fixesFor(sequence) } : {}),
    nextChecks: [
      "Record the same request for a list of another length and check both traces together: the repetitions must follow the list.",
    ],
  };
  return [found(part)];
}

/** The sequence that a unit repeats, unless it is of a kind that is repeated by nature. */
function sequenceOf(unit: Unit, options: RepeatedSequenceOptions): SequenceOfUnit[] {
  const { repetitionCountMin, repetitionCountSlowMin, patternLengthMax } = options;
  const countMin = Math.min(repetitionCountMin, repetitionCountSlowMin);
  if (unit.calls.length < 2 * countMin || isWarmUp(unit)) return [];
  const calls = unit.calls.filter(
    (item) =>
      !options.cacheSystems.includes(item.call.system) && !item.call.isResend && !hasFailed(item),
  );
  const sequence = findSequence(calls, Math.max(2, countMin), Math.max(2, patternLengthMax));
  if (sequence === undefined || isRepeatedByNature(sequence, options)) return [];
  const timeMicros = coveredTime(sequence.calls.map(({ span }) => span)).unionMicros;
  // A few calls of services for a few things are how services are made; a few slow statements could be one.
  const hasStatement = sequence.pattern.some(({ call }) => call.kind === "database");
  const isLong = hasStatement && timeMicros >= options.slowTimeMillisMin * 1_000;
  const needed = isLong ? repetitionCountSlowMin : repetitionCountMin;
  return sequence.repetitionCount >= needed ? [{ unit, sequence, timeMicros }] : [];
}

function isRepeatedByNature(sequence: Sequence, options: RepeatedSequenceOptions): boolean {
  const { calls, pattern, repetitionCount } = sequence;
  if (calls.some(({ call }) => call.isPaged)) return true;
  // A worker takes one thing after another from a queue, so that others can take theirs.
  if (pattern.some(({ call }) => /\bskip locked\b/.test(call.shape))) return true;
  // Whatever works through a long list in chunks loads or writes several things in every call.
  if (calls.every(({ call }) => call.batch.isBatch || (call.rowCount ?? 0) > 2)) return true;
  if (calls.some(({ call }) => (call.batch.size ?? 0) > 2 && !call.isRead)) return true;
  const peers = new Set(calls.map(({ call }) => call.peer).filter((peer) => peer !== ""));
  if (peers.size >= repetitionCount) return true;
  return medianPause(calls, pattern.length) >= options.pollingPauseMicrosMin;
}

/** The median time in which nothing of the sequence runs between two repetitions. */
function medianPause(calls: readonly UnitCall[], patternLength: number): number {
  const pauses: number[] = [];
  for (let at = patternLength; at < calls.length; at += patternLength) {
    const [before, next] = [calls[at - 1]?.span, calls[at]?.span];
    if (before === undefined || next === undefined) continue;
    const end = before.startMicros + before.durationNanos / 1_000;
    pauses.push(Math.max(0, next.startMicros - end));
  }
  return pauses.sort((left, right) => left - right)[Math.floor(pauses.length / 2)] ?? 0;
}

function widestOf(seen: readonly SequenceOfUnit[]): SequenceOfUnit | undefined {
  let widest: SequenceOfUnit | undefined;
  for (const item of seen) {
    if (widest === undefined || item.sequence.calls.length > widest.sequence.calls.length) {
      widest = item;
    }
  }
  return widest;
}

interface Doubt {
  readonly words: string;
  readonly missing: string;
}

function doubtOf({ unit, sequence }: SequenceOfUnit): Doubt | undefined {
  const { calls, pattern } = sequence;
  if (unit.entry === undefined || calls.some((item) => item.isOrphan)) {
    return {
      words: "the spans above them are not in the trace",
      missing: `the spans above the calls in trace ${unit.trace.traceId}: which handler made them`,
    };
  }
  if (calls.some(({ call }) => call.truncated || call.batch.isHidden === true)) {
    return {
      words: "the recorded statements are cut or hide their lists, so they may differ",
      missing: "the whole text of the statements",
    };
  }
  if (pattern.every(({ call }) => call.kind !== "database" && !call.isRead)) {
    return {
      words:
        "each may be needed, because nothing shows that the callees take several things at once",
      missing: "whether the called services have an operation for many items",
    };
  }
  const shapes = new Set(pattern.map(({ call }) => call.identity));
  const callsOf = (shape: string): UnitCall[] =>
    calls.filter(({ call }) => call.identity === shape);
  if ([...shapes].every((shape) => haveSameValues(callsOf(shape)))) {
    return {
      words:
        "all with the same values: it may wait for a change, because nothing shows a list behind it",
      missing:
        "what each repetition was made for: a list behind them, or that the answers never changed",
    };
  }
  return undefined;
}

/** Rows of an earlier call that are as many as the repetitions: the list that the handler walks. */
function listLengthOf(unit: Unit, { calls, repetitionCount }: Sequence): number | undefined {
  const first = calls[0];
  const own = new Set(calls.map(({ call }) => call.identity));
  return unit.calls.find(
    (item) =>
      first !== undefined &&
      item.index < first.index &&
      !own.has(item.call.identity) &&
      item.call.rowCount === repetitionCount,
  )?.call.rowCount;
}

function fixesFor({ pattern }: Sequence): NonNullable<FindingParts["fixes"]> {
  const hasWrites = pattern.some(({ call }) => !call.isRead);
  return [
    {
      description:
        "Turn the loop inside out: make each call of the sequence once for all items (`IN (…)`, `= ANY($1)`, an endpoint for many ids) and join the answers by key in memory.",
      cost: 1,
    },
    {
      description: hasWrites
        ? "Write all rows with one statement of many rows after the loop."
        : "Join what the later statements load to the statement that loads the list.",
      cost: 2,
    },
  ];
}
