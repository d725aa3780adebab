/** The ledger as compute sees it: each reservation is one hold of its tenant, and each interval one use of that hold. */

import { assert } from "#kernel/index.ts";
import type { Ledger, LedgerAnswer, LedgerBooks, LedgerRequest } from "#ledger/index.ts";
import type { TenantId } from "@faultline/protocol";

import { compareWork } from "./compare-work.ts";
import type {
  IntervalUse,
  Release,
  ReleaseOutcome,
  Renewal,
  RenewOutcome,
  ReservationLedger,
  ReserveOutcome,
  ReserveRequest,
  ReservationWork,
  UseOutcome,
  WorkDifference,
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

  async reconcile(
    tenantId: TenantId,
    works: readonly ReservationWork[],
    signal: AbortSignal,
  ): Promise<WorkDifference[]> {
    const asked = works.flatMap(({ reservationId, worked }) =>
      worked === undefined
        ? []
        : [{ holdId: holdOf(reservationId), usagePrefix: reservationId, ...worked }],
    );
    const known = await this.#books.reservedWork(
      { tenantId, signal },
      { holdPrefix, works: asked },
    );
    return compareWork(works, {
      openMicros: new Map([...known.openMicros].map(([id, micros]) => [reservationOf(id), micros])),
      charged: new Map(known.charged.map((one) => [reservationOf(one.holdId), one])),
    });
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

/** The hold of a reservation. */
export function holdOf(reservationId: string): string {
  assert(reservationId.length > 0, "a reservation has a name");
  return `${holdPrefix}${reservationId}`;
}

function reservationOf(holdId: string): string {
  return holdId.slice(holdPrefix.length);
}
