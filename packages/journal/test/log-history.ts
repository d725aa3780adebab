/** What was asked of a log and what it answered, and whether what it gives later agrees. */

import { JournalError, type Log, type LogPosition } from "../src/index.ts";
import { bytes, entriesOf } from "./log-fixture.ts";

interface Call {
  /** Its place in the order of the calls. */
  readonly order: number;
  readonly texts: readonly string[];
  outcome: "pending" | "acknowledged" | "refused" | "unknown";
  positions: readonly LogPosition[];
}

export class LogHistory {
  readonly #calls: Call[] = [];
  /** Records at or behind this may not be gone. */
  #dropped = 0;

  /** Appends records that name themselves; notes the answer. */
  async append(log: Log, lengths: readonly number[]): Promise<Call["outcome"]> {
    const order = this.#calls.length;
    const texts = lengths.map((length, index) => `${order}.${index}.`.padEnd(length, "x"));
    const call: Call = { order, texts, outcome: "pending", positions: [] };
    this.#calls.push(call);
    try {
      const [only] = texts;
      call.positions =
        texts.length === 1 && only !== undefined
          ? [await log.append(bytes(only))]
          : await log.appendMany(texts.map(bytes));
      call.outcome = "acknowledged";
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      call.outcome = error.code === "journal_poisoned" ? "unknown" : "refused";
    }
    return call.outcome;
  }

  /** Drops below a position; whatever the answer, what was below may be gone. */
  async dropBefore(log: Log, position: LogPosition): Promise<void> {
    this.#dropped = Math.max(this.#dropped, position);
    await log.dropBefore(position).catch((error: unknown) => {
      if (!(error instanceof JournalError)) throw error;
    });
  }

  /** A position at which an acknowledged record stands, chosen by a number. */
  positionAt(choice: number): LogPosition | undefined {
    const positions = this.#calls.flatMap((call) => call.positions);
    return positions[choice % Math.max(1, positions.length)];
  }

  get acknowledgedCount(): number {
    return this.#calls.filter(({ outcome }) => outcome === "acknowledged").length;
  }

  /** Gives what is wrong with what the log holds, a sentence each; takes what it holds as the truth from then on. */
  async check(log: Log): Promise<string[]> {
    const faults: string[] = [];
    const found = new Map<string, LogPosition>();
    let before = -1;
    for (const { position, record } of await entriesOf(log)) {
      const text = Buffer.from(record).toString("latin1");
      if (found.has(text)) faults.push(`${text} stands twice`);
      found.set(text, position);
      const order = Number(text.split(".")[0]);
      if (order < before) faults.push(`${text} stands behind a later call`);
      before = order;
      if (this.#calls[order]?.texts.includes(text) !== true)
        faults.push(`${text} was never appended`);
    }
    for (const call of this.#calls) faults.push(...this.#checkCall(call, found, log.start));
    return faults;
  }

  #checkCall(call: Call, found: ReadonlyMap<string, LogPosition>, start: LogPosition): string[] {
    const places = call.texts.map((text) => found.get(text));
    const presentCount = places.filter((place) => place !== undefined).length;
    const isKept = call.outcome === "acknowledged";
    if (isKept && call.positions.every((position) => position < start)) {
      return (call.positions[0] ?? 0) < this.#dropped ? [] : [`${call.order} was dropped unasked`];
    }
    if (presentCount !== 0 && presentCount !== call.texts.length) {
      return [`of ${call.texts.length} records of ${call.order} there are ${presentCount}`];
    }
    if (isKept && places.some((place, index) => place !== call.positions[index])) {
      return [`${call.order} was acknowledged at ${call.positions[0]} and is at ${places[0]}`];
    }
    if (call.outcome === "refused" && presentCount > 0) return [`${call.order} was refused`];
    // What a crash has kept stays kept; what it has not never comes back.
    if (call.outcome === "pending" || call.outcome === "unknown") {
      call.outcome = presentCount > 0 ? "acknowledged" : "refused";
      call.positions = places.filter((place) => place !== undefined);
    }
    return [];
  }
}
