/** What the control process does about workers that died: reads their journals, and tells the ledger what those say. */

import { chargesOfJournal } from "@faultline/server/ledger/worker/journal-charges.ts";
import { reservedMicros } from "@faultline/server/ledger/rules/credit.ts";
import type { Hold, Lease } from "@faultline/server/ledger/rules/types.ts";
import {
  type JournalFindings,
  type LeftReserve,
  recoveryOf,
} from "@faultline/server/ledger/worker/recover-leases.ts";

import type { Gateway } from "./gateway.ts";
import type { Journal } from "./journal.ts";
import type { LedgerProcess, SentCommand } from "./ledger-process.ts";
import type { World } from "./world.ts";

const intervalMs = 1_000;

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
    const left: LeftReserve[] = [
      ...leasesOf(leases.values(), journal).map((lease) => ({
        kind: "lease" as const,
        id: lease.id,
        remainingMicros: reservedMicros(lease),
        endsAtMs: lease.deadlineMs,
      })),
      ...holdsOf(holds.values(), journal).map((hold) => ({
        kind: "hold" as const,
        id: hold.id,
        remainingMicros: reservedMicros(hold),
        endsAtMs: hold.expiresAtMs,
      })),
    ];
    if (left.length === 0) return;
    const findings: JournalFindings = journal.isLost
      ? { kind: "unread", charges: new Map() }
      : { kind: "whole", charges: chargesOfJournal(journal.records) };
    for (const reserve of left) {
      for (const command of recoveryOf(reserve, findings, timeMs)) {
        if (command.kind === "settle" && command.charge.usageKind === "unread")
          this.#noteUnread(command.charge);
        this.#send(command);
      }
    }
  }

  /** What the worker itself sent before its death may come first, and then this is never charged. */
  #noteUnread({ usageId, amountMicros }: { usageId: string; amountMicros: bigint }): void {
    const served = { usageId, boundMicros: amountMicros, costMicros: amountMicros };
    this.#world.auditor.observe({ kind: "served", ...served });
    this.#world.unreadUses.add(usageId);
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

/** The life of a worker. */
interface Life {
  readonly workerId: string;
  readonly epoch: number;
}

/** The open leases of a life. */
function leasesOf(leases: Iterable<Lease>, { workerId, epoch }: Life): Lease[] {
  return [...leases].filter(
    (lease) => lease.state === "open" && lease.workerId === workerId && lease.epoch === epoch,
  );
}

/** The open holds of a life: a worker's commands bear its name and epoch. */
function holdsOf(holds: Iterable<Hold>, { workerId, epoch }: Life): Hold[] {
  const prefix = `${workerId}/${epoch}/`;
  return [...holds].filter((hold) => hold.state === "open" && hold.id.startsWith(prefix));
}
