/**
 * An ask that waits for what is called back. Two rounds of recalls decide it. From the first on, workers keep nothing idle
 * of the layers that it lacks, and ask for each call, behind this one. What was free anywhere when the first round ended
 * has come back with the second: in between, a caller may have left a place with a worker that had answered already, and
 * taken one with another that had not, so that one round alone can find all places taken though one is free.
 */

import type { LayerAccount } from "./layer-account.ts";
import type { LeaseAsk } from "./lease-messages.ts";

/** The recalls of one layer for one ask. */
interface Round<Worker> {
  number: number;
  /** Who must answer which recall. */
  readonly awaited: Map<Worker, number>;
}

/** Whom an ask tells what: the messages leave later. */
export interface RecallPost<Worker> {
  recall(worker: Worker, layerId: string, number: number): void;
  /** The worker may keep idle units again. */
  resume(worker: Worker, layerId: string): void;
}

const roundCountMax = 2;

export class PendingAsk<Worker> {
  readonly worker: Worker;
  readonly ask: LeaseAsk;
  /** In the order of the ask's layers; `undefined` where nothing limits any more. */
  readonly accounts: readonly (LayerAccount<Worker> | undefined)[];
  readonly sinceMs: number;
  readonly #post: RecallPost<Worker>;
  readonly #rounds = new Map<LayerAccount<Worker>, Round<Worker>>();

  constructor(
    of: Pick<PendingAsk<Worker>, "worker" | "ask" | "accounts" | "sinceMs">,
    post: RecallPost<Worker>,
  ) {
    this.worker = of.worker;
    this.ask = of.ask;
    this.accounts = of.accounts;
    this.sinceMs = of.sinceMs;
    this.#post = post;
  }

  /** Calls back what workers hold idle of these layers. Says whether an answer is still to come. */
  isWaitingFor(lacking: readonly LayerAccount<Worker>[]): boolean {
    for (const account of this.#rounds.keys()) {
      if (!lacking.includes(account)) this.#endRounds(account);
    }
    let isWaiting = false;
    for (const account of lacking) isWaiting = this.#goOn(account) || isWaiting;
    return isWaiting;
  }

  /** It is decided, or nobody's any more. */
  end(): void {
    for (const account of this.#rounds.keys()) this.#endRounds(account);
  }

  #goOn(account: LayerAccount<Worker>): boolean {
    const round = this.#rounds.get(account) ?? { number: 0, awaited: new Map<Worker, number>() };
    this.#rounds.set(account, round);
    while (isAnswered(account, round)) {
      if (round.number === roundCountMax) return false;
      round.number += 1;
      this.#call(account, round);
    }
    return true;
  }

  #call(account: LayerAccount<Worker>, { awaited }: Round<Worker>): void {
    const { recalls, of } = account;
    for (const worker of account.holdings.keys()) {
      if (!awaited.has(worker)) recalls.want(worker);
      awaited.set(worker, 0);
    }
    for (const worker of awaited.keys()) {
      const number = recalls.next(worker);
      awaited.set(worker, number);
      if (number > 0) this.#post.recall(worker, of.id, number);
    }
  }

  #endRounds(account: LayerAccount<Worker>): void {
    for (const worker of this.#rounds.get(account)?.awaited.keys() ?? []) {
      if (account.recalls.unwant(worker)) this.#post.resume(worker, account.of.id);
    }
    this.#rounds.delete(account);
  }
}

function isAnswered<Worker>(account: LayerAccount<Worker>, { awaited }: Round<Worker>): boolean {
  for (const [worker, number] of awaited) {
    if (!account.recalls.isAnswered(worker, number)) return false;
  }
  return true;
}
