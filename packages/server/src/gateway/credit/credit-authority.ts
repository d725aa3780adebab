/**
 * The control side of the gateway's credit: carries the commands of workers to the ledger. A hold that lacks credit is not
 * refused while credit lies idle in leases, or calls under way may give some back: idle credit of all workers is called back
 * first, in rounds that holds which wait share.
 */

import type { Lending, LedgerAnswer, LedgerRequest } from "#ledger/index.ts";
import { type Clock, isAbort, raceAbort } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { CreditDown, CreditUp } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { RecallRound } from "./recall-round.ts";
import { fromReportText } from "./usage-text.ts";

export type CreditLedger = Pick<Lending, "submit" | "budgetRules">;

export interface CreditAuthorityParts<Worker> {
  readonly ledger: CreditLedger;
  readonly clock: Clock;
  readonly send: (worker: Worker, messages: readonly CreditDown[]) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
}

type Command = Extract<CreditUp, { kind: "command" }>;

/** Rounds of one tenant: holds that lack credit share the one that begins next. */
interface Rounds<Worker> {
  current: RecallRound<Worker> | undefined;
  next: Promise<number> | undefined;
}

export class CreditAuthority<Worker> {
  readonly #parts: CreditAuthorityParts<Worker>;
  /** Workers by the tenants that they were lent credit of. */
  readonly #holders = new Map<TenantId, Set<Worker>>();
  /** Commands under way, of which a repetition is not sent on. */
  readonly #underWay = new Set<string>();
  readonly #rounds = new Map<TenantId, Rounds<Worker>>();
  #roundCount = 0;
  /** How many commands of a tenant took effect so far. */
  readonly #moveCounts = new Map<TenantId, number>();
  #isAway = false;

  constructor(parts: CreditAuthorityParts<Worker>) {
    this.#parts = parts;
  }

  receive(worker: Worker, messages: readonly CreditUp[]): void {
    for (const message of messages) {
      if (message.kind === "command") void this.#take(worker, message);
      else if (message.kind === "report") void this.#take(worker, commandOf(message));
      else this.#rounds.get(message.tenantId)?.current?.note(worker, message);
    }
  }

  /** A worker is gone: nobody waits for it. What it was lent is recovered from its journal. */
  lose(worker: Worker): void {
    for (const holders of this.#holders.values()) holders.delete(worker);
    for (const { current } of this.#rounds.values()) current?.lose(worker);
  }

  async #take(worker: Worker, message: Command): Promise<void> {
    const { tenantId, command } = message;
    const key = `${tenantId}/${command.id}`;
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    this.#noteHolder(worker, tenantId);
    const answer = await this.#answerTo(message);
    this.#underWay.delete(key);
    const isLease = command.kind === "lease" || command.kind === "renew-lease";
    const budgets = isLease ? this.#parts.ledger.budgetRules(tenantId) : undefined;
    if (answer !== undefined) this.#noteMove(tenantId, answer);
    const { id: commandId } = command;
    // The worker knows the charges that it reported.
    const told = answer?.kind === "lease-reported" ? { ...answer, charges: [] } : answer;
    this.#parts.send(worker, [{ kind: "answer", tenantId, commandId, answer: told, budgets }]);
  }

  async #answerTo({ tenantId, command, details }: Command): Promise<LedgerAnswer | undefined> {
    const { ledger, log, signal } = this.#parts;
    try {
      const answer =
        command.kind === "hold"
          ? await this.#hold(tenantId, command)
          : await ledger.submit(tenantId, command, details);
      this.#isAway = false;
      this.#noteMove(tenantId, answer);
      return answer;
    } catch (error) {
      // Said once for each outage.
      if (!this.#isAway && !signal.aborted)
        log("the ledger cannot be asked; workers serve from what they were lent", {
          cause: String(error),
        });
      this.#isAway = true;
      return undefined;
    }
  }

  async #hold(
    tenantId: TenantId,
    command: Extract<LedgerRequest, { kind: "hold" }>,
  ): Promise<LedgerAnswer> {
    const { clock, ledger, signal } = this.#parts;
    const lastMs = clock.monotonicMs() + creditLimits.shortageMsMax;
    for (let roundCount = 0; ; roundCount += 1) {
      const moveCount = this.#moveCounts.get(tenantId);
      if (roundCount > 1) await clock.sleep(creditLimits.recallPauseMs, signal);
      const openCount = roundCount === 0 ? undefined : await this.#recall(tenantId);
      const answer = await ledger.submit(tenantId, command);
      if (!isShort(answer) || clock.monotonicMs() >= lastMs) return answer;
      // Nothing is under way any more, nor was while credit was called back: what the ledger says is final.
      const isStill = this.#moveCounts.get(tenantId) === moveCount;
      if (openCount === 0 && isStill) return answer;
    }
  }

  #noteMove(tenantId: TenantId, { kind }: LedgerAnswer): void {
    if (kind === "refused") return;
    this.#moveCounts.set(tenantId, (this.#moveCounts.get(tenantId) ?? 0) + 1);
  }

  /** Calls back what lies idle; gives how many calls are under way. */
  #recall(tenantId: TenantId): Promise<number> {
    let rounds = this.#rounds.get(tenantId);
    if (rounds === undefined) {
      rounds = { current: undefined, next: undefined };
      this.#rounds.set(tenantId, rounds);
    }
    // One that is under way may have called back before the refusal that leads here.
    rounds.next ??= this.#runRound(tenantId, rounds);
    return rounds.next;
  }

  async #runRound(tenantId: TenantId, rounds: Rounds<Worker>): Promise<number> {
    await rounds.current?.ended;
    const { clock, send, signal } = this.#parts;
    this.#roundCount += 1;
    const round = this.#roundCount;
    const holders = [...(this.#holders.get(tenantId) ?? [])];
    const current = new RecallRound<Worker>(round, holders);
    rounds.current = current;
    rounds.next = undefined;
    for (const worker of holders) send(worker, [{ kind: "recall", tenantId, round }]);
    try {
      await raceAbort(current.ended, clock.deadline(creditLimits.recallMsMax, signal));
    } catch (error) {
      if (!isAbort(error)) throw error;
      current.giveUp();
    }
    if (rounds.current === current) rounds.current = undefined;
    if (rounds.current === undefined && rounds.next === undefined) this.#rounds.delete(tenantId);
    return current.openCount;
  }

  #noteHolder(worker: Worker, tenantId: TenantId): void {
    const holders = this.#holders.get(tenantId);
    if (holders === undefined) this.#holders.set(tenantId, new Set([worker]));
    else holders.add(worker);
  }
}

function commandOf({
  tenantId,
  id,
  leaseId,
  text,
}: Extract<CreditUp, { kind: "report" }>): Command {
  const { charges, details } = fromReportText(text);
  const command = { kind: "report-lease", id, leaseId, charges } as const;
  return { kind: "command", tenantId, command, details };
}

/** Whether credit that comes back may still suffice. */
function isShort(answer: LedgerAnswer): boolean {
  const lacks = answer.kind === "refused" && answer.code === "credit_exhausted";
  return lacks && answer.obstacle.kind !== "debt";
}
