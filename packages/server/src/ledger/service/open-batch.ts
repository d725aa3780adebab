/** Decisions that are written together, and whoever waits for them. */

import type { Decision } from "../rules/commands.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import { Batch } from "../store/batch.ts";
import type { PendingCommand } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";

/** A command that was decided and waits for its commit. */
export interface DecidedCommand {
  readonly pending: PendingCommand;
  readonly decision: Decision;
}

/** A batch that collects decisions, also those that change nothing and are answered with it. */
export interface OpenBatch {
  readonly batch: Batch;
  readonly decided: DecidedCommand[];
}

/** One without decisions yet. */
export function newBatch(state: LedgerState): OpenBatch {
  return { batch: new Batch(state), decided: [] };
}

/** Whether it takes no more commands. */
export function isFull({ batch, decided }: OpenBatch): boolean {
  return (
    decided.length >= ledgerServiceLimits.batchCommandCountMax ||
    batch.transferCount >= ledgerServiceLimits.batchTransferCount
  );
}
