/** The files of the journals of usage: their names, their first line, and reading them after their worker died. */

import { open, readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { PlatformError } from "@faultline/protocol";

import type { WorkerLife } from "./credit-messages.ts";
import { fromUsageLine, type UsageEntry } from "./usage-line.ts";

/** Of one life of a worker, in their order. */
export interface JournalOfLife {
  readonly life: WorkerLife;
  readonly files: readonly string[];
}

const heading = "faultline usage 1";
const unknownBoot = "-";
const namePattern = /^(gateway-\d+)\.(\d+)\.(\d{6})\.usage$/;

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
  return `${heading} ${bootId || unknownBoot} ${processMark}\n`;
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
  readonly entries: readonly UsageEntry[];
  /** Who wrote it; none when not even that can be read. */
  readonly origin: JournalOrigin | undefined;
}

/** Reads a journal to its end. Throws `journal_unavailable` when a part of it is damaged. */
export async function readJournal({ files }: JournalOfLife): Promise<ReadJournal> {
  const entries: UsageEntry[] = [];
  let origin: JournalOrigin | undefined;
  for (const file of files) {
    const [first = "", ...lines] = (await readFile(file, "utf8")).split("\n");
    origin = readHeading(first) ?? origin;
    // The process died while it wrote the last line: what it tells of was not begun.
    lines.pop();
    for (const line of lines) {
      const entry = fromUsageLine(line);
      if (entry === undefined) {
        throw new PlatformError("journal_unavailable", `The journal ${file} is damaged.`, {
          hint: "What was lent to its worker counts as spent.",
        });
      }
      entries.push(entry);
    }
  }
  return { entries, origin };
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
  if (!line.startsWith(`${heading} `)) return undefined;
  const [bootId = "", processMark = ""] = line.slice(heading.length + 1).split(" ");
  return { bootId: bootId === unknownBoot ? "" : bootId, processMark };
}
