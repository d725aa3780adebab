/** A gateway worker: admits operations out of its lease, makes them, journals them, and tells the ledger. */

import type { LedgerOutcome, Refusal } from "@faultline/server/ledger/rules/commands.ts";
import type { BudgetRule } from "@faultline/server/ledger/worker/budget-rules.ts";
import { exactMicros } from "@faultline/server/ledger/worker/exact-micros.ts";
import type { AdmittedOperation } from "@faultline/server/ledger/worker/lease-book.ts";
import { LeaseKeeper } from "@faultline/server/ledger/worker/lease-keeper.ts";

import type { Chance } from "./chance.ts";
import type { Journal } from "./journal.ts";
import type { LedgerProcess, SentCommand } from "./ledger-process.ts";
import { type Attempt, type Operation, realCost, requestOf } from "./operation.ts";
import { SingleHold } from "./single-hold.ts";
import { startMs, type World } from "./world.ts";

const tickMs = 100;
const leaseDurationMs = 10_000;
const resendMs = 500;

/** How operations ended, for who looks at a run. */
export interface GatewayCounts {
  served: number;
  refused: number;
  unavailable: number;
}

export class Gateway {
  readonly counts: GatewayCounts = { served: 0, refused: 0, unavailable: 0 };
  readonly lives: Journal[] = [];
  keeper: LeaseKeeper;
  /** Operations of this life that are open, with what they may cost. */
  readonly open = new Map<string, bigint>();
  /** Commands that are sent until they are answered. */
  readonly unanswered = new Map<string, SentCommand>();
  isUp = true;
  #isStopped = false;
  #deferred: (() => void)[] = [];
  #epoch = 0;
  /** Of all lives of this name, other processes that took it included. */
  #latestEpoch = 0;
  /** The life that the ledger told that it is fenced. */
  #fencedEpoch = 0;
  #journal: Journal;
  #rules: readonly BudgetRule[] = [];
  readonly name: string;
  readonly world: World;
  readonly ledger: LedgerProcess;
  readonly chance: Chance;
  readonly #drift: number;

  constructor(name: string, world: World, parts: { ledger: LedgerProcess; chance: Chance }) {
    this.name = name;
    this.world = world;
    this.ledger = parts.ledger;
    this.chance = parts.chance.fork(name);
    this.#drift = 1 + this.chance.between(-5, 5) / 1_000;
    this.keeper = this.#newLife();
    this.#journal = this.#newJournal();
    this.#tick();
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The clock of this worker, which runs a little fast or slow. */
  get monotonicMs(): number {
    return this.world.queue.nowMs * this.#drift;
  }

  /** Takes the budgets that hold from now on. */
  setRules(rules: readonly BudgetRule[]): void {
    this.#rules = rules;
    this.keeper.book.setRules(rules);
  }

  /** Dies. What was open then, nobody knows the cost of. */
  kill(downMs: number, isJournalLost: boolean): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.#deferred = [];
    this.#isStopped = false;
    this.#journal.isLost = isJournalLost;
    if (isJournalLost) {
      for (const { leaseId, ...record } of this.#journal.records)
        if (leaseId !== "")
          this.world.unreadUses.add(
            record.kind === "settled" ? record.charge.usageId : record.bound.usageId,
          );
    }
    for (const [usageId, boundMicros] of this.open)
      this.world.auditor.observe({ kind: "served", usageId, boundMicros, costMicros: undefined });
    this.open.clear();
    this.unanswered.clear();
    this.world.queue.after(downMs, () => {
      this.keeper = this.#newLife();
      this.#journal = this.#newJournal();
      this.isUp = true;
      this.#tick();
    });
  }

  /** Stands still, as a stopped process does; then goes on where it was. */
  stop(durationMs: number): void {
    if (!this.isUp || this.#isStopped) return;
    this.#isStopped = true;
    const life = this.#epoch;
    this.world.queue.after(durationMs, () => {
      if (life !== this.#epoch || !this.isUp) return;
      this.#isStopped = false;
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const run of deferred) run();
    });
  }

  /**
   * Another process takes its name, asks for credit and dies with it. From then on this life is fenced; some time after it was told,
   * its supervisor starts it anew. Gives whether that began.
   */
  usurp(restartMs: number): boolean {
    if (!this.isUp || this.#isStopped) return false;
    this.#latestEpoch += 1;
    const epoch = this.#latestEpoch;
    this.lives.splice(-1, 0, { workerId: this.name, epoch, records: [], isLost: false });
    const id = `${this.name}/${epoch}/lease1`;
    const who = { workerId: this.name, epoch, currency: "USD", budgets: [] } as const;
    const amounts = { amountMicros: 5_000n, minimumMicros: 1n, durationMs: leaseDurationMs };
    this.world.send(() => this.ledger.receive({ kind: "lease", id, ...who, ...amounts }, () => {}));
    const restart = this.live(() => {
      if (this.#fencedEpoch === this.#epoch) this.kill(100, false);
      else this.world.queue.after(restartMs, restart);
    });
    this.world.queue.after(restartMs, restart);
    return true;
  }

  /** Runs something of this life of the process: not after its death, and later when it stands still. */
  live(run: () => void): () => void {
    const life = this.#epoch;
    return () => {
      if (life !== this.#epoch || !this.isUp) return;
      if (this.#isStopped) this.#deferred.push(run);
      else run();
    };
  }

  /** Sends a command once and hears the answer, if there is one. */
  send(command: SentCommand, hear: (answer: LedgerOutcome | Refusal) => void): void {
    const heard = (answer: LedgerOutcome | Refusal): void => this.live(() => hear(answer))();
    const { ledger } = this;
    const life = this.#epoch;
    this.world.send(() => {
      ledger.receive(command, (answer) => {
        if (life === this.#epoch) heard(answer);
      });
    });
  }

  /** Sends a command until it is answered. */
  sendUntilAnswered(command: SentCommand): void {
    this.unanswered.set(command.id, command);
    const again = (): void => {
      if (!this.unanswered.has(command.id)) return;
      this.send(command, () => this.unanswered.delete(command.id));
      this.world.queue.after(resendMs, this.live(again));
    };
    again();
  }

  /** Writes to the journal, before anything is done that it must tell of. */
  write(record: Journal["records"][number]): void {
    this.#journal.records.push(record);
  }

  /** A client asks for an operation. */
  begin(operation: Operation): void {
    if (!this.isUp) {
      this.counts.unavailable += 1;
      return;
    }
    this.live(() => this.#attempt(operation, 0))();
  }

  #attempt(operation: Operation, index: number): void {
    const usageId = `${this.name}/${this.#epoch}/${operation.name}#${index}`;
    const attempt: Attempt = { operation, index, usageId };
    const request = requestOf(attempt);
    const decision = this.keeper.book.admit(request, this.monotonicMs);
    if (decision.kind === "admitted") {
      if (this.#fencedEpoch === this.#epoch)
        this.world.auditor.violations.push(`${usageId} was admitted by a life that knew better`);
      this.#dispatch(attempt, decision);
      return;
    }
    if (decision.kind === "price-unknown") {
      this.counts.refused += 1;
      return;
    }
    this.keeper.noteLack(decision.neededMicros);
    new SingleHold(this, attempt, (next) => this.#next(operation, next)).start();
  }

  #dispatch(attempt: Attempt, admitted: AdmittedOperation): void {
    const { usageId, usageKind, attribution, heldMicros, outputTokensMax } = admitted;
    const { leaseId } = admitted.lease;
    const boundMicros = BigInt(heldMicros);
    const bound = { usageId, usageKind, attribution, amountMicros: boundMicros };
    const atMs = startMs + this.world.queue.nowMs;
    const admission = { leaseId, usageId, heldMicros: boundMicros, atMs };
    this.world.auditor.observe({ kind: "admitted", ...admission });
    this.write({ kind: "admitted", leaseId, bound });
    this.open.set(usageId, boundMicros);
    const done = this.live(() => {
      this.open.delete(usageId);
      const cost = realCost(attempt, { boundMicros, outputTokensMax }, this.world);
      const costMicros = BigInt(cost);
      this.world.auditor.observe({ kind: "served", usageId, boundMicros, costMicros });
      this.world.auditor.observe({ kind: "settled", leaseId, usageId, amountMicros: costMicros });
      const charge = this.keeper.book.settle(admitted, exactMicros(costMicros));
      this.write({ kind: "settled", leaseId, charge });
      this.#next(attempt.operation, attempt.index + 1);
    });
    this.world.queue.after(attempt.operation.durationsMs[attempt.index] ?? 0, done);
  }

  /** Another attempt where the last one failed; else the operation is over. */
  #next(operation: Operation, index: number): void {
    if (index < operation.durationsMs.length) this.#attempt(operation, index);
    else this.counts.served += 1;
  }

  #tick(): void {
    for (const command of this.keeper.due(this.monotonicMs)) {
      const { keeper } = this;
      this.send(command, (answer) => {
        keeper.answered(command.id, answer);
        if (answer.kind === "refused" && answer.code === "lease_fenced")
          this.#fencedEpoch = this.#epoch;
      });
    }
    this.world.queue.after(
      tickMs,
      this.live(() => this.#tick()),
    );
  }

  #newLife(): LeaseKeeper {
    this.#latestEpoch += 1;
    this.#epoch = this.#latestEpoch;
    const terms = { workerId: this.name, epoch: this.#epoch, currency: "USD" } as const;
    const keeper = new LeaseKeeper({ ...terms, durationMs: leaseDurationMs, minimumMicros: 2_000 });
    keeper.book.setRules(this.#rules);
    return keeper;
  }

  #newJournal(): Journal {
    const journal = { workerId: this.name, epoch: this.#epoch, records: [], isLost: false };
    this.lives.push(journal);
    return journal;
  }
}
