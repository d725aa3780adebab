/** Collects what was decided for the commands of one batch until it is written. */

import type { Decision, Touched } from "../rules/commands.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import { type BatchParameter, type RecordChanges, writeParameters } from "./batch-parameters.ts";

/** What a use was, beyond its amount, by the id of the use. */
export type UseDetails = ReadonlyMap<string, unknown>;

/** Collects decisions until it is written. A record that several commands changed is written once, in its last form. */
export class Batch {
  readonly #state: LedgerState;
  readonly #decisions: Decision[] = [];
  readonly #commandIds = new Set<string>();
  readonly #details = new Map<string, unknown>();
  readonly #changes: RecordChanges = {
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
    const commandPlace = this.#decisions.length;
    for (const { kind, id } of decision.touched) {
      const known = this.#changes[kind].get(id);
      // A hold, lot or lease bears the id of the command that made it.
      if (known === undefined)
        this.#changes[kind].set(id, { isNew: id === commandId, commandPlace, place: 0 });
      else known.commandPlace = commandPlace;
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

  /** The parameters of `ledger_apply`: written down once, as the records stand then. From there on nothing is added. */
  parameters(): readonly BatchParameter[] {
    this.#parameters ??= writeParameters({
      state: this.#state,
      decisions: this.#decisions,
      changes: this.#changes,
      details: this.#details,
    });
    return this.#parameters;
  }
}
