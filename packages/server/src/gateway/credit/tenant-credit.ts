/**
 * The credit of one tenant in one worker: calls are admitted out of its lease in memory. One for which the lease has too
 * little waits for the ledger, which lends more, or near the end of the credit holds what this one call may cost.
 */

import {
  type AdmissionRequest,
  type AdmittedOperation,
  type BudgetRule,
  costBoundMicros,
  exactMicrosMax,
  LeaseKeeper,
  type LedgerAnswer,
  type LedgerRequest,
  outputTokensWithin,
} from "#ledger/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { PlatformError, TenantId, UseDetails } from "@faultline/protocol";

import type { CreditUp, WorkerLife } from "./credit-messages.ts";
import { creditRefusal, journalRefusal, ledgerAway } from "./credit-refusal.ts";
import { creditLimits } from "./limits.ts";
import { toReportText } from "./report-text.ts";
import { SentCommands } from "./sent-commands.ts";
import type { UsageJournal } from "./usage-journal.ts";

/** A call that asks for what it may cost. */
export interface CreditRequest extends AdmissionRequest {
  readonly price: NonNullable<AdmissionRequest["price"]>;
  /** How long the call may take from now on. */
  readonly durationMs: number;
  /** `outputTokensMax` is a multiple of this. */
  readonly replyCount: number;
}

/** What a call holds until it is settled. */
export type CreditHold = { readonly outputTokensMax: number } & (
  | { readonly kind: "leased"; readonly operation: AdmittedOperation }
  | { readonly kind: "held"; readonly holdId: string; readonly request: CreditRequest }
);

export type CreditOutcome =
  | { readonly kind: "admitted"; readonly hold: CreditHold }
  | { readonly kind: "refused"; readonly error: PlatformError };

/** Credit in a worker at a moment. */
export interface CreditUse {
  /** Lent, and neither held by calls nor spent. */
  readonly idleMicros: number;
  /** Calls that wait for credit. */
  readonly waitingCount: number;
  /** Uses that the ledger has not acknowledged. */
  readonly unreportedCount: number;
}

export interface TenantCreditParts {
  readonly tenantId: TenantId;
  readonly life: WorkerLife;
  readonly leaseDurationMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly journal: UsageJournal;
  readonly send: (message: CreditUp) => void;
  /** Asks for a `pump` at the end of this turn. */
  readonly wake: () => void;
  /** Numbers holds: all of a life have ids of their own. */
  readonly nextNumber: () => number;
}

/** A call that the lease did not admit. */
interface Waiting {
  readonly request: CreditRequest;
  readonly sinceMs: number;
  readonly tell: (outcome: CreditOutcome) => void;
  /** Fewer than were asked for when only those are paid for. */
  outputTokensMax: number;
  /** Set once a hold was asked for. */
  holdId: string | undefined;
  hasLeft: boolean;
}

const currency = "USD";
const nothingToLeave = (): void => {};

export class TenantCredit {
  readonly #parts: TenantCreditParts;
  readonly #keeper: LeaseKeeper;
  readonly #sent: SentCommands;
  readonly #waiting = new Set<Waiting>();
  readonly #byHold = new Map<string, Waiting>();
  /** Of uses that the ledger has not acknowledged, by their reports or by themselves. */
  readonly #details = new Map<string, UseDetails>();
  #openCount = 0;
  #unavailableUntilMs = Number.NEGATIVE_INFINITY;
  #usedMs: number;

  constructor(parts: TenantCreditParts) {
    this.#parts = parts;
    const { life, leaseDurationMs: durationMs, send, tenantId } = parts;
    const minimumMicros = creditLimits.leaseMicrosMin;
    this.#keeper = new LeaseKeeper({ ...life, currency, durationMs, minimumMicros });
    this.#sent = new SentCommands((command, details) =>
      send({ kind: "command", tenantId, command, details }),
    );
    this.#usedMs = parts.clock.monotonicMs();
  }

  /** Whether it has neither credit nor anything to say. */
  get isIdle(): boolean {
    const callCount = this.#openCount + this.#waiting.size + this.#byHold.size;
    return callCount === 0 && this.#keeper.isIdle && this.#sent.isEmpty;
  }

  /** How it stands, for metrics. */
  use(): CreditUse {
    return {
      idleMicros: Math.max(0, this.#keeper.book.current?.idleMicros ?? 0),
      waitingCount: this.#waiting.size,
      unreportedCount: this.#keeper.unreportedCount,
    };
  }

  /** Calls `tell` once, perhaps before this returns. Gives the way to leave; after that it is not called. */
  admit(request: CreditRequest, tell: (outcome: CreditOutcome) => void): () => void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#usedMs = nowMs;
    const { failure } = this.#parts.journal;
    if (failure !== undefined) {
      // What cannot be written down is not asked for either.
      tell({ kind: "refused", error: journalRefusal(failure) });
      return nothingToLeave;
    }
    const tried = this.#keeper.book.admit({ ...request, isClampable: false }, nowMs);
    const waiting: Waiting = {
      request,
      sinceMs: nowMs,
      tell,
      outputTokensMax: request.outputTokensMax,
      holdId: undefined,
      hasLeft: false,
    };
    if (tried.kind === "admitted") {
      this.#admitLeased(waiting, tried);
      return () => void (waiting.hasLeft = true);
    }
    const isFull = this.#waiting.size >= creditLimits.waitingCountMax;
    if (nowMs < this.#unavailableUntilMs || isFull || this.#keeper.isFenced) {
      tell({ kind: "refused", error: ledgerAway() });
      return nothingToLeave;
    }
    this.#waiting.add(waiting);
    this.#parts.wake();
    return () => this.#leave(waiting);
  }

  /** Ends a hold with what its call used, which may be nothing. Once. */
  settle(hold: CreditHold, amountMicros: number, details: UseDetails | undefined): void {
    const { journal, tenantId } = this.#parts;
    this.#openCount -= 1;
    if (hold.kind === "leased") {
      const { lease, usageId } = hold.operation;
      if (details !== undefined) this.#details.set(usageId, details);
      const charge = this.#keeper.book.settle(hold.operation, amountMicros);
      journal.write({
        tenantId,
        record: { kind: "settled", leaseId: lease.leaseId, charge },
        details,
      });
      if (this.#waiting.size > 0) this.#parts.wake();
      return;
    }
    const { holdId, request } = hold;
    const { usageId, usageKind, attribution } = request;
    const use = { usageId, usageKind, amountMicros: BigInt(amountMicros) };
    const charge = { ...use, attribution };
    journal.write({ tenantId, record: { kind: "settled", leaseId: holdId, charge }, details });
    const settle = { kind: "settle", id: `${holdId}/settle`, holdId, charge: use } as const;
    const known = details === undefined ? undefined : new Map([[usageId, details]]);
    this.#sent.add({ ...settle, isFinal: true }, known);
    this.#parts.wake();
  }

  onAnswer(
    commandId: string,
    answer: LedgerAnswer | undefined,
    budgets: readonly BudgetRule[] | undefined,
  ): void {
    if (budgets !== undefined) this.#keeper.book.setRules(budgets);
    if (answer === undefined) this.#onUnavailable(commandId);
    else {
      const waiting = this.#byHold.get(commandId);
      if (waiting !== undefined) this.#onHoldAnswer(commandId, waiting, answer);
      else if (!this.#onSentAnswer(commandId)) this.#onLeaseAnswer(commandId, answer);
    }
    this.#parts.wake();
  }

  /** Gives back what lies idle, since others need it. */
  recall(round: number): void {
    const { tenantId, send } = this.#parts;
    this.#keeper.recall(this.#parts.clock.monotonicMs());
    this.pump();
    send({ kind: "recalled", tenantId, round, openCount: this.#openCount });
  }

  /** Returns everything as calls end, and asks for no lease any more. */
  stop(): void {
    this.#keeper.stop();
    this.#parts.wake();
  }

  /** Called every `reportMs`. */
  tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const waiting of this.#waiting) {
      if (nowMs - waiting.sinceMs < creditLimits.askMsMax) continue;
      this.#leave(waiting);
      waiting.tell({ kind: "refused", error: ledgerAway() });
    }
    if (nowMs - this.#usedMs > creditLimits.idleMsMax && this.#openCount === 0) this.#keeper.rest();
    this.pump();
  }

  /** Says what there is to say, and asks for what calls wait for. */
  pump(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#retry(nowMs);
    let lackMicros = 0;
    for (const { request, holdId } of this.#waiting)
      if (holdId === undefined) lackMicros += boundOf(request);
    if (lackMicros > 0) this.#keeper.noteLack(Math.min(lackMicros, exactMicrosMax));
    const { tenantId, send } = this.#parts;
    for (const command of this.#keeper.due(nowMs)) {
      if (command.kind === "report-lease") send(this.#report(command));
      else send({ kind: "command", tenantId, command, details: undefined });
    }
    if (!this.#keeper.isAsking) this.#askForHolds();
    this.#sent.resend(nowMs);
  }

  /** More lease would not help the calls that wait, or was not given: each is held by itself. */
  #askForHolds(): void {
    for (const waiting of this.#waiting)
      if (waiting.holdId === undefined) this.#askForHold(waiting);
  }

  /** Calls that wait may fit by now into what others gave back. */
  #retry(nowMs: number): void {
    for (const waiting of this.#waiting) {
      if (waiting.holdId !== undefined) continue;
      const tried = this.#keeper.book.admit({ ...waiting.request, isClampable: false }, nowMs);
      if (tried.kind !== "admitted") return;
      this.#waiting.delete(waiting);
      this.#admitLeased(waiting, tried);
    }
  }

  #admitLeased(waiting: Waiting, operation: AdmittedOperation): void {
    const { lease, outputTokensMax } = operation;
    const hold: CreditHold = { kind: "leased", operation, outputTokensMax };
    this.#admitted(waiting, hold, { reserveId: lease.leaseId, micros: operation.heldMicros });
  }

  /** The call goes on once the system has its record: from then on the death of this process cannot hide it. */
  #admitted(
    waiting: Waiting,
    hold: CreditHold,
    held: { readonly reserveId: string; readonly micros: number },
  ): void {
    this.#openCount += 1;
    const { journal, tenantId } = this.#parts;
    const { usageId, usageKind, attribution } = waiting.request;
    const bound = { usageId, usageKind, attribution, amountMicros: BigInt(held.micros) };
    const record = { kind: "admitted", leaseId: held.reserveId, bound } as const;
    journal.write({ tenantId, record, details: undefined }, (error) => {
      if (error === undefined && !waiting.hasLeft) {
        waiting.tell({ kind: "admitted", hold });
        return;
      }
      this.settle(hold, 0, undefined);
      if (!waiting.hasLeft) waiting.tell({ kind: "refused", error: journalRefusal(error) });
    });
  }

  #askForHold(waiting: Waiting): void {
    const { life, nextNumber, tenantId, send } = this.#parts;
    const { attribution, durationMs } = waiting.request;
    const holdId = `${life.workerId}/${life.epoch}/hold${nextNumber()}`;
    waiting.holdId = holdId;
    this.#byHold.set(holdId, waiting);
    const amountMicros = BigInt(heldFor(waiting));
    const duration = Math.min(durationMs + creditLimits.holdGraceMs, creditLimits.holdMsMax);
    const terms = { currency, amountMicros, attribution, durationMs: Math.ceil(duration) } as const;
    const command = { kind: "hold", id: holdId, ...terms } as const;
    send({ kind: "command", tenantId, command, details: undefined });
  }

  #onHoldAnswer(holdId: string, waiting: Waiting, answer: LedgerAnswer): void {
    this.#byHold.delete(holdId);
    const { request, outputTokensMax } = waiting;
    if (answer.kind === "held") {
      if (waiting.hasLeft) this.#release(holdId);
      else {
        this.#waiting.delete(waiting);
        const hold: CreditHold = { kind: "held", holdId, request, outputTokensMax };
        this.#admitted(waiting, hold, { reserveId: holdId, micros: heldFor(waiting) });
      }
      return;
    }
    if (waiting.hasLeft || this.#askForLess(waiting, answer)) return;
    this.#waiting.delete(waiting);
    waiting.tell({ kind: "refused", error: creditRefusal(answer, request) });
  }

  /** Before a call is refused, it is asked for with as much output as is paid for. */
  #askForLess(waiting: Waiting, answer: LedgerAnswer): boolean {
    const { request } = waiting;
    const isFirst = waiting.outputTokensMax === request.outputTokensMax;
    if (answer.kind !== "refused" || answer.code !== "credit_exhausted") return false;
    if (!isFirst || !request.isClampable) return false;
    const fitting = this.#fitting(request, answer.leftMicros);
    if (fitting < request.replyCount) return false;
    waiting.outputTokensMax = fitting;
    this.#askForHold(waiting);
    return true;
  }

  #fitting(request: CreditRequest, leftMicros: bigint): number {
    const { price, inputTokensMax, replyCount, outputTokensMax } = request;
    const fitting = outputTokensWithin(price, inputTokensMax, Number(leftMicros));
    const each = Math.floor(Math.min(fitting, outputTokensMax - 1) / replyCount);
    return each * replyCount;
  }

  #onSentAnswer(commandId: string): boolean {
    const command = this.#sent.take(commandId);
    if (command === undefined) return false;
    if ("holdId" in command) this.#parts.journal.end(this.#parts.tenantId, command.holdId);
    return true;
  }

  #onLeaseAnswer(commandId: string, answer: LedgerAnswer): void {
    const command = this.#keeper.answered(commandId, answer);
    if (answer.kind === "leased") {
      // A budget may be what is short: asking for more and more lease would not end.
      this.#retry(this.#parts.clock.monotonicMs());
      this.#askForHolds();
    }
    if (answer.kind === "lease-reported" && command?.kind === "report-lease")
      for (const { usageId } of command.charges) this.#details.delete(usageId);
    if (answer.kind === "lease-returned")
      this.#parts.journal.end(this.#parts.tenantId, commandId.slice(0, commandId.lastIndexOf("/")));
  }

  /** The ledger is away: who waits for it is refused, and nobody else waits for a while. */
  #onUnavailable(commandId: string): void {
    const isHold = this.#byHold.delete(commandId);
    if (!isHold && !this.#keeper.isAsking) return;
    // It may have been held all the same.
    if (isHold) this.#release(commandId);
    this.#unavailableUntilMs = this.#parts.clock.monotonicMs() + creditLimits.unavailableMs;
    for (const waiting of this.#waiting) {
      this.#leave(waiting);
      waiting.tell({ kind: "refused", error: ledgerAway() });
    }
  }

  /** What is held for it after it has left is released when the answer comes. */
  #leave(waiting: Waiting): void {
    waiting.hasLeft = true;
    this.#waiting.delete(waiting);
  }

  #release(holdId: string): void {
    this.#sent.add({ kind: "release", id: `${holdId}/release`, holdId }, undefined);
    this.#parts.wake();
  }

  #report({ id, leaseId, charges }: Extract<LedgerRequest, { kind: "report-lease" }>): CreditUp {
    const { tenantId } = this.#parts;
    return { kind: "report", tenantId, id, leaseId, text: toReportText(charges, this.#details) };
  }
}

function boundOf({ price, inputTokensMax, outputTokensMax }: CreditRequest): number {
  return Math.min(costBoundMicros(price, inputTokensMax, outputTokensMax), exactMicrosMax);
}

function heldFor({ request, outputTokensMax }: Waiting): number {
  return boundOf({ ...request, outputTokensMax });
}
