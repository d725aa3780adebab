/** The journal of one life of a worker: survives the worker, unless its disk is lost. */

import type { UsageRecord } from "@faultline/server/ledger/worker/journal-charges.ts";

export interface Journal {
  readonly workerId: string;
  readonly epoch: number;
  /** A hold of a single operation stands here like a lease of one use. */
  readonly records: UsageRecord[];
  isLost: boolean;
}
