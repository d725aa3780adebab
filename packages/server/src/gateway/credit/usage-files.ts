/** The files of the journals of usage: their names, their first line, and reading them after their worker died. */

import { open, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { crc32 } from "node:zlib";

import type { WorkerLife } from "./credit-messages.ts";
import { fromUsageBlock, isBegunBlock, type UsageEntry } from "./usage-block.ts";

/** Of one life of a worker, in their order. */
export interface JournalOfLife {
  readonly life: WorkerLife;
  readonly files: readonly string[];
}

const heading = "faultline usage 2";
const unknownBoot = "-";
const namePattern = /^(gateway-\d+)\.(\d+)\.(\d{6})\.usage$/;

/** Where they lie among the journals of a gateway. */
export function usageFolderOf(journalFolder: string): string {
  return path.join(journalFolder, "usage");
}

/** The name of a file of a life. */
export function journalFileName({ workerId, epoch }: WorkerLife, number: number): string {
  return `${workerId}.${epoch}.${String(number).padStart(6, "0")}.usage`;
}

/** Who writes a file. */
export interface JournalOrigin {
  /** Of a start of the machine. */
  readonly bootId: string;
  /** Of a process. */
  readonly processMark: string;
}

/** The first line of each file. */
export function journalHeading({ bootId, processMark }: JournalOrigin): string {
  const text = `${heading} ${bootId || unknownBoot} ${processMark}`;
  return `${text} ${checksumOf(text)}\n`;
}

/** The journals that there are in a folder. */
export async function findJournals(folder: string): Promise<JournalOfLife[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const byLife = new Map<string, { life: WorkerLife; files: string[] }>();
  for (const name of names.toSorted()) {
    const [, workerId, epoch] = namePattern.exec(name) ?? [];
    if (workerId === undefined) continue;
    const key = `${workerId}.${epoch}`;
    const known = byLife.get(key) ?? { life: { workerId, epoch: Number(epoch) }, files: [] };
    known.files.push(path.join(folder, name));
    byLife.set(key, known);
  }
  return [...byLife.values()];
}

/** What a journal tells. */
export interface ReadJournal {
  /** Of all lines that are whole: each has a checksum of its own. */
  readonly entries: readonly UsageEntry[];
  /** Who wrote it; none when not even that can be read. */
  readonly origin: JournalOrigin | undefined;
  /** What is wrong with it; none when it was read to its end. */
  readonly damage: string | undefined;
}

/** Reads a journal to its end. Rejects when the disk does not give a file. */
export async function readJournal({ files }: JournalOfLife): Promise<ReadJournal> {
  const entries: UsageEntry[] = [];
  let origin: JournalOrigin | undefined;
  let damage = files.length === 0 ? "there is no file" : undefined;
  for (const file of files) {
    const [first = "", ...lines] = (await readFile(file, "utf8")).split("\n");
    const own = lines.length === 0 ? undefined : readHeading(first);
    // A file begins with its heading before anything is lent on it.
    if (own === undefined) damage ??= `${file} does not begin as a journal`;
    origin ??= own;
    const last = readLastLine(lines.pop() ?? "");
    if (last.kind === "damaged") damage ??= `${file} ends with what is no line`;
    for (const [index, line] of lines.entries()) {
      const told = fromUsageBlock(line);
      if (told === undefined) damage ??= `line ${index + 2} of ${file} is damaged`;
      else for (const entry of told) entries.push(entry);
    }
    if (last.kind === "whole") for (const entry of last.entries) entries.push(entry);
  }
  return { entries, origin, damage };
}

type LastLine =
  | { readonly kind: "torn" | "damaged" }
  | { readonly kind: "whole"; readonly entries: readonly UsageEntry[] };

/**
 * What stands behind the last end of a line. The process died while it wrote it, or the disk was full: then what it tells of was
 * not begun. When it is whole save its end, it is taken, as that end may have been another byte.
 */
function readLastLine(text: string): LastLine {
  const entries = fromUsageBlock(text) ?? fromUsageBlock(text.slice(0, -1));
  if (entries !== undefined) return { kind: "whole", entries };
  return { kind: isBegunBlock(text) ? "torn" : "damaged" };
}

/** Who wrote a journal: as `readJournal`, without the rest. */
export async function readOrigin({ files }: JournalOfLife): Promise<JournalOrigin | undefined> {
  const [file] = files;
  if (file === undefined) return undefined;
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(
    Buffer.alloc(headingBytesMax),
    0,
    headingBytesMax,
    0,
  );
  return readHeading(buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? "");
}

const headingBytesMax = 256;

function readHeading(line: string): JournalOrigin | undefined {
  const [text = "", checksum = ""] = splitAtLast(line, " ");
  if (!text.startsWith(`${heading} `) || checksum !== checksumOf(text)) return undefined;
  const [bootId = "", processMark = ""] = text.slice(heading.length + 1).split(" ");
  return { bootId: bootId === unknownBoot ? "" : bootId, processMark };
}

function splitAtLast(text: string, separator: string): string[] {
  const index = text.lastIndexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

function checksumOf(text: string): string {
  return crc32(text).toString(16);
}
