import { describe, expect, it } from "vitest";

import type { BudgetRule } from "./budget-rules.ts";
import { chargesOfJournal, type UsageRecord } from "./journal-charges.ts";
import { type AdmissionRequest, LeaseBook, type LentLease } from "./lease-book.ts";

const price = { inputMicrosPerMillionTokens: 1_000_000, outputMicrosPerMillionTokens: 2_000_000 };

function request(more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const tokens = { inputTokensMax: 10, outputTokensMax: 20 };
  const what = { usageId: "u", usageKind: "tokens", attribution: { keyId: "k" } } as const;
  return { ...what, price, ...tokens, isClampable: false, ...more };
}

function bookWith(lent: Partial<LentLease>, rules: readonly BudgetRule[] = []): LeaseBook {
  const book = new LeaseBook();
  book.setRules(rules);
  const amounts = { amountMicros: 100n, budgets: [], durationMs: 1_000, askedAtMonotonicMs: 0 };
  book.begin({ leaseId: "l", ...amounts, ...lent });
  return book;
}

const budget: BudgetRule = { budgetId: "b", scope: { kind: "key", value: "k" }, isHard: true };

describe("a lease book", () => {
  it("admits as long as the lease pays for the whole bound, and no longer", () => {
    const book = bookWith({});
    expect(book.admit(request(), 1)).toMatchObject({ kind: "admitted", heldMicros: 50 });
    const second = book.admit(request(), 1);
    expect(second).toMatchObject({ kind: "admitted" });
    expect(book.admit(request(), 1)).toMatchObject({
      kind: "short",
      neededMicros: 50,
      leftMicros: 0,
    });
    if (second.kind === "admitted") book.settle(second, 12);
    expect(book.admit(request(), 1)).toMatchObject({ kind: "short", leftMicros: 38 });
  });

  it("bounds the output by what is left before it refuses", () => {
    const book = bookWith({ amountMicros: 41n });
    expect(book.admit(request(), 1)).toMatchObject({ kind: "short", outputTokensFitting: 15 });
    expect(book.admit(request({ isClampable: true }), 1)).toMatchObject({
      kind: "admitted",
      outputTokensMax: 15,
      heldMicros: 40,
    });
    expect(book.admit(request({ isClampable: true }), 1)).toMatchObject({
      kind: "short",
      outputTokensFitting: -1,
    });
  });

  it("admits nothing from the deadline on, which counts from when it asked", () => {
    const book = bookWith({ askedAtMonotonicMs: 500 });
    expect(book.admit(request(), 1_499)).toMatchObject({ kind: "admitted" });
    expect(book.admit(request(), 1_500)).toMatchObject({ kind: "no-lease" });
  });

  it("admits nothing without a price", () => {
    expect(bookWith({}).admit(request({ price: undefined }), 1)).toEqual({ kind: "price-unknown" });
  });

  it("keeps within what each budget lent, also one that came after the lease", () => {
    const book = bookWith({ budgets: [{ budgetId: "b", amountMicros: 60n }] }, [budget]);
    expect(book.admit(request(), 1)).toMatchObject({ kind: "admitted" });
    expect(book.admit(request(), 1)).toMatchObject({
      kind: "short",
      budgetId: "b",
      leftMicros: 10,
    });
    expect(book.admit(request({ attribution: {} }), 1)).toMatchObject({ kind: "admitted" });
    const other = bookWith({});
    other.setRules([{ ...budget, budgetId: "new" }]);
    expect(other.admit(request(), 1)).toMatchObject({ kind: "short", budgetId: "new" });
  });

  it("is below zero after a use beyond its bound, and admits nothing until there is more", () => {
    const book = bookWith({});
    const operation = book.admit(request(), 1);
    if (operation.kind === "admitted") book.settle(operation, 130);
    expect(book.current?.idleMicros).toBe(-30);
    expect(book.admit(request({ isClampable: true }), 1)).toMatchObject({ kind: "short" });
  });

  it("never settles an operation twice", () => {
    const book = bookWith({});
    const operation = book.admit(request(), 1);
    if (operation.kind !== "admitted") throw new Error("it fits");
    book.settle(operation, 1);
    expect(() => book.settle(operation, 1)).toThrow("settled once");
  });
});

describe("the journal of a worker that died", () => {
  it("charges what was settled, and all that was held where nobody knows", () => {
    const charge = (usageId: string, amountMicros: bigint) =>
      ({ usageId, usageKind: "tokens", amountMicros, attribution: {} }) as const;
    const records: UsageRecord[] = [
      { kind: "admitted", leaseId: "l", bound: charge("u1", 50n) },
      { kind: "admitted", leaseId: "l", bound: charge("u2", 50n) },
      { kind: "settled", leaseId: "l", charge: charge("u1", 7n) },
      { kind: "settled", leaseId: "l", charge: charge("u1", 7n) },
    ];
    expect(chargesOfJournal(records).get("l")).toEqual([charge("u1", 7n), charge("u2", 50n)]);
  });
});
