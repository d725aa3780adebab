/** Reads a tenant's ledger out of the database, as the one who writes it from then on. */

import { parseForeignJson } from "@faultline/contracts/json";
import { sql } from "kysely";

import { assert } from "#kernel/index.ts";
import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { emptyLedger, type LedgerState } from "../rules/ledger-state.ts";
import type { AccountId, Budget, ChargedUse, Currency, Hold, Lease } from "../rules/types.ts";
import type { WriterPosition } from "./apply-batch.ts";
import { readRecord } from "./micros-text.ts";

/** Records that ended or were done long ago, and are wanted all the same. */
export interface WantedRecords {
  readonly commandIds: readonly string[];
  /** Holds and leases. */
  readonly holdIds: readonly string[];
  readonly usageIds: readonly string[];
}

export interface LoadedLedger {
  readonly state: LedgerState;
  readonly position: WriterPosition;
}

/**
 * Claims the ledger of a tenant and reads it: balances, lots in use, what is open, budgets, and the wanted records. A batch of
 * an earlier writer that is under way ends before, and none comes after.
 */
export async function loadLedger(
  store: Store,
  scope: TenantScope,
  wanted: WantedRecords,
): Promise<LoadedLedger> {
  return store.transact(scope, async (writer) => {
    const { rows } = await sql<{
      epoch: string;
      transfer_sequence: string;
      batch_count: string;
      time_ms: string;
    }>`select epoch, transfer_sequence, batch_count, time_ms from ledger_claim()`.execute(writer);
    const [claim] = rows;
    assert(claim !== undefined, "a claim gives the writer's row");
    const state = emptyLedger();
    state.timeMs = Number(claim.time_ms);
    await readAccounts(writer, state);
    await readHolds(writer, state, wanted.holdIds);
    await readLots(writer, state);
    for (const budget of await readBudgets(writer))
      state.budgets.set(budget.terms.budgetId, budget);
    await readCommands(writer, state, wanted.commandIds);
    await readUses(writer, state, wanted.usageIds);
    return {
      state,
      position: {
        epoch: BigInt(claim.epoch),
        sequence: BigInt(claim.transfer_sequence),
        batchCount: BigInt(claim.batch_count),
      },
    };
  });
}

/** Adds wanted records of long ago to a loaded ledger, save those that it has. Gives the holds and leases that were added. */
export async function addWanted(
  store: Store,
  scope: TenantScope,
  { state, wanted }: { readonly state: LedgerState; readonly wanted: WantedRecords },
): Promise<{ readonly kind: "hold" | "lease"; readonly id: string }[]> {
  return store.read(scope, async (reader) => {
    await readCommands(
      reader,
      state,
      wanted.commandIds.filter((id) => !state.commands.has(id)),
    );
    const holdIds = wanted.holdIds.filter((id) => !state.holds.has(id) && !state.leases.has(id));
    return readEndedHolds(reader, state, holdIds);
  });
}

type Selects = Pick<Reader, "selectFrom">;

async function readAccounts(reader: Selects, state: LedgerState): Promise<void> {
  const balances = await reader
    .selectFrom("ledger_account")
    .select(["id", "balance_micros"])
    .execute();
  // The rules made these ids, and `ledger_apply` wrote them.
  for (const row of balances) state.balances.set(row.id as AccountId, BigInt(row.balance_micros));
  const credits = await reader
    .selectFrom("ledger_credit")
    .select(["currency", "is_open", "limit_micros", "line_held_micros"])
    .execute();
  for (const row of credits) {
    const currency = row.currency as Currency;
    state.accounts.set(currency, {
      currency,
      isOpen: row.is_open,
      limitMicros: BigInt(row.limit_micros),
      lineHeldMicros: BigInt(row.line_held_micros),
    });
  }
}

async function readHolds(
  reader: Selects,
  state: LedgerState,
  holdIds: readonly string[],
): Promise<void> {
  const rows = await reader
    .selectFrom("ledger_open_hold")
    .select(["id", "kind", "record"])
    .orderBy("ends_at_ms")
    .execute();
  for (const row of rows) addHold(state, row);
  await readEndedHolds(reader, state, holdIds);
  const workers = await reader.selectFrom("ledger_worker").select(["id", "epoch"]).execute();
  for (const row of workers) state.workerEpochs.set(row.id, Number(row.epoch));
}

/** Reads those of the holds and leases that have ended: what is open is in the ledger already, and newer there. */
async function readEndedHolds(
  reader: Selects,
  state: LedgerState,
  holdIds: readonly string[],
): Promise<{ readonly kind: "hold" | "lease"; readonly id: string }[]> {
  if (holdIds.length === 0) return [];
  const rows = await reader
    .selectFrom("ledger_hold")
    .select(["id", "kind", "record"])
    .where("id", "in", holdIds)
    .where("state", "<>", "open")
    .execute();
  for (const row of rows) addHold(state, row);
  return rows;
}

function addHold(
  state: LedgerState,
  row: { readonly id: string; readonly kind: "hold" | "lease"; readonly record: unknown },
): void {
  // The record was written from a hold or a lease, as the kind says.
  if (row.kind === "lease") {
    state.leases.set(row.id, readRecord(row.record) as Lease);
    return;
  }
  const hold = readRecord(row.record) as Hold;
  state.holds.set(row.id, hold);
  if (hold.state === "open") state.openHoldCount += 1;
}

/** Lots with something left in them, and those to which something that is reserved may return. */
async function readLots(reader: Selects, state: LedgerState): Promise<void> {
  const reserved = [...state.holds.values(), ...state.leases.values()].flatMap(({ portions }) =>
    portions.map(({ lotId }) => lotId).filter((id) => id !== undefined),
  );
  const lotIds = [...new Set(reserved)];
  const rows = await reader
    .selectFrom("ledger_lot")
    .select([
      "id",
      "currency",
      "granted_micros",
      "remaining_micros",
      "priority",
      "granted_at_ms",
      "expires_at_ms",
    ])
    .where((where) =>
      where.or([
        where("remaining_micros", ">", "0"),
        ...(lotIds.length > 0 ? [where("id", "in", lotIds)] : []),
      ]),
    )
    .execute();
  for (const row of rows) {
    state.lots.set(row.id, {
      id: row.id,
      currency: row.currency as Currency,
      grantedMicros: BigInt(row.granted_micros),
      remainingMicros: BigInt(row.remaining_micros),
      priority: row.priority,
      grantedAtMs: Number(row.granted_at_ms),
      expiresAtMs: row.expires_at_ms === null ? undefined : Number(row.expires_at_ms),
    });
  }
}

/** The budgets of the tenant. */
export async function readBudgets(reader: Selects): Promise<Budget[]> {
  const rows = await reader.selectFrom("ledger_budget").select(["terms", "counts"]).execute();
  return rows.map((row) => {
    // Written from a budget of the rules: its terms, and its counts as pairs.
    const terms = readRecord(row.terms) as Budget["terms"];
    const counts = readRecord(row.counts) as [number, Parameters<Budget["counts"]["set"]>[1]][];
    return { terms, counts: new Map(counts) };
  });
}

async function readCommands(
  reader: Selects,
  state: LedgerState,
  commandIds: readonly string[],
): Promise<void> {
  if (commandIds.length === 0) return;
  const rows = await reader
    .selectFrom("ledger_command")
    .select(["id", "at_ms", "content", "answer"])
    .where("id", "in", commandIds)
    .execute();
  for (const { id, at_ms: atMs, content, answer } of rows) {
    const record = {
      id,
      content,
      answer: readRecord(parseForeignJson(answer)),
      atMs: Number(atMs),
    };
    // What stands there is an outcome that the rules gave.
    state.commands.set(id, record as Parameters<LedgerState["commands"]["set"]>[1]);
  }
}

async function readUses(
  reader: Selects,
  state: LedgerState,
  usageIds: readonly string[],
): Promise<void> {
  if (usageIds.length === 0) return;
  const rows = await reader
    .selectFrom("ledger_use")
    .select(["id", "hold_id", "amount_micros", "at_ms"])
    .where("id", "in", usageIds)
    .execute();
  for (const row of rows) {
    const use: ChargedUse = {
      usageId: row.id,
      holdId: row.hold_id,
      amountMicros: BigInt(row.amount_micros),
      atMs: Number(row.at_ms),
    };
    state.uses.set(use.usageId, use);
  }
}
