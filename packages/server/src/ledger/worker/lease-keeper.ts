/**
 * Keeps a worker in credit for one account: asks for leases before they run low, reports what was used, gives back what lies
 * idle. It decides what to send and takes the answers; who carries them may lose, repeat and delay them.
 */

import type { LedgerCommand, LedgerOutcome, Refusal } from "../rules/commands.ts";
import type { Currency } from "../rules/types.ts";
import { exactMicrosMax } from "./exact-micros.ts";
import { HeldLease } from "./held-lease.ts";
import { LeaseBook } from "./lease-book.ts";
import { workerLimits } from "./limits.ts";

/** A command of a worker; the ledger adds the time at which it arrives. */
export type WorkerCommand = LeaseCommand extends infer Command
  ? Command extends LedgerCommand
    ? Omit<Command, "atMs">
    : never
  : never;

type LeaseCommand = Extract<
  LedgerCommand,
  { readonly kind: "lease" | "renew-lease" | "report-lease" | "shrink-lease" | "return-lease" }
>;

/** Whose credit is kept. */
export interface KeeperTerms {
  readonly workerId: string;
  /** Of this life of the worker: greater than that of every life before it. */
  readonly epoch: number;
  readonly currency: Currency;
  readonly durationMs: number;
  /** A lease below this is not worth its movement: then each operation is held by itself. */
  readonly minimumMicros: number;
}

interface Pending {
  readonly command: WorkerCommand;
  /** When it was sent first: a deadline that its answer gives counts from here. */
  readonly firstSentMs: number;
  sentMs: number;
}

export class LeaseKeeper {
  readonly book = new LeaseBook();
  readonly #terms: KeeperTerms;
  readonly #pending = new Map<string, Pending>();
  /** Leases out of which nothing is admitted any more. */
  readonly #ending = new Set<HeldLease>();
  #commandCount = 0;
  #isFenced = false;
  #isStopped = false;
  /** Nobody needs credit for now. */
  #isResting = false;
  /** What an operation lacked when it was last refused for want of lease. */
  #lackedMicros = 0;
  /** Uses are reported together; those of leases that end do not wait. */
  #reportDueMs = Number.NEGATIVE_INFINITY;
  /** The ledger had less than was asked for: it is not asked again before this time. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(terms: KeeperTerms) {
    this.#terms = terms;
  }

  /** Whether a later life of this worker is known to the ledger. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** Whether an answer may bring more credit. */
  get isAsking(): boolean {
    return this.#isPending("lease", "renew-lease");
  }

  /** Whether everything was reported and returned. */
  get isIdle(): boolean {
    return this.book.current === undefined && this.#ending.size === 0 && this.#pending.size === 0;
  }

  /** Whether uses are under way to the ledger. */
  get isReporting(): boolean {
    return this.#isPending("report-lease");
  }

  /** Uses that the ledger has not acknowledged. */
  get unreportedCount(): number {
    return this.#leases().reduce((sum, lease) => sum + lease.unreportedCount, 0);
  }

  /** Whether a lease waits for its last operations, or for its return. */
  get isEnding(): boolean {
    return this.#ending.size > 0;
  }

  /** An operation found too little: the next lease should hold as much. */
  noteLack(micros: number): void {
    this.#isResting = false;
    this.#lackedMicros = Math.max(this.#lackedMicros, micros);
  }

  /** Returns everything, and asks for nothing until an operation finds too little. */
  rest(): void {
    this.#isResting = true;
    this.#endCurrent();
  }

  /** Asks for nothing more, and returns everything once its operations have ended. */
  stop(): void {
    this.#isStopped = true;
    this.#endCurrent();
  }

  /**
   * Takes the leases that the ledger has open for this life. One that is not known here was lent after its asker had been
   * refused: a copy of the command came late. It goes back as it is.
   */
  adopt(leaseIds: readonly string[]): void {
    const known = new Set(this.#leases().map((lease) => lease.leaseId));
    for (const leaseId of leaseIds) {
      if (!known.has(leaseId) && !this.#pending.has(leaseId))
        this.#ending.add(new HeldLease(leaseId));
    }
  }

  /** Gives back all that lies idle, because it is needed elsewhere. */
  recall(monotonicMs: number): void {
    this.#shrink(0, monotonicMs);
    this.#quietUntilMs = monotonicMs + workerLimits.resendMs;
  }

  /** What is to be sent now. */
  due(monotonicMs: number): readonly WorkerCommand[] {
    this.#wishForLease(monotonicMs);
    const { current } = this.book;
    if (current !== undefined && this.#isReportDue(current, monotonicMs))
      this.#report(current, monotonicMs);
    for (const lease of this.#ending) {
      this.#report(lease, monotonicMs);
      this.#return(lease, monotonicMs);
    }
    const due: WorkerCommand[] = [];
    for (const pending of this.#pending.values()) {
      const isFirst = pending.sentMs === Number.NEGATIVE_INFINITY;
      if (!isFirst && monotonicMs - pending.sentMs < workerLimits.resendMs) continue;
      pending.sentMs = monotonicMs;
      due.push(pending.command);
    }
    return due;
  }

  /** Takes an answer; gives the command, unless it was answered before, or nobody waits for it. */
  answered(commandId: string, answer: LedgerOutcome | Refusal): WorkerCommand | undefined {
    const pending = this.#pending.get(commandId);
    if (pending === undefined) return undefined;
    this.#pending.delete(commandId);
    this.#take(pending, answer);
    return pending.command;
  }

  #take(pending: Pending, answer: LedgerOutcome | Refusal): void {
    const { command } = pending;
    const isLess =
      answer.kind === "leased" &&
      "amountMicros" in command &&
      answer.amountMicros < command.amountMicros;
    if (answer.kind === "refused" || isLess)
      this.#quietUntilMs = pending.sentMs + workerLimits.resendMs;
    if (answer.kind === "refused") {
      this.#refused(command, answer);
      return;
    }
    switch (command.kind) {
      case "lease":
      case "renew-lease":
        this.#lent(pending, answer);
        return;
      case "report-lease":
        for (const lease of this.#leases()) {
          if (lease.leaseId === command.leaseId) lease.acknowledge(command.id);
        }
        return;
      case "return-lease":
        for (const lease of this.#ending) {
          if (lease.leaseId === command.leaseId) this.#ending.delete(lease);
        }
        return;
      default:
    }
  }

  #lent(pending: Pending, answer: LedgerOutcome): void {
    if (answer.kind !== "leased") return;
    const { firstSentMs: askedAtMonotonicMs } = pending;
    const lent = { ...answer, askedAtMonotonicMs, durationMs: this.#terms.durationMs };
    const { current } = this.book;
    this.#lackedMicros = 0;
    if (current?.leaseId === answer.leaseId) {
      this.book.extend(current, lent);
      return;
    }
    // Lent to a lease that ended meanwhile: it goes back, or has gone back, with that.
    if (pending.command.kind === "renew-lease") return;
    this.#endCurrent();
    this.book.begin(lent);
    if (this.#isStopped || this.#isFenced || this.#isResting) this.#endCurrent();
  }

  #refused(command: WorkerCommand, refusal: Refusal): void {
    if (refusal.code === "lease_fenced") {
      this.#isFenced = true;
      this.#endCurrent();
    }
    if (refusal.code === "lease_ended" || refusal.code === "lease_not_found") {
      // The ledger gave it up: what is still reported is charged, and nothing is left to return.
      if (command.kind !== "lease") this.#forget(command.leaseId);
    }
  }

  #forget(leaseId: string): void {
    if (this.book.current?.leaseId === leaseId) this.#endCurrent();
    for (const lease of this.#ending) {
      if (lease.leaseId === leaseId && lease.isDone) this.#ending.delete(lease);
    }
  }

  #wishForLease(monotonicMs: number): void {
    const { current } = this.book;
    if (current !== undefined && monotonicMs >= current.deadlineMonotonicMs) {
      // Past its deadline the ledger may count it as lost.
      this.#endCurrent();
    } else if (current !== undefined && current.chargeCount >= workerLimits.chargesPerLeaseMax) {
      // A journal is kept as long as the leases that it tells of.
      this.#endCurrent();
    }
    if (this.#isStopped || this.#isFenced || this.#isResting || this.isAsking) return;
    const lease = this.book.current;
    const wishMicros = this.#wishMicros(monotonicMs);
    if (lease === undefined) {
      if (this.#ending.size >= workerLimits.leasesPerAccountMax) return;
      if (monotonicMs < this.#quietUntilMs) return;
      const { workerId, epoch, currency, minimumMicros } = this.#terms;
      const minimum = BigInt(minimumMicros);
      const amounts = { amountMicros: BigInt(wishMicros), minimumMicros: minimum };
      const durationMs = this.#terms.durationMs;
      const who = { workerId, epoch, currency, durationMs };
      const budgets = this.#budgetWishes(wishMicros);
      this.#send(
        { kind: "lease", id: this.#nextId("lease"), ...who, ...amounts, budgets },
        monotonicMs,
      );
      return;
    }
    const runsLow =
      monotonicMs >= this.#quietUntilMs &&
      (lease.idleMicros < this.book.burn.microsWithin(workerLimits.renewAheadMs, monotonicMs) ||
        this.#lackedMicros > 0);
    const endsSoon = lease.deadlineMonotonicMs - monotonicMs < this.#terms.durationMs / 2;
    if (lease.idleMicros > wishMicros * workerLimits.surplusFactor)
      this.#shrink(wishMicros, monotonicMs);
    if (runsLow || endsSoon) this.#renew(lease, { wishMicros, monotonicMs });
  }

  #renew(
    lease: HeldLease,
    { wishMicros, monotonicMs }: { wishMicros: number; monotonicMs: number },
  ) {
    const missingMicros = Math.max(0, wishMicros - Math.max(0, lease.idleMicros));
    const command = {
      kind: "renew-lease",
      id: this.#nextId("renew"),
      leaseId: lease.leaseId,
      epoch: this.#terms.epoch,
      amountMicros: BigInt(missingMicros),
      durationMs: this.#terms.durationMs,
      budgets: this.#budgetWishes(wishMicros),
    } as const;
    this.#send(command, monotonicMs);
  }

  /** Stops counting on what is beyond `keepMicros`, and says so. */
  #shrink(keepMicros: number, monotonicMs: number): void {
    const lease = this.book.current;
    if (lease === undefined || lease.idleMicros <= keepMicros) return;
    const amountMicros = lease.idleMicros - keepMicros;
    lease.idleMicros -= amountMicros;
    const budgets = [...lease.slices.values()]
      .filter((slice) => slice.idleMicros > keepMicros)
      .map((slice) => {
        const surplusMicros = slice.idleMicros - keepMicros;
        slice.idleMicros -= surplusMicros;
        return { budgetId: slice.budgetId, amountMicros: BigInt(surplusMicros) };
      });
    const { epoch } = this.#terms;
    const which = { id: this.#nextId("shrink"), leaseId: lease.leaseId, epoch } as const;
    const command = { kind: "shrink-lease", ...which, budgets } as const;
    this.#send({ ...command, amountMicros: BigInt(amountMicros) }, monotonicMs);
  }

  #isReportDue({ unsentCount }: HeldLease, monotonicMs: number): boolean {
    if (unsentCount === 0) return false;
    return monotonicMs >= this.#reportDueMs || unsentCount >= workerLimits.chargesPerReportMax;
  }

  #report(lease: HeldLease, monotonicMs: number): void {
    this.#reportDueMs = monotonicMs + workerLimits.reportMs;
    for (const { reportId, charges } of lease.reports()) {
      if (this.#pending.has(reportId)) continue;
      const command = { kind: "report-lease", id: reportId, leaseId: lease.leaseId } as const;
      this.#send({ ...command, charges }, monotonicMs);
    }
  }

  #return(lease: HeldLease, monotonicMs: number): void {
    const { leaseId, chargeCount } = lease;
    const id = `${leaseId}/end`;
    if (!lease.isDone || this.#pending.has(id)) return;
    this.#send({ kind: "return-lease", id, leaseId, from: "worker", chargeCount }, monotonicMs);
  }

  #budgetWishes(wishMicros: number): { budgetId: string; amountMicros: bigint }[] {
    const { rules, current } = this.book;
    return rules.map(({ budgetId }) => {
      const idleMicros = current?.slices.get(budgetId)?.idleMicros ?? 0;
      const missingMicros = Math.max(0, wishMicros - Math.max(0, idleMicros));
      return { budgetId, amountMicros: BigInt(missingMicros) };
    });
  }

  #wishMicros(monotonicMs: number): number {
    const aheadMicros = this.book.burn.microsWithin(workerLimits.leaseAheadMs, monotonicMs);
    const wish = Math.max(this.#terms.minimumMicros, aheadMicros, this.#lackedMicros);
    return Math.min(wish, exactMicrosMax);
  }

  #endCurrent(): void {
    const lease = this.book.detach();
    if (lease !== undefined) this.#ending.add(lease);
  }

  #leases(): readonly HeldLease[] {
    const { current } = this.book;
    return current === undefined ? [...this.#ending] : [current, ...this.#ending];
  }

  #isPending(...kinds: readonly WorkerCommand["kind"][]): boolean {
    for (const { command } of this.#pending.values()) {
      if (kinds.includes(command.kind)) return true;
    }
    return false;
  }

  #send(command: WorkerCommand, monotonicMs: number): void {
    const sentMs = Number.NEGATIVE_INFINITY;
    this.#pending.set(command.id, { command, firstSentMs: monotonicMs, sentMs });
  }

  #nextId(what: string): string {
    this.#commandCount += 1;
    const { workerId, epoch } = this.#terms;
    return `${workerId}/${epoch}/${what}${this.#commandCount}`;
  }
}
