/** Journals of usage as reconciliation reads them: as they lie on disk, also while their workers write, and never changed. */

import { createReadStream } from "node:fs";

import type { JournalSource, ReadJournals, UsageRecord } from "#ledger/index.ts";
import { isAbort } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import { prefixOfLife, workerPrefix } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { fromUsageBlock } from "./usage-block.ts";
import { findJournals, usageFolderOf } from "./usage-files.ts";

const { comparedBytesMax, comparedRecordCountMax, usageLineBytesMax } = creditLimits;

export interface UsageJournalsOptions {
  /** Of all journals in one reading. Default: that of the limits. */
  readonly bytesMax?: number;
}

/** The journals of usage in the folder of a gateway's journals. */
export class UsageJournals implements JournalSource {
  readonly reservePrefix = workerPrefix;
  readonly #folder: string;
  readonly #bytesMax: number;

  constructor(journalFolder: string, { bytesMax = comparedBytesMax }: UsageJournalsOptions = {}) {
    this.#folder = usageFolderOf(journalFolder);
    this.#bytesMax = bytesMax;
  }

  async *read(
    tenantId: TenantId,
    signal: AbortSignal,
  ): AsyncGenerator<readonly UsageRecord[], ReadJournals> {
    const reading: Reading = { bytesLeft: this.#bytesMax, isWhole: true };
    const partialPrefixes: string[] = [];
    let records: UsageRecord[] = [];
    for (const { life, files } of await findJournals(this.#folder)) {
      reading.isWhole = true;
      for (const file of files)
        for await (const record of readFile(file, { tenantId, signal, reading })) {
          records.push(record);
          if (records.length < comparedRecordCountMax) continue;
          yield records;
          records = [];
        }
      if (!reading.isWhole) partialPrefixes.push(prefixOfLife(life));
    }
    if (records.length > 0) yield records;
    return { partialPrefixes };
  }
}

/** One reading of all journals. */
interface Reading {
  bytesLeft: number;
  /** Whether all that there is was read, of the life that is read now. */
  isWhole: boolean;
}

interface WhatToRead {
  readonly tenantId: TenantId;
  readonly signal: AbortSignal;
  readonly reading: Reading;
}

/** A file may be removed, or be unreadable, at any moment: then its life was not read whole. */
async function* readFile(
  file: string,
  { tenantId, signal, reading }: WhatToRead,
): AsyncGenerator<UsageRecord> {
  const mark = `"tenantId":${JSON.stringify(tenantId)},`;
  try {
    let isFirst = true;
    for await (const line of readLines(file, signal, reading)) {
      const isHeading = isFirst;
      isFirst = false;
      // Most lines of a busy journal are other tenants', and need not be understood.
      if (isHeading || !line.includes(mark)) continue;
      const entries = fromUsageBlock(line);
      if (entries === undefined) reading.isWhole = false;
      for (const entry of entries ?? []) if (entry.tenantId === tenantId) yield entry.record;
    }
  } catch (error) {
    if (isAbort(error)) throw error;
    reading.isWhole = false;
  }
}

/** Lines up to the last end of a line: what stands behind it is being written, or was never begun. */
async function* readLines(
  file: string,
  signal: AbortSignal,
  reading: Reading,
): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8", signal })) {
    // A stream with an encoding gives text.
    const text = rest + (chunk as string);
    const lines = text.split("\n");
    rest = lines.pop() ?? "";
    // A file with nothing behind its heading is read to its end, however much was read before.
    const isBeyond = reading.bytesLeft < 0 && (lines.length > 1 || rest !== "");
    if (isBeyond || rest.length > usageLineBytesMax) {
      reading.isWhole = false;
      return;
    }
    reading.bytesLeft -= Buffer.byteLength(chunk as string);
    yield* lines;
  }
}
