import { describe, expect, it } from "vitest";

import type { LedgerCommand, LedgerOutcome, Refusal } from "./commands.ts";
import { decide } from "./decide.ts";
import { balanceOf } from "./draft.ts";
import { emptyLedger, type LedgerState } from "./ledger-state.ts";

type Answer = LedgerOutcome | Refusal;

function ledger(...commands: LedgerCommand[]): { state: LedgerState; answers: Answer[] } {
  const state = emptyLedger();
  return { state, answers: commands.map((command) => decide(state, command).answer) };
}

const opened = {
  kind: "open-account",
  id: "o",
  atMs: 0,
  currency: "USD",
  limitMicros: 0n,
} as const;

function grant(
  id: string,
  amountMicros: bigint,
  more: { atMs?: number; expiresAtMs?: number } = {},
) {
  const { atMs = 0, expiresAtMs } = more;
  return {
    kind: "grant",
    id,
    atMs,
    currency: "USD",
    amountMicros,
    priority: 0,
    expiresAtMs,
  } as const;
}

function hold(id: string, amountMicros: bigint, atMs = 1) {
  const rest = { currency: "USD", durationMs: 1_000, attribution: {} } as const;
  return { kind: "hold", id, atMs, amountMicros, ...rest } as const;
}

function settle(id: string, holdId: string, amountMicros: bigint) {
  return settleAt(2, { id, holdId, amountMicros });
}

function settleAt(
  atMs: number,
  { id, holdId, amountMicros }: { id: string; holdId: string; amountMicros: bigint },
) {
  const charge = { usageId: `use of ${holdId}`, usageKind: "tokens", amountMicros } as const;
  return { kind: "settle", id, atMs, holdId, charge, isFinal: true } as const;
}

describe("a hold", () => {
  it("is refused beyond the credit, and says what is left", () => {
    const { answers } = ledger(opened, grant("g", 100n), hold("a", 70n), hold("b", 40n));
    expect(answers.at(-1)).toMatchObject({
      kind: "refused",
      code: "credit_exhausted",
      askedMicros: 40n,
      leftMicros: 30n,
    });
  });

  it("gives back what was not used", () => {
    const { state, answers } = ledger(
      opened,
      grant("g", 100n),
      hold("a", 70n),
      settle("s", "a", 20n),
    );
    expect(answers.at(-1)).toMatchObject({
      chargedMicros: 20n,
      releasedMicros: 50n,
      debtMicros: 0n,
    });
    expect(balanceOf(state, "credit", "USD")).toBe(80n);
    expect(balanceOf(state, "usage:tokens", "USD")).toBe(20n);
    expect(balanceOf(state, "holds", "USD")).toBe(0n);
  });

  it("uses the lot that expires first, and returns to it unless it has expired", () => {
    const { state } = ledger(
      opened,
      grant("late", 100n, { expiresAtMs: 5_000 }),
      grant("soon", 10n, { expiresAtMs: 500 }),
      hold("a", 30n),
    );
    expect(state.lots.get("soon")?.remainingMicros).toBe(0n);
    expect(state.lots.get("late")?.remainingMicros).toBe(80n);
    decide(state, { kind: "release", id: "r", atMs: 600, holdId: "a" });
    expect(state.lots.get("late")?.remainingMicros).toBe(100n);
    expect(balanceOf(state, "expiry", "USD")).toBe(10n);
  });

  it("that is settled above leaves a debt, which blocks the account until a grant covers it", () => {
    const { state, answers } = ledger(
      opened,
      grant("g", 100n),
      hold("a", 100n),
      settle("s", "a", 130n),
      hold("b", 1n),
      grant("small", 20n),
      hold("c", 1n),
      grant("large", 20n),
      hold("d", 10n),
    );
    expect(answers[3]).toMatchObject({
      chargedMicros: 130n,
      beyondHoldMicros: 30n,
      debtMicros: 30n,
    });
    expect(answers[4]).toMatchObject({ obstacle: { kind: "debt", debtMicros: 30n } });
    expect(answers[5]).toMatchObject({ coveredMicros: 20n });
    expect(answers[6]).toMatchObject({ obstacle: { kind: "debt", debtMicros: 10n } });
    expect(answers[8]).toMatchObject({ kind: "held" });
    expect(balanceOf(state, "credit", "USD")).toBe(0n);
  });

  it("ends when nobody renews it, and a use that comes late is paid all the same", () => {
    const { state, answers } = ledger(
      opened,
      grant("g", 100n),
      hold("a", 60n),
      { kind: "renew", id: "r", atMs: 900, holdId: "a", durationMs: 1_000 },
      { kind: "expire-holds", id: "e1", atMs: 1_500 },
      { kind: "expire-holds", id: "e2", atMs: 1_900 },
      settleAt(2_000, { id: "s", holdId: "a", amountMicros: 50n }),
      settleAt(2_001, { id: "again", holdId: "a", amountMicros: 50n }),
    );
    expect(answers.slice(4)).toMatchObject([
      { holdIds: [] },
      { holdIds: ["a"] },
      { isLate: true, chargedMicros: 50n, beyondHoldMicros: 50n, debtMicros: 0n },
      { isRepeated: true, chargedMicros: 50n },
    ]);
    expect(balanceOf(state, "credit", "USD")).toBe(50n);
  });

  it("done twice moves nothing twice, and its id serves no other command", () => {
    const state = emptyLedger();
    const first = [opened, grant("g", 100n), hold("a", 60n), settle("s", "a", 10n)].map((command) =>
      decide(state, command),
    );
    const second = decide(state, settleAt(77, { id: "s", holdId: "a", amountMicros: 10n }));
    expect(second).toMatchObject({ isRepeated: true, answer: first[3]?.answer, transfers: [] });
    expect(decide(state, settle("s", "a", 11n)).answer).toMatchObject({ code: "ledger_id_reused" });
    expect(decide(state, hold("g", 1n)).answer).toMatchObject({ code: "ledger_id_reused" });
  });

  it.each([
    [hold("x", 0n), "amount_invalid"],
    [hold("x", -1n), "amount_invalid"],
    [hold("x", 2n ** 63n), "amount_invalid"],
    [{ ...hold("x", 1n), currency: "credits" } as const, "currency_mismatch"],
    [settle("x", "of another tenant", 1n), "hold_not_found"],
    [grant("x", 1n, { atMs: 10, expiresAtMs: 10 }), "lot_expired"],
  ] as const)("with bad input gets its own error (%#)", (command, code) => {
    expect(ledger(opened, grant("g", 5n), command).answers[2]).toMatchObject({ code });
  });

  it("is out of reach of an adjustment that may take only what lies in lots", () => {
    const take = { kind: "adjust", atMs: 1, currency: "USD", direction: "take" } as const;
    const { answers } = ledger(
      opened,
      grant("g", 10n),
      hold("a", 6n),
      { ...take, id: "too much", amountMicros: 5n, isCovered: true },
      { ...take, id: "the rest", amountMicros: 4n, isCovered: true },
    );
    expect(answers.slice(3)).toMatchObject([
      { code: "credit_exhausted", leftMicros: 4n },
      { kind: "adjusted", debtMicros: 0n },
    ]);
  });

  it("is refused on a closed account, while what is held goes on", () => {
    const { answers } = ledger(
      opened,
      grant("g", 5n),
      hold("a", 2n),
      { kind: "close-account", id: "c", atMs: 1, currency: "USD" },
      hold("b", 2n),
      settle("s", "a", 2n),
    );
    expect(answers[4]).toMatchObject({ code: "account_closed" });
    expect(answers[5]).toMatchObject({ kind: "settled" });
  });
});
