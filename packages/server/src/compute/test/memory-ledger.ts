/** A ledger of reservations in memory, which can be made to fail before or after a call takes effect. */

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
} from "../reservation-ledger.ts";

interface MemoryHold {
  readonly tenantId: TenantId;
  remainingMicros: bigint;
  expiresAtMs: number;
  readonly usedByInterval: Map<number, bigint>;
  refundedMicros: bigint | undefined;
}

/** Where the next call fails; `none` lets it through. */
export type Fault = "none" | "before" | "after";

export class MemoryLedger implements ReservationLedger {
  readonly #spendable = new Map<TenantId, bigint>();
  readonly #holds = new Map<string, MemoryHold>();
  readonly #nextFault: () => Fault;

  constructor(nextFault: () => Fault = () => "none") {
    this.#nextFault = nextFault;
  }

  grant(tenantId: TenantId, micros: bigint): void {
    this.#spendable.set(tenantId, this.balanceOf(tenantId) + micros);
  }

  balanceOf(tenantId: TenantId): bigint {
    return this.#spendable.get(tenantId) ?? 0n;
  }

  usedBy(reservationId: string): bigint {
    const uses = this.#holds.get(reservationId)?.usedByInterval.values() ?? [];
    return [...uses].reduce((sum, micros) => sum + micros, 0n);
  }

  openIds(): string[] {
    return [...this.#holds].flatMap(([id, hold]) =>
      hold.refundedMicros === undefined ? [id] : [],
    );
  }

  /** Ends holds that nobody renewed. */
  expireHolds(nowMs: number): void {
    for (const [reservationId, hold] of this.#holds)
      if (hold.refundedMicros === undefined && hold.expiresAtMs < nowMs)
        this.#release({ reservationId });
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    return this.#call(() => {
      const { reservationId, tenantId, amountMicros, expiresAtMs } = request;
      if (this.#holds.has(reservationId)) return { kind: "held" };
      const spendableMicros = this.balanceOf(tenantId);
      if (amountMicros > spendableMicros) return { kind: "refused", spendableMicros };
      this.grant(tenantId, -amountMicros);
      this.#holds.set(reservationId, {
        tenantId,
        remainingMicros: amountMicros,
        expiresAtMs,
        usedByInterval: new Map(),
        refundedMicros: undefined,
      });
      return { kind: "held" };
    });
  }

  renew({ reservationId, expiresAtMs }: Renewal): Promise<RenewOutcome> {
    return this.#call(() => {
      const hold = this.#openHold(reservationId);
      if (hold === undefined) return { kind: "ended" };
      hold.expiresAtMs = Math.max(hold.expiresAtMs, expiresAtMs);
      return { kind: "renewed" };
    });
  }

  consume({ reservationId, interval, amountMicros }: IntervalUse): Promise<UseOutcome> {
    return this.#call(() => {
      const hold = this.#openHold(reservationId);
      if (hold === undefined) return { kind: "ended" };
      if (hold.usedByInterval.has(interval)) return { kind: "repeated" };
      if (amountMicros > hold.remainingMicros) throw new Error("more was used than was held");
      hold.usedByInterval.set(interval, amountMicros);
      hold.remainingMicros -= amountMicros;
      return { kind: "consumed" };
    });
  }

  release(release: Release): Promise<ReleaseOutcome> {
    return this.#call(() => this.#release(release));
  }

  reconcile(reservations: readonly WorkingReservation[]): Promise<Differences> {
    const open = new Set(this.openIds());
    const working = new Set(reservations.map(({ reservationId }) => reservationId));
    return this.#call(() => ({
      holdsWithoutWork: [...open].filter((id) => !working.has(id)),
      workWithoutHold: [...working].filter((id) => !open.has(id)),
    }));
  }

  spendableOf(tenantId: TenantId): Promise<bigint> {
    return this.#call(() => this.balanceOf(tenantId));
  }

  #release({ reservationId }: Pick<Release, "reservationId">): ReleaseOutcome {
    const hold = this.#holds.get(reservationId);
    if (hold === undefined) return { kind: "ended", refundedMicros: 0n };
    if (hold.refundedMicros !== undefined)
      return { kind: "ended", refundedMicros: hold.refundedMicros };
    hold.refundedMicros = hold.remainingMicros;
    hold.remainingMicros = 0n;
    this.grant(hold.tenantId, hold.refundedMicros);
    return { kind: "released", refundedMicros: hold.refundedMicros };
  }

  #openHold(reservationId: string): MemoryHold | undefined {
    const hold = this.#holds.get(reservationId);
    return hold?.refundedMicros === undefined ? hold : undefined;
  }

  async #call<T>(work: () => T): Promise<T> {
    const fault = this.#nextFault();
    if (fault === "before") throw new Error("the ledger is away");
    const answer = work();
    if (fault === "after") throw new Error("the answer was lost");
    return answer;
  }
}
