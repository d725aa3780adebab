/**
 * Ends what workers that died were lent. Their journals say what was used: a call that was not settled is charged with all
 * that was held for it, since its provider may have answered in full. Only when a journal was read to its end, what is left
 * goes back. Where that cannot be, everything counts as spent, by the rule that the ledger has for it.
 */

import { rm, stat } from "node:fs/promises";

import {
  chargesOfJournal,
  foundReports,
  type JournalFindings,
  type Lending,
  type OpenReserve,
  recoveryOf,
} from "#ledger/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

import { lifeOfReserve, prefixOfLife, workerPrefix, type WorkerLife } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { isRunning, readBootId } from "./process-mark.ts";
import { findJournals, type JournalOfLife, readJournal, readOrigin } from "./usage-files.ts";

export interface CreditRecoveryParts {
  readonly lending: Pick<Lending, "submit" | "openReserves" | "unreadLeases">;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
}

/** What is known of a life that ended. */
interface Findings {
  readonly kind: JournalFindings["kind"];
  /** Tenants' leases have ids of their own in their own ledgers only. */
  readonly charges: ReadonlyMap<TenantId, JournalFindings["charges"]>;
  readonly details: ReadonlyMap<string, UseDetails>;
  /** Of a journal that cannot be read: it is tried again from then on, in monotonic time. */
  readonly staleMs: number;
  /** Commands that took effect. */
  readonly done: Set<string>;
}

const noCharges: JournalFindings["charges"] = new Map();

export class CreditRecovery {
  readonly #parts: CreditRecoveryParts;
  readonly #findings = new Map<string, Findings>();
  /** When a life was first seen to have ended, in monotonic time. */
  readonly #endedMs = new Map<string, number>();
  /** How long a journal was when it was looked at for leases that were lost. */
  readonly #foundBytes = new Map<string, number>();
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
    const alive: WorkerLife[] = [];
    for (const journal of journals.values()) if (await isAlive(journal)) alive.push(journal.life);
    if (alive.length === journals.size && this.#hasSearched) return;
    const exceptPrefixes = alive.map((life) => prefixOfLife(life));
    const search = { prefix: workerPrefix, exceptPrefixes };
    const { reserves, isWhole } = await lending.openReserves(search, signal);
    const open = new Set<string>();
    const failures: unknown[] = [];
    for (const reserve of reserves) {
      const life = lifeOfReserve(reserve.id);
      if (life === undefined) continue;
      open.add(keyOf(life));
      try {
        await this.#recover(reserve, await this.#find(life, journals.get(keyOf(life))));
      } catch (error) {
        // The others do not wait for it.
        failures.push(error);
      }
    }
    this.#hasSearched = open.size === 0 && isWhole;
    for (const key of this.#findings.keys())
      if (!open.has(key) && !journals.has(key)) this.#findings.delete(key);
    for (const life of alive) journals.delete(keyOf(life));
    for (const [key, journal] of journals)
      if (isWhole && !open.has(key)) {
        await this.#chargeFound(key, journal);
        await this.#forget(key, journal);
      }
    if (failures.length > 0) throw failures[0];
  }

  /** Whether nothing was open of any life that has ended. */
  #hasSearched = false;

  async #recover(reserve: OpenReserve, findings: Findings): Promise<void> {
    const { lending, clock } = this.#parts;
    const { kind } = findings;
    const charges = findings.charges.get(reserve.tenantId) ?? noCharges;
    for (const command of recoveryOf(reserve, { kind, charges }, clock.nowMs())) {
      const key = `${reserve.tenantId}/${command.id}`;
      if (findings.done.has(key)) continue;
      const answer = await lending.submit(reserve.tenantId, command, findings.details);
      // What is refused may take effect later; and nothing after it is true before it did.
      if (answer.kind === "refused") return;
      findings.done.add(key);
    }
  }

  /**
   * Charges what a journal tells of leases that were lost before it could be read. It is read again when it has grown: somebody
   * may be bringing its files back just now.
   */
  async #chargeFound(key: string, journal: JournalOfLife): Promise<void> {
    const { lending, log, signal } = this.#parts;
    const bytes = await bytesOf(journal);
    if (this.#foundBytes.get(key) === bytes) return;
    const leases = await lending.unreadLeases(prefixOfLife(journal.life), signal);
    const { findings } = leases.length === 0 ? { findings: undefined } : await this.#read(journal);
    for (const { tenantId, id } of leases) {
      const charges = findings?.charges.get(tenantId)?.get(id) ?? [];
      for (const command of foundReports(id, charges)) {
        const answer = await lending.submit(tenantId, command, findings?.details);
        if (answer.kind !== "lease-reported" || answer.charges.every((one) => one.isRepeated))
          continue;
        log("a journal was found after its lease was lost", { leaseId: id });
      }
    }
    this.#foundBytes.set(key, bytes);
  }

  async #find(life: WorkerLife, journal: JournalOfLife | undefined): Promise<Findings> {
    const nowMs = this.#parts.clock.monotonicMs();
    const known = this.#findings.get(keyOf(life));
    if (known !== undefined && nowMs < known.staleMs) return known;
    const { findings, told } = await this.#read(journal);
    // A journal that cannot be read is said once.
    if (known?.kind !== findings.kind) this.#parts.log(told, { ...life });
    this.#findings.set(keyOf(life), findings);
    return findings;
  }

  async #read(
    journal: JournalOfLife | undefined,
  ): Promise<{ readonly findings: Findings; readonly told: string }> {
    const done = new Set<string>();
    const rereadMs = this.#parts.clock.monotonicMs() + creditLimits.rereadMs;
    const unread = (
      told: string,
      read: Pick<Findings, "charges" | "details"> = { charges: new Map(), details: new Map() },
    ) => ({
      findings: { ...read, kind: "unread" as const, staleMs: rereadMs, done },
      told: `${told}: what the worker was lent counts as spent unless it can be read in time`,
    });
    if (journal === undefined) return unread("the journal of a worker is lost");
    try {
      const { entries, origin, damage } = await readJournal(journal);
      const details = new Map<string, UseDetails>();
      for (const { record, details: own } of entries)
        if (record.kind === "settled" && own !== undefined) details.set(record.charge.usageId, own);
      const charges = new Map(
        [...Map.groupBy(entries, ({ tenantId }) => tenantId)].map(([tenantId, own]) => [
          tenantId,
          chargesOfJournal(own.map(({ record }) => record)),
        ]),
      );
      const read = { charges, details };
      if (damage !== undefined)
        return unread(`the journal of a worker is damaged (${damage})`, read);
      const staleMs = Number.POSITIVE_INFINITY;
      const bootId = readBootId();
      if (bootId === "" || origin?.bootId !== bootId)
        return {
          findings: { ...read, kind: "cut", staleMs, done },
          told: "the machine failed since: what a worker was lent and did not report counts as spent",
        };
      return {
        findings: { ...read, kind: "whole", staleMs, done },
        told: `credit of a worker that ended is recovered from ${entries.length} entries`,
      };
    } catch (error) {
      return unread(`the journal of a worker cannot be read (${String(error)})`);
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
    this.#foundBytes.delete(key);
    this.#findings.delete(key);
  }
}

/** What its files hold; one that is gone holds nothing. */
async function bytesOf({ files }: JournalOfLife): Promise<number> {
  const sizes = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return sizes.reduce((sum, size) => sum + (size?.size ?? 0), 0);
}

function keyOf({ workerId, epoch }: WorkerLife): string {
  return `${workerId}/${epoch}`;
}

/** Whether the process that writes a journal still runs. */
async function isAlive(journal: JournalOfLife): Promise<boolean> {
  // What cannot be read may be alive: it is left alone until its reserves are about to end.
  const origin = await readOrigin(journal).catch(() => undefined);
  if (origin === undefined || origin.bootId !== readBootId()) return false;
  return isRunning(origin.processMark);
}
