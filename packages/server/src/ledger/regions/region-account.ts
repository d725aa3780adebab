/** The account of a tenant in a region that is not its home: keeps an escrow for the ledger here. */

import type { TenantId } from "@faultline/protocol";
import type { Logger } from "pino";

import { type Clock, isAbort, type Random } from "#kernel/index.ts";
import type { TenantScope } from "#storage/index.ts";

import { availableMicros } from "../rules/credit.ts";
import { budgetStanding } from "../rules/set-budget.ts";
import type { Ledger } from "../service/ledger.ts";
import type { LedgerRequest } from "../service/ledger-request.ts";
import { refusalError } from "../service/refusal-error.ts";
import { regionBudgetRequests } from "./apply-document.ts";
import {
  abandonReturn,
  openEscrow,
  planSteps,
  stepsToSend,
  takeAnswer,
  takeForReturn,
} from "./escrow.ts";
import type { SentReply } from "./exchange-text.ts";
import { regionLimits } from "./limits.ts";
import { askPeer } from "./region-link.ts";
import type { EscrowRecord, RegionStore, UnreportedCharges } from "./region-store.ts";
import type { RegionPeer, RegionTerms } from "./region-terms.ts";

/** The currency that calls are charged in, and the one that regions share. */
const currency = "USD" as const;

export interface RegionAccountParts {
  readonly tenantId: TenantId;
  readonly terms: RegionTerms;
  readonly peer: RegionPeer;
  readonly store: RegionStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof globalThis.fetch;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export class RegionAccount {
  readonly #parts: RegionAccountParts;
  #lackMicros = 0n;
  /** Whether the home wanted its credit back when it was heard last. */
  #isRecalled = false;
  /** When the home was heard last, or this began. */
  #heardMs: number;
  /** The exchange that is under way, and the one that begins behind it. */
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** When the last exchange failed; none when it did not. */
  #failedMs: number | undefined;
  /** Why the home refused steps when it answered some last: they are asked again each time, and said once. */
  #refusedFor: ReadonlySet<string> = new Set();

  constructor(parts: RegionAccountParts) {
    this.#parts = parts;
    this.#heardMs = parts.clock.monotonicMs();
  }

  /** For how long the home was not heard. */
  get silentMs(): number {
    return this.#parts.clock.monotonicMs() - this.#heardMs;
  }

  get home(): string {
    return this.#parts.peer.name;
  }

  /** Documents that the home was not told of yet. */
  async countUntold(): Promise<number> {
    const { store, terms } = this.#parts;
    const opened = openEscrow(terms.name, currency);
    const { toldRevision } = await store.readEscrow(this.#scope, opened);
    return store.countBehind(this.#scope, toldRevision);
  }

  /** Every tenant that is shared pays here from the start on, whether the home was heard or not. */
  async open(): Promise<void> {
    const { clock, terms, signal } = this.#parts;
    await this.#load();
    clock.every(terms.intervalMs, signal, () => void this.exchange());
  }

  /** Asks the home for what an operation lacked. */
  async replenish(lackMicros: bigint): Promise<"asked" | "cut-off"> {
    if (lackMicros > this.#lackMicros) this.#lackMicros = lackMicros;
    const { clock } = this.#parts;
    const isFresh =
      this.#failedMs !== undefined && clock.monotonicMs() - this.#failedMs < regionLimits.cutOffMs;
    if (!isFresh) await this.exchange();
    return this.#failedMs === undefined ? "asked" : "cut-off";
  }

  /** Speaks with the home once more, after whatever is under way. Never throws. */
  exchange(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return this.#start();
    this.#next ??= running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  #start(): Promise<void> {
    const run = this.#exchange().finally(() => (this.#running = undefined));
    this.#running = run;
    return run;
  }

  async #exchange(): Promise<void> {
    const { clock, logger, signal, tenantId, peer } = this.#parts;
    try {
      await this.#converse();
      if (this.#failedMs !== undefined)
        logger.info({ tenantId, home: peer.name }, "the home is heard again");
      this.#failedMs = undefined;
    } catch (error) {
      if (signal.aborted) return;
      // Said once for each time that it is away.
      if (this.#failedMs === undefined)
        logger.warn(
          { err: error, tenantId, home: peer.name },
          "the home of the account is not heard",
        );
      if (isAbort(error)) logger.debug({ tenantId }, "an exchange took too long");
      this.#failedMs = clock.monotonicMs();
    }
  }

  async #converse(): Promise<void> {
    const { store, terms, peer, random, fetch, signal, tenantId } = this.#parts;
    await this.#applyBudgets();
    const before = await store.readEscrow(this.#scope, openEscrow(terms.name, currency));
    const { record, unreported } = await this.#plan(before);
    const told = await store.changedDocuments(this.#scope, record.toldRevision);
    const reply = await askPeer(
      peer,
      {
        tenantId,
        steps: stepsToSend(record.escrow, unreported.charges),
        documents: told.documents,
        heardRevision: record.heardRevision,
        details: Object.fromEntries(unreported.details),
      },
      { name: terms.name, random, fetch, signal },
    );
    this.#heardMs = this.#parts.clock.monotonicMs();
    this.#isRecalled = reply.isRecalled === true;
    await store.hear(this.#scope, reply.documents);
    const heard = { ...record, toldRevision: told.revision, heardRevision: reply.revision };
    await store.saveEscrow(this.#scope, heard);
    await this.#applyBudgets();
    await this.#take(heard, reply, unreported);
    await this.#applyBudgets();
  }

  /** Begins the steps that are due, and writes them down. */
  async #plan(
    before: EscrowRecord,
  ): Promise<{ record: EscrowRecord; unreported: UnreportedCharges }> {
    const { store, terms } = this.#parts;
    const range = { region: terms.name, after: before.escrow.reportedSequence };
    const until = before.escrow.reporting?.untilSequence;
    const unreported = await store.charges(
      this.#scope,
      until === undefined ? range : { ...range, until },
    );
    const standing = await this.#standing(unreported.untilSequence);
    const planned = planSteps(before.escrow, standing, {
      keepMicros: terms.keepMicros,
      isClosing: this.#isRecalled,
    });
    this.#lackMicros = 0n;
    let record = { ...before, escrow: planned };
    await store.saveEscrow(this.#scope, record);
    const take = takeForReturn(planned);
    if (take !== undefined && (await this.#submit(take)).kind === "refused") {
      record = { ...record, escrow: abandonReturn(planned) };
      await store.saveEscrow(this.#scope, record);
    }
    return { record, unreported };
  }

  async #take(
    record: EscrowRecord,
    reply: SentReply,
    { charges }: UnreportedCharges,
  ): Promise<void> {
    const { store } = this.#parts;
    let { escrow } = record;
    this.#tellRefusals(reply);
    for (const { id, answer } of reply.answers) {
      const progress = takeAnswer(escrow, id, { answer, charges });
      if (progress === undefined) continue;
      for (const request of progress.here) {
        const here = await this.#submit(request);
        // The step stays under way, and is tried again.
        if (here.kind === "refused") throw refusalError(here);
      }
      escrow = progress.escrow;
      await store.saveEscrow(this.#scope, { ...record, escrow });
    }
  }

  #tellRefusals({ answers }: SentReply): void {
    const { logger, tenantId } = this.#parts;
    if (answers.length === 0) return;
    const refusedFor = new Set<string>();
    for (const { id, answer } of answers) {
      if (answer.kind !== "refused" || answer.code === "credit_exhausted") continue;
      if (!this.#refusedFor.has(answer.code) && !refusedFor.has(answer.code))
        logger.warn({ tenantId, step: id, answer }, "the home refused a step of the escrow");
      refusedFor.add(answer.code);
    }
    this.#refusedFor = refusedFor;
  }

  /** Budgets hold here before credit comes that they limit. */
  async #applyBudgets(): Promise<void> {
    const { store, ledger, terms, tenantId } = this.#parts;
    const documents = await store.documents(this.#scope, { prefix: "budget/" });
    const { escrow } = await store.readEscrow(this.#scope, openEscrow(terms.name, currency));
    await this.#load();
    const budgets = ledger.stateOf(tenantId)?.budgets ?? new Map<string, never>();
    const newId = (): string => ledger.newId();
    for (const request of regionBudgetRequests(documents, { escrow, budgets, newId }))
      await this.#submit(request);
  }

  async #standing(reportableSequence: number) {
    const { ledger, tenantId, clock } = this.#parts;
    await this.#load();
    const state = ledger.stateOf(tenantId);
    const account = state?.accounts.get(currency);
    const isKnown = state !== undefined && account !== undefined;
    return {
      availableMicros: isKnown ? availableMicros(state, account) : 0n,
      budgetsLeft: [...(state?.budgets.values() ?? [])].map((budget) => ({
        budgetId: budget.terms.budgetId,
        amountMicros: budgetStanding(budget, clock.nowMs()).leftMicros,
      })),
      lackMicros: this.#lackMicros,
      reportableSequence,
    };
  }

  /** Opens the account, which also reads the ledger into memory; done again it writes nothing. */
  async #load(): Promise<void> {
    const id = `escrow/${this.#parts.terms.name}/${currency}/open`;
    await this.#submit({ kind: "open-account", id, currency, limitMicros: 0n });
  }

  async #submit(request: LedgerRequest) {
    return this.#parts.ledger.submit(this.#scope, request);
  }

  get #scope(): TenantScope {
    const { tenantId, signal } = this.#parts;
    return { tenantId, signal };
  }
}
