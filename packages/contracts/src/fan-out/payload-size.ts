/** The contract `fan-out/payload-size`: answers, messages and contexts stay within a budget. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { coveredTime } from "../traces/intervals.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { hasFailed } from "./repeated-query/classify-group.ts";
import { judgeContexts } from "./context-growth.ts";
import { type Handler, handlersOf, millis, referenceToCall } from "./handlers.ts";
import { judgeMessages } from "./message-size.ts";
import { isFile, responseBytesOf } from "./payload-bytes.ts";

/** What `fan-out/payload-size` decides by. */
export interface PayloadSizeOptions {
  readonly responseBytesMax: number;
  readonly durationMillisMin: number;
  readonly amplificationMax: number;
  readonly messageBytesMax: number;
  readonly contextStepTokensMax: number;
  readonly contextStepRatioMax: number;
}

/** `fan-out/payload-size` with its documented defaults. */
export const payloadSize: Contract = defineContract<PayloadSizeOptions>({
  id: "fan-out/payload-size",
  version: 1,
  boundary: "service-service",
  promise:
    "No answer, message or step of a context is larger than its budget, and no service fetches far more than it returns.",
  reads: ["trace"],
  options: {
    responseBytesMax: {
      default: 1_000_000,
      description: "Bytes up to which an answer is within its budget.",
    },
    durationMillisMin: {
      default: 100,
      description: "Milliseconds from which on a large answer costs time worth mentioning.",
    },
    amplificationMax: {
      default: 100,
      description:
        "How many times more bytes than it returns a request may fetch, once these exceed the budget of an answer.",
    },
    messageBytesMax: {
      default: 1_000_000,
      description: "Bytes up to which a message on a queue or a topic is within its budget.",
    },
    contextStepTokensMax: {
      default: 20_000,
      description: "Input tokens that one turn of an agent may add to its context.",
    },
    contextStepRatioMax: {
      default: 3,
      description:
        "How many times larger a context may become from one turn to the next before a step counts as large.",
    },
  },
  check: (snapshot, options, found) => checkPayloads(snapshot, options).map(found),
});

function checkPayloads(snapshot: Snapshot, options: PayloadSizeOptions): FindingParts[] {
  return [
    ...handlersOf(snapshot).flatMap((handler) => judgeHandler(handler, options)),
    ...judgeMessages(snapshot, options.messageBytesMax),
    ...judgeContexts(snapshot, options),
  ];
}

/** What one request answered and fetched, as far as sizes are recorded. */
interface Traffic {
  readonly unit: Unit;
  readonly returnedBytes: number | undefined;
  /** Calls whose answers have a recorded size, and that are no files. */
  readonly calls: readonly SizedCall[];
  readonly fetchedBytes: number;
}

interface SizedCall {
  readonly item: UnitCall;
  readonly bytes: number;
}

function judgeHandler(handler: Handler, options: PayloadSizeOptions): FindingParts[] {
  const traffic = handler.units.flatMap(trafficOf);
  if (traffic.length === 0) return [];
  return [
    largeAnswers(handler, traffic, options) ??
      largeFetches(handler, traffic, options) ??
      overFetch(handler, traffic, options) ??
      withinBudget(handler, traffic, options),
  ].flat();
}

function trafficOf(unit: Unit): Traffic[] {
  const { trace, entry, entryIndex } = unit;
  const answered =
    entry?.kind === "server" ? responseBytesOf(entry, trace.marksOf(entryIndex)) : undefined;
  const isAnswer = answered !== undefined && entry !== undefined && !isFile(entry, unit.operation);
  const returnedBytes = isAnswer ? answered : undefined;
  const calls: SizedCall[] = [];
  for (const item of unit.calls) {
    const bytes = responseBytesOf(item.span, trace.marksOf(item.index));
    if (bytes === undefined || hasFailed(item) || isFile(item.span, item.call.target)) continue;
    // A span that another service served is that service's answer, counted there.
    if (item.span.kind !== "server") calls.push({ item, bytes });
  }
  if (returnedBytes === undefined && calls.length === 0) return [];
  const fetchedBytes = calls.reduce((sum, { bytes }) => sum + bytes, 0);
  return [{ unit, returnedBytes, calls, fetchedBytes }];
}

function isSlow(nanos: number, options: PayloadSizeOptions): boolean {
  return nanos >= options.durationMillisMin * 1_000_000;
}

function largeAnswers(
  handler: Handler,
  traffic: readonly Traffic[],
  options: PayloadSizeOptions,
): FindingParts | undefined {
  const large = traffic
    .filter(
      ({ returnedBytes, unit }) =>
        (returnedBytes ?? 0) > options.responseBytesMax &&
        isSlow(unit.entry?.durationNanos ?? 0, options),
    )
    .sort((left, right) => (right.returnedBytes ?? 0) - (left.returnedBytes ?? 0));
  const bytes = large[0]?.returnedBytes;
  if (bytes === undefined) return undefined;
  return {
    verdict: "violated",
    subject: handler.subject,
    title: `${handler.service} ${handler.operation} answers with up to ${bytesWords(bytes)}, more than the budget of ${bytesWords(options.responseBytesMax)}`,
    actual: `${plural(large.length, "answer")} of ${handler.units.length} beyond the budget; the largest has ${bytesWords(bytes)}`,
    causeKind: "data",
    measures: {
      responseBytesMax: bytes,
      budgetBytes: options.responseBytesMax,
      requestCountLarge: large.length,
      requestCount: handler.units.length,
    },
    evidence: large.map(({ unit, returnedBytes }) =>
      unit.trace.reference(unit.entryIndex, bytesWords(returnedBytes ?? 0)),
    ),
    fixes: answerFixes,
    nextChecks: [afterRepair],
  };
}

function largeFetches(
  handler: Handler,
  traffic: readonly Traffic[],
  options: PayloadSizeOptions,
): FindingParts | undefined {
  const large = traffic
    .flatMap(({ calls }) => calls)
    .filter(
      ({ item, bytes }) =>
        bytes > options.responseBytesMax && isSlow(item.span.durationNanos, options),
    )
    .sort((left, right) => right.bytes - left.bytes);
  const [largest] = large;
  if (largest === undefined) return undefined;
  const { item, bytes } = largest;
  return {
    verdict: "violated",
    subject: handler.subject,
    boundary: item.call.kind === "database" ? "resolver-database" : "service-service",
    title: `${handler.service} ${handler.operation} fetches up to ${bytesWords(bytes)} with one call, more than the budget of ${bytesWords(options.responseBytesMax)}: ${item.call.shape}`,
    actual: `${plural(large.length, "answer")} beyond the budget; the largest has ${bytesWords(bytes)} and took ${millis(item.span.durationNanos / 1_000)} ms`,
    causeKind: "data",
    measures: {
      responseBytesMax: bytes,
      budgetBytes: options.responseBytesMax,
      callCountLarge: large.length,
      requestCount: handler.units.length,
    },
    evidence: large.map((call) => referenceToCall(call.item)),
    fixes: answerFixes,
    nextChecks: [afterRepair],
  };
}

/** A service that fetches far more than it hands on throws most of it away. */
function overFetch(
  handler: Handler,
  traffic: readonly Traffic[],
  options: PayloadSizeOptions,
): FindingParts | undefined {
  const wasteful = traffic
    .filter(
      ({ returnedBytes, fetchedBytes, calls }) =>
        returnedBytes !== undefined &&
        fetchedBytes > options.responseBytesMax &&
        fetchedBytes > options.amplificationMax * Math.max(1, returnedBytes) &&
        coveredTime(calls.map(({ item }) => item.span)).unionMicros >=
          options.durationMillisMin * 1_000,
    )
    .sort((left, right) => right.fetchedBytes - left.fetchedBytes);
  const [worst] = wasteful;
  if (worst === undefined) return undefined;
  const returnedBytes = worst.returnedBytes ?? 0;
  const times = Math.round(worst.fetchedBytes / Math.max(1, returnedBytes));
  return {
    verdict: "violated",
    subject: handler.subject,
    title: `${handler.service} ${handler.operation} fetches ${times} times as much as it returns: ${bytesWords(worst.fetchedBytes)} for ${bytesWords(returnedBytes)}`,
    actual: `${plural(worst.calls.length, "call")} bring ${bytesWords(worst.fetchedBytes)}; the answer has ${bytesWords(returnedBytes)}`,
    causeKind: "data",
    measures: {
      fetchedBytes: worst.fetchedBytes,
      returnedBytes,
      amplification: times,
      requestCountWasteful: wasteful.length,
      requestCount: handler.units.length,
    },
    evidence: worst.calls.map(({ item }) => referenceToCall(item)),
    fixes: [
      {
        description:
          "Ask for what is needed only: fields, a filter, an aggregate or a limit on the side that has the data.",
        cost: 1,
      },
    ],
    nextChecks: [afterRepair],
  };
}

function withinBudget(
  handler: Handler,
  traffic: readonly Traffic[],
  options: PayloadSizeOptions,
): FindingParts | readonly FindingParts[] {
  const sizes = traffic.map(({ returnedBytes, fetchedBytes }) =>
    Math.max(returnedBytes ?? 0, fetchedBytes),
  );
  const largest = sizes.reduce((large, size) => Math.max(large, size), 0);
  // What is beyond the budget and cost no time, or only as a sum, is neither a fault nor its absence.
  if (largest > options.responseBytesMax) return [];
  const widest = traffic[sizes.indexOf(largest)];
  const limit = traffic.every(hasAllSizes) ? "" : ", where sizes are recorded";
  return {
    verdict: "holds",
    subject: handler.subject,
    title: `${handler.service} ${handler.operation} answers and fetches at most ${bytesWords(largest)} in one request${limit}`,
    actual: `at most ${bytesWords(largest)} in ${plural(traffic.length, "request")} with recorded sizes`,
    measures: {
      bytesMax: largest,
      budgetBytes: options.responseBytesMax,
      requestCount: handler.units.length,
    },
    evidence:
      widest === undefined
        ? []
        : [widest.unit.trace.reference(widest.unit.entryIndex, bytesWords(largest))],
  };
}

/** Whether every answer of another service that the unit fetched has its size on record. */
function hasAllSizes({ unit, calls }: Traffic): boolean {
  const sized = new Set(calls.map(({ item }) => item));
  return unit.calls.every(
    (item) =>
      sized.has(item) ||
      item.call.kind === "database" ||
      hasFailed(item) ||
      isFile(item.span, item.call.target),
  );
}

const answerFixes = [
  {
    description:
      "Return a page, and the fields that the caller uses, with a largest page that the callee enforces.",
    cost: 1,
  },
  { description: "Compress the answer, or stream it where the caller can work on parts.", cost: 2 },
];

const afterRepair =
  "After the repair, record the same request on data of the same size and check it: this subject must hold.";

/** Bytes in words: `1.5 MB`. */
export function bytesWords(bytes: number): string {
  if (bytes >= 1_000_000) return `${Math.round(bytes / 100_000) / 10} MB`;
  return bytes >= 1_000 ? `${Math.round(bytes / 100) / 10} kB` : `${bytes} B`;
}
