/** What the control process does about workers that died: reads their journals, and tells the ledger what those say. */

import { chargesOfJournal } from "@faultline/server/ledger/worker/journal-charges.ts";
import {
  holdsOf,
  leasesOf,
  recoveryReports,
  returnCommand,
} from "@faultline/server/ledger/worker/recover-leases.ts";
import { ledgerLimits } from "@faultline/server/ledger/rules/limits.ts";

import type { Gateway } from "./gateway.ts";
import type { Journal } from "./journal.ts";
import type { LedgerProcess, SentCommand } from "./ledger-process.ts";
import type { World } from "./world.ts";

const intervalMs = 1_000;
/** A hold whose worker's journal is lost counts as spent so long before it would expire: what the worker sent has come by then. */
const unreadAheadMs = 20_000;

export class Recovery {
  readonly #world: World;
  readonly #ledger: LedgerProcess;
  readonly #gateways: readonly Gateway[];

  constructor(world: World, ledger: LedgerProcess, gateways: readonly Gateway[]) {
    this.#world = world;
    this.#ledger = ledger;
    this.#gateways = gateways;
    this.#tick();
  }

  /** Whether a life that ended has left something. */
  get isBusy(): boolean {
    const { leases, holds } = this.#ledger.state;
    return this.#deadJournals().some(
      (life) =>
        leasesOf(leases.values(), life).length > 0 || holdsOf(holds.values(), life).length > 0,
    );
  }

  #tick(): void {
    this.#world.queue.after(intervalMs, () => {
      for (const journal of this.#deadJournals()) this.#recover(journal);
      for (const gateway of this.#gateways) this.#remind(gateway);
      this.#tick();
    });
  }

  /** Of a worker that is up every life but the last has ended. */
  #deadJournals(): Journal[] {
    return this.#gateways.flatMap(({ lives, isUp }) => (isUp ? lives.slice(0, -1) : lives));
  }

  #recover(journal: Journal): void {
    const { leases, holds, timeMs } = this.#ledger.state;
    const openLeases = leasesOf(leases.values(), journal);
    const openHolds = holdsOf(holds.values(), journal);
    if (openLeases.length + openHolds.length === 0) return;
    const charges = chargesOfJournal(journal.records);
    for (const { id: leaseId, deadlineMs } of openLeases) {
      if (journal.isLost) {
        if (timeMs >= deadlineMs + ledgerLimits.leaseGraceMs)
          this.#send({ kind: "lose-lease", id: `${leaseId}/lost`, leaseId });
        continue;
      }
      const uses = charges.get(leaseId) ?? [];
      for (const command of recoveryReports(leaseId, uses)) this.#send(command);
      this.#send(returnCommand(leaseId, uses));
    }
    for (const { id: holdId, heldMicros, expiresAtMs } of openHolds) {
      if (journal.isLost && timeMs < expiresAtMs - unreadAheadMs) continue;
      const id = `${holdId}/recovered`;
      const [use] = charges.get(holdId) ?? [];
      if (journal.isLost) {
        const usageId = `${holdId}/unread`;
        const served = { usageId, boundMicros: heldMicros, costMicros: heldMicros };
        this.#world.auditor.observe({ kind: "served", ...served });
        // What the worker itself sent before its death may come first.
        this.#world.unreadUses.add(usageId);
        const charge = { usageId, usageKind: "unread", amountMicros: heldMicros } as const;
        this.#send({ kind: "settle", id, holdId, charge, isFinal: true });
      } else if (use === undefined) this.#send({ kind: "release", id, holdId });
      else {
        const { usageId, usageKind, amountMicros } = use;
        const charge = { usageId, usageKind, amountMicros };
        this.#send({ kind: "settle", id, holdId, charge, isFinal: true });
      }
    }
  }

  /** Tells a living worker of its leases that it should have ended. */
  #remind(gateway: Gateway): void {
    const { leases, timeMs } = this.#ledger.state;
    const life = { workerId: gateway.name, epoch: gateway.epoch };
    const overdue = leasesOf(leases.values(), life).filter((lease) => lease.deadlineMs < timeMs);
    if (!gateway.isUp || overdue.length === 0) return;
    const { keeper } = gateway;
    const leaseIds = overdue.map((lease) => lease.id);
    this.#world.send(gateway.live(() => keeper.adopt(leaseIds)));
  }

  #send(command: SentCommand): void {
    this.#ledger.receive(command, () => {});
  }
}
