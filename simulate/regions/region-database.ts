/**
 * What a region has written down: its ledger, the grant documents, its escrow. Each write is one transaction; around it the
 * process may die, the database may be away, or nobody may learn that it was done.
 */

import type {
  LedgerCommand,
  LedgerOutcome,
  Refusal,
} from "@faultline/server/ledger/rules/commands.ts";
import { decide } from "@faultline/server/ledger/rules/decide.ts";
import { emptyLedger } from "@faultline/server/ledger/rules/ledger-state.ts";
import type { Transfer } from "@faultline/server/ledger/rules/types.ts";
import type { Escrow } from "@faultline/server/ledger/regions/escrow.ts";
import type { EscrowRecall } from "@faultline/server/ledger/regions/escrow-recall.ts";
import type { GrantDocument } from "@faultline/server/ledger/regions/grant-document.ts";
import type { RegionRequest } from "@faultline/server/ledger/regions/region-request.ts";

/** Thrown where the work of a process breaks off. */
export class BrokenOff extends Error {
  readonly isDead: boolean;

  constructor(isDead: boolean) {
    super(isDead ? "the process died" : "the database is away");
    this.isDead = isDead;
  }
}

export class RegionDatabase {
  readonly ledger = emptyLedger();
  readonly transfers: Transfer[] = [];
  readonly #documents = new Map<string, GrantDocument>();
  /** Of the home: what it wants back, by region. */
  readonly #recalls = new Map<string, EscrowRecall>();
  #escrow: Escrow;
  #isAway = false;
  #isUncertain = false;
  /** Writes until the process dies, and on which side of that write. */
  #death: { writes: number; isBefore: boolean } | undefined;
  readonly #nowMs: () => number;
  /** Told of what the ledger decided anew. */
  onDecided: (command: LedgerCommand, answer: LedgerOutcome | Refusal) => void = () => {};

  constructor(escrow: Escrow, nowMs: () => number) {
    this.#escrow = escrow;
    this.#nowMs = nowMs;
  }

  get escrow(): Escrow {
    return this.#escrow;
  }

  get documents(): ReadonlyMap<string, GrantDocument> {
    return this.#documents;
  }

  get recalls(): ReadonlyMap<string, EscrowRecall> {
    return this.#recalls;
  }

  /** As the clock of the process shows it. */
  get nowMs(): number {
    return this.#nowMs();
  }

  set isAway(isAway: boolean) {
    this.#isAway = isAway;
  }

  /** The next write is done, and nobody learns that it was. */
  loseNextAnswer(): void {
    this.#isUncertain = true;
  }

  /** The process dies before or after one of its next writes. */
  dieAt(writes: number, isBefore: boolean): void {
    this.#death = { writes, isBefore };
  }

  /** The ledger decides and writes. Throws `BrokenOff`, then nobody knows whether it did. */
  ask(request: RegionRequest): LedgerOutcome | Refusal {
    return this.#write(() => {
      const command: LedgerCommand = { ...request, atMs: this.#nowMs() };
      const { answer, transfers, isRepeated } = decide(this.ledger, command);
      this.transfers.push(...transfers);
      if (!isRepeated) this.onDecided(command, answer);
      return answer;
    });
  }

  saveEscrow(escrow: Escrow): void {
    this.#write(() => (this.#escrow = escrow));
  }

  /** `isWritten` is called when it is, whoever learns of it. */
  saveRecall(region: string, recall: EscrowRecall, isWritten: () => void): void {
    this.#write(() => {
      this.#recalls.set(region, recall);
      isWritten();
    });
  }

  /** `isWritten` is called when they are, whoever learns of it. */
  saveDocuments(documents: readonly GrantDocument[], isWritten: () => void): void {
    this.#write(() => {
      for (const document of documents) this.#documents.set(document.key, document);
      isWritten();
    });
  }

  #write<Result>(run: () => Result): Result {
    if (this.#isAway) throw new BrokenOff(false);
    const death = this.#death;
    if (death !== undefined) {
      death.writes -= 1;
      if (death.writes <= 0) {
        this.#death = undefined;
        if (!death.isBefore) run();
        throw new BrokenOff(true);
      }
    }
    const result = run();
    if (!this.#isUncertain) return result;
    this.#isUncertain = false;
    throw new BrokenOff(false);
  }
}
