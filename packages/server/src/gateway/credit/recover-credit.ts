/**
 * Ends what workers that died were lent. Their journals say what was used: a call that was not settled is charged with all
 * that was held for it, since its provider may have answered in full. Only when a journal was read to its end, the lease goes
 * back. Where that cannot be, everything counts as spent: a lease when the ledger gives it up, a hold here.
 */

import { rm } from "node:fs/promises";

import {
  chargesOfJournal,
  type LeaseCharge,
  type Lending,
  type OpenReserve,
  recoveryReports,
  returnCommand,
} from "#ledger/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { UseDetails } from "@faultline/protocol";

import { lifeOfReserve, workerPrefix, type WorkerLife } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { isRunning, readBootId } from "./process-mark.ts";
import { findJournals, type JournalOfLife, readJournal, readOrigin } from "./usage-files.ts";

export interface CreditRecoveryParts {
  readonly lending: Pick<Lending, "submit" | "openReserves">;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
}

/** What is known of a life that ended. */
interface Findings {
  readonly journal: JournalOfLife | undefined;
  /** Of each reserve. */
  readonly charges: ReadonlyMap<string, readonly LeaseCharge[]>;
  readonly details: ReadonlyMap<string, UseDetails>;
  /** Whether the journal tells of all that was admitted. */
  readonly isWhole: boolean;
}

export class CreditRecovery {
  readonly #parts: CreditRecoveryParts;
  readonly #findings = new Map<string, Findings>();
  /** When a life was first seen to have ended, in monotonic time. */
  readonly #endedMs = new Map<string, number>();
  #isBusy = false;
  #isFailing = false;

  constructor(parts: CreditRecoveryParts) {
    this.#parts = parts;
  }

  /** Does what can be done now. Never rejects: what cannot be done waits for the next turn. */
  async collect(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { log, signal } = this.#parts;
    try {
      await this.#collect();
      this.#isFailing = false;
    } catch (error) {
      // Said once for each outage.
      if (!this.#isFailing && !signal.aborted)
        log("credit of workers that ended cannot be recovered yet", { cause: String(error) });
      this.#isFailing = true;
    } finally {
      this.#isBusy = false;
    }
  }

  async #collect(): Promise<void> {
    const { lending, folder, signal } = this.#parts;
    const journals = new Map<string, JournalOfLife>();
    for (const journal of await findJournals(folder)) journals.set(keyOf(journal.life), journal);
    const alive = new Set<string>();
    for (const [key, journal] of journals) if (await isAlive(journal)) alive.add(key);
    const isIdle = [...journals.keys()].every((key) => alive.has(key));
    if (isIdle && this.#hasSearched) return;
    const reserves = await lending.openReserves(workerPrefix, signal);
    const open = new Set<string>();
    for (const reserve of reserves) {
      const life = lifeOfReserve(reserve.id);
      if (life === undefined || alive.has(keyOf(life))) continue;
      open.add(keyOf(life));
      await this.#recover(reserve, await this.#find(life, journals.get(keyOf(life))));
    }
    this.#hasSearched = open.size === 0;
    for (const [key, journal] of journals)
      if (!alive.has(key) && !open.has(key)) await this.#forget(key, journal);
  }

  /** Whether nothing was open of any life that has no journal. */
  #hasSearched = false;

  async #recover(reserve: OpenReserve, findings: Findings): Promise<void> {
    const { lending } = this.#parts;
    const { tenantId, id, kind } = reserve;
    const charges = findings.charges.get(id) ?? [];
    if (kind === "lease") {
      for (const report of recoveryReports(id, charges))
        await lending.submit(tenantId, report, findings.details);
      // Until the lease's deadline has passed, or a later life of its worker is known, the ledger refuses this.
      if (findings.isWhole) await lending.submit(tenantId, returnCommand(id, charges));
      return;
    }
    const [charge] = charges;
    if (charge === undefined && findings.isWhole) {
      // A call is written down before its provider is asked.
      await lending.submit(tenantId, { kind: "release", id: `${id}/recovered`, holdId: id });
      return;
    }
    const { usageId, usageKind, amountMicros } = charge ?? {
      usageId: `${id}/unread`,
      usageKind: "unread",
      amountMicros: reserve.remainingMicros,
    };
    const settle = { kind: "settle", id: `${id}/recovered`, holdId: id, isFinal: true } as const;
    const use = { usageId, usageKind, amountMicros };
    await lending.submit(tenantId, { ...settle, charge: use }, findings.details);
  }

  async #find(life: WorkerLife, journal: JournalOfLife | undefined): Promise<Findings> {
    const key = keyOf(life);
    const known = this.#findings.get(key);
    if (known !== undefined) return known;
    const found = await this.#read(life, journal);
    this.#findings.set(key, found);
    return found;
  }

  async #read(life: WorkerLife, journal: JournalOfLife | undefined): Promise<Findings> {
    const nothing = { journal, charges: new Map(), details: new Map(), isWhole: false };
    const { log } = this.#parts;
    if (journal === undefined) {
      log("the journal of a worker is lost: what it was lent counts as spent", { ...life });
      return nothing;
    }
    try {
      const { entries, origin } = await readJournal(journal);
      const details = new Map<string, UseDetails>();
      for (const { record, details: own } of entries)
        if (record.kind === "settled" && own !== undefined) details.set(record.charge.usageId, own);
      const bootId = readBootId();
      const isWhole = bootId !== "" && origin?.bootId === bootId;
      if (!isWhole)
        log("the machine failed since: what a worker was lent and did not report counts as spent", {
          ...life,
        });
      const charges = chargesOfJournal(entries.map(({ record }) => record));
      log("credit of a worker that ended is recovered", { ...life, entries: entries.length });
      return { journal, charges, details, isWhole };
    } catch (error) {
      log("the journal of a worker cannot be read: what it was lent counts as spent", {
        ...life,
        cause: String(error),
      });
      return nothing;
    }
  }

  /** Nothing of a life is open any more. What it asked for last may still be decided, so it is kept for a while. */
  async #forget(key: string, { files }: JournalOfLife): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const endedMs = this.#endedMs.get(key) ?? nowMs;
    this.#endedMs.set(key, endedMs);
    if (nowMs - endedMs < creditLimits.journalKeptMs) return;
    for (const file of files) await rm(file, { force: true });
    this.#endedMs.delete(key);
    this.#findings.delete(key);
  }
}

function keyOf({ workerId, epoch }: WorkerLife): string {
  return `${workerId}/${epoch}`;
}

/** Whether the process that writes a journal still runs. */
async function isAlive(journal: JournalOfLife): Promise<boolean> {
  const origin = await readOrigin(journal);
  return origin !== undefined && isRunning(origin.processMark);
}
