import { decodeSnapshotFile } from "@faultline/contracts";
import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const options = { signal: new AbortController().signal };
const currency = "USD";
const hourMs = 3_600_000;
let control: TestControl;
let admin: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  await admin.grantCredit({ body: { id: "gift", currency, amountMicros: "10000" } }, options);
  await admin.placeHold({ body: { id: "op", currency, amountMicros: "100" } }, options);
  const body = { usageId: "op/1", usageKind: "tokens", amountMicros: "40" } as const;
  await admin.settleHold({ params: { id: "op" }, body }, options);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

const hourAgo = (): string => new Date(Date.now() - hourMs).toISOString();

async function openCase(name: string) {
  const subject = { kind: "ledger", name } as const;
  const body = { symptom: "The books do not agree", subject, from: hourAgo() };
  return await admin.openCase({ body }, options);
}

async function changeBalance(account: string, micros: number): Promise<void> {
  await control.database.sql(
    "update ledger_account set balance_micros = balance_micros + $3 where id = $2 and tenant_id = $1",
    [control.database.tenantId, account, micros],
  );
}

async function verify(number: number) {
  const body = { from: hourAgo() };
  const detail = await admin.verifyCase({ params: { id: String(number) }, body }, options);
  return detail.verifications.at(-1);
}

describe("a case of the ledger", () => {
  it("says that nothing is violated where everything agrees", async () => {
    const detail = await openCase("all");
    expect(detail.findings.every(({ verdict }) => verdict === "holds")).toBe(true);
    expect(detail.summary.leadingHypothesis).toMatchObject({
      status: "proposed",
      boundary: "tenant-compute",
      statement: "No contract is violated by the evidence at hand, so no cause is known",
    });
  });

  it("leads from a planted difference to a proof that it is repaired", async () => {
    await changeBalance("grants/USD", 5);
    await changeBalance("credit/USD", 7);
    const detail = await openCase("grants/USD");
    const { number, leadingHypothesis: leading } = detail.summary;
    expect(leading).toMatchObject({
      status: "supported",
      contract: "ledger/balance-matches-entries",
      boundary: "tenant-compute",
      subject: { kind: "account", name: "grants/USD" },
      statement: "The entries of grants/USD sum to -10000; its balance is -9995.",
    });
    expect(leading?.fixes[0]?.description).toContain("from its entries");
    const [snapshot] = detail.snapshots;
    const params = { id: String(number), snapshotId: snapshot?.id ?? "" };
    const file = await admin.readCaseSnapshot({ params }, options);
    expect(decodeSnapshotFile(file).evidence).toMatchObject([{ content: { kind: "ledger" } }]);
    const report = { params: { id: String(number) }, query: { format: "markdown" as const } };
    expect(await admin.readReport(report, options)).toContain("tenant-compute");

    expect((await verify(number))?.outcome).toBe("not-repaired");
    await changeBalance("grants/USD", -5);
    expect(await verify(number)).toMatchObject({
      outcome: "proved",
      contract: { before: "violated", after: "holds" },
      control: { contract: "ledger/charged-once", before: "holds", after: "holds" },
    });
    await changeBalance("credit/USD", -7);
  });

  it("does not take for repaired what only moved the fault, or took the use away", async () => {
    await control.database.sql(
      `insert into ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros)
       values ($1, 'stray', 'op', 'c', $2, 5)`,
      [control.database.tenantId, Date.now()],
    );
    const detail = await openCase("stray");
    expect(detail.summary.leadingHypothesis).toMatchObject({
      contract: "ledger/charged-once",
      subject: { kind: "use", name: "stray" },
    });
    await changeBalance("credit/USD", 1);
    await control.database.sql("alter table ledger_use disable trigger ledger_use_unchanged");
    await control.database.sql("delete from ledger_use where id = 'stray' and tenant_id = $1", [
      control.database.tenantId,
    ]);
    const verification = await verify(detail.summary.number);
    expect(verification?.outcome).toBe("inconclusive");
    expect(verification?.reasons.join(" ")).toContain("1 is not so: stray");
    expect(verification?.reasons.join(" ")).toContain(
      "newly violated: ledger/balance-matches-entries on account credit/USD",
    );
  });

  it("does not take for repaired what took the hold away", async () => {
    const { database } = control;
    await admin.placeHold({ body: { id: "lone", currency, amountMicros: "30" } }, options);
    await database.sql(
      "update ledger_hold set ends_at_ms = $2 where id = 'lone' and tenant_id = $1",
      [database.tenantId, Date.now() - hourMs],
    );
    const detail = await openCase("lone");
    expect(detail.summary.leadingHypothesis).toMatchObject({
      contract: "ledger/holds-end",
      subject: { kind: "hold", name: "lone" },
    });
    await database.sql("delete from ledger_hold where id = 'lone' and tenant_id = $1", [
      database.tenantId,
    ]);
    const verification = await verify(detail.summary.number);
    expect(verification?.outcome).toBe("inconclusive");
    expect(verification?.reasons.join(" ")).toContain("1 is not so: lone");
  });
});
