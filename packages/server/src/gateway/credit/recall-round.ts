/** One round in which the workers give back what lies idle of one tenant's credit. */

export class RecallRound<Worker> {
  readonly number: number;
  readonly #asked: Set<Worker>;
  readonly #ended = Promise.withResolvers<void>();
  #openCount = 0;

  constructor(number: number, workers: readonly Worker[]) {
    this.number = number;
    this.#asked = new Set(workers);
    this.#endWhenDone();
  }

  /** Resolves when every worker has answered, or nobody waits for the others any more. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Calls under way in all workers; one that did not answer counts as one. */
  get openCount(): number {
    return this.#openCount + this.#asked.size;
  }

  note(worker: Worker, answer: { readonly round: number; readonly openCount: number }): void {
    if (answer.round !== this.number || !this.#asked.delete(worker)) return;
    this.#openCount += answer.openCount;
    this.#endWhenDone();
  }

  /** A worker died: what it holds comes back when its journal was read, and not now. */
  lose(worker: Worker): void {
    this.#asked.delete(worker);
    this.#endWhenDone();
  }

  giveUp(): void {
    this.#ended.resolve();
  }

  #endWhenDone(): void {
    if (this.#asked.size === 0) this.#ended.resolve();
  }
}
