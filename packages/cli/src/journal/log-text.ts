/** Words about a log, for people and for programs. */

import type { LogDamage, LogReport, RepairReport, SegmentReport } from "@faultline/journal";

import { titledTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** The columns of the table of segments. */
const titles = ["SEGMENT", "FROM", "TO", "BATCHES", "RECORDS", "BYTES", "FIRST", "LAST", "STATE"];

/** What is there, with a line for each segment. */
export function logTable(folder: string, report: LogReport, terminal: Terminal): string {
  const rows = report.segments.map((segment) => [
    segment.name,
    String(segment.header.base),
    String(segment.header.base + segment.end),
    count(segment.batchCount),
    count(segment.recordCount),
    count(segment.size),
    moment(segment.firstWrittenAtMs),
    moment(segment.lastWrittenAtMs),
    stateOf(segment),
  ]);
  return `${terminal.style("bold", folder)}: ${logSummary(report)}\n${titledTable(terminal, titles, rows)}`;
}

/** One sentence about a log. */
export function logSummary(report: LogReport): string {
  const { segments, recordCount, bytes, gapBytes, tornBytes } = report;
  const parts = [
    counted(recordCount, "record"),
    `${counted(segments.length, "segment")} of ${count(bytes)} bytes`,
    ...(gapBytes > 0 ? [`gaps of ${count(gapBytes)} bytes from earlier repairs`] : []),
    ...(tornBytes > 0 ? [`${count(tornBytes)} bytes of an unfinished write at the end`] : []),
  ];
  return `${parts.join(", ")}.`;
}

/** One line about something that is lost. */
export function damageLine({
  kind,
  segment,
  offset,
  bytes,
  recordCount,
  reason,
}: LogDamage): string {
  const place = `${segment}, byte ${offset}`;
  switch (kind) {
    case "head":
      return `${place}: the segment's head cannot be used: ${reason}. Its batches are judged by themselves.`;
    case "range": {
      const records =
        recordCount === undefined
          ? "with an unknown number of records"
          : `with ${counted(recordCount, "record")}`;
      return `${place}: ${counted(bytes, "byte")} lost ${records}: ${reason}.`;
    }
    case "missing":
      return `${place}: ${counted(bytes, "byte")} lost behind it: ${reason}.`;
    case "excess":
      return `${place}: ${counted(bytes, "byte")} too many: ${reason}.`;
    default:
      return kind;
  }
}

/** Why nothing is said about a log that a newer version wrote. */
export function newerLine(report: LogReport): string | undefined {
  const segment = report.segments.find(({ newer }) => newer !== undefined);
  if (segment === undefined) return undefined;
  return `${segment.name}: ${segment.newer}, which this version does not read. Nothing was judged or changed.`;
}

/** A report in the form that `--format json` prints. */
export function logJson(folder: string, report: LogReport): object {
  const { segments, ...rest } = report;
  return {
    folder,
    ...rest,
    segments: segments.map(({ header, limit, lost, damages, flaw, ...segment }) => ({
      ...segment,
      number: header.number,
      start: header.base,
      end: header.base + segment.end,
      createdAtMs: header.createdAtMs,
      logId: Buffer.from(header.logId).toString("hex"),
      state: stateOf({ ...segment, header, limit, lost, damages, flaw }),
    })),
  };
}

/** What a repair did, a line each. */
export function repairLines({ before, keptAside, madeAnew, after }: RepairReport): string[] {
  return [
    ...before.damages.map(damageLine),
    ...keptAside.map((name) => `Kept aside as it was: ${name}`),
    ...madeAnew.map((name) => `Put a gap in the place of a segment that is not there: ${name}`),
    `Now: ${logSummary(after)}`,
  ];
}

function stateOf(segment: SegmentReport): string {
  if (segment.newer !== undefined) return "newer";
  if (segment.damages.length > 0) return "damaged";
  if (segment.tornBytes > 0) return "unfinished";
  if (segment.limit !== undefined) return "closed";
  return segment.isMarked ? "open" : "open, end not confirmed";
}

function moment(timeMs: number | undefined): string {
  return timeMs === undefined ? "-" : new Date(timeMs).toISOString();
}

function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
