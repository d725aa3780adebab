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
    const makers = [
      ...this.#holdMakers(),
      ...this.#holdMakers(),
      ...this.#creditMakers(nowMs),
      ...this.#leaseMakers(),
      ...this.#budgetMakers(),
    ];
    // Each maker spells its kind with all its parts.
    return { id, ...this.#oneOf(makers)() } as LedgerRequest;
  }

  #holdMakers(): (() => object)[] {
    return [
      () => ({
        kind: "hold",
        id: this.#holdId(),
        currency,
        amountMicros: this.#amountMicros(),
        durationMs: this.#durationMs(),
        attribution: this.#attribution(),
      }),
      () => ({
        kind: "settle",
        holdId: this.#holdId(),
        isFinal: this.#random.integer(2) === 0,
        charge: {
          usageId: this.#usageId(),
          usageKind: "tokens",
          amountMicros: this.#amountMicros(),
        },
      }),
      () => ({ kind: "renew", holdId: this.#holdId(), durationMs: this.#durationMs() }),
      () => ({ kind: "release", holdId: this.#holdId() }),
      () => ({ kind: "expire-holds" }),
    ];
  }

  #creditMakers(nowMs: number): (() => object)[] {
    return [
      () => ({ kind: "open-account", currency, limitMicros: this.#oneOf([0n, 0n, 20n]) }),
      () => ({
        kind: "grant",
        currency,
        amountMicros: this.#amountMicros() * 3n,
        priority: this.#random.integer(2),
        expiresAtMs: this.#random.integer(2) === 0 ? undefined : nowMs + this.#durationMs() * 3,
      }),
      () => ({
        kind: "adjust",
        currency,
        amountMicros: this.#amountMicros(),
        direction: this.#oneOf(["give", "take"]),
      }),
      () => ({ kind: "expire-lots" }),
    ];
  }

  #leaseMakers(): (() => object)[] {
    return [
      () => ({
        kind: "lease",
        id: this.#leaseId(),
        workerId: "w",
        epoch: this.#epoch(),
        currency,
        amountMicros: this.#amountMicros(),
        minimumMicros: 2n,
        durationMs: this.#durationMs(),
        budgets: this.#budgets(),
      }),
      () => ({
        kind: "renew-lease",
        leaseId: this.#leaseId(),
        epoch: this.#epoch(),
        amountMicros: 9n,
        durationMs: this.#durationMs(),
        budgets: this.#budgets(),
      }),
      () => ({
        kind: "report-lease",
        leaseId: this.#leaseId(),
        charges: [this.#usageId(), this.#usageId()].map((usageId) => ({
          usageId,
          usageKind: "tool",
          amountMicros: 3n,
          attribution: this.#attribution(),
        })),
      }),
      () => ({
        kind: "return-lease",
        leaseId: this.#leaseId(),
        from: "worker",
        chargeCount: this.#random.integer(3),
      }),
      () => ({ kind: "lose-lease", leaseId: this.#leaseId() }),
    ];
  }

  #budgetMakers(): (() => object)[] {
    return [
      () => ({
        kind: "set-budget",
        spentMicros: 0n,
        terms: {
          budgetId: this.#oneOf(budgetIds),
          currency,
          limitMicros: 80n,
          scope: this.#oneOf([{ kind: "tenant" }, { kind: "key", value: "k1" }]),
          window: this.#oneOf([{ kind: "day" }, { kind: "rolling", durationMs: 6_000 }]),
          isHard: this.#random.integer(2) === 0,
          thresholdPercents: [50, 100],
        },
      }),
      () => ({ kind: "remove-budget", budgetId: this.#oneOf(budgetIds) }),
    ];
  }

  #amountMicros(): bigint {
    return BigInt(this.#random.integer(60)) - 1n;
  }

  #durationMs(): number {
    return 1 + this.#random.integer(5_000);
  }

  #epoch(): number {
    return 1 + this.#random.integer(3);
  }

  #holdId(): string {
    return `${this.#oneOf(holdIds)}-${this.#round}`;
  }

  #leaseId(): string {
    return `${this.#oneOf(leaseIds)}-${this.#round}`;
  }

  #usageId(): string {
    return `u${this.#random.integer(20)}-${this.#round}`;
  }

  #attribution(): object {
    return { keyId: this.#oneOf(["k1", 'k"2\\', "k,{3}"]) };
  }

  #budgets(): object[] {
    const asked = budgetIds.slice(this.#random.integer(3));
    return asked.map((budgetId) => ({ budgetId, amountMicros: 5n }));
  }

  #oneOf<Value>(values: readonly Value[]): Value {
    // The index is below the length, and no list here is empty.
    return values[this.#random.integer(values.length)] as Value;
  }
}
