/**
 * Records of operations that a worker could not hand over before it ended, because its control process was gone: in a file
 * each, which the next control process stores and removes. So nothing that was carried goes unrecorded.
 */

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { deserialize, serialize } from "node:v8";

import type { OperationRecord } from "../calls/operation-record.ts";
import { gatewayLimits } from "../limits.ts";

/** The layout of the file. A release that changes what a record is counts on. */
const version = 1;
const suffix = ".records";
const folderName = "unrecorded";

/** Writes them down, durably, under a name that no other process takes. */
export async function leaveRecords(
  journalFolder: string,
  name: string,
  records: readonly OperationRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const folder = path.join(journalFolder, folderName);
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}${suffix}`);
  await writeFile(`${file}.part`, serialize({ version, records }), { flush: true });
  await rename(`${file}.part`, file);
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

  constructor(parts: LeftRecordsParts) {
    this.#parts = parts;
  }

  /** Stores what there is, and removes it. Never rejects: what cannot be stored now waits for the next turn. */
  async collect(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#collect();
    } catch (error) {
      this.#parts.log("records of an earlier process cannot be stored yet", {
        cause: String(error),
      });
    } finally {
      this.#isBusy = false;
    }
  }

  async #collect(): Promise<void> {
    const { journalFolder, store, log } = this.#parts;
    const folder = path.join(journalFolder, folderName);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => one.endsWith(suffix))) {
      const file = path.join(folder, name);
      const records = readRecords(await readFile(file));
      if (records === undefined) {
        // It is set aside, so that somebody can look at it, and said once.
        await rename(file, `${file}.unreadable`);
        log("records of an earlier process cannot be read", { file: `${file}.unreadable` });
        continue;
      }
      for (let at = 0; at < records.length; at += gatewayLimits.operationBatchMax) {
        await store(records.slice(at, at + gatewayLimits.operationBatchMax));
      }
      await rm(file);
      log("records of an earlier process were stored", { count: records.length });
    }
  }
}

function readRecords(bytes: Buffer): readonly OperationRecord[] | undefined {
  try {
    const left: unknown = deserialize(bytes);
    if (typeof left !== "object" || left === null) return undefined;
    if (!("version" in left) || left.version !== version) return undefined;
    if (!("records" in left) || !Array.isArray(left.records)) return undefined;
    // A file of this version was written by `leaveRecords`, in our own private folder.
    return left.records as readonly OperationRecord[];
  } catch {
    return undefined;
  }
}
