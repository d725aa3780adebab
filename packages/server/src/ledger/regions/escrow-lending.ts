/** What the home of accounts knows of the regions that it lent to: when each was heard last, and from whom it wants credit back. */

import type { RegionEscrow } from "@faultline/protocol";

import type { Clock } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import type { LedgerOutcome, Refusal } from "../rules/commands.ts";
import { type EscrowRecall, recallState, refuseRecalled } from "./escrow-recall.ts";
import { RecallStore } from "./recall-store.ts";
import type { RegionRequest } from "./region-request.ts";
import { type LentEscrow, readLentEscrows } from "./region-store.ts";

const msPerSecond = 1_000;
/** The currency that regions share. */
const currency = "USD";

export interface EscrowLendingParts {
  readonly store: Store;
  readonly clock: Clock;
}

export class EscrowLending {
  readonly #parts: EscrowLendingParts;
  readonly #recalls: RecallStore;
  readonly #openedMs: number;
  /** In monotonic time. */
  readonly #heardMs = new Map<string, number>();

  constructor(parts: EscrowLendingParts) {
    this.#parts = parts;
    this.#recalls = new RecallStore(parts.store);
    this.#openedMs = parts.clock.monotonicMs();
  }

  hear(region: string): void {
    this.#heardMs.set(region, this.#parts.clock.monotonicMs());
  }

  silentMs(region: string): number {
    return this.#parts.clock.monotonicMs() - (this.#heardMs.get(region) ?? this.#openedMs);
  }

  /** Wants back what a region was lent; for no time at all, it does not any more. */
  async recall(scope: TenantScope, region: string, durationMs: number): Promise<void> {
    const recalledAtMs = this.#parts.clock.nowMs();
    if (durationMs <= 0) await this.#recalls.remove(scope, region);
    else
      await this.#recalls.save(scope, region, { recalledAtMs, untilMs: recalledAtMs + durationMs });
  }

  /** Whether a region is to give back what it has. A recall that is over is forgotten. */
  async isRecalled(scope: TenantScope, region: string): Promise<boolean> {
    const recall = (await this.#recalls.recalls(scope)).get(region);
    if (recall === undefined) return false;
    const escrows = await this.#parts.store.read(scope, readLentEscrows);
    const own = escrows.filter((escrow) => escrow.region === region);
    const heldMicros = own.reduce((sum, escrow) => sum + escrow.heldMicros, 0n);
    const state = recallState(recall, { nowMs: this.#parts.clock.nowMs(), heldMicros });
    if (state !== "over") return true;
    // Somebody may have recalled it anew since it was looked at.
    return !(await this.#recalls.remove(scope, region, recall));
  }

  /** What is answered, without the ledger, to steps of a region that is to give back: those that would lend it more. */
  async refusals(
    scope: TenantScope,
    steps: readonly RegionRequest[],
  ): Promise<ReadonlyMap<string, LedgerOutcome | Refusal>> {
    const refused = new Map<string, Refusal>();
    for (const step of steps) {
      const refusal = refuseRecalled(step, currency);
      if (refusal !== undefined) refused.set(step.id, refusal);
    }
    // What was lent before the recall was lent, though the region may not have heard of it.
    for (const id of await this.#recalls.doneSteps(scope, [...refused.keys()])) refused.delete(id);
    return refused;
  }

  /** The escrows of a tenant, and how they stand. */
  async show(scope: TenantScope): Promise<RegionEscrow[]> {
    const recalls = await this.#recalls.recalls(scope);
    const escrows = await this.#parts.store.read(scope, readLentEscrows);
    return escrows.map((escrow) => this.#showOne(escrow, recalls.get(escrow.region)));
  }

  #showOne(
    { region, currency: own, heldMicros, chargedMicros }: LentEscrow,
    recall: EscrowRecall | undefined,
  ): RegionEscrow {
    const nowMs = this.#parts.clock.nowMs();
    const state = recall === undefined ? "over" : recallState(recall, { nowMs, heldMicros });
    return {
      region,
      currency: own,
      heldMicros: String(heldMicros),
      chargedMicros: String(chargedMicros),
      silentSeconds: Math.max(0, Math.floor(this.silentMs(region) / msPerSecond)),
      ...(recall === undefined || state === "over"
        ? {}
        : {
            recalledUntil: new Date(recall.untilMs).toISOString(),
            ...(state === "overdue" ? { isOverdue: true } : {}),
          }),
    };
  }
}
