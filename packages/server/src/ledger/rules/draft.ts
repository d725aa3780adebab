/** What one command does to the state, as it is being decided. */

import { assert } from "#kernel/index.ts";

import type { Decision, LedgerNotice, LedgerOutcome, Refusal, Touched } from "./commands.ts";
import type { LedgerState } from "./ledger-state.ts";
import {
  type AccountId,
  accountId,
  type AccountKind,
  type Currency,
  type Transfer,
  type TransferReason,
} from "./types.ts";

/** A transfer as a rule spells it. */
export interface Movement {
  readonly from: AccountKind;
  readonly to: AccountKind;
  readonly currency: Currency;
  readonly amountMicros: bigint;
  readonly reason: TransferReason;
  readonly lotId?: string | undefined;
  readonly holdId?: string | undefined;
  readonly usageId?: string | undefined;
}

export class Draft {
  readonly state: LedgerState;
  readonly commandId: string;
  /** The time of the command, or the latest one before it. */
  readonly atMs: number;
  readonly #transfers: Transfer[] = [];
  readonly #touched: Touched[] = [];
  readonly #notices: LedgerNotice[] = [];

  constructor(state: LedgerState, commandId: string) {
    this.state = state;
    this.commandId = commandId;
    this.atMs = state.timeMs;
  }

  /** Moves an amount; nothing is recorded of nothing. */
  transfer(movement: Movement): void {
    const { amountMicros, currency, reason } = movement;
    assert(amountMicros >= 0n, "a transfer moves forwards");
    if (amountMicros === 0n) return;
    const from = accountId(movement.from, currency);
    const to = accountId(movement.to, currency);
    this.#post(from, -amountMicros);
    this.#post(to, amountMicros);
    this.#transfers.push({
      commandId: this.commandId,
      index: this.#transfers.length,
      atMs: this.atMs,
      from,
      to,
      amountMicros,
      reason,
      lotId: movement.lotId,
      holdId: movement.holdId,
      usageId: movement.usageId,
    });
  }

  /** Marks a record as changed. */
  touch(kind: Touched["kind"], id: string): void {
    // Few records are touched again at once, and those that are may be named again: who writes them down keeps one of each.
    const last = this.#touched.at(-1);
    if (last?.id !== id || last.kind !== kind) this.#touched.push({ kind, id });
  }

  /** Adds what somebody should be told. */
  notice(notice: LedgerNotice): void {
    this.#notices.push(notice);
  }

  /** The decision with this answer. */
  decision(answer: LedgerOutcome | Refusal): Decision {
    assert(
      answer.kind !== "refused" || (this.#transfers.length === 0 && this.#touched.length === 0),
      "a refusal changes nothing",
    );
    return {
      commandId: this.commandId,
      answer,
      isRepeated: false,
      transfers: this.#transfers,
      touched: this.#touched,
      notices: this.#notices,
    };
  }

  #post(id: AccountId, changeMicros: bigint): void {
    this.state.balances.set(id, (this.state.balances.get(id) ?? 0n) + changeMicros);
  }
}

/** What stands in an account. */
export function balanceOf(state: LedgerState, kind: AccountKind, currency: Currency): bigint {
  return state.balances.get(accountId(kind, currency)) ?? 0n;
}
