import { checkSnapshot, contracts, readEvidence, snapshotOf } from "@faultline/contracts";
import type { Client, LedgerDifference } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";
import { recountOpenHolds } from "./recount-open-holds.ts";

const options = { signal: new AbortController().signal };
const currency = "USD";
const dayMs = 86_400_000;
const ledgerContracts = contracts.filter(({ id }) => id.startsWith("ledger/"));
let control: TestControl;
let admin: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  await admin.grantCredit({ body: { id: "gift", currency, amountMicros: "10000" } }, options);
  for (const id of ["whole", "released", "open"])
    await admin.placeHold({ body: { id, currency, amountMicros: "100" } }, options);
  await settle("whole", { usageId: "whole/1", amountMicros: "40", isFinal: true });
  await admin.releaseHold({ params: { id: "released" }, body: {} }, options);
  await submit({
    kind: "lease",
    id: "lent",
    workerId: "worker",
    epoch: 1,
    currency,
    amountMicros: 500n,
    minimumMicros: 1n,
    durationMs: 60_000,
    budgets: [],
  });
  const charge = { usageId: "leased/1", usageKind: "tokens", amountMicros: 30n, attribution: {} };
  await submit({ kind: "report-lease", id: "report", leaseId: "lent", charges: [charge] });
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

async function submit(request: Readonly<Record<string, unknown>>): Promise<void> {
  const { services, database } = control;
  const scope = { tenantId: database.tenantId, ...options };
  // A test writes commands as they are.
  const answer = await services.ledger.submit(scope, request as never);
  expect(answer.kind).not.toBe("refused");
}

async function settle(
  id: string,
  use: { readonly usageId: string; readonly amountMicros: string; readonly isFinal: boolean },
): Promise<void> {
  const details = { provider: "openai", model: "gpt" };
  const body = { ...use, usageKind: "tokens", details } as const;
  await admin.settleHold({ params: { id }, body }, options);
}

/** Changes the ledger behind its back, save the groups of what is open: an export has none. */
async function plant(text: string, more: readonly unknown[] = []): Promise<void> {
  await control.database.sql(text, [control.database.tenantId, ...more]);
  await recountOpenHolds(control.database);
}

async function findings(query: { readonly since?: string } = {}, files: readonly string[] = []) {
  const text = await admin.exportLedger({ query }, options);
  const read = readEvidence(
    [text, ...files].map((content, index) => ({
      name: `${index}.txt`,
      bytes: new TextEncoder().encode(content),
    })),
  );
  expect(read.unreadable).toEqual([]);
  return checkSnapshot(snapshotOf(read.evidence), ledgerContracts);
}

type Told = Pick<
  LedgerDifference,
  "kind" | "subject" | "expectedMicros" | "actualMicros" | "message"
>;

/** What contracts find in an export, as reconciliation tells it. */
async function violations(query: { readonly since?: string } = {}): Promise<Told[]> {
  return (await findings(query))
    .filter(({ verdict }) => verdict === "violated")
    .map(({ subject, title, measures }) => ({
      // Their measures are written in the words of reconciliation.
      kind: measures["difference"] as Told["kind"],
      subject: subject.name,
      expectedMicros: String(measures["expectedMicros"]),
      actualMicros: String(measures["actualMicros"]),
      message: title,
    }))
    .sort(byName);
}

async function reconciled(): Promise<Told[]> {
  const { differences } = await admin.reconcileLedger({ body: {} }, options);
  return differences
    .map(({ kind, subject, expectedMicros, actualMicros, message }) => ({
      kind,
      subject,
      expectedMicros,
      actualMicros,
      message,
    }))
    .sort(byName);
}

function byName(left: Told, right: Told): number {
  return `${left.kind} ${left.subject}` < `${right.kind} ${right.subject}` ? -1 : 1;
}

/** Both say the same, of the whole ledger and of one whose past is summed up. */
async function bothSay(expected: readonly Partial<Told>[]): Promise<void> {
  const told = await reconciled();
  expect(told).toMatchObject(expected);
  expect(await violations()).toEqual(told);
  const since = new Date(Date.now() + dayMs).toISOString();
  // What lies in uses and ended holds of before is not in it; balances and what is open are.
  const late = await violations({ since });
  for (const difference of late) expect(told).toContainEqual(difference);
}

describe("a ledger that is exported and checked", () => {
  it("holds where everything agrees, from its beginning and from any moment on", async () => {
    await bothSay([]);
    for (const since of [undefined, new Date(Date.now() + dayMs).toISOString()]) {
      const found = await findings(since === undefined ? {} : { since });
      expect(found.map(({ contract, verdict }) => [contract, verdict])).toEqual([
        ["ledger/balance-matches-entries", "holds"],
        ["ledger/charged-once", "holds"],
        ["ledger/holds-end", "holds"],
        ["ledger/lease-matches-journal", "holds"],
        ["ledger/no-overspend", "holds"],
        ["ledger/usage-completed", "holds"],
      ]);
      expect(new Set(found.map(({ boundary }) => boundary))).toEqual(new Set(["tenant-compute"]));
    }
  });

  it("shows a balance that was changed without an entry, as reconciliation does", async () => {
    const change = (micros: number) =>
      plant(
        "update ledger_account set balance_micros = balance_micros + $2 where id = 'credit/USD' and tenant_id = $1",
        [micros],
      );
    await change(7);
    await bothSay([{ kind: "balance-differs", subject: "credit/USD" }]);
    const since = new Date(Date.now() + dayMs).toISOString();
    expect(await violations({ since })).toMatchObject([{ kind: "balance-differs" }]);
    await change(-7);
    await bothSay([]);
  });

  it("shows a hold that reserves something else than its entries, or ran out and still reserves", async () => {
    const set = (what: string) =>
      plant(`update ledger_hold set ${what} where id = 'open' and tenant_id = $1`);
    await set("remaining_micros = 90");
    await bothSay([{ kind: "hold-differs", subject: "open", expectedMicros: "100" }]);
    await set("remaining_micros = 100, ends_at_ms = 1000000000000");
    await bothSay([{ kind: "hold-without-work", subject: "open", actualMicros: "100" }]);
    await set(`ends_at_ms = ${Date.now() + dayMs}`);
    await bothSay([]);
  });

  it("shows use without a completion, and none whose last report came late", async () => {
    await settle("open", { usageId: "open/1", amountMicros: "40", isFinal: false });
    await plant(
      "update ledger_hold set state = 'expired', remaining_micros = 0 where id = 'open' and tenant_id = $1",
    );
    const told = await reconciled();
    expect(told.map(({ kind }) => kind)).toEqual(["hold-differs", "use-without-completion"]);
    expect(await violations()).toEqual(told);
    await plant(
      "update ledger_hold set state = 'open', remaining_micros = 60 where id = 'open' and tenant_id = $1",
    );
    await bothSay([]);
  });

  it("shows a lease whose journal told of other use, and what of a lost one no journal explains", async () => {
    const set = (state: string, remaining: number, record: string) =>
      plant(
        `update ledger_hold set state = $2, remaining_micros = $3, record = (record::jsonb || $4::jsonb)::json
         where id = 'lent' and tenant_id = $1`,
        [state, remaining, record],
      );
    await set("open", 470, '{"chargeCount":2}');
    await bothSay([{ kind: "lease-differs", subject: "lent", expectedMicros: "30" }]);
    await set("lost", 0, '{"chargeCount":1,"unreadMicros":"470"}');
    const told = await reconciled();
    expect(told.map(({ kind }) => kind)).toEqual(["hold-differs", "lease-unread"]);
    expect(await violations()).toEqual(told);
    const unread = (await findings()).find(
      ({ measures }) => measures["difference"] === "lease-unread",
    );
    expect(unread?.fixes[0]?.description).toMatch(
      /^The compensating entry reconcile-lease-lent, which gives 470 micros of USD, settles it/,
    );
    await set("open", 470, '{"unreadMicros":"0"}');
    await bothSay([]);
  });

  it("shows what a provider invoices otherwise, and proposes the entry that reconciliation proposes", async () => {
    const from = "2020-01-01T00:00:00Z";
    const until = new Date(Date.now()).toISOString();
    const line = { provider: "openai", model: "gpt", currency };
    const invoice = { from, until, lines: [{ ...line, amountMicros: "250000" }] };
    const { differences } = await admin.reconcileLedger({ body: { invoice } }, options);
    const [theirs] = differences;
    const head = "provider,model,currency,amount,from,until";
    const found = await findings({}, [`${head}\nopenai,gpt,USD,0.25,${from},${until}\n`]);
    const ours = found.filter(({ verdict }) => verdict === "violated");
    expect(ours).toMatchObject([
      {
        contract: "ledger/cost-matches-invoice",
        title: theirs?.message,
        boundary: "tenant-compute",
      },
    ]);
    expect(ours[0]?.fixes[0]?.description).toContain(theirs?.proposal?.commandId);
    const equal = await findings({}, [`${head}\nopenai,gpt,USD,0.00008,${from},${until}\n`]);
    expect(equal.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
  });

  it("shows a debt that blocks, and use that was never charged or belongs to no hold", async () => {
    await admin.placeHold({ body: { id: "over", currency, amountMicros: "100" } }, options);
    await settle("over", { usageId: "over/1", amountMicros: "12000", isFinal: true });
    const debt = await reconciled();
    expect(debt).toMatchObject([{ kind: "debt-blocks", subject: "debt/USD" }]);
    await bothSay(debt);
    await plant(
      `insert into ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros)
       values ($1, 'stray', 'nobody', 'c', $2, 5)`,
      [Date.now()],
    );
    await bothSay([
      ...debt,
      { kind: "use-differs", subject: "stray", expectedMicros: "5", actualMicros: "0" },
      { kind: "work-without-hold", subject: "stray", actualMicros: "5" },
    ]);
  });
});

describe("an export of a ledger", () => {
  it("is of its tenant alone, and for who may read the ledger", async () => {
    const other = control.client(control.keys.otherTenant);
    const [header, ...lines] = (await other.exportLedger({}, options)).trimEnd().split("\n");
    expect(JSON.parse(header ?? "")).toMatchObject({ faultline: "ledger", version: 1 });
    expect(lines).toEqual(['{"end":{"lineCount":0}}']);
    const service = control.client(control.keys.byRole.service);
    await expect(service.exportLedger({}, options)).rejects.toMatchObject({
      code: "permission_denied",
    });
    const query = { since: "2016-12-31T23:59:60Z" };
    const refused = { code: "request_invalid", where: "query /since" };
    await expect(admin.exportLedger({ query }, options)).rejects.toMatchObject(refused);
  });

  it("reads nothing for who asks for its head alone", async () => {
    const headers = { authorization: `Bearer ${control.keys.byRole.viewer}` };
    const head = await control.fetch("/api/ledger/export", { method: "HEAD", headers });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(await head.text()).toBe("");
  });

  it("is of one moment while others write", async () => {
    await admin.grantCredit({ body: { id: "more", currency, amountMicros: "1000000" } }, options);
    const write = async (writer: number): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) {
        const id = `busy-${writer}-${turn}`;
        await admin.placeHold({ body: { id, currency, amountMicros: "100" } }, options);
        await settle(id, { usageId: id, amountMicros: "70", isFinal: turn % 2 === 0 });
      }
    };
    const written = new AbortController();
    const writing = Promise.all([1, 2, 3].map(write)).then(() => written.abort());
    let exportCount = 0;
    while (!written.signal.aborted) {
      const found = await findings();
      const violated = found.filter(({ verdict }) => verdict === "violated");
      // What was planted before, and nothing else.
      expect(violated.map(({ subject }) => subject.name)).toEqual(["stray", "stray"]);
      exportCount += 1;
    }
    await writing;
    expect(exportCount).toBeGreaterThan(1);
  });

  it("is refused beyond as many as are made at once, and beyond as many records as are given", async () => {
    const { services, database } = control;
    const tenantId = await database.createTenant("large");
    const scope = { tenantId, ...options };
    const books = services.ledgerBooks;
    const asked = await Promise.allSettled([1, 2, 3].map(() => books.exportLedger(scope, {})));
    const refused = asked.filter(({ status }) => status === "rejected");
    expect(refused).toMatchObject([{ reason: { code: "limit_exceeded" } }]);
    await database.sql(
      `insert into faultline.ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros)
       select $1, 'use-' || n, 'h', 'c', $2::bigint, 0 from generate_series(1, 200001) n`,
      [tenantId, Date.now() - dayMs],
    );
    await expect(books.exportLedger(scope, {})).rejects.toMatchObject({
      code: "limit_exceeded",
      where: "query /since",
    });
    const since = new Date(Date.now()).toISOString();
    expect((await books.exportLedger(scope, { since })).join("")).toContain('"lineCount":0');
  });
});
