import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const options = { signal: new AbortController().signal };
const USD = "USD";
let control: TestControl;
let admin: Client;
let other: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  other = control.client(control.keys.otherTenant);
  await admin.grantCredit({ body: { id: "gift", currency: USD, amountMicros: "10000" } }, options);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

const hold = (id: string, amountMicros: string, currency = USD) =>
  admin.placeHold({ body: { id, currency, amountMicros } }, options);
const settle = (id: string, amountMicros: string, usageId = id) =>
  admin.settleHold(
    {
      params: { id },
      body: {
        usageId,
        usageKind: "tokens",
        amountMicros,
        details: { model: "simulated", keyId: "k", inputTokens: 12, outputTokens: 3 },
      },
    },
    options,
  );
const available = async (client = admin): Promise<string | undefined> => {
  const balance = await client.readLedgerBalance({}, options);
  return balance.accounts.find(({ currency }) => currency === USD)?.availableMicros;
};

describe("the ledger over the control API", () => {
  it("holds, settles in part, frees the rest, and explains the operation line by line", async () => {
    const before = BigInt((await available()) ?? "0");
    expect(await hold("op-1", "600")).toMatchObject({ state: "open", remainingMicros: "600" });
    expect(await available()).toBe(String(before - 600n));
    expect(await settle("op-1", "250")).toMatchObject({
      chargedMicros: "250",
      releasedMicros: "350",
      isRepeated: false,
    });
    expect(await available()).toBe(String(before - 250n));
    const cost = await admin.explainOperation({ params: { id: "op-1" } }, options);
    expect(cost.charged).toEqual([{ currency: USD, amountMicros: "250" }]);
    expect(cost.entries.map(({ from, to, amountMicros }) => [from, to, amountMicros])).toEqual([
      ["credit/USD", "holds/USD", "600"],
      ["holds/USD", "usage:tokens/USD", "250"],
      ["holds/USD", "credit/USD", "350"],
    ]);
    const { rows } = await admin.readUsage({ query: { by: "model" } }, options);
    expect(rows).toEqual([
      {
        name: "simulated",
        currency: USD,
        useCount: 1,
        chargedMicros: "250",
        inputTokens: 12,
        outputTokens: 3,
      },
    ]);
    expect((await admin.listLedgerEntries({ query: { limit: 2 } }, options)).entries).toMatchObject(
      [{ reason: "released" }, { reason: "charged" }],
    );
  });

  it("charges a use once, however often and through whatever command it is reported", async () => {
    await hold("op-2", "600");
    await settle("op-2", "100", "use-2");
    const before = await available();
    expect(await settle("op-2", "100", "use-2")).toMatchObject({ isRepeated: true });
    expect(await available()).toBe(before);
  });

  it("refuses what a hard budget does not leave, and names the budget", async () => {
    const terms = { scope: { kind: "user", value: "ann" }, window: { kind: "day" } } as const;
    const body = { budgetId: "ann", currency: USD, limitMicros: "50", isHard: true, ...terms };
    await admin.setBudget({ body: { ...body, thresholdPercents: [80] } }, options);
    const asked = { currency: USD, attribution: { userId: "ann" } };
    await admin.placeHold({ body: { id: "ann-1", amountMicros: "40", ...asked } }, options);
    await expect(
      admin.placeHold({ body: { id: "ann-2", amountMicros: "11", ...asked } }, options),
    ).rejects.toMatchObject({
      code: "credit_exhausted",
      message: "11 micros were asked for, and the budget 'ann' leaves 10.",
    });
    expect((await admin.listBudgets({}, options)).budgets).toMatchObject([
      { budgetId: "ann", usedMicros: "40", leftMicros: "10" },
    ]);
    await admin.removeBudget({ params: { id: "ann" } }, options);
    expect((await admin.listBudgets({}, options)).budgets).toEqual([]);
    await admin.releaseHold({ params: { id: "ann-1" }, body: {} }, options);
  });

  it("shows nothing of a tenant to another one, nor lets it touch a hold", async () => {
    await hold("mine", "10");
    expect((await other.readLedgerBalance({}, options)).balances).toEqual([]);
    expect((await other.listLedgerEntries({}, options)).entries).toEqual([]);
    expect((await other.listHolds({}, options)).holds).toEqual([]);
    const params = { id: "mine" };
    const body = { usageId: "x", usageKind: "tokens", amountMicros: "1" } as const;
    for (const attempt of [
      other.releaseHold({ params, body: {} }, options),
      other.renewHold({ params, body: { durationSeconds: 9 } }, options),
      other.settleHold({ params, body }, options),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: "hold_not_found" });
    }
    await expect(other.explainOperation({ params }, options)).rejects.toMatchObject({
      code: "not_found",
    });
    expect((await admin.listHolds({}, options)).holds.map(({ id }) => id)).toContain("mine");
  });
});

describe("reconciliation", () => {
  const differences = async () =>
    (await admin.reconcileLedger({ body: {} }, options)).differences.map(
      ({ kind, subject, expectedMicros, actualMicros }) =>
        [kind, subject, expectedMicros, actualMicros] as const,
    );

  it("finds nothing in a ledger that nobody meddled with", async () => {
    expect(await differences()).toEqual([]);
  });

  it.each([
    [
      "a balance",
      "update ledger_account set balance_micros = balance_micros + 5 where id = 'grants/USD' and tenant_id = $1",
      "update ledger_account set balance_micros = balance_micros - 5 where id = 'grants/USD' and tenant_id = $1",
      ["balance-differs", "grants/USD"],
    ],
    [
      "a hold that nobody sweeps",
      "update ledger_hold set ends_at_ms = ends_at_ms - 10000000 where id = 'mine' and tenant_id = $1",
      "update ledger_hold set ends_at_ms = ends_at_ms + 10000000 where id = 'mine' and tenant_id = $1",
      ["hold-without-work", "mine"],
    ],
    [
      "work whose hold is gone",
      "update ledger_hold set id = 'op-gone' where id = 'op-2' and tenant_id = $1",
      "update ledger_hold set id = 'op-2' where id = 'op-gone' and tenant_id = $1",
      ["work-without-hold", "use-2"],
    ],
  ] as const)(
    "finds %s that somebody changed behind its back",
    async (...[, harm, mend, found]) => {
      const { tenantId } = control.database;
      await control.database.sql(harm, [tenantId]);
      const seen = await differences();
      await control.database.sql(mend, [tenantId]);
      expect(seen.map(([kind, subject]) => [kind, subject])).toContainEqual(found);
      expect(await differences()).toEqual([]);
    },
  );

  it("compares with an invoice, proposes the entry that settles it, and makes it once", async () => {
    await hold("invoiced", "100");
    const details = { provider: "openai", model: "gpt" };
    const use = { usageId: "invoiced", usageKind: "tokens", amountMicros: "90", details } as const;
    await admin.settleHold({ params: { id: "invoiced" }, body: use }, options);
    const line = { provider: "openai", model: "gpt", currency: USD, amountMicros: "70" };
    const window = { from: "2020-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z" };
    const body = { invoice: { ...window, lines: [line] } };
    const { differences: found } = await admin.reconcileLedger({ body }, options);
    expect(found).toMatchObject([
      { kind: "invoice-differs", subject: "openai/gpt", proposal: { direction: "give" } },
    ]);
    const before = BigInt((await available()) ?? "0");
    for (const _turn of [1, 2]) {
      await admin.reconcileLedger({ body: { ...body, apply: true } }, options);
      expect(await available()).toBe(String(before + 20n));
    }
  });
});

describe("bad input to the ledger", () => {
  it.each([
    ["a negative amount", () => hold("bad", "-5"), "amount_negative"],
    ["nothing", () => hold("bad", "0"), "amount_zero"],
    ["a part of a micro", () => hold("bad", "1.5"), "amount_fractional"],
    ["more than there can be", () => hold("bad", "9".repeat(30)), "amount_too_large"],
    ["what is no number", () => hold("bad", "ten"), "amount_invalid"],
    ["a foreign currency", () => hold("bad", "5", "EUR"), "currency_mismatch"],
    ["a currency without an account", () => hold("bad", "5", "credits"), "currency_mismatch"],
    ["more than there is", () => hold("bad", "99999999"), "credit_exhausted"],
    ["an id that was used for something else", () => hold("gift", "5"), "ledger_id_reused"],
    [
      "credit that has expired already",
      () =>
        admin.grantCredit(
          { body: { currency: USD, amountMicros: "5", expiresAt: "2020-01-01T00:00:00Z" } },
          options,
        ),
      "lot_expired",
    ],
    ["a hold that is not there", () => settle("none", "5"), "hold_not_found"],
    [
      "a budget that is not there",
      () => admin.removeBudget({ params: { id: "none" } }, options),
      "budget_not_found",
    ],
  ] as const)("refuses %s by its own code", async (_what, attempt, code) => {
    const before = await admin.readLedgerBalance({}, options);
    await expect(attempt()).rejects.toMatchObject({ code });
    expect(await admin.readLedgerBalance({}, options)).toEqual(before);
  });

  it("refuses what is new in an account that is closed, and settles what was held before", async () => {
    await hold("before", "10");
    await admin.closeLedgerAccount({ body: { currency: USD } }, options);
    await expect(hold("after", "10")).rejects.toMatchObject({ code: "account_closed" });
    expect(await settle("before", "4")).toMatchObject({ chargedMicros: "4" });
    await admin.openLedgerAccount({ body: { currency: USD } }, options);
    expect(await hold("again", "10")).toMatchObject({ state: "open" });
  });

  it("explains an operation that was paid in two currencies, each by itself", async () => {
    const credits = "credits";
    const client = control.client(control.keys.otherTenant);
    for (const currency of [USD, credits]) {
      const id = `attempt:${currency}`;
      await client.grantCredit(
        { body: { id: `two-${currency}`, currency, amountMicros: "900" } },
        options,
      );
      await client.placeHold({ body: { id, currency, amountMicros: "100" } }, options);
      const charge = {
        usageId: id,
        usageKind: "tokens",
        amountMicros: currency === USD ? "60" : "7",
      } as const;
      await client.settleHold({ params: { id }, body: charge }, options);
    }
    const cost = await client.explainOperation({ params: { id: "attempt" } }, options);
    expect(
      cost.charged.toSorted((left, right) => (left.currency < right.currency ? -1 : 1)),
    ).toEqual([
      { currency: USD, amountMicros: "60" },
      { currency: credits, amountMicros: "7" },
    ]);
    expect(cost.uses.map(({ currency }) => currency).toSorted()).toEqual([USD, credits]);
  });
});
