/** What all parts of one simulation share: time, chance, the network, the auditor, what is counted. */

import { LedgerAuditor } from "@faultline/testkit/ledger-auditor.ts";

import type { Chance } from "./chance.ts";
import { Coverage, type Situation } from "./coverage.ts";
import { EventQueue } from "./event-queue.ts";

/** The wall time at which a simulation begins: 2026-01-31, 23:59:30 UTC, so that a day and a month end in it. */
export const startMs = 1_769_903_970_000;

/** The ledger's clock is off by two seconds at most, those of workers by half a per cent. */
const clockOffMsMax = 2_500;

/** How unreliable messages are in this simulation. */
export interface NetworkTerms {
  readonly lossShare: number;
  readonly doubleShare: number;
  readonly lateShare: number;
}

export class World {
  readonly queue = new EventQueue();
  readonly auditor = new LedgerAuditor(clockOffMsMax);
  readonly coverage = new Coverage();
  readonly unreadUses = new Set<string>();
  /** Set once the faults are over and everything comes to its end. */
  isEnding = false;
  /** What the parts say of the state of things, for the coverage. */
  situations: () => readonly Situation[] = () => [];
  readonly #chance: Chance;
  readonly #network: NetworkTerms;

  constructor(chance: Chance, network: NetworkTerms) {
    this.#chance = chance.fork("network");
    this.#network = network;
  }

  /** Carries a message, or loses it, or brings it late, or twice. */
  send(deliver: () => void): void {
    const { lossShare, doubleShare, lateShare } = this.#network;
    const chance = this.#chance;
    if (!this.isEnding && chance.happens(lossShare)) {
      this.coverage.note("message lost", this.situations());
      return;
    }
    this.#carry(deliver, !this.isEnding && chance.happens(lateShare));
    if (!this.isEnding && chance.happens(doubleShare)) {
      this.coverage.note("message doubled", this.situations());
      this.#carry(deliver, chance.happens(0.5));
    }
  }

  #carry(deliver: () => void, isLate: boolean): void {
    if (isLate) this.coverage.note("message late", this.situations());
    this.queue.after(
      isLate ? this.#chance.between(50, 4_000) : this.#chance.between(0, 8),
      deliver,
    );
  }
}
