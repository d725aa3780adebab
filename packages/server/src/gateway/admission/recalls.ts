/** Which workers are called to give back what they hold idle of one layer, and what they have answered. */

interface Recall {
  /** Recalls are numbered, because an answer may be on its way when another one is sent. */
  sent: number;
  answered: number;
  /** How many asks want the worker to keep nothing idle. */
  wantedBy: number;
}

export class Recalls<Worker> {
  readonly #recalls = new Map<Worker, Recall>();

  /** Whether anybody is called, or has not answered yet. */
  get isEmpty(): boolean {
    return this.#recalls.size === 0;
  }

  /** One more ask wants the worker to keep nothing idle, until it says `unwant`. */
  want(worker: Worker): void {
    const recall = this.#recalls.get(worker) ?? { sent: 0, answered: 0, wantedBy: 0 };
    recall.wantedBy += 1;
    this.#recalls.set(worker, recall);
  }

  /** The number of a new recall, to be sent to a worker that is wanted. */
  next(worker: Worker): number {
    const recall = this.#recalls.get(worker);
    if (recall === undefined) return 0;
    recall.sent += 1;
    return recall.sent;
  }

  /** An ask is decided. Says whether the worker may keep idle units again. */
  unwant(worker: Worker): boolean {
    const recall = this.#recalls.get(worker);
    if (recall === undefined) return false;
    recall.wantedBy -= 1;
    this.#forget(worker, recall);
    return recall.wantedBy === 0;
  }

  /** What was idle in the worker when this recall reached it has come back. */
  noteAnswer(worker: Worker, number: number): void {
    const recall = this.#recalls.get(worker);
    if (recall === undefined) return;
    recall.answered = Math.max(recall.answered, number);
    this.#forget(worker, recall);
  }

  /** Nobody waits for a worker that is gone. */
  lose(worker: Worker): void {
    this.#recalls.delete(worker);
  }

  isAnswered(worker: Worker, number: number): boolean {
    const recall = this.#recalls.get(worker);
    return recall === undefined || recall.answered >= number;
  }

  #forget(worker: Worker, { sent, answered, wantedBy }: Recall): void {
    if (wantedBy === 0 && answered >= sent) this.#recalls.delete(worker);
  }
}
