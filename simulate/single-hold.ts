/** An operation that no lease pays for: it is held by itself, made, and settled. */

import type { LedgerOutcome, Refusal } from "@faultline/server/ledger/rules/commands.ts";
import {
  costBoundMicros,
  outputTokensWithin,
} from "@faultline/server/ledger/worker/exact-micros.ts";

import type { Journal } from "./journal.ts";
import type { SentCommand } from "./ledger-process.ts";
import { type Attempt, realCost } from "./operation.ts";
import type { World } from "./world.ts";

/** The worker that holds, as far as a hold needs to know it. */
export interface HoldingWorker {
  readonly name: string;
  readonly epoch: number;
  readonly world: World;
  readonly counts: { refused: number; unavailable: number };
  readonly open: Map<string, bigint>;
  readonly unanswered: Map<string, SentCommand>;
  live(run: () => void): () => void;
  send(command: SentCommand, hear: (answer: LedgerOutcome | Refusal) => void): void;
  sendUntilAnswered(command: SentCommand): void;
  write(record: Journal["records"][number]): void;
}

/** Longer than an operation and the recovery of its worker, so that no hold ends under its work. */
const holdDurationMs = 60_000;
const askMsMax = 5_000;
const askAgainMs = 500;
const lackRetryMs = 400;
const lackRetriesMax = 2;
const renewMs = 4_000;

export class SingleHold {
  readonly #gateway: HoldingWorker;
  readonly #attempt: Attempt;
  readonly #next: (index: number) => void;
  #outputTokensMax: number;
  #tryCount = 0;
  #lackCount = 0;

  constructor(gateway: HoldingWorker, attempt: Attempt, next: (index: number) => void) {
    this.#gateway = gateway;
    this.#attempt = attempt;
    this.#next = next;
    this.#outputTokensMax = attempt.operation.outputTokensMax;
  }

  /** Asks for the hold. */
  start(): void {
    const { operation, index } = this.#attempt;
    const price = operation.prices[index];
    if (price === undefined) return;
    this.#tryCount += 1;
    const heldMicros = costBoundMicros(price, operation.inputTokens, this.#outputTokensMax);
    const amountMicros = BigInt(Math.max(1, heldMicros));
    const gateway = this.#gateway;
    const holdId = `${gateway.name}/${gateway.epoch}/${operation.name}.${index}.${this.#tryCount}`;
    const { attribution } = operation;
    const what = {
      currency: "USD",
      amountMicros,
      durationMs: holdDurationMs,
      attribution,
    } as const;
    const command = { kind: "hold", id: holdId, ...what } as const;
    gateway.unanswered.set(holdId, command);
    const askedAtMs = gateway.world.queue.nowMs;
    const ask = (): void => {
      if (!gateway.unanswered.has(holdId)) return;
      if (gateway.world.queue.nowMs - askedAtMs >= askMsMax) {
        gateway.unanswered.delete(holdId);
        gateway.counts.unavailable += 1;
        // It may be held all the same.
        gateway.sendUntilAnswered({ kind: "release", id: `${holdId}/release`, holdId });
        return;
      }
      gateway.send(command, (answer) => {
        if (gateway.unanswered.delete(holdId)) this.#heard(holdId, amountMicros, answer);
      });
      gateway.world.queue.after(askAgainMs, gateway.live(ask));
    };
    ask();
  }

  #heard(holdId: string, boundMicros: bigint, answer: LedgerOutcome | Refusal): void {
    const gateway = this.#gateway;
    if (answer.kind === "held") {
      this.#dispatch(holdId, boundMicros);
      return;
    }
    const { operation, index } = this.#attempt;
    const price = operation.prices[index];
    if (answer.kind === "refused" && answer.code === "credit_exhausted" && price !== undefined) {
      const leftMicros = Number(answer.leftMicros);
      const fitting = outputTokensWithin(price, operation.inputTokens, leftMicros);
      if (answer.leasedMicros > 0n && this.#lackCount < lackRetriesMax) {
        this.#lackCount += 1;
        gateway.world.queue.after(
          lackRetryMs,
          gateway.live(() => this.start()),
        );
        return;
      }
      if (operation.isClampable && fitting >= 1 && fitting < this.#outputTokensMax) {
        this.#outputTokensMax = fitting;
        this.start();
        return;
      }
    }
    gateway.counts.refused += 1;
  }

  #dispatch(holdId: string, boundMicros: bigint): void {
    const gateway = this.#gateway;
    const { operation, index, usageId } = this.#attempt;
    const { usageKind, attribution } = operation;
    const bound = { usageId, usageKind, attribution, amountMicros: boundMicros };
    gateway.write({ kind: "admitted", leaseId: holdId, bound });
    gateway.open.set(usageId, boundMicros);
    this.#renew(holdId, 1);
    const done = gateway.live(() => {
      gateway.open.delete(usageId);
      const { world } = gateway;
      const tokens = { boundMicros, outputTokensMax: this.#outputTokensMax };
      const costMicros = BigInt(realCost(this.#attempt, tokens, world));
      world.auditor.observe({ kind: "served", usageId, boundMicros, costMicros });
      const charge = { usageId, usageKind, amountMicros: costMicros };
      gateway.write({ kind: "settled", leaseId: holdId, charge: { ...charge, attribution } });
      const settle = { kind: "settle", holdId, charge, isFinal: true } as const;
      gateway.sendUntilAnswered({ ...settle, id: `${holdId}/settle` });
      this.#next(index + 1);
    });
    gateway.world.queue.after(operation.durationsMs[index] ?? 0, done);
  }

  #renew(holdId: string, count: number): void {
    const gateway = this.#gateway;
    const renew = (): void => {
      if (!gateway.open.has(this.#attempt.usageId)) return;
      const id = `${holdId}/renew${count}`;
      gateway.send({ kind: "renew", id, holdId, durationMs: holdDurationMs }, () => {});
      this.#renew(holdId, count + 1);
    };
    gateway.world.queue.after(renewMs, gateway.live(renew));
  }
}
