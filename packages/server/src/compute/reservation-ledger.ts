/**
 * What compute asks of the ledger. Every call is idempotent by the ids that it names: repeated with the same content it gives
 * the same answer and moves nothing. A call rejects when the ledger cannot be reached; whether it took effect is then not
 * known, and the caller repeats it. Amounts are micros.
 */

import type { TenantId, UseDetails } from "@faultline/protocol";

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

/** A reservation that is at work. */
export type WorkingReservation = Pick<
  ReserveRequest,
  "reservationId" | "tenantId" | "amountMicros"
>;

/** Where scheduler and ledger differ. */
export interface Differences {
  /** Open holds of which the scheduler knows no work. */
  readonly holdsWithoutWork: readonly string[];
  /** Reservations at work that have no open hold. */
  readonly workWithoutHold: readonly string[];
}

export interface ReservationLedger {
  /** Places a hold for the whole reservation. */
  reserve(request: ReserveRequest, signal: AbortSignal): Promise<ReserveOutcome>;
  /** Keeps a hold whose work goes on. */
  renew(renewal: Renewal, signal: AbortSignal): Promise<RenewOutcome>;
  /** Turns what is held for an interval into what is used. */
  consume(use: IntervalUse, signal: AbortSignal): Promise<UseOutcome>;
  /** Ends a hold and gives back what was not consumed. */
  release(release: Release, signal: AbortSignal): Promise<ReleaseOutcome>;
  /** Compares the open holds with the reservations that the scheduler has at work. */
  reconcile(working: readonly WorkingReservation[], signal: AbortSignal): Promise<Differences>;
  /** What a tenant may spend now. */
  spendableOf(tenantId: TenantId, signal: AbortSignal): Promise<bigint>;
}
