/**
 * The credit of one tenant in one worker: calls are admitted out of its lease in memory. One for which the lease has too
 * little waits for the ledger, which lends more, or near the end of the credit holds what this one call may cost.
 */

import {
  type AdmittedOperation,
  type BudgetRule,
  costBoundMicros,
  exactMicrosMax,
  LeaseKeeper,
  type LedgerAnswer,
  type LedgerRequest,
  outputTokensWithin,
} from "#ledger/index.ts";
import { assert, type Clock } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import { CreditHold, type CreditOwner, type CreditRequest } from "./credit-hold.ts";
import type { CreditUp, WorkerLife } from "./credit-messages.ts";
import { creditRefusal, journalRefusal, ledgerAway } from "./credit-refusal.ts";
import { creditLimits } from "./limits.ts";
import { SentCommands } from "./sent-commands.ts";
import type { UsageJournal } from "./usage-journal.ts";
import { admittedText, SettledUse, settledText, toReportText } from "./usage-text.ts";
import { detailsOf, KnownTerms, type UseTokens } from "./use-terms.ts";

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

const currency = "USD";

export class TenantCredit {
  readonly tenantId: TenantId;
  readonly terms = new KnownTerms();
  readonly #parts: TenantCreditParts;
  readonly #keeper: LeaseKeeper;
  readonly #sent: SentCommands;
  readonly #waiting = new Set<CreditHold>();
  readonly #byHold = new Map<string, CreditHold>();
  #openCount = 0;
  #unavailableUntilMs = Number.NEGATIVE_INFINITY;
  #usedMs: number;

  constructor(parts: TenantCreditParts) {
    this.#parts = parts;
    const { life, leaseDurationMs: durationMs, send, tenantId } = parts;
    this.tenantId = tenantId;
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

  /** Asks for credit; tells the owner once, perhaps before this returns, unless the hold is left before. */
  admit(request: CreditRequest, owner: CreditOwner): CreditHold {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#usedMs = nowMs;
    const hold = new CreditHold(this, { request, owner, sinceMs: nowMs });
    const { failure } = this.#parts.journal;
    if (failure !== undefined) {
      // What cannot be written down is not asked for either.
      owner.onRefused(journalRefusal(failure));
      return hold;
    }
    const tried = this.#keeper.book.admit(request, nowMs);
    if (tried.kind === "admitted") {
      this.#admitLeased(hold, tried);
      return hold;
    }
    const isFull = this.#waiting.size >= creditLimits.waitingCountMax;
    if (nowMs < this.#unavailableUntilMs || isFull || this.#keeper.isFenced) {
      owner.onRefused(ledgerAway());
      return hold;
    }
    this.#waiting.add(hold);
    this.#parts.wake();
    return hold;
  }

  /** Its owner does not wait any more; what is held for it after that is released when it comes. */
  leave(hold: CreditHold): void {
    hold.hasLeft = true;
    this.#waiting.delete(hold);
  }

  /** Ends a hold with what its call used, which may be nothing: then no tokens are known. Once. */
  settle(hold: CreditHold, amountMicros: number, tokens: UseTokens | undefined): void {
    const { journal } = this.#parts;
    const { request, operation, reserveId } = hold;
    const { usageId, usageKind, terms } = request;
    // What is wrong leaves no trace.
    assert(operation?.isOpen !== false, "a call is settled once");
    const isExact = Number.isSafeInteger(amountMicros) && amountMicros >= 0;
    assert(isExact, "a cost is a whole number of micros");
    const text = settledText(usageId, amountMicros, tokens);
    const use = journal.settle(hold, { terms, text });
    this.#openCount -= 1;
    if (operation !== undefined) {
      this.#keeper.book.settle(operation, amountMicros, use);
      if (this.#waiting.size > 0) this.#parts.wake();
      return;
    }
    const charge = { usageId, usageKind, amountMicros: BigInt(amountMicros) };
    const settle = {
      kind: "settle",
      id: `${reserveId}/settle`,
      holdId: reserveId,
      charge,
    } as const;
    const known = tokens === undefined ? undefined : new Map([[usageId, detailsOf(terms, tokens)]]);
    this.#sent.add({ ...settle, isFinal: true }, known);
    this.#parts.wake();
  }

  /** The call goes on once the system has its record: from then on the death of this process cannot hide it. */
  onWritten(hold: CreditHold, error: Error | undefined): void {
    if (error === undefined && !hold.hasLeft) {
      hold.owner.onAdmitted(hold);
      return;
    }
    this.settle(hold, 0, undefined);
    if (!hold.hasLeft) hold.owner.onRefused(journalRefusal(error));
  }

  onAnswer(
    commandId: string,
    answer: LedgerAnswer | undefined,
    budgets: readonly BudgetRule[] | undefined,
  ): void {
    if (budgets !== undefined) this.#keeper.book.setRules(budgets);
    if (answer === undefined) this.#onUnavailable(commandId);
    else {
      const hold = this.#byHold.get(commandId);
      if (hold !== undefined) this.#onHoldAnswer(hold, answer);
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
    for (const hold of this.#waiting) {
      if (nowMs - hold.sinceMs < creditLimits.askMsMax) continue;
      this.leave(hold);
      hold.owner.onRefused(ledgerAway());
    }
    if (nowMs - this.#usedMs > creditLimits.idleMsMax && this.#openCount === 0) this.#keeper.rest();
    this.pump();
  }

  /** Says what there is to say, and asks for what calls wait for. */
  pump(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#retry(nowMs);
    let lackMicros = 0;
    for (const { request, reserveId } of this.#waiting)
      if (reserveId === "") lackMicros += boundOf(request);
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
    for (const hold of this.#waiting) if (hold.reserveId === "") this.#askForHold(hold);
  }

  /** Calls that wait may fit by now into what others gave back. */
  #retry(nowMs: number): void {
    for (const hold of this.#waiting) {
      if (hold.reserveId !== "") continue;
      const tried = this.#keeper.book.admit(hold.request, nowMs);
      if (tried.kind !== "admitted") return;
      this.#waiting.delete(hold);
      this.#admitLeased(hold, tried);
    }
  }

  #admitLeased(hold: CreditHold, operation: AdmittedOperation): void {
    hold.operation = operation;
    hold.reserveId = operation.lease.leaseId;
    this.#admitted(hold, operation.heldMicros);
  }

  #admitted(hold: CreditHold, heldMicros: number): void {
    this.#openCount += 1;
    const { usageId, terms } = hold.request;
    this.#parts.journal.admit(hold, { terms, text: admittedText(usageId, heldMicros) }, hold);
  }

  #askForHold(hold: CreditHold): void {
    const { life, nextNumber, tenantId, send, clock } = this.#parts;
    const { attribution, deadlines } = hold.request;
    const holdId = `${life.workerId}/${life.epoch}/hold${nextNumber()}`;
    hold.reserveId = holdId;
    this.#byHold.set(holdId, hold);
    const amountMicros = BigInt(heldFor(hold));
    const callMs = deadlines.remainingMs(clock.monotonicMs());
    const duration = Math.min(callMs + creditLimits.holdGraceMs, creditLimits.holdMsMax);
    const terms = { currency, amountMicros, attribution, durationMs: Math.ceil(duration) } as const;
    const command = { kind: "hold", id: holdId, ...terms } as const;
    send({ kind: "command", tenantId, command, details: undefined });
  }

  #onHoldAnswer(hold: CreditHold, answer: LedgerAnswer): void {
    const { request, reserveId: holdId } = hold;
    this.#byHold.delete(holdId);
    if (answer.kind === "held") {
      if (hold.hasLeft) this.#release(holdId);
      else {
        this.#waiting.delete(hold);
        this.#admitted(hold, heldFor(hold));
      }
      return;
    }
    if (hold.hasLeft || this.#askForLess(hold, answer)) return;
    this.#waiting.delete(hold);
    hold.owner.onRefused(creditRefusal(answer, request));
  }

  /** Before a call is refused, it is asked for with as much output as is paid for. */
  #askForLess(hold: CreditHold, answer: LedgerAnswer): boolean {
    const { request } = hold;
    const isFirst = hold.outputTokensMax === request.outputTokensMax;
    if (answer.kind !== "refused" || answer.code !== "credit_exhausted") return false;
    if (!isFirst || !request.takesLess) return false;
    const fitting = this.#fitting(request, answer.leftMicros);
    if (fitting < request.replyCount) return false;
    hold.outputTokensMax = fitting;
    this.#askForHold(hold);
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
    this.#keeper.answered(commandId, answer);
    if (answer.kind === "leased") {
      // A budget may be what is short: asking for more and more lease would not end.
      this.#retry(this.#parts.clock.monotonicMs());
      this.#askForHolds();
    }
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
    for (const hold of this.#waiting) {
      this.leave(hold);
      hold.owner.onRefused(ledgerAway());
    }
  }

  #release(holdId: string): void {
    this.#sent.add({ kind: "release", id: `${holdId}/release`, holdId }, undefined);
    this.#parts.wake();
  }

  #report({ id, leaseId, charges }: Extract<LedgerRequest, { kind: "report-lease" }>): CreditUp {
    const { tenantId } = this.#parts;
    // A lease of this tenant has no other charges.
    const uses = charges.filter((charge) => charge instanceof SettledUse);
    assert(uses.length === charges.length, "uses are settled here alone");
    return { kind: "report", tenantId, id, leaseId, text: toReportText(uses) };
  }
}

function boundOf({
  price,
  inputTokensMax,
  outputTokensMax,
}: Pick<CreditRequest, "price" | "inputTokensMax" | "outputTokensMax">): number {
  return Math.min(costBoundMicros(price, inputTokensMax, outputTokensMax), exactMicrosMax);
}

function heldFor({ request, outputTokensMax }: CreditHold): number {
  return boundOf({ price: request.price, inputTokensMax: request.inputTokensMax, outputTokensMax });
}
