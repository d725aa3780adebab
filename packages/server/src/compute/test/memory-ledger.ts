/** A ledger of reservations in memory, which can be made to fail before or after a call takes effect. */

import type { TenantId } from "@faultline/protocol";

import { type ChargedIntervals, compareWork } from "../compare-work.ts";
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
} from "../reservation-ledger.ts";
import type { WorkedIntervals } from "../worked-intervals.ts";

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

  reconcile(_tenantId: TenantId, works: readonly ReservationWork[]): Promise<WorkDifference[]> {
    const open = [...this.#holds].filter(([, hold]) => hold.refundedMicros === undefined);
    const openMicros = new Map(open.map(([id, hold]) => [id, hold.remainingMicros]));
    const charged = works.flatMap(({ reservationId, worked }) =>
      worked === undefined
        ? []
        : [[reservationId, this.#chargedIntervals(reservationId, worked)] as const],
    );
    return this.#call(() => compareWork(works, { openMicros, charged: new Map(charged) }));
  }

  #chargedIntervals(reservationId: string, { first, last }: WorkedIntervals): ChargedIntervals {
    const uses = [...(this.#holds.get(reservationId)?.usedByInterval ?? [])];
    const isWorked = (interval: number): boolean => interval >= first && interval <= last;
    const sum = (part: typeof uses): bigint => part.reduce((all, [, micros]) => all + micros, 0n);
    const worked = uses.filter(([interval]) => isWorked(interval));
    const beyond = uses.filter(([interval]) => !isWorked(interval));
    return {
      chargedCount: worked.length,
      chargedMicros: sum(worked),
      beyondCount: beyond.length,
      beyondMicros: sum(beyond),
    };
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
