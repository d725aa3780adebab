/** The contract `fan-out/bounded-result`: what a request reads has a limit that the data cannot outgrow. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import type { Call } from "../traces/call.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { hasFailed } from "./repeated-query/classify-group.ts";
import { type Handler, handlersOf, millis, referenceToCall, shapeWords } from "./handlers.ts";
import { isFile, responseBytesOf } from "./payload-bytes.ts";
import { boundOf, type ResultBound } from "./result-bound.ts";
import { type Trend, trendOf } from "./trend.ts";

interface BoundedResultOptions {
  readonly rowCountMax: number;
  readonly slowMillisMin: number;
  readonly trendCountMin: number;
  readonly trendTauMin: number;
  readonly trendGrowthMin: number;
  readonly trendRowCountMin: number;
  readonly trendBytesMin: number;
}

/** `fan-out/bounded-result` with its documented defaults. */
export const boundedResult: Contract = defineContract<BoundedResultOptions>({
  id: "fan-out/bounded-result",
  version: 1,
  boundary: "resolver-database",
  promise:
    "What a request reads is bounded by a limit, a key or an aggregate, not by how much data there is.",
  reads: ["trace"],
  options: {
    rowCountMax: {
      default: 1_000,
      description: "Rows that a read without a limit may bring.",
    },
    slowMillisMin: {
      default: 100,
      description:
        "Milliseconds from which on a read of a whole table without recorded rows is mentioned.",
    },
    trendCountMin: {
      default: 5,
      description: "Requests from which on a growth of the same read over time is judged.",
    },
    trendTauMin: {
      default: 0.8,
      description: "Kendall's tau from which on results are said to grow over time.",
    },
    trendGrowthMin: {
      default: 2,
      description: "How many times larger the largest result must be than the smallest.",
    },
    trendRowCountMin: {
      default: 100,
      description: "Rows from which on a growing result is worth mentioning.",
    },
    trendBytesMin: {
      default: 100_000,
      description: "Bytes from which on a growing answer is worth mentioning.",
    },
  },
  check: (snapshot, options, found) => judgeReads(snapshot, options).map(found),
});

/** Reads of one table or address by one handler. */
interface Source {
  readonly handler: Handler;
  readonly name: string;
  readonly reads: Read[];
}

interface Read {
  readonly item: UnitCall;
  readonly bound: ResultBound;
  readonly rowCount: number | undefined;
  readonly bytes: number | undefined;
}

function judgeReads(snapshot: Snapshot, options: BoundedResultOptions): FindingParts[] {
  const bounds = new Map<string, ResultBound | undefined>();
  const boundFor = (call: Call): ResultBound | undefined => {
    // What a document or an address asks for stands in its values, what a statement asks for in its shape.
    const key =
      call.kind === "database" && !/^\s*[{[]/.test(call.target) ? call.shape : call.target;
    const known = bounds.get(key);
    if (known !== undefined || bounds.has(key)) return known;
    const bound = boundOf(call);
    bounds.set(key, bound);
    return bound;
  };
  return handlersOf(snapshot).flatMap((handler) =>
    [...sourcesOf(handler, boundFor, options).values()]
      .sort((left, right) => compareText(left.name, right.name))
      .flatMap((source) => judgeSource(source, options))
      .sort((left, right) => verdictOrder[left.verdict] - verdictOrder[right.verdict])
      .slice(0, sourcesReportedMax),
  );
}

const verdictOrder = { violated: 0, inconclusive: 1, holds: 2 } as const;
/** Tables and addresses of one handler that are reported, the worst first. */
const sourcesReportedMax = 64;

function sourcesOf(
  handler: Handler,
  boundFor: (call: Call) => ResultBound | undefined,
  options: BoundedResultOptions,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const unit of handler.units) {
    // A job may read all there is; a request that somebody waits for may not.
    if (!answersSomebody(unit)) continue;
    for (const item of unit.calls) {
      const read = readOf(item, boundFor, options);
      if (read === undefined) continue;
      const name = nameOfSource(item.call);
      const known = sources.get(name);
      if (known === undefined) sources.set(name, { handler, name, reads: [read] });
      else known.reads.push(read);
    }
  }
  return sources;
}

/** What a call read, when that is known or took long, and nothing else says how much it may be. */
function readOf(
  item: UnitCall,
  boundFor: (call: Call) => ResultBound | undefined,
  options: BoundedResultOptions,
): Read | undefined {
  const { call, span, trace, index } = item;
  const { rowCount } = call;
  const bytes = call.kind === "database" ? undefined : responseBytesOf(span, trace.marksOf(index));
  const isKnown = rowCount !== undefined || bytes !== undefined;
  if (!isKnown && span.durationNanos < options.slowMillisMin * 1_000_000) return undefined;
  const bound = boundFor(call);
  if (bound === undefined || bound === "keyed" || hasFailed(item)) return undefined;
  if (call.kind === "http" && isFile(span, call.target)) return undefined;
  return { item, bound, rowCount, bytes };
}

function answersSomebody({ entry, calls }: Unit): boolean {
  return entry?.kind === "server" || calls.some(({ resolver }) => resolver !== undefined);
}

/** The table that a statement reads first, or the address without its parameters. */
function nameOfSource({ kind, shape }: Call): string {
  if (kind !== "database") return shape.split("?", 1)[0] ?? shape;
  const table = /\bfrom ([^\s(),;]+)/.exec(shape)?.[1];
  return table === undefined ? shorten(shape, 200) : table.replace(/["`[\]]/g, "");
}

function judgeSource(source: Source, options: BoundedResultOptions): FindingParts[] {
  const open = source.reads.filter(({ bound }) => bound === "open");
  const large = open
    .filter(({ rowCount }) => (rowCount ?? 0) > options.rowCountMax)
    .sort((left, right) => (right.rowCount ?? 0) - (left.rowCount ?? 0));
  if (large.length > 0) return [largeResult(source, large, options)];
  const grown = growthOfReads(open, options);
  if (grown !== undefined) return [growingResult(source, open, grown)];
  const unknown = open.filter(
    ({ item, rowCount }) => rowCount === undefined && readsAll(item.call),
  );
  if (unknown.length > 0) return [unknownResult(source, unknown)];
  const limited = source.reads.filter(
    ({ bound, rowCount }) => bound === "bounded" && rowCount !== undefined,
  );
  return open.length === 0 && limited.length > 0 ? [limitedResult(source, limited)] : [];
}

/** A whole table: no condition, no join that could be one. */
function readsAll({ kind, shape }: Call): boolean {
  return (
    kind === "database" && /^select\b/.test(shape) && !/\bwhere\b|\bjoin\b|\bhaving\b/.test(shape)
  );
}

interface GrownReads {
  readonly trend: Trend;
  readonly unit: "rows" | "bytes";
}

function growthOfReads(
  open: readonly Read[],
  options: BoundedResultOptions,
): GrownReads | undefined {
  for (const unit of ["rows", "bytes"] as const) {
    const moments = open.flatMap(({ item, rowCount, bytes }) => {
      const value = unit === "rows" ? rowCount : bytes;
      return value === undefined ? [] : [{ timeMicros: item.span.startMicros, value }];
    });
    const trend = trendOf(moments, options.trendCountMin);
    if (trend === undefined) continue;
    const valueMin = unit === "rows" ? options.trendRowCountMin : options.trendBytesMin;
    const isGrowing =
      trend.tau >= options.trendTauMin &&
      trend.max >= valueMin &&
      trend.max >= options.trendGrowthMin * Math.max(1, trend.min);
    if (isGrowing) return { trend, unit };
  }
  return undefined;
}

function frameOf({ handler, name, reads }: Source): Pick<FindingParts, "subject" | "boundary"> {
  const isDatabase = reads.every(({ item }) => item.call.kind === "database");
  return {
    subject: { kind: "result", name: shorten(`${handler.subject.name} ${name}`, 1_024) },
    boundary: isDatabase ? "resolver-database" : "service-service",
  };
}

function largeResult(
  source: Source,
  large: readonly Read[],
  options: BoundedResultOptions,
): FindingParts {
  const [worst] = large;
  const rows = worst?.rowCount ?? 0;
  const words = worst === undefined ? "" : shapeWords(worst.item);
  return {
    ...frameOf(source),
    verdict: "violated",
    title: `${source.handler.service} ${source.handler.operation} read ${rows} rows of ${source.name} without a limit: ${words}`,
    actual: `${plural(large.length, "read")} without a limit brought more than ${options.rowCountMax} rows; the largest ${rows}`,
    causeKind: "data",
    measures: {
      rowCountMax: rows,
      readCountLarge: large.length,
      readCount: source.reads.length,
      millisMax: millis((worst?.item.span.durationNanos ?? 0) / 1_000),
    },
    evidence: large.map(({ item }) => referenceToCall(item)),
    fixes: limitFixes,
    nextChecks: [
      "After the repair, record the same request on as much data and check it: the rows must stay within the page.",
    ],
  };
}

function growingResult(
  source: Source,
  open: readonly Read[],
  { trend, unit }: GrownReads,
): FindingParts {
  return {
    ...frameOf(source),
    verdict: "violated",
    title: `${source.handler.service} ${source.handler.operation} reads more of ${source.name} the more there is: ${trend.first} ${unit} at first, ${trend.last} at last`,
    actual: `${plural(open.length, "read")} without a limit, ${trend.min} to ${trend.max} ${unit}, growing over time (Kendall's tau ${trend.tau})`,
    causeKind: "data",
    measures: {
      growingUnit: unit,
      sizeMin: trend.min,
      sizeMax: trend.max,
      tau: trend.tau,
      readCount: open.length,
    },
    evidence: open.map(({ item }) => referenceToCall(item)),
    fixes: limitFixes,
    nextChecks: [
      "Compare the growth with that of the table: when they agree, nothing bounds the read.",
    ],
  };
}

function unknownResult(source: Source, unknown: readonly Read[]): FindingParts {
  const words = unknown[0] === undefined ? "" : shapeWords(unknown[0].item);
  return {
    ...frameOf(source),
    verdict: "inconclusive",
    title: `${source.handler.service} ${source.handler.operation} reads all of ${source.name}, and how many rows that brings is not recorded: ${words}`,
    actual: `${plural(unknown.length, "read")} without condition and limit`,
    measures: { readCount: unknown.length },
    evidence: unknown.slice(0, 16).map(({ item }) => referenceToCall(item)),
    missing: ["how many rows the statement returned (db.response.returned_rows)"],
    nextChecks: ["Count the rows of the table, and record db.response.returned_rows."],
  };
}

function limitedResult(source: Source, limited: readonly Read[]): FindingParts {
  const most = limited.reduce((large, { rowCount }) => Math.max(large, rowCount ?? 0), 0);
  return {
    ...frameOf(source),
    verdict: "holds",
    title: `${source.handler.service} ${source.handler.operation} reads ${source.name} with a limit: at most ${plural(most, "row")} in ${plural(limited.length, "read")}`,
    actual: `every read of ${source.name} has a limit; at most ${plural(most, "row")} came back`,
    measures: { rowCountMax: most, readCount: limited.length },
    evidence: limited.slice(0, 16).map(({ item }) => referenceToCall(item)),
  };
}

const limitFixes = [
  {
    description:
      "Give the read a limit with an order that is stable (keyset pages: `WHERE id > $1 ORDER BY id LIMIT 100`).",
    cost: 1,
  },
  { description: "Count, add up or filter in the database instead of in the service.", cost: 2 },
];
