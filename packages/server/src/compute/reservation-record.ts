/** A reservation as it is kept: what was asked for, and where it stands. */

import type { Placement } from "./decision.ts";
import type { WorkedTime } from "./interval-cost.ts";
import type { JobRequest } from "./job.ts";

/** Keeps reservations durably. */
export interface ReservationKeeper {
  /** Writes down how they stand now. Rejects when that is not known to be done. */
  save(records: readonly KeptRecord[], signal: AbortSignal): Promise<void>;
}

/** How a reservation ended. */
export type ReservationEnd =
  | "completed"
  | "preempted"
  | "expired"
  | "silent"
  | "lost"
  | "withdrawn"
  /** Its price rose, while it waited, beyond what the ledger holds at once. */
  | "overpriced";

export type ReservationStage =
  | { readonly kind: "waiting" }
  /** Capacity is kept for it, and the ledger has not answered yet. */
  | { readonly kind: "reserving"; readonly admittedAtMs: number }
  /** Held for; it may start. */
  | { readonly kind: "reserved"; readonly admittedAtMs: number }
  | {
      readonly kind: "running";
      readonly admittedAtMs: number;
      readonly startedAtMs: number;
      readonly heardAtMs: number;
    }
  | { readonly kind: "ended"; readonly end: ReservationEnd };

/** What reservations did since the process began, for metrics. */
export interface ReservationCounts {
  readonly admitted: number;
  readonly waitMsSum: number;
  readonly ended: ReadonlyMap<ReservationEnd, number>;
}

/** A reservation as it stands. */
export interface ReservationRecord {
  readonly request: JobRequest;
  readonly stage: ReservationStage;
  /** Where it runs, or ran; empty before it is admitted. */
  readonly placement: readonly Placement[];
  /** Of one that has ended; absent where an earlier release wrote it. */
  readonly worked?: WorkedTime;
}

/** A reservation as it is written down. */
export interface KeptRecord extends ReservationRecord {
  /** It has ended and the ledger knows all of it: no later process takes it up. */
  readonly isClosed: boolean;
}
