/** What the home of accounts knows of the regions that it lent to: when each was heard last, and from whom it wants credit back. */

import type { RegionEscrow, TenantId } from "@faultline/protocol";

import type { Clock } from "#kernel/index.ts";

import type { LentEscrow } from "./region-store.ts";

const msPerSecond = 1_000;

export class EscrowLending {
  readonly #clock: Clock;
  readonly #openedMs: number;
  /** In monotonic time. */
  readonly #heardMs = new Map<string, number>();
  /** By tenant and region, until when. A process that begins anew recalls nothing. */
  readonly #recalls = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#openedMs = clock.monotonicMs();
  }

  hear(region: string): void {
    this.#heardMs.set(region, this.#clock.monotonicMs());
  }

  silentMs(region: string): number {
    return this.#clock.monotonicMs() - (this.#heardMs.get(region) ?? this.#openedMs);
  }

  recall(tenantId: TenantId, region: string, durationMs: number): void {
    this.#recalls.set(`${tenantId}/${region}`, this.#clock.nowMs() + durationMs);
  }

  isRecalled(tenantId: TenantId, region: string): boolean {
    return (this.#recalls.get(`${tenantId}/${region}`) ?? 0) > this.#clock.nowMs();
  }

  show(
    tenantId: TenantId,
    { region, currency, heldMicros, chargedMicros }: LentEscrow,
  ): RegionEscrow {
    const untilMs = this.#recalls.get(`${tenantId}/${region}`);
    return {
      region,
      currency,
      heldMicros: String(heldMicros),
      chargedMicros: String(chargedMicros),
      silentSeconds: Math.max(0, Math.floor(this.silentMs(region) / msPerSecond)),
      ...(untilMs !== undefined && this.isRecalled(tenantId, region)
        ? { recalledUntil: new Date(untilMs).toISOString() }
        : {}),
    };
  }
}
