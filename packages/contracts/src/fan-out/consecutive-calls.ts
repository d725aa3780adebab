/** The contract `fan-out/consecutive-calls`: slow calls that do not need one another do not wait for one another. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { hasFailed } from "./repeated-query/classify-group.ts";
import { findRuns, isInTransaction, type Run } from "./find-runs.ts";
import {
  boundaryOfCalls,
  type Handler,
  handlersOf,
  millis,
  referenceToCall,
  shapeWords,
} from "./handlers.ts";
import { isIndependent, knownValuesOf, withValuesOf } from "./independent-call.ts";
import { isFile } from "./payload-bytes.ts";

/** What `fan-out/consecutive-calls` decides by. */
export interface ConsecutiveCallsOptions {
  readonly databaseCountMin: number;
  readonly databaseCallMillisMin: number;
  readonly databaseSavedMillisMin: number;
  readonly requestCountMin: number;
  readonly requestMillisMin: number;
  readonly requestSavedMillisMin: number;
  readonly savedShareMin: number;
  readonly databaseUnclearMillisMin: number;
  readonly gapMillisMax: number;
  readonly sameShapeCountMax: number;
}

/** `fan-out/consecutive-calls` with its documented defaults. */
export const consecutiveCalls: Contract = defineContract<ConsecutiveCallsOptions>({
  id: "fan-out/consecutive-calls",
  version: 2,
  boundary: "resolver-database",
  promise: "Slow calls that do not need the answers of one another run at once.",
  reads: ["trace"],
  options: {
    databaseCountMin: {
      default: 2,
      description: "Independent statements in a row from which on they are judged.",
    },
    databaseCallMillisMin: {
      default: 30,
      description: "Milliseconds from which on a statement is slow.",
    },
    databaseSavedMillisMin: {
      default: 100,
      description: "Milliseconds that running statements at once must save.",
    },
    requestCountMin: {
      default: 3,
      description: "Independent requests in a row from which on they are judged.",
    },
    requestMillisMin: {
      default: 500,
      description: "Milliseconds from which on a request is slow.",
    },
    requestSavedMillisMin: {
      default: 2_000,
      description: "Milliseconds that running requests at once must save.",
    },
    savedShareMin: {
      default: 0.1,
      description: "Share of the calls' time that running them at once must save.",
    },
    databaseUnclearMillisMin: {
      default: 500,
      description:
        "Milliseconds that statements at once could save at most from which on hidden parameters are mentioned.",
    },
    gapMillisMax: {
      default: 500,
      description: "Milliseconds between two calls up to which they follow one another.",
    },
    sameShapeCountMax: {
      default: 4,
      description:
        "Calls of one shape in a row; more of them are a loop over a list, which wants a batch.",
    },
  },
  check: (snapshot, options, found) =>
    handlersOf(snapshot).flatMap((handler) => judgeHandler(handler, options, found)),
});

/** A run of slow reads, and what running its independent calls at once would save. */
interface JudgedRun {
  readonly unit: Unit;
  readonly kind: Run["kind"];
  readonly calls: readonly UnitCall[];
  readonly independent: readonly UnitCall[];
  readonly savedMicros: number;
  /** What could be saved if every call were independent. */
  readonly savedMicrosMax: number;
  readonly totalMicros: number;
  readonly isInTransaction: boolean;
}

function judgeHandler(
  handler: Handler,
  options: ConsecutiveCallsOptions,
  found: (parts: FindingParts) => Finding,
): Finding[] {
  const runs: JudgedRun[] = [];
  const parallel: UnitCall[][] = [];
  for (const unit of handler.units) {
    if (cannotRunAtOnce(unit)) continue;
    const slow = unit.calls.filter((item) => isSlowRead(item, options));
    if (slow.length < Math.min(options.databaseCountMin, options.requestCountMin)) continue;
    const known = knownValuesOf(unit);
    runs.push(
      ...findRuns(unit, slow, options.gapMillisMax * 1_000).flatMap((run) =>
        judgeRun(unit, run, { known, options }),
      ),
    );
    const atOnce = slow.filter(
      (item, at) => isIndependent(item, known) && overlapsNeighbour(slow, at),
    );
    if (atOnce.length > 1) parallel.push(atOnce);
  }
  const worst = runs
    .filter((run) => !run.isInTransaction && isEnough(run, options))
    .sort((left, right) => right.savedMicros - left.savedMicros)[0];
  if (worst !== undefined) return [found(violation(handler, worst, runs))];
  const unclear = runs
    .filter((run) => isWorthMentioning(run, options))
    .sort((left, right) => right.totalMicros - left.totalMicros)[0];
  if (unclear !== undefined) return [found(doubt(handler, unclear))];
  const [first] = parallel;
  return first === undefined ? [] : [found(parallelCalls(handler, first))];
}

/**
 * Whether the calls of a unit could not have been made at once: PHP waits for each, and what a page does after its
 * beginning follows what a person does.
 */
function cannotRunAtOnce({ calls }: Unit): boolean {
  const resource = calls[0]?.span.resource;
  const language = resource?.["telemetry.sdk.language"];
  if (language === "php" || language === "webjs") return true;
  const sdk = resource?.["telemetry.sdk.name"];
  return typeof sdk === "string" && oneAtATime.test(sdk);
}

const oneAtATime =
  /^sentry\.(?:php\b|javascript\.(?:browser|react|vue|angular|svelte|ember|gatsby|solid|preact)\b)/;

function isSlowRead(item: UnitCall, options: ConsecutiveCallsOptions): boolean {
  const { call, span } = item;
  const millisMin =
    call.kind === "database" ? options.databaseCallMillisMin : options.requestMillisMin;
  if (span.durationNanos < millisMin * 1_000_000 || !call.isRead || hasFailed(item)) return false;
  return call.kind === "database" || !isFile(span, call.target);
}

function judgeRun(
  unit: Unit,
  run: Run,
  { known, options }: { known: ReadonlySet<string>; options: ConsecutiveCallsOptions },
): JudgedRun[] {
  const isDatabase = run.kind === "database";
  const countMin = isDatabase ? options.databaseCountMin : options.requestCountMin;
  if (run.calls.length < countMin || isLoop(run.calls, options.sameShapeCountMax)) return [];
  const totalMicros = sumOf(run.calls);
  const savedMicrosMin =
    1_000 * (isDatabase ? options.databaseSavedMillisMin : options.requestSavedMillisMin);
  // The most that can be saved, if every call were independent.
  const savedMicrosMax = totalMicros - longestOf(run.calls);
  if (savedMicrosMax < Math.max(savedMicrosMin, options.savedShareMin * totalMicros)) return [];
  // The first call waits for nothing; the others must show that they do not wait for it.
  // What it asked for was there before any answer.
  const [first] = run.calls;
  const before = first === undefined ? known : withValuesOf(known, first);
  const independent = run.calls.filter((item, at) => at === 0 || isIndependent(item, before));
  const freed = new Set(independent);
  const dependent = run.calls.filter((item) => !freed.has(item));
  const savedMicros = totalMicros - Math.max(longestOf(independent), sumOf(dependent));
  return [
    {
      unit,
      kind: run.kind,
      calls: run.calls,
      independent,
      savedMicros: independent.length < 2 ? 0 : savedMicros,
      savedMicrosMax,
      totalMicros,
      isInTransaction: isDatabase && first !== undefined && isInTransaction(first),
    },
  ];
}

function isEnough(run: JudgedRun, options: ConsecutiveCallsOptions): boolean {
  const isDatabase = run.kind === "database";
  const countMin = isDatabase ? options.databaseCountMin : options.requestCountMin;
  const millisMin = isDatabase ? options.databaseSavedMillisMin : options.requestSavedMillisMin;
  // What is asked again and again is polling, or could be asked once.
  const targets = new Set(run.independent.map(({ call }) => call.target));
  return (
    targets.size >= countMin &&
    run.savedMicros >= millisMin * 1_000 &&
    run.savedMicros >= options.savedShareMin * run.totalMicros
  );
}

/** One shape is a loop, and a few hidden parameters in ordinary statements are no news. */
function isWorthMentioning(run: JudgedRun, options: ConsecutiveCallsOptions): boolean {
  if (run.kind === "database" && run.savedMicrosMax < options.databaseUnclearMillisMin * 1_000) {
    return false;
  }
  return new Set(run.calls.map(({ call }) => call.identity)).size > 1;
}

function isLoop(calls: readonly UnitCall[], sameShapeCountMax: number): boolean {
  const counts = new Map<string, number>();
  for (const { call } of calls) counts.set(call.identity, (counts.get(call.identity) ?? 0) + 1);
  return [...counts.values()].some((count) => count > sameShapeCountMax);
}

function overlapsNeighbour(calls: readonly UnitCall[], at: number): boolean {
  const own = calls[at];
  const overlaps = (other: UnitCall | undefined): boolean => {
    if (own === undefined || other === undefined) return false;
    const [first, second] = own.index < other.index ? [own, other] : [other, own];
    return second.span.startMicros < endOf(first) - 1;
  };
  return overlaps(calls[at - 1]) || overlaps(calls[at + 1]);
}

function violation(handler: Handler, run: JudgedRun, runs: readonly JudgedRun[]): FindingParts {
  const { independent, savedMicros } = run;
  const words = independent.map(shapeWords).join("; ");
  return {
    verdict: "violated",
    subject: handler.subject,
    boundary: boundaryOfCalls(independent),
    title: `${handler.service} ${handler.operation} waits for ${independent.length} independent calls one after another; at once they would take ${millis(savedMicros)} ms less`,
    actual: `${plural(run.calls.length, "call")} in a row take ${millis(run.totalMicros)} ms; ${independent.length} of them need no answer of another: ${words}`,
    causeKind: "change",
    measures: {
      ...measuresOf(handler, run),
      runCount: runs.length,
    },
    evidence: independent.map(referenceToCall),
    fixes: [
      {
        description:
          "Start the independent calls together and wait for all of them (`Promise.all`, `asyncio.gather`, `errgroup`), each on a connection of its own.",
        cost: 1,
      },
      {
        description: "Load what does not change with the request once and keep it in a cache.",
        cost: 2,
      },
    ],
    nextChecks: [
      "After the repair, record the same request and check it: the spans of these calls must overlap.",
    ],
  };
}

function doubt(handler: Handler, run: JudgedRun): FindingParts {
  const reason = run.isInTransaction
    ? "they run in one transaction, and a connection takes one statement at a time"
    : "the record does not show whether the later ones need the answers of the earlier ones";
  return {
    verdict: "inconclusive",
    subject: handler.subject,
    boundary: boundaryOfCalls(run.calls),
    title: `${handler.service} ${handler.operation} makes ${run.calls.length} slow reads one after another, but ${reason}`,
    actual: `${plural(run.calls.length, "call")} in a row take ${millis(run.totalMicros)} ms: ${run.calls.map(shapeWords).join("; ")}`,
    measures: measuresOf(handler, run),
    evidence: run.calls.map(referenceToCall),
    missing: [
      run.isInTransaction
        ? "whether the reads need the transaction"
        : "where the values of the later calls come from: the parameters of the statements, or addresses with their values",
    ],
    nextChecks: [
      run.isInTransaction
        ? "Look whether the reads need one consistent view; if not, make them at once outside of the transaction."
        : "Look at the code between the calls: what does not use the answer before it can run at the same time.",
    ],
  };
}

function parallelCalls(handler: Handler, calls: readonly UnitCall[]): FindingParts {
  return {
    verdict: "holds",
    subject: handler.subject,
    boundary: boundaryOfCalls(calls),
    title: `${handler.service} ${handler.operation} makes its ${calls.length} slow independent calls at once`,
    actual: `${plural(calls.length, "independent call")} overlap: ${calls.map(shapeWords).join("; ")}`,
    measures: { independentCount: calls.length, requestCount: handler.units.length },
    evidence: calls.map(referenceToCall),
  };
}

function measuresOf(handler: Handler, run: JudgedRun): NonNullable<FindingParts["measures"]> {
  return {
    callKind: run.kind,
    callCount: run.calls.length,
    independentCount: run.independent.length,
    totalMillis: millis(run.totalMicros),
    savedMillis: millis(run.savedMicros),
    requestCount: handler.units.length,
  };
}

function sumOf(calls: readonly UnitCall[]): number {
  return calls.reduce((sum, { span }) => sum + span.durationNanos / 1_000, 0);
}

function longestOf(calls: readonly UnitCall[]): number {
  return calls.reduce((longest, { span }) => Math.max(longest, span.durationNanos / 1_000), 0);
}

function endOf({ span }: UnitCall): number {
  return span.startMicros + span.durationNanos / 1_000;
}
