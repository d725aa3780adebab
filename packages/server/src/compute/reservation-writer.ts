/** Writes reservations down before anybody is told of them, and knows what is not written yet. */

import type { ReservationKeeper, ReservationRecord } from "./reservation-record.ts";

/** A record that changes in place. */
interface LiveRecord extends ReservationRecord {
  /** Once it has ended: how many messages the ledger has been told when it knows all of it. */
  readonly toldAfter?: number;
}

export class ReservationWriter {
  readonly #keeper: ReservationKeeper | undefined;
  readonly #changed = new Set<LiveRecord>();
  /** Written down as ended while the ledger did not know all of them yet. */
  readonly #closing = new Set<LiveRecord>();
  #changeCount = 0;
  #keptCount = 0;

  /** Without a keeper nothing is written. */
  constructor(keeper: ReservationKeeper | undefined) {
    this.#keeper = keeper;
  }

  /** How many changes there were; a change is kept once `isKept` says so of the count after it. */
  get changeCount(): number {
    return this.#changeCount;
  }

  isKept(changeCount: number): boolean {
    return changeCount <= this.#keptCount;
  }

  /** Notes that a record has changed. */
  note(record: LiveRecord): void {
    this.#changed.add(record);
    this.#changeCount += 1;
  }

  /** Takes up one that an earlier process wrote down as ended, and did not tell the ledger of as a whole. */
  noteClosing(record: LiveRecord): void {
    this.#closing.add(record);
  }

  /**
   * Writes all that has changed before the call; `toldCount` messages the ledger was told. Gives those that are over: a later
   * process does not take them up. Rejects when they are not known to be written.
   */
  async write(toldCount: number, signal: AbortSignal): Promise<readonly LiveRecord[]> {
    if (this.#keeper === undefined) return [];
    const isOver = ({ toldAfter }: LiveRecord): boolean =>
      toldAfter !== undefined && toldAfter <= toldCount;
    const changed = [...this.#changed];
    const over = [...this.#closing, ...changed].filter(isOver);
    const written = new Set([...changed, ...over]);
    if (written.size === 0) return [];
    const count = this.#changeCount;
    // What is heard while this is written is a change of its own.
    const records = [...written].map((record) => ({ ...record, isClosed: isOver(record) }));
    this.#changed.clear();
    try {
      await this.#keeper.save(records, signal);
    } catch (error) {
      for (const record of changed) this.#changed.add(record);
      throw error;
    }
    this.#keptCount = count;
    for (const record of changed) if (record.stage.kind === "ended") this.#closing.add(record);
    for (const record of over) this.#closing.delete(record);
    return over;
  }
}
