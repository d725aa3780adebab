/** For tests: random requests over so few ids that they meet. */

import type { Random } from "#kernel/index.ts";

import type { LedgerRequest } from "../service/ledger-request.ts";

const currency = "USD";
const holdIds = ["h1", "h2", "h3", "h4", "h5", "h6"] as const;
const leaseIds = ["l1", "l2", "l3"] as const;
const budgetIds = ["b1", "b2"] as const;

/** Makes requests, each with an id of its own save where an id is to be used again. */
export class RandomRequests {
  readonly #random: Random;
  #count = 0;
  /** Holds and leases get new names now and then, so that there are always some to place. */
  #round = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next request; `nowMs` dates what it grants. */
  next(nowMs: number): LedgerRequest {
    this.#count += 1;
    if (this.#random.integer(25) === 0) this.#round += 1;
    const id = `c${this.#random.integer(30) === 0 ? this.#random.integer(this.#count) : this.#count}`;
    // Each maker spells its kind with all its parts.
    return { id, ...this.#oneOf(this.#makers(nowMs))() } as LedgerRequest;
  }

  #makers(nowMs: number): (() => object)[] {
    const amountMicros = (): bigint => BigInt(this.#random.integer(60)) - 1n;
    const durationMs = (): number => 1 + this.#random.integer(5_000);
    const epoch = (): number => 1 + this.#random.integer(3);
    const holdId = (): string => `${this.#oneOf(holdIds)}-${this.#round}`;
    const leaseId = (): string => `${this.#oneOf(leaseIds)}-${this.#round}`;
    const usageId = (): string => `u${this.#random.integer(20)}-${this.#round}`;
    const attribution = (): object => ({ keyId: this.#oneOf(["k1", 'k"2\\', "k,{3}"]) });
    const budgets = (): object[] =>
      budgetIds.slice(this.#random.integer(3)).map((budgetId) => ({ budgetId, amountMicros: 5n }));
    const hold = (): object => ({
      ...{ kind: "hold", id: holdId(), currency, amountMicros: amountMicros() },
      ...{ durationMs: durationMs(), attribution: attribution() },
    });
    const settle = (): object => ({
      ...{ kind: "settle", holdId: holdId(), isFinal: this.#random.integer(2) === 0 },
      charge: { usageId: usageId(), usageKind: "tokens", amountMicros: amountMicros() },
    });
    const grant = (): object => ({
      ...{ kind: "grant", currency, amountMicros: amountMicros() * 3n },
      priority: this.#random.integer(2),
      expiresAtMs: this.#random.integer(2) === 0 ? undefined : nowMs + durationMs() * 3,
    });
    return [
      ...[hold, hold, hold, settle, settle, grant],
      () => ({ kind: "open-account", currency, limitMicros: this.#oneOf([0n, 0n, 20n]) }),
      () => ({ kind: "renew", holdId: holdId(), durationMs: durationMs() }),
      () => ({ kind: "release", holdId: holdId() }),
      () => ({ kind: "expire-holds" }),
      () => ({ kind: "expire-lots" }),
      () => ({
        ...{ kind: "adjust", currency, amountMicros: amountMicros() },
        direction: this.#oneOf(["give", "take"]),
      }),
      () => ({
        ...{ kind: "lease", id: leaseId(), workerId: "w", epoch: epoch(), currency },
        ...{ amountMicros: amountMicros(), minimumMicros: 2n, durationMs: durationMs() },
        budgets: budgets(),
      }),
      () => ({
        ...{ kind: "renew-lease", leaseId: leaseId(), epoch: epoch(), amountMicros: 9n },
        ...{ durationMs: durationMs(), budgets: budgets() },
      }),
      () => ({
        ...{ kind: "report-lease", leaseId: leaseId() },
        charges: [usageId(), usageId()].map((use) => ({
          ...{ usageId: use, usageKind: "tool", amountMicros: 3n },
          attribution: attribution(),
        })),
      }),
      () => ({
        ...{ kind: "return-lease", leaseId: leaseId(), from: "worker" },
        chargeCount: this.#random.integer(3),
      }),
      () => ({ kind: "lose-lease", leaseId: leaseId() }),
      () => ({
        kind: "set-budget",
        spentMicros: 0n,
        terms: {
          ...{ budgetId: this.#oneOf(budgetIds), currency, limitMicros: 80n },
          scope: this.#oneOf([{ kind: "tenant" }, { kind: "key", value: "k1" }]),
          window: this.#oneOf([{ kind: "day" }, { kind: "rolling", durationMs: 6_000 }]),
          isHard: this.#random.integer(2) === 0,
          thresholdPercents: [50, 100],
        },
      }),
      () => ({ kind: "remove-budget", budgetId: this.#oneOf(budgetIds) }),
    ];
  }

  #oneOf<Value>(values: readonly Value[]): Value {
    // The index is below the length, and no list here is empty.
    return values[this.#random.integer(values.length)] as Value;
  }
}
