/**
 * What was asked of a store and what it answered, and whether what it holds later agrees. Each commit writes its number
 * under a key of its own, so that what a store holds names the commit that it goes up to.
 */

import { JournalError } from "../src/journal-error.ts";
import type { Store } from "../src/store/store.ts";
import type { StoreWrite } from "../src/store/write.ts";
import { applyToModel, entryText, hex, type ModelState, modelScan } from "./store-model.ts";

interface Call {
  readonly writes: readonly StoreWrite[];
  outcome: "pending" | "acknowledged" | "refused" | "unknown";
}

/** Chance as a history needs it. */
export interface HistoryChance {
  /** A uniformly distributed integer in `[0, bound)`. */
  integer(bound: number): number;
}

const numberKey = Buffer.from("number");

export class StoreHistory {
  #calls: Call[] = [];

  get acknowledgedCount(): number {
    return this.#calls.filter(({ outcome }) => outcome === "acknowledged").length;
  }

  /** Commits some writes that chance picks, and notes the answer. */
  async commit(store: Store, chance: HistoryChance): Promise<Call["outcome"]> {
    const number = this.#calls.length;
    const writes: StoreWrite[] = [
      { kind: "put", key: numberKey, value: Buffer.from(String(number)) },
    ];
    for (let count = chance.integer(4); count > 0; count -= 1) writes.push(writeOf(number, chance));
    const call: Call = { writes, outcome: "pending" };
    this.#calls.push(call);
    try {
      await store.batch(writes);
      call.outcome = "acknowledged";
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      call.outcome = error.code === "journal_poisoned" ? "unknown" : "refused";
    }
    return call.outcome;
  }

  /** Gives what is wrong with what the store holds; takes what it holds as the truth from then on. */
  check(store: Store): string[] {
    const faults: string[] = [];
    const text = store.get(numberKey)?.toString();
    const last = text === undefined ? -1 : Number(text);
    const state: ModelState = new Map();
    for (const [number, call] of this.#calls.entries()) {
      const { outcome } = call;
      if (number > last && outcome === "acknowledged") faults.push(`commit ${number} is lost`);
      if (number === last && outcome === "refused") faults.push(`commit ${number} was refused`);
      // The log keeps an order: what stands before a commit that is there is there too, unless it was refused.
      if (number <= last && outcome !== "refused") {
        applyToModel(state, call.writes);
        call.outcome = "acknowledged";
      } else {
        call.outcome = "refused";
      }
    }
    const expected = modelScan(state, {}, 0);
    const found = Array.from(store.scan(), entryText);
    if (expected.join("\n") !== found.join("\n")) {
      faults.push(`expected ${expected.length} entries up to ${last}, found ${found.length}`);
    }
    return faults;
  }
}

/** A text of all that a store holds. */
export function contentText(store: Pick<Store, "scan">): string {
  return Array.from(store.scan(), entryText).join("\n");
}

function writeOf(number: number, chance: HistoryChance): StoreWrite {
  const key = Uint8Array.of(0xff, chance.integer(40), 0x00);
  if (chance.integer(4) === 0) return { kind: "delete", key };
  const value = Buffer.alloc(chance.integer(90), hex(Uint8Array.of(number % 256)));
  return { kind: "put", key, value };
}
