/** What a worker and the control process say to one another about credit. Each direction keeps its order. */

import type { BudgetRule, LedgerAnswer, LedgerRequest } from "#ledger/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

export type CreditUp =
  /** Sent again with the same id until it is answered. */
  | {
      readonly kind: "command";
      readonly tenantId: TenantId;
      readonly command: LedgerRequest;
      /** Of the uses in it, by their ids. */
      readonly details: ReadonlyMap<string, UseDetails> | undefined;
    }
  /** The command `report-lease`, with the details of its uses: their text is what `toReportText` makes of them. */
  | {
      readonly kind: "report";
      readonly tenantId: TenantId;
      readonly id: string;
      readonly leaseId: string;
      readonly text: string;
    }
  /** Follows the commands that give back what lay idle. */
  | {
      readonly kind: "recalled";
      readonly tenantId: TenantId;
      readonly round: number;
      /** Calls under way, which may give back more. */
      readonly openCount: number;
    };

export type CreditDown =
  | {
      readonly kind: "answer";
      readonly tenantId: TenantId;
      readonly commandId: string;
      /** None when the ledger could not answer: the command may have taken effect. Of a report, without its charges. */
      readonly answer: LedgerAnswer | undefined;
      /** With leases: the budgets as they are now. */
      readonly budgets: readonly BudgetRule[] | undefined;
    }
  | { readonly kind: "recall"; readonly tenantId: TenantId; readonly round: number };

/** Which life of which worker. */
export interface WorkerLife {
  readonly workerId: string;
  /** Greater than that of every earlier life. */
  readonly epoch: number;
}

/** The life of a worker in a place of the gateway. */
export function lifeOf(index: number, epoch: number): WorkerLife {
  return { workerId: `${workerPrefix}${index}`, epoch };
}

/** What the ids of all that the gateway's workers reserve begin with. */
export const workerPrefix = "gateway-";

/** What the ids of all that a life reserves begin with. */
export function prefixOfLife({ workerId, epoch }: WorkerLife): string {
  return `${workerId}/${epoch}/`;
}

/** The life that reserved something, by its id; `undefined` when it was none of the gateway's. */
export function lifeOfReserve(id: string): WorkerLife | undefined {
  const [, workerId, epoch] = /^(gateway-\d+)\/(\d+)\//.exec(id) ?? [];
  return workerId === undefined ? undefined : { workerId, epoch: Number(epoch) };
}
