/** What the regions of one simulation share: time, chance, the links between them, the auditor. */

import type { Chance } from "../chance.ts";
import { EventQueue } from "../event-queue.ts";
import { FaultTable, type RegionState } from "./fault-table.ts";
import { RegionAuditor } from "./region-auditor.ts";

/** The wall time at which a simulation begins. */
export const startMs = 1_769_903_970_000;

export interface LinkTerms {
  readonly lossShare: number;
  readonly doubleShare: number;
  readonly lateShare: number;
}

export class RegionWorld {
  readonly queue = new EventQueue();
  readonly auditor = new RegionAuditor();
  readonly table = new FaultTable();
  /** Set once the faults are over. */
  isEnding = false;
  readonly #cut = new Map<string, number>();
  readonly #chance: Chance;
  readonly #terms: LinkTerms;

  constructor(chance: Chance, terms: LinkTerms) {
    this.#chance = chance.fork("links");
    this.#terms = terms;
  }

  /** Cuts the way from one region to another for a while. */
  cut(from: string, to: string, durationMs: number): void {
    const way = `${from}>${to}`;
    this.#cut.set(way, Math.max(this.#cut.get(way) ?? 0, this.queue.nowMs + durationMs));
  }

  /** Whether nothing comes through in one direction at least. */
  isCut(one: string, other: string): boolean {
    return this.#isWayCut(one, other) || this.#isWayCut(other, one);
  }

  /** Carries a message, or loses it, or brings it late, or twice. */
  send(
    way: { from: string; to: string; states: readonly RegionState[] },
    deliver: () => void,
  ): void {
    const { from, to, states } = way;
    const chance = this.#chance;
    const { lossShare, doubleShare, lateShare } = this.#terms;
    const happens = (share: number): boolean => !this.isEnding && chance.happens(share);
    if (this.#isWayCut(from, to)) return;
    if (happens(lossShare)) {
      this.table.note("message lost", states);
      return;
    }
    const isLate = happens(lateShare);
    if (isLate) this.table.note("message late", states);
    this.queue.after(isLate ? chance.between(500, 15_000) : chance.between(20, 120), deliver);
    if (!happens(doubleShare)) return;
    this.table.note("message doubled", states);
    this.queue.after(chance.between(20, 9_000), deliver);
  }

  #isWayCut(from: string, to: string): boolean {
    return this.queue.nowMs < (this.#cut.get(`${from}>${to}`) ?? 0);
  }
}
