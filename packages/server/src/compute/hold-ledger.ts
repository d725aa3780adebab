/** The ledger as compute sees it: each reservation is one hold of its tenant, and each interval one use of that hold. */

import { assert } from "#kernel/index.ts";
import type { Ledger, LedgerAnswer, LedgerBooks, LedgerRequest } from "#ledger/index.ts";
import type { TenantId } from "@faultline/protocol";

import type {
  Differences,
  IntervalUse,
  Release,
  ReleaseOutcome,
  Renewal,
  RenewOutcome,
  ReservationLedger,
  ReserveOutcome,
  ReserveRequest,
  UseOutcome,
  WorkingReservation,
} from "./reservation-ledger.ts";

/** Compute is priced and paid in this currency. */
const currency = "USD";
const holdPrefix = "reservation:";

interface HoldLedgerParts {
  readonly ledger: Ledger;
  readonly books: LedgerBooks;
}

export class HoldLedger implements ReservationLedger {
  readonly #ledger: Ledger;
  readonly #books: LedgerBooks;

  constructor({ ledger, books }: HoldLedgerParts) {
    this.#ledger = ledger;
    this.#books = books;
  }

  async reserve(request: ReserveRequest, signal: AbortSignal): Promise<ReserveOutcome> {
    const { reservationId, tenantId, amountMicros, expiresAtMs, atMs } = request;
    // What costs nothing needs no credit, and the ledger holds no amount of 0.
    if (amountMicros === 0n) return { kind: "held" };
    const answer = await this.#ask(tenantId, signal, {
      kind: "hold",
      id: holdOf(reservationId),
      currency,
      amountMicros,
      durationMs: expiresAtMs - atMs,
      attribution: {},
    });
    if (answer.kind !== "refused") return { kind: "held" };
    // The id is of this reservation alone: its hold was placed while the configuration was another.
    if (answer.code === "ledger_id_reused") return { kind: "held" };
    // Without an open account there is nothing to spend; who opens it and grants credit lets the job start.
    const spendableMicros = answer.code === "credit_exhausted" ? answer.leftMicros : 0n;
    return { kind: "refused", spendableMicros };
  }

  async renew(renewal: Renewal, signal: AbortSignal): Promise<RenewOutcome> {
    const { reservationId, tenantId, expiresAtMs, atMs } = renewal;
    const answer = await this.#ask(tenantId, signal, {
      kind: "renew",
      id: `renew:${reservationId}:${atMs}`,
      holdId: holdOf(reservationId),
      durationMs: expiresAtMs - atMs,
    });
    return { kind: answer.kind === "renewed" ? "renewed" : "ended" };
  }

  async consume(use: IntervalUse, signal: AbortSignal): Promise<UseOutcome> {
    const { reservationId, tenantId, interval, amountMicros } = use;
    const usageId = `${reservationId}/${interval}`;
    const request = {
      kind: "settle",
      id: `use:${usageId}`,
      holdId: holdOf(reservationId),
      charge: { usageId, usageKind: "compute", amountMicros },
      isFinal: false,
    } as const;
    const details = new Map([[usageId, use.details]]);
    const answer = await this.#ledger.submit({ tenantId, signal }, request, { details });
    if (answer.kind === "settled") {
      if (answer.isRepeated) return { kind: "repeated" };
      return { kind: answer.isLate ? "ended" : "consumed" };
    }
    // An interval that a process charged before it ended in another length: the first charge stands.
    const isRepeated = answer.kind === "refused" && answer.code === "ledger_id_reused";
    return { kind: isRepeated ? "repeated" : "ended" };
  }

  async release(release: Release, signal: AbortSignal): Promise<ReleaseOutcome> {
    const { reservationId, tenantId } = release;
    const answer = await this.#ask(tenantId, signal, {
      kind: "release",
      id: `release:${reservationId}`,
      holdId: holdOf(reservationId),
    });
    if (answer.kind !== "released") return { kind: "ended", refundedMicros: 0n };
    const refundedMicros = answer.releasedMicros;
    return { kind: refundedMicros > 0n ? "released" : "ended", refundedMicros };
  }

  /** Of the tenants that have something at work. */
  async reconcile(
    working: readonly WorkingReservation[],
    signal: AbortSignal,
  ): Promise<Differences> {
    const holdsWithoutWork: string[] = [];
    const workWithoutHold: string[] = [];
    for (const [tenantId, ids] of idsByTenant(working)) {
      const holds = await this.#books.openHolds({ tenantId, signal });
      const open = new Set(
        holds.flatMap(({ id }) => (id.startsWith(holdPrefix) ? [id.slice(holdPrefix.length)] : [])),
      );
      holdsWithoutWork.push(...[...open].filter((id) => !ids.has(id)));
      workWithoutHold.push(...[...ids].filter((id) => !open.has(id)));
    }
    return { holdsWithoutWork, workWithoutHold };
  }

  async spendableOf(tenantId: TenantId, signal: AbortSignal): Promise<bigint> {
    const { accounts } = await this.#books.balance({ tenantId, signal });
    const account = accounts.find((one) => one.currency === currency && one.isOpen);
    return BigInt(account?.availableMicros ?? 0);
  }

  #ask(tenantId: TenantId, signal: AbortSignal, request: LedgerRequest): Promise<LedgerAnswer> {
    return this.#ledger.submit({ tenantId, signal }, request);
  }
}

function holdOf(reservationId: string): string {
  assert(reservationId.length > 0, "a reservation has a name");
  return `${holdPrefix}${reservationId}`;
}

function idsByTenant(working: readonly WorkingReservation[]): Map<TenantId, Set<string>> {
  const ids = new Map<TenantId, Set<string>>();
  for (const { tenantId, reservationId, amountMicros } of working) {
    const known = ids.get(tenantId) ?? new Set();
    ids.set(tenantId, known);
    if (amountMicros > 0n) known.add(reservationId);
  }
  return ids;
}
