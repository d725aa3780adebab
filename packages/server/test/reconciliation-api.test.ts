import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";
import { recountOpenHolds } from "./recount-open-holds.ts";

const options = { signal: new AbortController().signal };
const currency = "USD";
const line = { provider: "openai", model: "gpt", currency, amountMicros: "70" };
const window = { from: "2020-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z" };
let control: TestControl;
let admin: Client;
let other: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  other = control.client(control.keys.otherTenant);
  await admin.grantCredit({ body: { id: "gift", currency, amountMicros: "10000" } }, options);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

const found = async () => {
  const { differences } = await admin.reconcileLedger({ body: {} }, options);
  return differences.map(({ kind, subject }) => [kind, subject]);
};
const place = (id: string) =>
  admin.placeHold({ body: { id, currency, amountMicros: "100" } }, options);
const use = (id: string, usageId: string, isFinal: boolean) => {
  // Calls name the model as the catalog does, with its provider; others may not.
  const details = { provider: "openai", model: isFinal ? "gpt" : "openai/gpt" };
  const charge = { usageId, usageKind: "tokens", amountMicros: "40", isFinal, details } as const;
  return admin.settleHold({ params: { id }, body: charge }, options);
};
/** As the sweeper would end it, without waiting for that. */
const expire = async (id: string) => {
  await control.database.sql(
    "update ledger_hold set state = 'expired', remaining_micros = 0 where id = $1 and tenant_id = $2",
    [id, control.database.tenantId],
  );
  await recountOpenHolds(control.database);
};

describe("reconciliation over the control API", () => {
  it("finds use whose work nobody ended, and not use whose last report came late", async () => {
    await place("part");
    await use("part", "part/0", false);
    await place("late");
    await use("late", "late/0", false);
    await use("late", "late/1", true);
    await expire("late");
    expect(await found()).toEqual([]);
    await expire("part");
    expect(await found()).toContainEqual(["use-without-completion", "part"]);
    await control.database.sql(
      "update ledger_hold set state = 'open', remaining_micros = 60 where id = 'part' and tenant_id = $1",
      [control.database.tenantId],
    );
    expect(await found()).toEqual([["hold-differs", expect.stringMatching(/^open-group\/\d+$/)]]);
    await recountOpenHolds(control.database);
    await admin.releaseHold({ params: { id: "part" }, body: {} }, options);
    expect(await found()).toEqual([]);
  });

  it("finds a lease of which other use was reported than the ledger has", async () => {
    const { services, database } = control;
    const scope = { tenantId: database.tenantId, ...options };
    const budgets: never[] = [];
    await services.ledger.submit(scope, {
      kind: "lease",
      id: "lent",
      workerId: "worker",
      epoch: 1,
      currency,
      amountMicros: 500n,
      minimumMicros: 1n,
      durationMs: 60_000,
      budgets,
    });
    const charge = {
      usageId: "u",
      usageKind: "tokens",
      amountMicros: 30n,
      attribution: {},
    } as const;
    const report = { id: "report", leaseId: "lent", charges: [charge] };
    await services.ledger.submit(scope, { kind: "report-lease", ...report });
    expect(await found()).toEqual([]);
    const set = (count: number) =>
      database.sql(
        `update ledger_hold set record = jsonb_set(record::jsonb, '{chargeCount}', $1::jsonb)::json
         where id = 'lent' and tenant_id = $2`,
        [String(count), database.tenantId],
      );
    await set(2);
    const { differences } = await admin.reconcileLedger({ body: {} }, options);
    expect(differences).toMatchObject([
      {
        kind: "lease-differs",
        subject: "lent",
        message: "The worker of the lease lent reported 2 uses of 30; the ledger has 1 of 30.",
      },
    ]);
    await set(1);
  });

  it("finds a hold without work of compute, and ends it once when it is asked to", async () => {
    const id = `reservation:${control.database.tenantId}/gone`;
    await place(id);
    const { differences } = await admin.reconcileLedger({ body: {} }, options);
    expect(differences).toMatchObject([
      { kind: "hold-without-work", subject: id, proposal: { direction: "release", holdId: id } },
    ]);
    const { applied, runId } = await admin.reconcileLedger({ body: { apply: true } }, options);
    expect(applied).toEqual([differences[0]?.proposal?.commandId]);
    expect((await admin.listHolds({}, options)).holds.map((hold) => hold.id)).not.toContain(id);
    expect(await found()).toEqual([]);
    const run = await admin.readReconciliation({ params: { id: runId } }, options);
    expect(run.kinds).toEqual([{ kind: "hold-without-work", count: 1 }]);
  });

  it("enters an invoice as cost of its provider, once, and moves no credit of the tenant", async () => {
    const before = await admin.readLedgerBalance({}, options);
    const body = { invoice: { ...window, lines: [line, line] }, book: true };
    const first = await admin.reconcileLedger({ body }, options);
    const again = await admin.reconcileLedger({ body }, options);
    expect(again.booked).toEqual(first.booked);
    expect(first.differences).toMatchObject([
      { kind: "invoice-differs", expectedMicros: "140", actualMicros: "120" },
    ]);
    expect(first.differences[0]?.evidence).toEqual(["openai/gpt", "late/0", "late/1", "part/0"]);
    expect((await admin.listInvoices({}, options)).invoices).toMatchObject([
      { name: "openai/gpt", currency, amountMicros: "140", chargedMicros: "120" },
    ]);
    expect((await other.listInvoices({}, options)).invoices).toEqual([]);
    const after = await admin.readLedgerBalance({}, options);
    expect(after.accounts).toEqual(before.accounts);
    const cost = after.balances.find(({ account }) => account === "provider-cost/USD");
    expect(cost?.balanceMicros).toBe("140");
    const query = { account: "provider-cost/USD" };
    const { entries } = await admin.listLedgerEntries({ query }, options);
    expect(entries).toMatchObject([{ from: "provider-invoices/USD", reason: "invoiced" }]);
    const changed = { ...body, invoice: { ...window, lines: [line] } };
    await expect(admin.reconcileLedger({ body: changed }, options)).rejects.toMatchObject({
      code: "ledger_id_reused",
    });
    expect(await found()).toEqual([]);
  });

  it("keeps what each run found and did, and shows it to its tenant alone", async () => {
    const body = { invoice: { ...window, lines: [line] }, apply: true };
    const unstorable = { ...window, lines: [{ ...line, model: "gpt\u0000" }] };
    await expect(
      admin.reconcileLedger({ body: { ...body, invoice: unstorable } }, options),
    ).rejects.toMatchObject({ code: "request_invalid" });
    // The cost of this invoice was entered with another amount; the entry before it was made all the same.
    await expect(
      admin.reconcileLedger({ body: { ...body, book: true } }, options),
    ).rejects.toMatchObject({ code: "ledger_id_reused" });
    const { runId, differences } = await admin.reconcileLedger({ body }, options);
    expect(differences).toEqual([]);
    const { runs } = await admin.listReconciliations({}, options);
    expect(runs[0]).toMatchObject({ id: runId, differenceCount: 0, kinds: [], applied: [] });
    const [, second] = runs;
    expect(second).toMatchObject({
      cause: "request",
      differenceCount: 1,
      kinds: [{ kind: "invoice-differs", count: 1 }],
      applied: [expect.stringMatching(/^reconcile-invoice\//)],
    });
    expect(second?.actor).toMatch(/^admin \(/);
    const older = await admin.listReconciliations(
      { query: { before: runs[0]?.at ?? "" } },
      options,
    );
    expect(older.runs[0]).toEqual(second);
    const run = await admin.readReconciliation({ params: { id: second?.id ?? "" } }, options);
    expect(run.differences).toMatchObject([{ subject: "openai/gpt", actualMicros: "120" }]);
    expect((await other.listReconciliations({}, options)).runs).toEqual([]);
    await expect(
      other.readReconciliation({ params: { id: runId } }, options),
    ).rejects.toMatchObject({ code: "not_found" });
  });
});
