/**
 * The journal of one life of a worker: what it admitted, before the provider was asked, and what that cost. What is written
 * down in one turn of the event loop goes to the system in one write at its end, and calls go on after it: once the system
 * has it, it survives the death of this process, which is all that must be survived here. It is not waited for until the disk
 * has it, since a call would feel that. When the whole machine fails, its later life has another boot id, and then credit
 * that the journal does not account for counts as spent.
 */

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";

import type { EventLoop } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { WorkerLife } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { toUsageBlock } from "./usage-block.ts";
import { journalFileName, journalHeading } from "./usage-files.ts";
import { type Reserve, type SettledUse, UsageSection } from "./usage-text.ts";
import type { UseTerms } from "./use-terms.ts";

export interface UsageJournalParts {
  readonly folder: string;
  readonly life: WorkerLife;
  /** Of this start of the machine; empty where that is not known. */
  readonly bootId: string;
  /** Of the process that writes it. */
  readonly processMark: string;
  readonly eventLoop: EventLoop;
  /** A file is closed when it is this long. */
  readonly fileBytesMax: number;
}

/** Who waits for a record. */
export interface Writer {
  /** The system has it, or does not take it. */
  onWritten(error: Error | undefined): void;
}

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  bytes: number;
}

/** So many sections of one turn are looked through for that of a use, the latest first. */
const sectionSearchMax = 8;

export class UsageJournal {
  readonly #parts: UsageJournalParts;
  #file: OpenFile | undefined;
  #fileCount = 0;
  /** Keys of reserves that were written of and have not ended; and those of each file. */
  readonly #open = new Set<string>();
  readonly #openReserves = new Map<string, Set<string>>();
  /** The reserve that was noted last, in the file that is open. */
  #noted: Reserve | undefined;
  /** Of this turn. */
  #sections: UsageSection[] = [];
  #waiting: Writer[] = [];
  #isScheduled = false;
  #failure: Error | undefined;

  constructor(parts: UsageJournalParts) {
    this.#parts = parts;
  }

  /** Why it took no record last; `undefined` when it takes them. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Begins the journal, so that a life without one is told from one that has nothing to tell. */
  open(): void {
    try {
      mkdirSync(this.#parts.folder, { recursive: true });
      this.#openFile();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = toError(error);
    }
  }

  /** Tries again where it took no record last. */
  retry(): void {
    if (this.#failure !== undefined && this.#file === undefined) this.open();
  }

  /** Writes down at the end of this turn that a use begins; `text` is what `admittedText` gives. */
  admit(
    reserve: Reserve,
    use: { readonly terms: UseTerms; readonly text: string },
    writer: Writer,
  ) {
    this.#sectionOf(reserve, use.terms).admit(use.text);
    this.#waiting.push(writer);
  }

  /** Writes down at the end of this turn what a use cost; `text` is what `settledText` gives. */
  settle(reserve: Reserve, use: { readonly terms: UseTerms; readonly text: string }): SettledUse {
    return this.#sectionOf(reserve, use.terms).settle(use.text);
  }

  /** A reserve has ended for the ledger: nobody will ask what was used of it. */
  end(tenantId: TenantId, reserveId: string): void {
    const key = keyOf(tenantId, reserveId);
    this.#noted = undefined;
    if (!this.#open.delete(key)) return;
    for (const [file, reserves] of this.#openReserves) {
      reserves.delete(key);
      if (reserves.size > 0 || file === this.#file?.path) continue;
      this.#openReserves.delete(file);
      rmSync(file, { force: true });
    }
  }

  /** Writes what waits. */
  flush(): void {
    this.#isScheduled = false;
    const [sections, waiting] = [this.#sections, this.#waiting];
    if (sections.length === 0) return;
    this.#sections = [];
    this.#waiting = [];
    const failure = this.#append(toUsageBlock(sections));
    for (const writer of waiting) writer.onWritten(failure);
  }

  /** Closes the journal, and removes it when `isDone` says that nothing which this life was lent is open. */
  close(isDone: boolean): void {
    this.flush();
    this.#closeFile();
    if (!isDone) return;
    for (const file of this.#openReserves.keys()) rmSync(file, { force: true });
  }

  #sectionOf(reserve: Reserve, terms: UseTerms): UsageSection {
    const sections = this.#sections;
    const last = Math.max(0, sections.length - sectionSearchMax);
    for (let index = sections.length - 1; index >= last; index -= 1) {
      const section = sections[index];
      if (section?.isOf(reserve, terms) === true) return section;
    }
    const section = new UsageSection(reserve, terms);
    sections.push(section);
    // A settled use was admitted in the same file or an earlier one, which stays until the reserve ends.
    this.#noteReserve(section);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#parts.eventLoop.afterPoll(() => this.flush());
    }
    return section;
  }

  #append(block: Buffer): Error | undefined {
    try {
      if (this.#file === undefined || this.#file.bytes >= this.#parts.fileBytesMax) {
        this.#closeFile();
        this.#openFile();
      }
      this.#writeWhole(block);
      this.#failure = undefined;
    } catch (error) {
      // A torn line is the last of its file; whatever follows goes to the next one.
      this.#closeFile();
      this.#failure = toError(error);
    }
    return this.#failure;
  }

  #writeWhole(bytes: Buffer): void {
    const file = this.#file;
    if (file === undefined) throw new Error("The journal of usage is closed.");
    let written = 0;
    while (written < bytes.length)
      written += writeSync(file.descriptor, bytes, written, bytes.length - written);
    file.bytes += bytes.length;
  }

  #openFile(): void {
    const { folder, life, bootId, processMark } = this.#parts;
    if (this.#openReserves.size >= creditLimits.journalFilesMax)
      throw new Error(`There are ${creditLimits.journalFilesMax} files of the journal of usage.`);
    const file = path.join(folder, journalFileName(life, this.#fileCount));
    const descriptor = openSync(file, "ax");
    this.#fileCount += 1;
    this.#file = { path: file, descriptor, bytes: 0 };
    try {
      this.#writeWhole(Buffer.from(journalHeading({ bootId, processMark })));
    } catch (error) {
      // A full disk does not fill with files in which nothing stands.
      this.#closeFile();
      rmSync(file, { force: true });
      throw error;
    }
    // What was noted in this turn may be written to this file or to the one before.
    this.#openReserves.set(file, new Set(this.#open));
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  #noteReserve({ tenantId, reserveId }: Reserve): void {
    // Most calls of a worker are paid out of one lease.
    if (this.#noted?.reserveId === reserveId && this.#noted.tenantId === tenantId) return;
    this.#noted = { tenantId, reserveId };
    const key = keyOf(tenantId, reserveId);
    this.#open.add(key);
    const file = this.#file?.path;
    if (file !== undefined) this.#openReserves.get(file)?.add(key);
  }
}

/** Tenants' leases have ids of their own in their own ledgers only. */
function keyOf(tenantId: TenantId, reserveId: string): string {
  return `${tenantId}/${reserveId}`;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
