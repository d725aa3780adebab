/** All that the rules know of one tenant, and what is forgotten of it. */

import type { LedgerOutcome } from "./commands.ts";
import type {
  AccountId,
  Budget,
  ChargedUse,
  CreditAccount,
  Currency,
  Hold,
  Lease,
  Lot,
} from "./types.ts";

/** A command that took effect, so that its repetition does not. */
export interface CommandRecord {
  readonly id: string;
  /** What was asked, save the time, as text. */
  readonly content: string;
  readonly answer: LedgerOutcome;
  readonly atMs: number;
}

/** All that the rules know of one tenant. */
export interface LedgerState {
  /** The latest time that a command came with: time does not run backwards here. */
  timeMs: number;
  readonly balances: Map<AccountId, bigint>;
  readonly accounts: Map<Currency, CreditAccount>;
  readonly lots: Map<string, Lot>;
  readonly holds: Map<string, Hold>;
  /** How many of the holds are open. */
  openHoldCount: number;
  readonly leases: Map<string, Lease>;
  /** The latest life of each worker. */
  readonly workerEpochs: Map<string, number>;
  readonly budgets: Map<string, Budget>;
  readonly uses: Map<string, ChargedUse>;
  readonly commands: Map<string, CommandRecord>;
}

/** The ledger of a tenant that has none yet. */
export function emptyLedger(): LedgerState {
  return {
    timeMs: 0,
    balances: new Map(),
    accounts: new Map(),
    lots: new Map(),
    holds: new Map(),
    openHoldCount: 0,
    leases: new Map(),
    workerEpochs: new Map(),
    budgets: new Map(),
    uses: new Map(),
    commands: new Map(),
  };
}

/**
 * Drops what ended before a time. A repetition of a command, a use or a late charge older than that is not recognised by the
 * rules any more, so whoever calls this looks such ids up elsewhere first.
 */
export function forgetEnded(state: LedgerState, beforeMs: number): void {
  for (const [id, command] of state.commands) {
    if (command.atMs < beforeMs) state.commands.delete(id);
  }
  for (const [id, use] of state.uses) {
    if (use.atMs < beforeMs) state.uses.delete(id);
  }
  for (const [id, hold] of state.holds) {
    if (hold.state !== "open" && hold.expiresAtMs < beforeMs) state.holds.delete(id);
  }
  for (const [id, lease] of state.leases) {
    if (lease.state !== "open" && lease.deadlineMs < beforeMs) state.leases.delete(id);
  }
  const held = new Set<string | undefined>();
  for (const { portions } of [...state.holds.values(), ...state.leases.values()]) {
    for (const portion of portions) held.add(portion.lotId);
  }
  for (const [id, lot] of state.lots) {
    const isOver = lot.remainingMicros === 0n && !held.has(id);
    if (isOver && lot.grantedAtMs < beforeMs) state.lots.delete(id);
  }
}
