/**
 * Audits a ledger from the log of what was asked and answered: recomputes every balance in books of its own, and holds every
 * admission, use and answer against what the ledger promises.
 */

import type {
  LedgerCommand,
  LedgerOutcome,
  Refusal,
} from "@faultline/server/ledger/rules/commands.ts";
import type { Attribution } from "@faultline/server/ledger/rules/types.ts";

import { AuditBooks, type Reserve } from "./ledger-auditor-books.ts";
import { AuditBudgets } from "./ledger-auditor-budgets.ts";

/** What happened, in the order in which it did. */
export type AuditEvent =
  /** The ledger decided a command and wrote the decision down; repetitions are left out. */
  | {
      readonly kind: "decided";
      readonly command: LedgerCommand;
      readonly answer: LedgerOutcome | Refusal;
    }
  /** A worker admitted an operation out of a lease, at a time of a clock that is never off. */
  | {
      readonly kind: "admitted";
      readonly atMs: number;
      readonly leaseId: string;
      readonly usageId: string;
      readonly heldMicros: bigint;
    }
  /** What a worker says that an operation cost. */
  | {
      readonly kind: "settled";
      readonly leaseId: string;
      readonly usageId: string;
      readonly amountMicros: bigint;
    }
  /** What a provider really did for an operation; the cost is unknown when nobody was there to hear it. */
  | {
      readonly kind: "served";
      readonly usageId: string;
      readonly boundMicros: bigint;
      readonly costMicros: bigint | undefined;
    };

/** What the log ends with. */
export interface AuditEnd {
  /** As the ledger has them. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** Sums over the ledger's transfers. */
  readonly transferred: ReadonlyMap<string, bigint>;
  /** Operations whose journal was lost: they need not be charged one by one. */
  readonly unreadUses: ReadonlySet<string>;
}

interface WorkerLease {
  lentMicros: bigint;
  usedMicros: bigint;
  deadlineMs: number;
  readonly open: Map<string, bigint>;
  readonly admitted: string[];
}

export class LedgerAuditor {
  readonly violations: string[] = [];
  readonly #books = new AuditBooks();
  readonly #budgets = new AuditBudgets();
  readonly #commands = new Set<string>();
  readonly #epochs = new Map<string, number>();
  readonly #clockOffMsMax: number;
  readonly #leases = new Map<string, WorkerLease>();
  readonly #holdTags = new Map<string, Attribution>();
  readonly #served = new Map<string, { boundMicros: bigint; costMicros: bigint | undefined }>();
  #overReportedMicros = 0n;

  /** `clockOffMsMax` is how far the clocks of ledger and workers may be off together. */
  constructor(clockOffMsMax: number) {
    this.#clockOffMsMax = clockOffMsMax;
  }

  /** What providers reported beyond the bounds that they were sent. */
  get overReportedMicros(): bigint {
    return this.#overReportedMicros;
  }

  /** What was charged for want of any credit. */
  get debtMadeMicros(): bigint {
    return this.#books.debtMadeMicros;
  }

  /** Takes the next event. */
  observe(event: AuditEvent): void {
    switch (event.kind) {
      case "decided":
        this.#decided(event.command, event.answer);
        return;
      case "admitted":
        this.#admitted(event);
        return;
      case "settled":
        this.#settled(event);
        return;
      default: {
        const { usageId, boundMicros, costMicros } = event;
        this.#served.set(usageId, { boundMicros, costMicros });
        if (costMicros !== undefined && costMicros > boundMicros)
          this.#overReportedMicros += costMicros - boundMicros;
      }
    }
  }

  /** Compares the end with the books; everything has run out by then. */
  conclude(end: AuditEnd): readonly string[] {
    const books = this.#books.balances();
    for (const id of new Set([
      ...books.keys(),
      ...end.balances.keys(),
      ...end.transferred.keys(),
    ])) {
      const expected = books.get(id) ?? 0n;
      const [actual, summed] = [end.balances.get(id) ?? 0n, end.transferred.get(id) ?? 0n];
      if (actual !== expected) this.#violation(`${id} is ${actual}, and the log says ${expected}`);
      if (summed !== actual) this.#violation(`${id} is ${actual}, and its transfers say ${summed}`);
    }
    const sums = new Map<string, bigint>();
    for (const [id, micros] of end.balances) {
      const currency = id.slice(id.indexOf("/"));
      sums.set(currency, (sums.get(currency) ?? 0n) + micros);
    }
    for (const [currency, sum] of sums)
      if (sum !== 0n) this.#violation(`the accounts in ${currency.slice(1)} sum to ${sum}`);
    for (const { id, end: state } of this.#books.reserves.values())
      if (state === "open") this.#violation(`${id} never ended`);
    this.#compareUses(end.unreadUses);
    return this.violations;
  }

  #compareUses(unreadUses: ReadonlySet<string>): void {
    for (const [usageId, { boundMicros, costMicros }] of this.#served) {
      const charged = this.#books.uses.get(usageId);
      if (unreadUses.has(usageId)) continue;
      const expected = costMicros ?? boundMicros;
      if (charged === undefined) this.#violation(`${usageId} cost ${expected} and was not charged`);
      else if (charged !== expected)
        this.#violation(`${usageId} cost ${expected} and was charged ${charged}`);
    }
    for (const usageId of this.#books.uses.keys())
      if (!this.#served.has(usageId)) this.#violation(`${usageId} was charged and never made`);
  }

  #decided(command: LedgerCommand, answer: LedgerOutcome | Refusal): void {
    this.#books.arriveAt(command.atMs);
    if (answer.kind === "refused") return;
    if (this.#commands.has(command.id)) this.#violation(`${command.id} took effect twice`);
    this.#commands.add(command.id);
    this.#apply(command, answer);
    const { debtMadeMicros } = this.#books;
    if (debtMadeMicros > this.#overReportedMicros)
      this.#violation(
        `${command.id}: ${debtMadeMicros} is owed, and only ${this.#overReportedMicros} were over-reported`,
      );
  }

  #apply(command: LedgerCommand, answer: LedgerOutcome): void {
    switch (command.kind) {
      case "hold":
        this.#hold(command);
        return;
      case "lease":
      case "renew-lease":
        if (answer.kind === "leased") this.#lease(command, answer);
        return;
      case "settle":
      case "release":
      case "expire-holds":
        this.#holdEnded(command, answer);
        return;
      case "report-lease":
      case "shrink-lease":
      case "return-lease":
      case "lose-lease":
        this.#leaseChanged(command, answer);
        return;
      default:
        this.#accountChanged(command);
    }
  }

  #accountChanged(command: LedgerCommand): void {
    const books = this.#books;
    switch (command.kind) {
      case "open-account":
        books.limits.set(command.currency, command.limitMicros);
        books.closed.delete(command.currency);
        return;
      case "close-account":
        books.closed.add(command.currency);
        return;
      case "grant": {
        const { id, currency, amountMicros: micros, priority } = command;
        const expiry = command.expiresAtMs ?? Number.POSITIVE_INFINITY;
        if (expiry <= books.nowMs) this.#violation(`${id} granted what had expired`);
        books.addLot({ id, currency, micros }, { source: "grants", priority, expiry });
        return;
      }
      case "adjust": {
        const { id, currency, amountMicros: micros } = command;
        const terms = { source: "adjustments", priority: 0, expiry: Number.POSITIVE_INFINITY };
        if (command.direction === "give") books.addLot({ id, currency, micros }, terms);
        else books.take(currency, micros, "adjustments");
        return;
      }
      case "expire-lots":
        books.expire();
        return;
      case "set-budget":
        this.#budgets.set(command.terms, command.spentMicros, books.nowMs);
        return;
      case "remove-budget":
        this.#budgets.remove(command.budgetId);
        return;
      default:
    }
  }

  #hold(command: Extract<LedgerCommand, { kind: "hold" }>): void {
    const { id, currency, amountMicros: micros, attribution } = command;
    const books = this.#books;
    if (books.closed.has(currency)) this.#violation(`${id} was held on a closed account`);
    const available = books.available(currency);
    if (micros > available) this.#violation(`${id} holds ${micros} of ${available}`);
    books.reserve(id, currency, micros);
    this.#holdTags.set(id, attribution);
    for (const terms of this.#budgets.of(attribution)) {
      const used = this.#budgets.used(terms, books.nowMs);
      if (terms.isHard && used + micros > terms.limitMicros)
        this.#violation(`${id} takes budget ${terms.budgetId} to ${used + micros}`);
      this.#budgets.open(id, terms.budgetId, { atMs: books.nowMs, micros });
    }
  }

  #lease(
    command: Extract<LedgerCommand, { kind: "lease" | "renew-lease" }>,
    answer: Extract<LedgerOutcome, { kind: "leased" }>,
  ): void {
    const books = this.#books;
    const { leaseId: id, amountMicros: micros } = answer;
    const known = books.reserves.get(id);
    const currency = command.kind === "lease" ? command.currency : (known?.currency ?? "USD");
    if (known !== undefined && known.end !== "open") this.#violation(`${id} had ended`);
    if (command.kind === "lease") this.#live(command);
    const available = books.available(currency);
    if (micros > available) this.#violation(`${id} lends ${micros} of ${available}`);
    books.reserve(id, currency, micros);
    const fresh = { lentMicros: 0n, usedMicros: 0n, deadlineMs: 0, open: new Map(), admitted: [] };
    const lease: WorkerLease = this.#leases.get(id) ?? fresh;
    lease.lentMicros += micros;
    lease.deadlineMs = answer.deadlineMs;
    this.#leases.set(id, lease);
    for (const { budgetId, amountMicros: part } of answer.budgets) {
      const terms = this.#budgets.terms.get(budgetId);
      if (terms === undefined) continue;
      const used = this.#budgets.used(terms, books.nowMs);
      if (terms.isHard && part > 0n && used + part > terms.limitMicros)
        this.#violation(`${id} takes budget ${budgetId} to ${used + part}`);
      this.#budgets.open(id, budgetId, { atMs: books.nowMs, micros: part });
    }
  }

  /** A life of a worker that is over gets nothing more. */
  #live({ id, workerId, epoch }: Extract<LedgerCommand, { kind: "lease" }>): void {
    const latest = this.#epochs.get(workerId) ?? 0;
    if (epoch < latest) this.#violation(`${id} was lent to epoch ${epoch} after ${latest}`);
    this.#epochs.set(workerId, Math.max(epoch, latest));
  }

  #holdEnded(
    command: Extract<LedgerCommand, { kind: "settle" | "release" | "expire-holds" }>,
    answer: LedgerOutcome,
  ): void {
    if (command.kind === "expire-holds") {
      for (const id of answer.kind === "holds-expired" ? answer.holdIds : []) this.#endHold(id);
      return;
    }
    const reserve = this.#reserveOf(command.holdId);
    if (reserve === undefined) return;
    if (command.kind === "settle") {
      const { usageId, usageKind: kind, amountMicros } = command.charge;
      if (!this.#books.uses.has(usageId)) {
        const attribution = this.#holdTags.get(command.holdId) ?? {};
        this.#books.use(reserve, usageId, { kind, micros: amountMicros });
        this.#budgets.spend(reserve.id, { amountMicros, attribution }, this.#books.nowMs);
      }
      if (!command.isFinal) return;
    }
    this.#endHold(command.holdId);
  }

  #endHold(holdId: string): void {
    const reserve = this.#reserveOf(holdId);
    if (reserve === undefined || reserve.end !== "open") return;
    reserve.end = "ended";
    this.#budgets.close(holdId);
    this.#freeAll(reserve);
  }

  #leaseChanged(
    command: Extract<
      LedgerCommand,
      { kind: "report-lease" | "shrink-lease" | "return-lease" | "lose-lease" }
    >,
    answer: LedgerOutcome,
  ): void {
    const reserve = this.#reserveOf(command.leaseId);
    if (reserve === undefined) return;
    switch (command.kind) {
      case "report-lease":
        for (const charge of command.charges) {
          const { usageId, usageKind: kind, amountMicros: micros } = charge;
          if (this.#books.uses.has(usageId)) continue;
          this.#books.use(reserve, usageId, { kind, micros });
          this.#budgets.spend(reserve.id, charge, this.#books.nowMs);
        }
        return;
      case "shrink-lease": {
        this.#books.free(reserve, command.amountMicros);
        const lease = this.#leases.get(reserve.id);
        if (lease !== undefined) lease.lentMicros -= command.amountMicros;
        for (const { budgetId, amountMicros: micros } of command.budgets)
          this.#budgets.close(reserve.id, { budgetId, micros });
        return;
      }
      case "return-lease":
        for (const usageId of this.#leases.get(reserve.id)?.admitted ?? [])
          if (!this.#books.uses.has(usageId))
            this.#violation(`${reserve.id} was returned before ${usageId} was charged`);
        reserve.end = "ended";
        this.#budgets.close(reserve.id);
        this.#freeAll(reserve);
        return;
      default: {
        const lost = this.#books.lose(reserve);
        this.#budgets.lose(reserve.id);
        if (answer.kind === "lease-lost" && answer.unreadMicros !== lost)
          this.#violation(`${reserve.id} lost ${answer.unreadMicros}, and had ${lost}`);
      }
    }
  }

  #admitted(event: Extract<AuditEvent, { kind: "admitted" }>): void {
    const { leaseId, usageId, heldMicros, atMs } = event;
    const lease = this.#leases.get(leaseId);
    const state = this.#books.reserves.get(leaseId)?.end;
    if (lease === undefined || state !== "open") {
      this.#violation(`${usageId} was admitted out of ${leaseId}, which is not open`);
      return;
    }
    let used = lease.usedMicros + heldMicros;
    for (const micros of lease.open.values()) used += micros;
    if (used > lease.lentMicros)
      this.#violation(`${usageId} takes ${leaseId} to ${used} of ${lease.lentMicros}`);
    if (atMs > lease.deadlineMs + this.#clockOffMsMax)
      this.#violation(`${usageId} was admitted ${atMs - lease.deadlineMs} ms after the deadline`);
    lease.open.set(usageId, heldMicros);
    lease.admitted.push(usageId);
  }

  #settled(event: Extract<AuditEvent, { kind: "settled" }>): void {
    const lease = this.#leases.get(event.leaseId);
    if (lease === undefined) return;
    lease.open.delete(event.usageId);
    lease.usedMicros += event.amountMicros;
  }

  #reserveOf(id: string): Reserve | undefined {
    const reserve = this.#books.reserves.get(id);
    if (reserve === undefined) this.#violation(`${id} was answered and never placed`);
    return reserve;
  }

  #freeAll(reserve: Reserve): void {
    this.#books.free(
      reserve,
      reserve.parts.reduce((sum, part) => sum + part.micros, 0n),
    );
  }

  #violation(sentence: string): void {
    if (this.violations.length < violationCountMax) this.violations.push(sentence);
  }
}

/** One fault shows in many places; the first ones tell. */
const violationCountMax = 20;
