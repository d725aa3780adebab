/** What the allocator decides. Who carries it out does so in the order of the list. */

import type { TenantId } from "@faultline/protocol";

import type { StartOrder } from "./job-record.ts";

/** Where the members of a job stand. */
export interface Placement {
  readonly nodeId: string;
  readonly memberCount: number;
}

export type Decision =
  | {
      readonly kind: "admitted";
      readonly jobId: string;
      readonly tenantId: TenantId;
      readonly placement: readonly Placement[];
      readonly startsAtMs: number;
      /** When the reservation is used up. */
      readonly endsAtMs: number;
      readonly order: StartOrder;
      /** What the ledger has to hold for it. */
      readonly costMicros: bigint;
    }
  | {
      /** Stops before its time, to make place for a job of higher priority. */
      readonly kind: "preempted";
      readonly jobId: string;
      readonly tenantId: TenantId;
      readonly byJobId: string;
      /** What is left of its reservation: the ledger gives it back. */
      readonly unusedMs: number;
    }
  | {
      /** Its node is gone or has changed. */
      readonly kind: "lost";
      readonly jobId: string;
      readonly tenantId: TenantId;
      readonly nodeId: string;
      readonly unusedMs: number;
    };
