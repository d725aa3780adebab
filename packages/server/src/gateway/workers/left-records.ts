/**
 * Records of operations that a worker could not hand over: its control process was gone, or could not store them for so long
 * that memory would have filled up. Each file has a line for each record; a control process stores and removes them.
 */

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { nodeFileSystem } from "@faultline/journal";

import type { OperationRecord } from "../calls/operation-record.ts";
import { gatewayLimits } from "../limits.ts";
import { fromOperationText } from "./operation-text.ts";

/** The first line of each file: the layout of the others. */
const heading = "faultline operations 2";
const suffix = ".records";
const folderName = "unrecorded";

/**
 * Writes texts of records down, durably, under a name that no other process takes. Throws when the disk does not take them,
 * or when there are as many files as there may be.
 */
export async function leaveRecords(
  journalFolder: string,
  name: string,
  records: readonly string[],
): Promise<void> {
  if (records.length === 0) return;
  const folder = path.join(journalFolder, folderName);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length >= gatewayLimits.leftRecordFilesMax) {
    throw new Error(`There are ${gatewayLimits.leftRecordFilesMax} files of records already.`);
  }
  const file = path.join(folder, `${name}${suffix}`);
  const part = `${file}.part`;
  try {
    await writeFile(part, `${[heading, ...records].join("\n")}\n`, { flush: true });
    await rename(part, file);
  } catch (error) {
    // A full disk would fill up further, and the number of files with it, by each try.
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await nodeFileSystem.syncFolder(folder);
}

export interface LeftRecordsParts {
  readonly journalFolder: string;
  /** Stores a batch, or rejects; what it rejects is kept. */
  readonly store: (records: readonly OperationRecord[]) => Promise<void>;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export class LeftRecords {
  readonly #parts: LeftRecordsParts;
  #isBusy = false;
  #isFailing = false;

  constructor(parts: LeftRecordsParts) {
    this.#parts = parts;
  }

  /** Stores what there is, and removes it. Never rejects: what cannot be stored now waits for the next turn. */
  async collect(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#collect();
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage.
      if (!this.#isFailing) {
        const cause = String(error);
        this.#parts.log("records that a worker has left cannot be stored yet", { cause });
      }
      this.#isFailing = true;
    } finally {
      this.#isBusy = false;
    }
  }

  async #collect(): Promise<void> {
    const { journalFolder, store, log } = this.#parts;
    const folder = path.join(journalFolder, folderName);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => one.endsWith(suffix)).toSorted()) {
      const file = path.join(folder, name);
      const records = readRecords(await readFile(file, "utf8"));
      if (records === undefined) {
        // It is set aside, so that somebody can look at it, and said once.
        await rename(file, `${file}.unreadable`);
        log("records that a worker has left cannot be read", { file: `${file}.unreadable` });
        continue;
      }
      for (let at = 0; at < records.length; at += gatewayLimits.operationBatchMax) {
        await store(records.slice(at, at + gatewayLimits.operationBatchMax));
      }
      await rm(file);
      log("records that a worker has left were stored", { count: records.length });
    }
  }
}

function readRecords(text: string): readonly OperationRecord[] | undefined {
  const [first, ...lines] = text.split("\n");
  if (first !== heading || lines.pop() !== "") return undefined;
  try {
    return lines.map((line) => fromOperationText(line));
  } catch {
    // Somebody else has written into it.
    return undefined;
  }
}
