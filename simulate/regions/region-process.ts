/** A control process of a region: admits operations on its ledger, takes edits, and speaks with the home of the account. */

import type { LedgerOutcome, Refusal } from "@faultline/server/ledger/rules/commands.ts";
import { budgetStanding } from "@faultline/server/ledger/rules/set-budget.ts";
import { balanceOf } from "@faultline/server/ledger/rules/draft.ts";
import {
  homeRequests,
  regionBudgetRequests,
} from "@faultline/server/ledger/regions/apply-document.ts";
import {
  abandonReturn,
  escrowId,
  openEscrow,
  planSteps,
  stepsToSend,
  takeAnswer,
  takeForReturn,
} from "@faultline/server/ledger/regions/escrow.ts";
import { recallState, refuseRecalled } from "@faultline/server/ledger/regions/escrow-recall.ts";
import {
  type ExchangeReply,
  type ExchangeRequest,
  hearDocuments,
  isStepOf,
} from "@faultline/server/ledger/regions/exchange.ts";
import {
  type DocumentContent,
  editVersions,
  isConflict,
  mergeVersions,
  versionText,
} from "@faultline/server/ledger/regions/grant-document.ts";
import type { RegionRequest } from "@faultline/server/ledger/regions/region-request.ts";
import {
  chargesOfTransfers,
  reportableCount,
} from "@faultline/server/ledger/regions/transfer-charges.ts";

import type { Chance } from "../chance.ts";
import type { RegionState } from "./fault-table.ts";
import type { AuditedEdit } from "./region-auditor.ts";
import { BrokenOff, RegionDatabase } from "./region-database.ts";
import { type RegionWorld, startMs } from "./region-world.ts";

const tickMs = 400;
const currency = "USD" as const;
/** A region keeps much for a while, and then little, so that it has something to return. */
const keptMicros = [24_000n, 4_000n] as const;
const keptMs = 6_000;
const readTransfersMax = 40;
/** With less than that a region serves next to nothing. */
const littleMicros = 3_000n;

export class RegionProcess {
  readonly name: string;
  readonly database: RegionDatabase;
  readonly world: RegionWorld;
  readonly #home: RegionProcess | undefined;
  readonly #chance: Chance;
  isUp = true;
  clockOffMs = 0;
  /** What operations lacked since the last step. */
  #lackMicros = 0n;
  /** Whether the home wanted its credit back when it was heard last; forgotten when the process dies. */
  #isRecalled = false;
  /** Likewise. */
  #applied = new Set<string>();
  #idCount = 0;

  constructor(
    name: string,
    world: RegionWorld,
    parts: { home: RegionProcess | undefined; chance: Chance },
  ) {
    this.name = name;
    this.world = world;
    this.#home = parts.home;
    this.#chance = parts.chance.fork(name);
    const nowMs = (): number => startMs + this.clockOffMs + Math.floor(world.queue.nowMs);
    this.database = new RegionDatabase(openEscrow(name, currency), nowMs);
    this.#guard(() => this.#ask({ kind: "open-account", id: "open", currency, limitMicros: 0n }));
    this.#tick();
  }

  get isHome(): boolean {
    return this.#home === undefined;
  }

  /** Dies at one of the next writes, before it or after it. */
  die(): void {
    this.database.dieAt(this.#chance.between(1, 6), this.#chance.happens(0.5));
  }

  /** Asks the ledger here. `undefined` when nobody knows what became of it. */
  ask(request: RegionRequest): LedgerOutcome | Refusal | undefined {
    let answer: LedgerOutcome | Refusal | undefined;
    this.#guard(() => (answer = this.#ask(request)));
    return answer;
  }

  /** An operation found too little here. */
  noteLack(micros: bigint): void {
    if (micros > this.#lackMicros) this.#lackMicros = micros;
  }

  /** An administrator edits a document; whether that is written down, and known to be. */
  edit(key: string, content: DocumentContent, edit: Omit<AuditedEdit, "region" | "key">): boolean {
    const { world, database } = this;
    const audited = { ...edit, key, region: this.name };
    let isDone = false;
    this.#guard(() => {
      const known = database.documents.get(key)?.versions ?? [];
      const editedAtMs = startMs + Math.floor(world.queue.nowMs);
      const version = editVersions(known, { content, region: this.name, editedAtMs });
      database.saveDocuments([{ key, versions: mergeVersions(known, [version]) }], () => {
        world.auditor.edited(audited);
        if (world.auditor.isConcurrent(audited))
          world.table.note("edits concurrent", this.states());
      });
      isDone = true;
      this.#apply();
    });
    return isDone;
  }

  /** The home wants back what it lent to a region. */
  recall(region: RegionProcess, durationMs: number): void {
    const recalledAtMs = this.database.nowMs;
    const untilMs = recalledAtMs + durationMs;
    this.#guard(() =>
      this.database.saveRecall(region.name, { recalledAtMs, untilMs }, () =>
        this.world.auditor.recalled(region.name, untilMs),
      ),
    );
  }

  /** What a fault meets here. */
  states(): RegionState[] {
    const { escrow, ledger, documents } = this.database;
    const found: RegionState[] = [];
    if (!this.isHome) {
      if (escrow.borrowCount === 0) found.push("no escrow");
      if (escrow.borrowing !== undefined) found.push("borrowing");
      if (escrow.reporting !== undefined) found.push("reporting");
      if (escrow.returning !== undefined) found.push("returning");
      if (found.length === 0) found.push("idle");
      if (this.isCutOff)
        found.push(this.#availableMicros >= littleMicros ? "cut off" : "cut off, used up");
    }
    if (ledger.openHoldCount > 0) found.push("holds open");
    if (balanceOf(ledger, "debt", currency) < 0n) found.push("debt");
    if ([...documents.values()].some(({ versions }) => isConflict(versions)))
      found.push("conflict");
    return found;
  }

  get isCutOff(): boolean {
    return this.#home !== undefined && this.world.isCut(this.name, this.#home.name);
  }

  get #availableMicros(): bigint {
    return balanceOf(this.database.ledger, "credit", currency);
  }

  #ask(request: RegionRequest): LedgerOutcome | Refusal {
    return this.database.ask(request);
  }

  #guard(run: () => void): void {
    if (!this.isUp) return;
    try {
      run();
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
      if (!error.isDead) return;
      this.world.table.note(this.isHome ? "home killed" : "region killed", this.states());
      this.isUp = false;
      this.#applied = new Set();
      this.#isRecalled = false;
      this.#lackMicros = 0n;
      this.world.queue.after(this.#chance.between(100, 6_000), () => (this.isUp = true));
    }
  }

  #tick(): void {
    this.world.queue.after(tickMs, () => {
      this.#guard(() => {
        this.#apply();
        if (this.#home === undefined) this.#loseLeases();
        else this.#exchange(this.#home);
      });
      this.#tick();
    });
  }

  /** Makes the ledger here say what the documents say. */
  #apply(): void {
    const { documents, escrow, ledger } = this.database;
    if (this.#home !== undefined) {
      const newId = (): string => `${this.name}/budget${(this.#idCount += 1)}`;
      const { budgets } = ledger;
      for (const request of regionBudgetRequests(documents.values(), { escrow, budgets, newId }))
        this.#ask(request);
      return;
    }
    for (const document of documents.values()) {
      const text = [document.key, ...document.versions.map(versionText)].join(" ");
      if (this.#applied.has(text)) continue;
      for (const request of homeRequests(document)) this.#ask(request);
      this.#applied.add(text);
    }
  }

  /** As the sweeper does with leases of workers that nobody hears of. */
  #loseLeases(): void {
    const { leases, timeMs } = this.database.ledger;
    for (const { id, state, deadlineMs } of leases.values()) {
      if (state === "open" && timeMs >= deadlineMs + 300_000)
        this.#ask({ kind: "lose-lease", id: `${id}/lost`, leaseId: id });
    }
  }

  #exchange(home: RegionProcess): void {
    const { database, world } = this;
    const isPlenty = Math.floor(world.queue.nowMs / keptMs) % 2 === 0;
    const escrow = planSteps(database.escrow, this.#standing(), {
      keepMicros: isPlenty ? keptMicros[0] : keptMicros[1],
      isClosing: world.isEnding || this.#isRecalled,
    });
    if (escrow.borrowing !== database.escrow.borrowing) this.#lackMicros = 0n;
    database.saveEscrow(escrow);
    const take = takeForReturn(escrow);
    if (take !== undefined && this.#ask(take).kind === "refused")
      database.saveEscrow(abandonReturn(escrow));
    const request: ExchangeRequest = {
      region: this.name,
      steps: stepsToSend(database.escrow, this.#charges()),
      documents: [...database.documents.values()],
    };
    const knowledge = world.auditor.knowledgeOf(this.name);
    world.send({ from: this.name, to: home.name, states: this.states() }, () =>
      home.#answer(this, request, () => world.auditor.heard(home.name, knowledge)),
    );
  }

  #answer(region: RegionProcess, request: ExchangeRequest, heard: () => void): void {
    this.#guard(() => {
      const { database, world } = this;
      database.saveDocuments(hearDocuments(database.documents, request.documents), heard);
      this.#apply();
      const answers = request.steps
        .filter((step) => isStepOf(request.region, step))
        .map((step) => ({
          id: step.id,
          answer: this.#refuse(region, step) ?? this.#ask(step),
        }));
      const isRecalled = this.#isRecalledFrom(region);
      const reply = { answers, documents: [...database.documents.values()], isRecalled };
      const knowledge = world.auditor.knowledgeOf(this.name);
      world.send({ from: this.name, to: region.name, states: region.states() }, () =>
        region.#hear(reply, () => world.auditor.heard(region.name, knowledge)),
      );
    });
  }

  /** What was done before the recall is answered as it was done. */
  #refuse(region: RegionProcess, step: RegionRequest): Refusal | undefined {
    if (!this.#isRecalledFrom(region) || this.database.ledger.commands.has(step.id))
      return undefined;
    return refuseRecalled(step, currency);
  }

  #isRecalledFrom(region: RegionProcess): boolean {
    const { database } = this;
    const recall = database.recalls.get(region.name);
    if (recall === undefined) return false;
    const { nowMs } = database;
    return recallState(recall, { nowMs, heldMicros: this.escrowMicros(region) }) !== "over";
  }

  #hear(
    { answers, documents, isRecalled }: ExchangeReply & { readonly isRecalled: boolean },
    heard: () => void,
  ): void {
    this.#guard(() => {
      const { database } = this;
      this.#isRecalled = isRecalled;
      database.saveDocuments(hearDocuments(database.documents, documents), heard);
      this.#apply();
      for (const { id, answer } of answers) {
        const charges = this.#charges();
        const progress = takeAnswer(database.escrow, id, { answer, charges });
        if (progress === undefined) continue;
        for (const request of progress.here) this.#ask(request);
        database.saveEscrow(progress.escrow);
      }
      this.#apply();
    });
  }

  #standing() {
    const { ledger, transfers, escrow } = this.database;
    const budgetsLeft = [...ledger.budgets.values()].map((budget) => ({
      budgetId: budget.terms.budgetId,
      amountMicros: budgetStanding(budget, ledger.timeMs).leftMicros,
    }));
    const start = escrow.reportedSequence;
    const unreported = transfers.slice(start, start + readTransfersMax);
    const isAll = start + unreported.length === transfers.length;
    return {
      availableMicros: this.#availableMicros,
      budgetsLeft,
      lackMicros: this.#lackMicros,
      reportableSequence: escrow.reportedSequence + reportableCount(unreported, isAll),
    };
  }

  #charges() {
    const { escrow, transfers, ledger } = this.database;
    if (escrow.reporting === undefined) return [];
    const part = transfers.slice(escrow.reportedSequence, escrow.reporting.untilSequence);
    return chargesOfTransfers(part, {
      region: this.name,
      attributionOf: ({ holdId = "" }) => ledger.holds.get(holdId)?.attribution ?? {},
    });
  }

  /** What the home holds for a region. */
  escrowMicros(region: RegionProcess): bigint {
    const lease = this.database.ledger.leases.get(escrowId(region.database.escrow));
    return lease?.portions.reduce((sum, portion) => sum + portion.amountMicros, 0n) ?? 0n;
  }
}
