/** Looks into the folder of a log without changing it: what is there, and what is lost. */

import { join } from "node:path";

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { JournalError } from "../journal-error.ts";
import { examineHeads } from "./examine-heads.ts";
import { examineSegment, type SegmentExamination } from "./examine-segment.ts";
import { batchHeaderBytes } from "./batch-header.ts";
import { listSegments } from "./open-segment.ts";
import type { ExaminedHead, HeadsOptions } from "./reconstruct-head.ts";
import { SegmentReader } from "./segment-reader.ts";

/** Something of a log that cannot be read any more, or is not where it belongs. */
export interface LogDamage {
  readonly kind:
    /** The head of a segment. It can be written anew from what the others say; no record is lost with it. */
    | "head"
    /** A part of a segment. */
    | "range"
    /** Whole segments, although later ones are there. */
    | "missing"
    /** Bytes behind the place where the next segment starts. */
    | "excess";
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** How many records were in it, where the head of their batch still tells. */
  readonly recordCount: number | undefined;
  readonly reason: string;
}

export interface SegmentReport extends ExaminedHead, SegmentExamination {
  /** Where the segment must end, when the next one tells. */
  readonly limit: number | undefined;
  readonly damages: readonly LogDamage[];
}

export interface LogReport {
  /** `new` is a folder without segments; `newer` was written by a newer version and is not judged. */
  readonly state: "new" | "whole" | "damaged" | "newer";
  readonly segments: readonly SegmentReport[];
  readonly recordCount: number;
  readonly bytes: number;
  /** The first position and the one behind the last record. */
  readonly start: number;
  readonly end: number;
  readonly damages: readonly LogDamage[];
  /** Bytes of a write that a crash has torn, or that a writer is just doing: nobody was told about it. */
  readonly tornBytes: number;
  /** Bytes of gaps in place of what earlier repairs have taken out. */
  readonly gapBytes: number;
}

export interface ExamineOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly fileSystem?: JournalFileSystem;
}

/** Reads and checks everything. Throws `journal_unreadable` when the folder or a file cannot be read. */
export async function examineLog(options: ExamineOptions): Promise<LogReport> {
  const { folder, signal, fileSystem = nodeFileSystem } = options;
  try {
    const { segments: names } = await listSegments(fileSystem, folder);
    const where = { fileSystem, folder, signal };
    const heads = await examineHeads(where, names);
    const segments: SegmentReport[] = [];
    for (const [index, head] of heads.entries()) {
      segments.push(await examineBehind(where, head, heads[index + 1]));
    }
    return summarize(segments);
  } catch (error) {
    if (error instanceof JournalError || signal.aborted) throw error;
    const words = `The journal in ${folder} cannot be read: ${String(error)}.`;
    throw new JournalError("journal_unreadable", words, { cause: error });
  }
}

async function examineBehind(
  { fileSystem, folder, signal }: HeadsOptions,
  head: ExaminedHead,
  next: ExaminedHead | undefined,
): Promise<SegmentReport> {
  const { name, size, header, headerBytes } = head;
  const file = await fileSystem.open(join(folder, name), "read");
  try {
    let limit = next === undefined ? undefined : limitBefore(head, next);
    const examine = async (): Promise<SegmentExamination> => {
      const length = Math.min(size, limit ?? size);
      const reader = new SegmentReader({ file, header, length });
      return await examineSegment(reader, { from: headerBytes, limit, signal });
    };
    let content = await examine();
    const last = content.lost.at(-1);
    if (last !== undefined && last.end === limit && !isFollowed(head, next)) {
      // Nothing says where the segment ended; it had room for the batch that was cut, and so for a gap in its place.
      limit = Math.max(limit, last.offset + batchHeaderBytes);
      content = await examine();
    }
    const damages = damagesOf(head, { content, limit, next });
    return { ...head, ...content, limit, damages, newer: head.newer ?? content.newer };
  } finally {
    await file.close();
  }
}

/** Whether the very next segment is there. */
function isFollowed(head: ExaminedHead, next: ExaminedHead | undefined): boolean {
  return next?.header.number === head.header.number + 1;
}

/** Where a segment ends because the next one starts there. */
function limitBefore(head: ExaminedHead, next: ExaminedHead): number {
  return isFollowed(head, next)
    ? Math.max(0, next.header.base - head.header.base)
    : Math.max(head.size, head.headerBytes);
}

function damagesOf(
  { name, size, header, headerBytes, flaw }: ExaminedHead,
  around: {
    content: SegmentExamination;
    limit: number | undefined;
    next: ExaminedHead | undefined;
  },
): LogDamage[] {
  const { content, limit, next } = around;
  const damages: LogDamage[] = [];
  const add = (kind: LogDamage["kind"], damage: Omit<LogDamage, "kind" | "segment">): void => {
    damages.push({ kind, segment: name, ...damage });
  };
  if (flaw !== undefined) add("head", { ...flaw, bytes: headerBytes, recordCount: undefined });
  for (const { offset, end, recordCount, reason } of content.lost) {
    add("range", { offset, bytes: end - offset, recordCount, reason });
  }
  if (limit !== undefined && size > limit) {
    const reason = "the segment is longer than its place";
    add("excess", { offset: limit, bytes: size - limit, recordCount: undefined, reason });
  }
  if (next !== undefined && next.header.number > header.number + 1) {
    const [from, to] = [header.number + 1, next.header.number - 1];
    const which = from === to ? `segment ${from} is` : `segments ${from} to ${to} are`;
    const bytes = Math.max(0, next.header.base - header.base - (limit ?? size));
    add("missing", { offset: size, bytes, recordCount: undefined, reason: `${which} not there` });
  }
  return damages;
}

function summarize(segments: readonly SegmentReport[]): LogReport {
  const sum = (of: (segment: SegmentReport) => number): number =>
    segments.reduce((total, segment) => total + of(segment), 0);
  const damages = segments.flatMap((segment) => segment.damages);
  const last = segments.at(-1);
  return {
    state: stateOf(segments, damages),
    segments,
    recordCount: sum(({ recordCount }) => recordCount),
    bytes: sum(({ size }) => size),
    start: segments[0]?.header.base ?? 0,
    end: last === undefined ? 0 : last.header.base + last.end,
    damages,
    tornBytes: sum(({ tornBytes }) => tornBytes),
    gapBytes: sum(({ gapBytes }) => gapBytes),
  };
}

function stateOf(
  segments: readonly SegmentReport[],
  damages: readonly LogDamage[],
): LogReport["state"] {
  if (segments.length === 0) return "new";
  if (segments.some(({ newer }) => newer !== undefined)) return "newer";
  return damages.length > 0 ? "damaged" : "whole";
}
