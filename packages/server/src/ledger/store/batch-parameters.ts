/** A batch as the parameters of `ledger_apply`, from the words on. */

import { assert } from "#kernel/index.ts";

import type { Decision, Touched } from "../rules/commands.ts";
import { reservedMicros } from "../rules/credit.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import type { Hold, Lease } from "../rules/types.ts";
import { type BatchColumn, BooleanColumn, Int32Column, Int64Column, TextColumn } from "./column.ts";
import { writeAnswer, writeHold, writeRecord } from "./micros-text.ts";
import { WordList } from "./word-list.ts";

/** One parameter, from the words on. */
export type BatchParameter = Buffer | string;

/** How a batch changes a record. */
interface RecordChange {
  readonly isNew: boolean;
  /** Of the command that touched it last, from 1 on. */
  commandPlace: number;
  /** Its own among the holds and leases, or among the uses, of the batch, from 1 on; 0 until those are written down. */
  place: number;
}

/** Changes by the kind of record and its id. */
export type RecordChanges = Readonly<Record<Touched["kind"], Map<string, RecordChange>>>;

/** What is to be written. A record that several commands changed is written once, in its last form. */
interface BatchContent {
  readonly state: LedgerState;
  readonly decisions: readonly Decision[];
  readonly changes: RecordChanges;
  readonly details: ReadonlyMap<string, unknown>;
}

/** The parameters in the order of the function. */
export function writeParameters(content: BatchContent): BatchParameter[] {
  const words = new WordList();
  // Transfers and uses mean holds, and transfers uses, by the places that these take.
  const holds = holdColumns(content, words);
  const uses = useColumns(content);
  return [
    words.column,
    ...commandColumns(content),
    ...transferColumns(content, words),
    ...holds,
    ...uses,
  ]
    .map((column): BatchParameter => column.toParameter())
    .concat(writeRecord(restOf(content)));
}

function holdColumns({ state, changes }: BatchContent, words: WordList): BatchColumn[] {
  const columns = {
    ids: new TextColumn(),
    isNew: new BooleanColumn(),
    kinds: new Int32Column(),
    states: new Int32Column(),
    remaining: new Int64Column(),
    ends: new Int64Column(),
    contents: new TextColumn(),
  };
  let place = 0;
  const add = (kind: "hold" | "lease", reserve: Hold | Lease, change: RecordChange): void => {
    place += 1;
    change.place = place;
    columns.ids.add(reserve.id);
    columns.isNew.add(change.isNew);
    columns.kinds.add(words.placeOf(kind));
    columns.states.add(words.placeOf(reserve.state));
    columns.remaining.add(reservedMicros(reserve));
  };
  for (const [id, change] of changes.hold) {
    const hold = state.holds.get(id);
    assert(hold !== undefined, "what is reserved is on record");
    add("hold", hold, change);
    columns.ends.addNumber(hold.expiresAtMs);
    columns.contents.add(writeHold(hold));
  }
  for (const [id, change] of changes.lease) {
    const lease = state.leases.get(id);
    assert(lease !== undefined, "what is lent is on record");
    add("lease", lease, change);
    columns.ends.addNumber(lease.deadlineMs);
    columns.contents.add(writeRecord(lease));
  }
  return Object.values(columns);
}

function holdPlaceOf({ hold, lease }: RecordChanges, id: string | undefined): number {
  if (id === undefined) return 0;
  const change = hold.get(id) ?? lease.get(id);
  assert(change !== undefined, "what moves in a hold or a lease changes it");
  return change.place;
}

function useColumns({ state, changes, details }: BatchContent): BatchColumn[] {
  const columns = {
    ids: new TextColumn(),
    holds: new Int32Column(),
    commands: new Int32Column(),
    times: new Int64Column(),
    amounts: new Int64Column(),
    details: new TextColumn(),
  };
  let place = 0;
  for (const [id, change] of changes.use) {
    const use = state.uses.get(id);
    assert(use !== undefined, "a use that was charged is on record");
    place += 1;
    change.place = place;
    columns.ids.add(id);
    columns.holds.add(holdPlaceOf(changes, use.holdId));
    columns.commands.add(change.commandPlace);
    columns.times.addNumber(use.atMs);
    columns.amounts.add(use.amountMicros);
    const detail = details.get(id);
    // There are no amounts in it.
    columns.details.add(detail === undefined ? "" : JSON.stringify(detail));
  }
  return Object.values(columns);
}

function commandColumns({ state, decisions }: BatchContent): BatchColumn[] {
  const columns = {
    ids: new TextColumn(),
    times: new Int64Column(),
    offsets: new Int32Column(),
    counts: new Int32Column(),
    contents: new TextColumn(),
    answers: new TextColumn(),
  };
  let offset = 0;
  for (const { commandId, transfers } of decisions) {
    const record = state.commands.get(commandId);
    assert(record !== undefined, "a command that took effect is on record");
    columns.ids.add(commandId);
    columns.times.addNumber(record.atMs);
    columns.offsets.add(offset);
    columns.counts.add(transfers.length);
    offset += transfers.length;
    columns.contents.add(record.content);
    columns.answers.add(writeAnswer(record.answer));
  }
  return Object.values(columns);
}

function transferColumns({ decisions, changes }: BatchContent, words: WordList): BatchColumn[] {
  const columns = {
    commands: new Int32Column(),
    from: new Int32Column(),
    to: new Int32Column(),
    amounts: new Int64Column(),
    reasons: new Int32Column(),
    lots: new Int32Column(),
    holds: new Int32Column(),
    uses: new Int32Column(),
  };
  let commandPlace = 0;
  for (const { transfers } of decisions) {
    commandPlace += 1;
    for (const { from, to, amountMicros, reason, lotId, holdId, usageId } of transfers) {
      columns.commands.add(commandPlace);
      columns.from.add(words.placeOf(from));
      columns.to.add(words.placeOf(to));
      columns.amounts.add(amountMicros);
      columns.reasons.add(words.placeOf(reason));
      columns.lots.add(words.placeOf(lotId));
      columns.holds.add(holdPlaceOf(changes, holdId));
      columns.uses.add(usePlaceOf(changes, usageId));
    }
  }
  return Object.values(columns);
}

function usePlaceOf({ use }: RecordChanges, id: string | undefined): number {
  if (id === undefined) return 0;
  const change = use.get(id);
  assert(change !== undefined, "what is paid for a use is paid when it is charged");
  return change.place;
}

/** The records that few commands change. */
function restOf({ state, changes, decisions }: BatchContent): Record<string, unknown> {
  const lots = [...changes.lot]
    .filter(([, { isNew }]) => isNew)
    .map(([id]) => state.lots.get(id))
    .map((lot) => ({
      id: lot?.id,
      currency: lot?.currency,
      granted_micros: lot?.grantedMicros,
      priority: lot?.priority,
      granted_at_ms: lot?.grantedAtMs,
      expires_at_ms: lot?.expiresAtMs,
    }));
  const credits = [...state.accounts.values()]
    .filter(({ currency }) => changes.account.has(currency))
    .map((account) => ({
      currency: account.currency,
      is_open: account.isOpen,
      limit_micros: account.limitMicros,
      line_held_micros: account.lineHeldMicros,
    }));
  const budgetIds = [...changes.budget.keys()];
  const budgets = budgetIds
    .map((id) => state.budgets.get(id))
    .filter((budget) => budget !== undefined)
    .map(({ terms, counts }) => ({ id: terms.budgetId, terms, counts: [...counts] }));
  const removedBudgets = budgetIds.filter((id) => !state.budgets.has(id));
  const workers = [...changes.worker.keys()].map((id) => ({
    id,
    epoch: state.workerEpochs.get(id),
  }));
  const notices = decisions.flatMap(({ commandId, notices: told }) =>
    told.map((record) => ({
      command_id: commandId,
      at_ms: state.commands.get(commandId)?.atMs,
      record,
    })),
  );
  const rest = { lots, credits, budgets, removedBudgets, workers, notices };
  return Object.fromEntries(Object.entries(rest).filter(([, rows]) => rows.length > 0));
}
