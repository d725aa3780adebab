import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { signal, storeOptions } from "../../test/store-fixture.ts";
import { Store } from "./store.ts";
import type { StoreTransaction } from "./transaction.ts";

/** One step of a transaction's work; between two steps others run. */
type Step =
  | { readonly kind: "get"; readonly key: number }
  | { readonly kind: "scan"; readonly from: number; readonly limit: number }
  | { readonly kind: "put"; readonly key: number }
  | { readonly kind: "delete"; readonly key: number };

/** What a committed transaction did: what it read, and what it wrote in the end. */
interface Committed {
  readonly version: number;
  readonly id: number;
  readonly log: readonly { readonly step: Step; readonly read: string }[];
}

const keyCount = 5;
const key = fc.nat({ max: keyCount - 1 });
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("get" as const), key }),
  fc.record({
    kind: fc.constant("scan" as const),
    from: key,
    limit: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ kind: fc.constant("put" as const), key }),
  fc.record({ kind: fc.constant("delete" as const), key }),
);
const arbitraryWork = fc.array(fc.array(arbitraryStep, { minLength: 1, maxLength: 5 }), {
  minLength: 2,
  maxLength: 8,
});

describe("concurrent transactions", () => {
  it("commit as if they had run one after another, in the order of their versions", async () => {
    let conflictCount = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), arbitraryWork, async (scheduler, works) => {
        await using store = await Store.open(storeOptions(new SimulatedDisk()));
        const committed: Committed[] = [];
        const turn = async (): Promise<void> => await scheduler.schedule(Promise.resolve());
        const running = works.map(async (steps, id) => {
          await turn();
          const outcome = await store.transact(
            async (transaction) => {
              const log: { step: Step; read: string }[] = [];
              for (const step of steps) {
                log.push({ step, read: perform(transaction, step, id) });
                await turn();
              }
              return log;
            },
            { signal },
          );
          if (outcome.kind === "conflict") conflictCount += 1;
          else committed.push({ version: outcome.version, id, log: outcome.result });
        });
        await scheduler.waitFor(Promise.all(running));
        checkSerial(committed);
      }),
      { numRuns: 300 },
    );
    expect(conflictCount).toBeGreaterThan(50);
  });
});

function keyOf(number: number): Buffer {
  return Buffer.from([number]);
}

/** Runs a step and gives what it read, as text. */
function perform(transaction: StoreTransaction, step: Step, id: number): string {
  switch (step.kind) {
    case "get":
      return String(transaction.get(keyOf(step.key)));
    case "scan": {
      const found = transaction.scan({ from: keyOf(step.from), limit: step.limit });
      return Array.from(found, (entry) => `${entry.key[0]}=${entry.value.toString()}`).join(" ");
    }
    case "put":
      transaction.put(keyOf(step.key), Buffer.from(String(id)));
      return "";
    default:
      transaction.delete(keyOf(step.key));
      return "";
  }
}

/** Runs the committed ones again, one after another on a plain map, and compares all that they read. */
function checkSerial(committed: readonly Committed[]): void {
  const state = new Map<number, string>();
  // One that only reads stands behind the commit at whose version it read.
  const isReader = ({ log }: Committed): boolean =>
    log.every(({ step }) => step.kind === "get" || step.kind === "scan");
  const serial = committed.toSorted(
    (a, b) => a.version - b.version || Number(isReader(a)) - Number(isReader(b)),
  );
  for (const { id, log } of serial) {
    for (const { step, read } of log) {
      if (step.kind === "get") expect(read).toBe(String(state.get(step.key)));
      if (step.kind === "put") state.set(step.key, String(id));
      if (step.kind === "delete") state.delete(step.key);
      if (step.kind !== "scan") continue;
      const expected = [...state]
        .filter(([number]) => number >= step.from)
        .sort(([a], [b]) => a - b)
        .slice(0, step.limit)
        .map(([number, value]) => `${number}=${value}`);
      expect(read).toBe(expected.join(" "));
    }
  }
}
