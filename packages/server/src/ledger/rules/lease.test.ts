import { describe, expect, it } from "vitest";

import type { CommandOf, LedgerCommand, LedgerOutcome, Refusal } from "./commands.ts";
import { decide } from "./decide.ts";
import { balanceOf } from "./draft.ts";
import { emptyLedger } from "./ledger-state.ts";
import { ledgerLimits } from "./limits.ts";

const currency = "USD";
const opening: LedgerCommand[] = [
  { kind: "open-account", id: "o", atMs: 0, currency, limitMicros: 0n },
  {
    kind: "grant",
    id: "g",
    atMs: 0,
    currency,
    amountMicros: 100n,
    priority: 0,
    expiresAtMs: undefined,
  },
];

function lease(id: string, more: Partial<CommandOf<"lease">> = {}): CommandOf<"lease"> {
  const amounts = { amountMicros: 40n, minimumMicros: 40n, durationMs: 1_000, budgets: [] };
  return { kind: "lease", id, atMs: 1, workerId: "w", epoch: 1, currency, ...amounts, ...more };
}

function report(id: string, usageId: string, amountMicros: bigint): LedgerCommand {
  const charge = { usageId, usageKind: "tokens", amountMicros, attribution: {} } as const;
  return { kind: "report-lease", id, atMs: 2, leaseId: "l", charges: [charge] };
}

function giveBack(id: string, chargeCount: number, more: Partial<CommandOf<"return-lease">> = {}) {
  const from = "worker" as const;
  return { kind: "return-lease", id, atMs: 3, leaseId: "l", from, chargeCount, ...more } as const;
}

function answersOf(...commands: LedgerCommand[]): {
  answers: (LedgerOutcome | Refusal)[];
  balance: (kind: "credit" | "holds" | "usage:tokens" | "usage:unread" | "debt") => bigint;
} {
  const state = emptyLedger();
  for (const command of opening) decide(state, command);
  const answers = commands.map((command) => decide(state, command).answer);
  return { answers, balance: (kind) => balanceOf(state, kind, currency) };
}

describe("a lease", () => {
  it("takes a share of what there is, so that other workers find some", () => {
    const asked = { amountMicros: 1_000n, minimumMicros: 1n };
    const { answers } = answersOf(lease("l", asked), lease("m", { ...asked, workerId: "v" }));
    expect(answers).toMatchObject([{ amountMicros: 25n }, { amountMicros: 19n }]);
  });

  it("charges each use once, in whatever order and however often it is reported", () => {
    const { answers, balance } = answersOf(
      lease("l"),
      report("r2", "u2", 5n),
      report("r1", "u1", 7n),
      report("r3", "u2", 5n),
      giveBack("end", 2),
      report("late", "u1", 7n),
    );
    expect(answers[4]).toMatchObject({ kind: "lease-returned", returnedMicros: 28n });
    expect(balance("usage:tokens")).toBe(12n);
    expect(balance("credit")).toBe(88n);
  });

  it("is not returned before all of its uses were reported", () => {
    const { answers } = answersOf(lease("l"), report("r", "u", 5n), giveBack("early", 2));
    expect(answers[2]).toMatchObject({ code: "lease_unreported" });
  });

  it("is not returned from a journal while its worker may live", () => {
    const { answers } = answersOf(
      lease("l"),
      giveBack("early", 0, { from: "journal" }),
      lease("next", { epoch: 2 }),
      giveBack("now", 0, { from: "journal" }),
    );
    expect(answers).toMatchObject([
      { kind: "leased" },
      { code: "lease_unreported" },
      { kind: "leased" },
      { kind: "lease-returned" },
    ]);
  });

  it("of an earlier life is fenced, and its uses are charged all the same", () => {
    const { answers } = answersOf(
      lease("l"),
      lease("m", { epoch: 2 }),
      lease("n", { epoch: 1 }),
      {
        kind: "renew-lease",
        id: "x",
        atMs: 2,
        leaseId: "l",
        epoch: 1,
        amountMicros: 1n,
        durationMs: 9,
        budgets: [],
      },
      report("r", "u", 3n),
    );
    expect(answers.slice(2)).toMatchObject([
      { code: "lease_fenced" },
      { code: "lease_fenced" },
      { kind: "lease-reported" },
    ]);
  });

  it("whose journal cannot be read counts as spent, until uses of it are found", () => {
    const lostAtMs = 1_001 + ledgerLimits.leaseGraceMs;
    const lose = (id: string, atMs: number) =>
      ({ kind: "lose-lease", id, atMs, leaseId: "l" }) as const;
    const { answers, balance } = answersOf(
      lease("l"),
      lose("early", lostAtMs - 1),
      lose("due", lostAtMs),
      report("found", "u", 15n),
      report("more", "v", 30n),
    );
    expect(answers).toMatchObject([
      { kind: "leased" },
      { code: "lease_unreported" },
      { kind: "lease-lost", unreadMicros: 40n },
      { charges: [{ chargedMicros: 15n, beyondHoldMicros: 0n }] },
      { charges: [{ chargedMicros: 30n, beyondHoldMicros: 5n, debtMicros: 0n }] },
    ]);
    expect(balance("usage:unread")).toBe(0n);
    expect(balance("usage:tokens")).toBe(45n);
    expect(balance("credit")).toBe(55n);
  });

  it("counts in its budgets from the moment at which it is lent", () => {
    const terms = {
      budgetId: "b",
      currency,
      scope: { kind: "key", value: "k" },
      window: { kind: "total" },
      limitMicros: 40n,
      isHard: true,
      thresholdPercents: [],
    } as const;
    const attribution = { keyId: "k" };
    const { answers } = answersOf(
      { kind: "set-budget", id: "s", atMs: 0, terms, spentMicros: 0n },
      lease("l", { budgets: [{ budgetId: "b", amountMicros: 50n }] }),
      { kind: "hold", id: "h", atMs: 1, currency, amountMicros: 31n, durationMs: 9, attribution },
      { kind: "hold", id: "i", atMs: 1, currency, amountMicros: 30n, durationMs: 9, attribution },
    );
    expect(answers.slice(1)).toMatchObject([
      { budgets: [{ budgetId: "b", amountMicros: 10n }] },
      { code: "credit_exhausted", obstacle: { kind: "budget", budgetId: "b" }, leftMicros: 30n },
      { kind: "held" },
    ]);
  });

  it("that another region was lent is held, however long that has not reported", () => {
    const deadMs = 1_000 + 1_000 * ledgerLimits.leaseGraceMs;
    const { answers, balance } = answersOf(
      lease("l", { isEscrow: true }),
      { kind: "lose-lease", id: "lose", atMs: deadMs, leaseId: "l" },
      report("r", "u", 5n),
    );
    expect(answers.slice(1)).toMatchObject([
      { code: "lease_unreported" },
      { kind: "lease-reported" },
    ]);
    expect(balance("holds")).toBe(35n);
  });
});
