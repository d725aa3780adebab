/** Keeps a ledger in memory small: what ended or was done longest ago is forgotten, and looked up when it is named again. */

import type { Decision, Touched } from "../rules/commands.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import type { Batch } from "../store/batch.ts";
import { ledgerServiceLimits } from "./limits.ts";

export class KeptRecords {
  readonly #state: LedgerState;
  /** In the order of their end. */
  readonly #ended = { hold: new Set<string>(), lease: new Set<string>() };
  /** So many lots are looked through when there are more. */
  #lotCountMax: number = ledgerServiceLimits.keptLotCount;

  constructor(state: LedgerState) {
    this.#state = state;
    for (const { id, state: end } of state.holds.values())
      if (end !== "open") this.#ended.hold.add(id);
    for (const { id, state: end } of state.leases.values())
      if (end !== "open") this.#ended.lease.add(id);
  }

  /** Takes note of what a decision, which was written, has ended. */
  note({ touched }: Decision): void {
    for (const { kind, id } of touched) {
      if (kind === "hold" && this.#state.holds.get(id)?.state !== "open")
        this.noteEnded("hold", id);
      else if (kind === "lease" && this.#state.leases.get(id)?.state !== "open")
        this.noteEnded("lease", id);
    }
  }

  /** Takes note of a hold or lease that has ended. */
  noteEnded(kind: "hold" | "lease", id: string): void {
    this.#ended[kind].add(id);
  }

  /** Forgets what is beyond the bounds, save what `unwritten` are going to write. */
  forget(unwritten: readonly Batch[]): void {
    const { commands, uses, holds, leases } = this.#state;
    const { keptCommandCountMax, keptUseCountMax } = ledgerServiceLimits;
    forgetOldest(commands, keptCommandCountMax, (id) => unwritten.some((next) => next.writes(id)));
    forgetOldest(uses, keptUseCountMax, (id) => touchesAny(unwritten, "use", id));
    this.#forgetEnded("hold", holds, unwritten);
    this.#forgetEnded("lease", leases, unwritten);
    this.#forgetLots(unwritten);
  }

  #forgetEnded(
    kind: "hold" | "lease",
    records: Map<string, unknown>,
    unwritten: readonly Batch[],
  ): void {
    const ended = this.#ended[kind];
    const countMax = ledgerServiceLimits.keptEndedHoldCountMax;
    if (ended.size <= countMax) return;
    for (const id of ended) {
      if (ended.size <= countMax) return;
      if (touchesAny(unwritten, kind, id)) continue;
      ended.delete(id);
      records.delete(id);
    }
  }

  /** A lot of which nothing is left and to which nothing can return says nothing any more. */
  #forgetLots(unwritten: readonly Batch[]): void {
    const { lots, holds, leases } = this.#state;
    if (lots.size <= this.#lotCountMax) return;
    const reserved = new Set<string | undefined>();
    for (const { portions } of [...holds.values(), ...leases.values()])
      for (const { lotId } of portions) reserved.add(lotId);
    for (const { id, remainingMicros } of lots.values()) {
      if (remainingMicros === 0n && !reserved.has(id) && !touchesAny(unwritten, "lot", id))
        lots.delete(id);
    }
    // Where most lots are in use, looking again at once would find nothing.
    this.#lotCountMax = Math.max(ledgerServiceLimits.keptLotCount, lots.size * 2);
  }
}

function touchesAny(batches: readonly Batch[], kind: Touched["kind"], id: string): boolean {
  return batches.some((batch) => batch.touches(kind, id));
}

/** A map gives its keys in the order in which they came: from the first unwritten one on, all are unwritten. */
function forgetOldest(
  records: Map<string, unknown>,
  countMax: number,
  isUnwritten: (id: string) => boolean,
): void {
  for (const id of records.keys()) {
    if (records.size <= countMax || isUnwritten(id)) break;
    records.delete(id);
  }
}
