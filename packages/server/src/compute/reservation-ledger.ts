/**
 * What compute asks of the ledger. Every call is idempotent by the ids that it names: repeated with the same content it gives
 * the same answer and moves nothing. A call rejects when the ledger cannot be reached; whether it took effect is then not
 * known, and the caller repeats it. Amounts are micros.
 */

import type { TenantId, UseDetails } from "@faultline/protocol";

import type { WorkedIntervals } from "./worked-intervals.ts";

export interface ReserveRequest {
  /** Names the reservation in all further calls. */
  readonly reservationId: string;
  readonly tenantId: TenantId;
  readonly amountMicros: bigint;
  /** The hold ends by then unless it is renewed. */
  readonly expiresAtMs: number;
  readonly atMs: number;
}

export type ReserveOutcome =
  | { readonly kind: "held" }
  | { readonly kind: "refused"; readonly spendableMicros: bigint };

/** One interval of use; charged once however often and in whatever order it is reported. */
export interface IntervalUse {
  readonly reservationId: string;
  readonly tenantId: TenantId;
  /** Counted from the start of the reservation. */
  readonly interval: number;
  readonly amountMicros: bigint;
  readonly atMs: number;
  /** What was used. */
  readonly details: UseDetails;
}

/** `ended`: the hold was released or has expired. */
export type UseOutcome = { readonly kind: "consumed" | "repeated" | "ended" };

export interface Renewal {
  readonly reservationId: string;
  readonly tenantId: TenantId;
  readonly expiresAtMs: number;
  readonly atMs: number;
}

export type RenewOutcome = { readonly kind: "renewed" | "ended" };

export interface Release {
  readonly reservationId: string;
  readonly tenantId: TenantId;
  readonly atMs: number;
}

/** `refundedMicros` was held and not consumed. */
export interface ReleaseOutcome {
  readonly kind: "released" | "ended";
  readonly refundedMicros: bigint;
}

/** A reservation as the scheduler knows it. */
export interface ReservationWork extends Pick<
  ReserveRequest,
  "reservationId" | "tenantId" | "amountMicros"
> {
  /** Whether it is held for now. */
  readonly isOpen: boolean;
  /** What was worked, and told to the ledger; absent where nobody knows. */
  readonly worked: WorkedIntervals | undefined;
}

/** Where scheduler and ledger differ about a reservation. */
export type WorkDifference =
  /** An open hold of which the scheduler knows no work. */
  | {
      readonly kind: "hold-without-work";
      readonly reservationId: string;
      readonly remainingMicros: bigint;
    }
  /** One that is at work and has no open hold. */
  | {
      readonly kind: "work-without-hold";
      readonly reservationId: string;
      readonly amountMicros: bigint;
    }
  /** Intervals that were worked and not charged, or charged and not worked. */
  | {
      readonly kind: "work-differs";
      readonly reservationId: string;
      readonly isOpen: boolean;
      readonly workedMicros: bigint;
      readonly missingCount: number;
      /** What the missing ones would have cost. */
      readonly missingMicros: bigint;
      readonly chargedMicros: bigint;
      readonly beyondCount: number;
      /** What was charged for intervals in which nobody worked. */
      readonly beyondMicros: bigint;
    };

export interface ReservationLedger {
  /** Places a hold for the whole reservation. */
  reserve(request: ReserveRequest, signal: AbortSignal): Promise<ReserveOutcome>;
  /** Keeps a hold whose work goes on. */
  renew(renewal: Renewal, signal: AbortSignal): Promise<RenewOutcome>;
  /** Turns what is held for an interval into what is used. */
  consume(use: IntervalUse, signal: AbortSignal): Promise<UseOutcome>;
  /** Ends a hold and gives back what was not consumed. */
  release(release: Release, signal: AbortSignal): Promise<ReleaseOutcome>;
  /** Compares a tenant's reservations with its open holds and with what was charged. */
  reconcile(
    tenantId: TenantId,
    works: readonly ReservationWork[],
    signal: AbortSignal,
  ): Promise<WorkDifference[]>;
  /** What a tenant may spend now. */
  spendableOf(tenantId: TenantId, signal: AbortSignal): Promise<bigint>;
}
