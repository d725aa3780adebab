/** What was decided for the commands of one batch, as the columns that `ledger_apply` takes. */

import { assert } from "#kernel/index.ts";

import type { Decision, Touched } from "../rules/commands.ts";
import { reservedMicros } from "../rules/credit.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import type { Hold, Lease, Transfer } from "../rules/types.ts";
import { writeRecord } from "./micros-text.ts";
import { PlainColumn, TextColumn } from "./column.ts";

/** What a use was, beyond its amount, by the id of the use. */
export type UseDetails = ReadonlyMap<string, unknown>;

/** One parameter of `ledger_apply`. */
export type BatchColumn = TextColumn | PlainColumn | string;

/** Collects decisions until it is written. A record that several commands changed is written once, in its last form. */
export class Batch {
  readonly #state: LedgerState;
  readonly #decisions: Decision[] = [];
  readonly #commandIds = new Set<string>();
  readonly #details = new Map<string, unknown>();
  /** By kind and id; whether the record is new in this batch, and the command that touched it last. */
  readonly #touched = new Map<string, Touched & { readonly isNew: boolean; commandId: string }>();
  #transferCount = 0;

  constructor(state: LedgerState) {
    this.#state = state;
  }

  /** Adds a decision that took effect. */
  add(decision: Decision, details: UseDetails | undefined): void {
    this.#decisions.push(decision);
    this.#transferCount += decision.transfers.length;
    const { commandId } = decision;
    this.#commandIds.add(commandId);
    for (const touched of decision.touched) {
      const key = `${touched.kind} ${touched.id}`;
      const known = this.#touched.get(key);
      if (known === undefined) {
        // A hold, lot or lease bears the id of the command that made it.
        this.#touched.set(key, { ...touched, isNew: touched.id === commandId, commandId });
      } else {
        known.commandId = commandId;
      }
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
    return this.#touched.has(`${kind} ${id}`);
  }

  get transferCount(): number {
    return this.#transferCount;
  }

  /** The columns in the order of the function's parameters, from the commands on. */
  columns(): BatchColumn[] {
    const records = [...this.#touched.values()];
    return [
      ...this.#commandColumns(),
      ...transferColumns(this.#decisions),
      ...this.#holdColumns(records),
      ...this.#useColumns(records),
      writeRecord(restOf(this.#state, records, this.#decisions)),
    ];
  }

  #commandColumns(): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      times: new PlainColumn(),
      offsets: new PlainColumn(),
      counts: new PlainColumn(),
      contents: new TextColumn(),
      answers: new TextColumn(),
    };
    let offset = 0;
    for (const { commandId, transfers } of this.#decisions) {
      const record = this.#state.commands.get(commandId);
      assert(record !== undefined, "a command that took effect is on record");
      columns.ids.add(commandId);
      columns.times.add(record.atMs);
      columns.offsets.add(offset);
      columns.counts.add(transfers.length);
      offset += transfers.length;
      columns.contents.add(record.content);
      columns.answers.add(writeRecord(record.answer));
    }
    return Object.values(columns);
  }

  #holdColumns(records: readonly (Touched & { readonly isNew: boolean })[]): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      isNew: new PlainColumn(),
      kinds: new TextColumn(),
      states: new TextColumn(),
      remaining: new PlainColumn(),
      ends: new PlainColumn(),
      contents: new TextColumn(),
    };
    for (const record of records) {
      if (record.kind !== "hold" && record.kind !== "lease") continue;
      const hold = holdOf(this.#state, record.kind, record.id);
      columns.ids.add(record.id);
      columns.isNew.add(record.isNew);
      columns.kinds.add(record.kind);
      columns.states.add(hold.state);
      columns.remaining.add(reservedMicros(hold));
      columns.ends.add("deadlineMs" in hold ? hold.deadlineMs : hold.expiresAtMs);
      columns.contents.add(writeRecord(hold));
    }
    return Object.values(columns);
  }

  #useColumns(records: readonly (Touched & { readonly commandId: string })[]): BatchColumn[] {
    const columns = {
      ids: new TextColumn(),
      holds: new TextColumn(),
      commands: new TextColumn(),
      times: new PlainColumn(),
      amounts: new PlainColumn(),
      details: new TextColumn(),
    };
    for (const record of records) {
      if (record.kind !== "use") continue;
      const use = this.#state.uses.get(record.id);
      assert(use !== undefined, "a use that was charged is on record");
      columns.ids.add(use.usageId);
      columns.holds.add(use.holdId);
      columns.commands.add(record.commandId);
      columns.times.add(use.atMs);
      columns.amounts.add(use.amountMicros);
      const detail = this.#details.get(use.usageId);
      columns.details.add(detail === undefined ? "" : writeRecord(detail));
    }
    return Object.values(columns);
  }
}

function transferColumns(decisions: readonly Decision[]): BatchColumn[] {
  const columns = {
    commands: new TextColumn(),
    times: new PlainColumn(),
    from: new TextColumn(),
    to: new TextColumn(),
    amounts: new PlainColumn(),
    reasons: new TextColumn(),
    lots: new TextColumn(),
    holds: new TextColumn(),
    uses: new TextColumn(),
  };
  const add = (transfer: Transfer): void => {
    columns.commands.add(transfer.commandId);
    columns.times.add(transfer.atMs);
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

function holdOf(state: LedgerState, kind: "hold" | "lease", id: string): Hold | Lease {
  const hold = kind === "hold" ? state.holds.get(id) : state.leases.get(id);
  assert(hold !== undefined, "what is reserved is on record");
  return hold;
}

/** The records that few commands change. */
function restOf(
  state: LedgerState,
  records: readonly (Touched & { readonly isNew: boolean })[],
  decisions: readonly Decision[],
): Record<string, unknown> {
  const ids = (kind: Touched["kind"]): string[] =>
    records.filter((record) => record.kind === kind).map((record) => record.id);
  const lots = records
    .filter((record) => record.kind === "lot" && record.isNew)
    .map(({ id }) => state.lots.get(id))
    .map((lot) => ({
      id: lot?.id,
      currency: lot?.currency,
      granted_micros: lot?.grantedMicros,
      priority: lot?.priority,
      granted_at_ms: lot?.grantedAtMs,
      expires_at_ms: lot?.expiresAtMs,
    }));
  const credits = [...state.accounts.values()]
    .filter(({ currency }) => ids("account").includes(currency))
    .map((account) => ({
      currency: account.currency,
      is_open: account.isOpen,
      limit_micros: account.limitMicros,
      line_held_micros: account.lineHeldMicros,
    }));
  const budgetIds = ids("budget");
  const budgets = budgetIds
    .map((id) => state.budgets.get(id))
    .filter((budget) => budget !== undefined)
    .map(({ terms, counts }) => ({ id: terms.budgetId, terms, counts: [...counts] }));
  const removedBudgets = budgetIds.filter((id) => !state.budgets.has(id));
  const workers = ids("worker").map((id) => ({ id, epoch: state.workerEpochs.get(id) }));
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
