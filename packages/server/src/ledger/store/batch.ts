/** What was decided for the commands of one batch, as the columns that `ledger_apply` takes. */

import { assert } from "#kernel/index.ts";

import type { Decision, Touched } from "../rules/commands.ts";
import { reservedMicros } from "../rules/credit.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import type { Hold, Lease, Transfer } from "../rules/types.ts";
import { type BatchColumn, BooleanColumn, Int32Column, Int64Column, TextColumn } from "./column.ts";
import { writeAnswer, writeHold, writeRecord } from "./micros-text.ts";

/** What a use was, beyond its amount, by the id of the use. */
export type UseDetails = ReadonlyMap<string, unknown>;

/** Parameters of `ledger_apply`, from the commands on. */
export type BatchParameter = Buffer | string;

/** How a batch changes a record. */
interface RecordChange {
  readonly isNew: boolean;
  /** The command that touched it last. */
  commandId: string;
}

type Changes = Readonly<Record<Touched["kind"], Map<string, RecordChange>>>;

/** Collects decisions until it is written. A record that several commands changed is written once, in its last form. */
export class Batch {
  readonly #state: LedgerState;
  readonly #decisions: Decision[] = [];
  readonly #commandIds = new Set<string>();
  readonly #details = new Map<string, unknown>();
  readonly #changes: Changes = {
    account: new Map(),
    lot: new Map(),
    hold: new Map(),
    lease: new Map(),
    worker: new Map(),
    budget: new Map(),
    use: new Map(),
  };
  #transferCount = 0;
  #parameters: readonly BatchParameter[] | undefined;

  constructor(state: LedgerState) {
    this.#state = state;
  }

  /** Adds a decision that took effect. */
  add(decision: Decision, details: UseDetails | undefined): void {
    this.#decisions.push(decision);
    this.#transferCount += decision.transfers.length;
    const { commandId } = decision;
    this.#commandIds.add(commandId);
    for (const { kind, id } of decision.touched) {
      const known = this.#changes[kind].get(id);
      // A hold, lot or lease bears the id of the command that made it.
      if (known === undefined) this.#changes[kind].set(id, { isNew: id === commandId, commandId });
      else known.commandId = commandId;
    }
    if (details !== undefined) for (const [id, detail] of details) this.#details.set(id, detail);
  }

  /** Commands that will be written. */
  get commandCount(): number {
    return this.#decisions.length;
  }

  /** Whether the batch is going to write a command. */
  writes(commandId: string): boolean {
    return this.#commandIds.has(commandId);
  }

  /** Whether the batch is going to write a record. */
  touches(kind: Touched["kind"], id: string): boolean {
    return this.#changes[kind].has(id);
  }

  get transferCount(): number {
    return this.#transferCount;
  }

  /**
   * The parameters in the order of the function, from the commands on: written down once, as the records stand then. From there on
   * nothing is added.
   */
  parameters(): readonly BatchParameter[] {
    this.#parameters ??= [
      ...this.#commandColumns(),
      ...transferColumns(this.#decisions),
      ...this.#holdColumns(),
      ...this.#useColumns(),
    ]
      .map((column): BatchParameter => column.toParameter())
      .concat(writeRecord(restOf(this.#state, this.#changes, this.#decisions)));
    return this.#parameters;
  }

  #commandColumns(): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      times: new Int64Column(),
      offsets: new Int64Column(),
      counts: new Int32Column(),
      contents: new TextColumn(),
      answers: new TextColumn(),
    };
    let offset = 0;
    for (const { commandId, transfers } of this.#decisions) {
      const record = this.#state.commands.get(commandId);
      assert(record !== undefined, "a command that took effect is on record");
      columns.ids.add(commandId);
      columns.times.addNumber(record.atMs);
      columns.offsets.addNumber(offset);
      columns.counts.add(transfers.length);
      offset += transfers.length;
      columns.contents.add(record.content);
      columns.answers.add(writeAnswer(record.answer));
    }
    return Object.values(columns);
  }

  #holdColumns(): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      isNew: new BooleanColumn(),
      kinds: new TextColumn(),
      states: new TextColumn(),
      remaining: new Int64Column(),
      ends: new Int64Column(),
      contents: new TextColumn(),
    };
    const add = (kind: "hold" | "lease", hold: Hold | Lease, isNew: boolean): void => {
      columns.ids.add(hold.id);
      columns.isNew.add(isNew);
      columns.kinds.add(kind);
      columns.states.add(hold.state);
      columns.remaining.add(reservedMicros(hold));
    };
    for (const [id, { isNew }] of this.#changes.hold) {
      const hold = this.#state.holds.get(id);
      assert(hold !== undefined, "what is reserved is on record");
      add("hold", hold, isNew);
      columns.ends.addNumber(hold.expiresAtMs);
      columns.contents.add(writeHold(hold));
    }
    for (const [id, { isNew }] of this.#changes.lease) {
      const lease = this.#state.leases.get(id);
      assert(lease !== undefined, "what is lent is on record");
      add("lease", lease, isNew);
      columns.ends.addNumber(lease.deadlineMs);
      columns.contents.add(writeRecord(lease));
    }
    return Object.values(columns);
  }

  #useColumns(): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      holds: new TextColumn(),
      commands: new TextColumn(),
      times: new Int64Column(),
      amounts: new Int64Column(),
      details: new TextColumn(),
    };
    for (const [id, { commandId }] of this.#changes.use) {
      const use = this.#state.uses.get(id);
      assert(use !== undefined, "a use that was charged is on record");
      columns.ids.add(id);
      columns.holds.add(use.holdId);
      columns.commands.add(commandId);
      columns.times.addNumber(use.atMs);
      columns.amounts.add(use.amountMicros);
      const detail = this.#details.get(id);
      columns.details.add(detail === undefined ? "" : writeRecord(detail));
    }
    return Object.values(columns);
  }
}

function transferColumns(decisions: readonly Decision[]): BatchColumn[] {
  const columns = {
    commands: new TextColumn(),
    times: new Int64Column(),
    from: new TextColumn(),
    to: new TextColumn(),
    amounts: new Int64Column(),
    reasons: new TextColumn(),
    lots: new TextColumn(),
    holds: new TextColumn(),
    uses: new TextColumn(),
  };
  const add = (transfer: Transfer): void => {
    columns.commands.add(transfer.commandId);
    columns.times.addNumber(transfer.atMs);
    columns.from.add(transfer.from);
    columns.to.add(transfer.to);
    columns.amounts.add(transfer.amountMicros);
    columns.reasons.add(transfer.reason);
    columns.lots.add(transfer.lotId ?? "");
    columns.holds.add(transfer.holdId ?? "");
    columns.uses.add(transfer.usageId ?? "");
  };
  for (const { transfers } of decisions) for (const transfer of transfers) add(transfer);
  return Object.values(columns);
}

/** The records that few commands change. */
function restOf(
  state: LedgerState,
  changes: Changes,
  decisions: readonly Decision[],
): Record<string, unknown> {
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
