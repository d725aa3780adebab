/**
 * Makes a damaged log one that opens again. Every segment that has to change is first copied aside whole, then replaced
 * by one in which gaps stand for what cannot be read, so that all other records keep their positions.
 */

import { join } from "node:path";

import type { JournalFile, JournalFileSystem } from "../file-system/file-system.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { isNoRoom, JournalError } from "../journal-error.ts";
import { BatchBuffer } from "./batch-buffer.ts";
import { batchHeaderBytes } from "./batch-header.ts";
import { checksum } from "./checksum.ts";
import { corrupt } from "./open-segment.ts";
import { examineLog, type ExamineOptions, type LogReport, type SegmentReport } from "./examine.ts";
import { gapPlan, writeGaps } from "./gap.ts";
import {
  draftSuffix,
  encodeSegmentHeader,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";
import { writeAll } from "./write-all.ts";

export interface RepairOptions extends ExamineOptions {
  readonly clock: { nowMs(): number };
}

export interface RepairReport {
  /** What was found. */
  readonly before: LogReport;
  /** What is there now; the same as before when there was nothing to do. */
  readonly after: LogReport;
  /** Copies of the segments as they were, by name. */
  readonly keptAside: readonly string[];
  /** Segments that stand for ones that were not there. */
  readonly madeAnew: readonly string[];
}

/** How much is copied at once. */
const chunkBytes = 1024 * 1024;
/** Copies of one segment that may lie aside. */
const copyCountMax = 1_000;

interface Workplace {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

/**
 * Repairs the log in a folder, as its one writer. Throws `journal_version_newer`, `journal_locked`, `journal_full`
 * (it needs room for the copies), `journal_unreadable`, and `journal_corrupt` where it knows no way.
 */
export async function repairLog(options: RepairOptions): Promise<RepairReport> {
  const { folder, signal, clock, fileSystem = nodeFileSystem } = options;
  await using lock = await fileSystem.lock(folder);
  void lock;
  const before = await examineLog(options);
  const newer = before.segments.find((segment) => segment.newer !== undefined);
  if (newer !== undefined) {
    const place = { segment: newer.name, offset: newer.end };
    throw new JournalError("journal_version_newer", newer.newer ?? "", { place });
  }
  const place = { fileSystem, folder, signal, nowMs: clock.nowMs() };
  const keptAside: string[] = [];
  const madeAnew: string[] = [];
  try {
    for (const [index, segment] of before.segments.entries()) {
      signal.throwIfAborted();
      if (needsRebuild(segment)) keptAside.push(await rebuild(place, segment));
      madeAnew.push(...(await fillMissing(place, segment, before.segments[index + 1])));
    }
  } catch (error) {
    if (error instanceof JournalError || signal.aborted) throw error;
    throw new JournalError(
      isNoRoom(error) ? "journal_full" : "journal_unreadable",
      `The repair stopped: ${String(error)}. What was repaired until then stands, and it can be called again.`,
      { cause: error },
    );
  }
  const isChanged = keptAside.length + madeAnew.length > 0;
  return { before, after: isChanged ? await examineLog(options) : before, keptAside, madeAnew };
}

function needsRebuild({ damages, tornBytes }: SegmentReport): boolean {
  return tornBytes > 0 || damages.some(({ kind }) => kind !== "missing");
}

/** Replaces a segment by a whole one; gives the name of the copy that lies aside. */
async function rebuild(place: Workplace, segment: SegmentReport): Promise<string> {
  const { fileSystem, folder, nowMs } = place;
  const path = join(folder, segment.name);
  await using stack = new AsyncDisposableStack();
  const source = await fileSystem.open(path, "read");
  stack.defer(async () => await source.close());

  const aside = await freeName(place, segment.name);
  await copyTo(place, join(folder, aside), async (file) => {
    await copyRange(place, { source, target: file, from: 0, to: segment.size });
  });
  const length = segment.limit ?? segment.end;
  await copyTo(place, path + draftSuffix, async (file) => {
    const to = Math.min(segment.size, length);
    await copyRange(place, { source, target: file, from: 0, to });
    if (segment.flaw !== undefined) await writeAll(file, encodeSegmentHeader(segment.header), 0);
    for (const { offset, end } of segment.lost) {
      const plan = gapPlan(end - offset);
      if (plan === undefined) {
        throw corrupt(
          segment.name,
          offset,
          "too few bytes are lost here to put a gap in their place",
        );
      }
      await writeGaps(file, plan, { ...placeOf(segment.header), offset, nowMs });
    }
    // The copy is synced as a whole, so all that is in it is durable.
    if (segment.limit === undefined) await writeMark(file, segment, nowMs);
  });
  // Both files stand before the one takes the place of the other.
  await fileSystem.syncFolder(folder);
  await fileSystem.rename(path + draftSuffix, path);
  await fileSystem.syncFolder(folder);
  return aside;
}

/** Makes segments of nothing but gaps where some are not there; gives their names. */
async function fillMissing(
  place: Workplace,
  segment: SegmentReport,
  next: SegmentReport | undefined,
): Promise<string[]> {
  if (next === undefined || next.header.number <= segment.header.number + 1) return [];
  const { fileSystem, folder, nowMs } = place;
  const names: string[] = [];
  let base = segment.header.base + (segment.limit ?? segment.end);
  for (let number = segment.header.number + 1; number < next.header.number; number += 1) {
    const { logId, createdAtMs } = segment.header;
    const header: SegmentHeader = { logId, number, base, createdAtMs };
    const head = encodeSegmentHeader(header);
    // The last of them reaches up to the next that is there; those before it hold their heads alone.
    const isLast = number === next.header.number - 1;
    const plan = isLast ? gapPlan(next.header.base - base - head.length) : [];
    if (plan === undefined) {
      throw corrupt(next.name, 0, "there is no room for the missing segments before it");
    }
    const name = segmentName(number);
    await copyTo(place, join(folder, name + draftSuffix), async (file) => {
      await writeAll(file, head, 0);
      await writeGaps(file, plan, { ...placeOf(header), offset: head.length, nowMs });
    });
    await fileSystem.rename(join(folder, name + draftSuffix), join(folder, name));
    await fileSystem.syncFolder(folder);
    names.push(name);
    base += head.length;
  }
  return names;
}

async function writeMark(
  file: JournalFile,
  { header, end }: SegmentReport,
  writtenAtMs: number,
): Promise<void> {
  const { base, logSeed } = placeOf(header);
  const mark = new BatchBuffer(batchHeaderBytes);
  await writeAll(file, mark.seal({ position: base + end, writtenAtMs, logSeed }), end);
}

function placeOf(header: SegmentHeader): { readonly base: number; readonly logSeed: number } {
  return { base: header.base, logSeed: checksum(header.logId) };
}

/** Writes and syncs a new file; a file of that name that an earlier try has left is replaced. */
async function copyTo(
  { fileSystem, folder }: Workplace,
  path: string,
  write: (file: JournalFile) => Promise<void>,
): Promise<void> {
  const name = path.slice(folder.length + 1);
  if ((await fileSystem.list(folder)).includes(name)) await fileSystem.remove(path);
  const file = await fileSystem.open(path, "create");
  try {
    await write(file);
    await file.sync();
  } catch (error) {
    await file.close();
    await fileSystem.remove(path).catch(() => undefined);
    throw error;
  }
  await file.close();
}

async function copyRange(
  { signal }: Workplace,
  {
    source,
    target,
    from,
    to,
  }: { source: JournalFile; target: JournalFile; from: number; to: number },
): Promise<void> {
  const chunk = new Uint8Array(Math.min(chunkBytes, Math.max(0, to - from)));
  let offset = from;
  while (offset < to) {
    signal.throwIfAborted();
    const wanted = chunk.subarray(0, Math.min(chunk.length, to - offset));
    const count = await source.read(wanted, offset);
    if (count === 0) throw new Error("The segment became shorter while it was copied.");
    await writeAll(target, wanted.subarray(0, count), offset);
    offset += count;
  }
}

async function freeName({ fileSystem, folder }: Workplace, name: string): Promise<string> {
  const taken = new Set(await fileSystem.list(folder));
  for (let count = 1; count <= copyCountMax; count += 1) {
    const candidate = `${name}.damaged-${count}`;
    if (!taken.has(candidate)) return candidate;
  }
  const words = `${copyCountMax} copies of ${name} lie in ${folder}; move some away.`;
  throw new JournalError("journal_unreadable", words);
}
