import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const options = { signal: new AbortController().signal };
let control: TestControl;
let admin: Client;
let other: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  other = control.client(control.keys.otherTenant);
  const grant = { id: "gift", currency: "USD", amountMicros: "1000000" };
  await admin.grantCredit({ body: grant }, options);
  await use("op-1", {
    amountMicros: "300",
    details: { model: "large", tags: ["a", "b"], keyId: "k1" },
  });
  await use("op-2", {
    amountMicros: "200",
    details: { model: "small", tags: ["b"], userId: "=ann" },
  });
  await use("op-3", { amountMicros: "100", details: { model: 'tiny, "new"' } });
  await use("op-4", { amountMicros: "50", details: {} });
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

async function use(
  id: string,
  {
    amountMicros,
    details,
    currency = "USD",
  }: { amountMicros: string; details: object; currency?: string },
): Promise<void> {
  await admin.placeHold({ body: { id, currency, amountMicros: "400" } }, options);
  const body = { usageId: id, usageKind: "tokens", amountMicros, details } as const;
  await admin.settleHold({ params: { id }, body }, options);
}

describe("moments that no date can be", () => {
  const leapSecond = "2016-12-31T23:59:60Z";
  const zone = "2026-11-28T00:00:00Z[Europe/Berlin]";

  it.each([leapSecond, zone])("are refused in every window: %s", async (moment) => {
    const asked = { query: { from: moment } };
    const calls = [
      () => admin.readBalanceSeries(asked, options),
      () => admin.readSpendSeries({ query: { until: moment } }, options),
      () => admin.readUsage(asked, options),
      () => admin.exportEntries(asked, options),
      () => admin.exportUsage(asked, options),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code: "request_invalid" });
  });

  it("are no expiry of a grant", async () => {
    const body = { id: "leap", currency: "USD", amountMicros: "1", expiresAt: leapSecond };
    const granted = admin.grantCredit({ body }, options);
    const refused = { code: "request_invalid", where: "body /expiresAt" };
    await expect(granted).rejects.toMatchObject(refused);
  });
});

describe("balances over time", () => {
  it("end with the balances of now, and begin with nothing before the first grant", async () => {
    await admin.placeHold({ body: { id: "open", currency: "USD", amountMicros: "70" } }, options);
    const { points } = await admin.readBalanceSeries({ query: { stepCount: 10 } }, options);
    expect(points).toHaveLength(11);
    expect(points[0]).toMatchObject({ creditMicros: "0", heldMicros: "0", debtMicros: "0" });
    expect(points.at(-1)).toMatchObject({
      creditMicros: "999280",
      heldMicros: "70",
      debtMicros: "0",
    });
    await admin.releaseHold({ params: { id: "open" }, body: {} }, options);
  });

  it("of a window that is over are those of then", async () => {
    const now = Date.now();
    const query = {
      from: new Date(now - 7_200_000).toISOString(),
      until: new Date(now - 3_600_000).toISOString(),
    };
    const { points } = await admin.readBalanceSeries({ query }, options);
    expect(new Set(points.map(({ creditMicros }) => creditMicros))).toEqual(new Set(["0"]));
  });

  it("refuse windows without end, and currencies that there are not", async () => {
    const query = { from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z" };
    await expect(admin.readBalanceSeries({ query }, options)).rejects.toMatchObject({
      code: "request_invalid",
      where: "query /from",
    });
    await expect(
      admin.readSpendSeries({ query: { from: "2020-01-01T00:00:00Z" } }, options),
    ).rejects.toMatchObject({ code: "request_invalid" });
    await expect(
      admin.readBalanceSeries({ query: { currency: "EUR" } }, options),
    ).rejects.toMatchObject({ code: "currency_mismatch", where: "query /currency" });
  });
});

describe("spend over time", () => {
  const groupsBy = async (by: "model" | "tag" | "key" | "user", groupCount = 7) => {
    const series = await admin.readSpendSeries({ query: { by, groupCount } }, options);
    return {
      total: series.totalMicros,
      groups: series.groups.map(({ kind, name, totalMicros }) => [kind, name, totalMicros]),
    };
  };

  it("is told by name, the dearest first, and sums up the others", async () => {
    expect(await groupsBy("model", 2)).toEqual({
      total: "650",
      groups: [
        ["named", "large", "300"],
        ["named", "small", "200"],
        ["others", "", "150"],
      ],
    });
    expect((await groupsBy("key")).groups).toEqual([
      ["unnamed", "", "350"],
      ["named", "k1", "300"],
    ]);
  });

  it("counts a use in each of its tags, and once in the sum", async () => {
    expect(await groupsBy("tag")).toEqual({
      total: "650",
      groups: [
        ["named", "b", "500"],
        ["named", "a", "300"],
        ["unnamed", "", "150"],
      ],
    });
  });

  it("keeps currencies apart", async () => {
    const grant = { id: "gift-2", currency: "credits", amountMicros: "1000" };
    await admin.grantCredit({ body: grant }, options);
    await use("op-c", { amountMicros: "33", details: { model: "large" }, currency: "credits" });
    expect((await groupsBy("model")).total).toBe("650");
    const query = { currency: "credits", bucketCount: 4 };
    const { groups, buckets } = await admin.readSpendSeries({ query }, options);
    expect(buckets).toHaveLength(4);
    expect(groups).toMatchObject([
      { name: "large", totalMicros: "33", bucketMicros: ["0", "0", "0", "33"] },
    ]);
  });

  it("of another tenant is empty", async () => {
    expect((await other.readSpendSeries({ query: {} }, options)).groups).toEqual([]);
    const { points } = await other.readBalanceSeries({ query: {} }, options);
    expect(points.at(-1)?.creditMicros).toBe("0");
  });
});

describe("forecasts of budgets", () => {
  it("stand on what the scope of each spent, and say how", async () => {
    const body = {
      currency: "USD",
      isHard: true,
      thresholdPercents: [] as number[],
      window: { kind: "total" as const },
    };
    const scope = { kind: "tag", value: "b" } as const;
    await admin.setBudget(
      { body: { ...body, budgetId: "of-b", limitMicros: "900", scope } },
      options,
    );
    await admin.setBudget(
      {
        body: {
          ...body,
          budgetId: "of-nobody",
          limitMicros: "5",
          scope: { kind: "user", value: "bob" },
        },
      },
      options,
    );
    const { forecasts } = await admin.forecastBudgets({}, options);
    expect(forecasts).toMatchObject([
      { budgetId: "of-b", pace: { spentMicros: "500" }, outlook: { kind: "too-early" } },
      { budgetId: "of-nobody", outlook: { kind: "idle" } },
    ]);
    expect(forecasts[0]?.method).toMatch(/^What the scope spent in the last 7 days/);
    expect((await other.forecastBudgets({}, options)).forecasts).toEqual([]);
  });
});

describe("usage in a window", () => {
  it("tells currencies apart, and can be asked for one of them", async () => {
    const { rows } = await admin.readUsage({ query: { by: "model" } }, options);
    expect(
      rows.map(({ name, currency, chargedMicros }) => [name, currency, chargedMicros]),
    ).toEqual([
      ["large", "USD", "300"],
      ["small", "USD", "200"],
      ['tiny, "new"', "USD", "100"],
      ["", "USD", "50"],
      ["large", "credits", "33"],
    ]);
    const asked = await admin.readUsage({ query: { currency: "credits" } }, options);
    expect(asked.rows).toMatchObject([{ currency: "credits", chargedMicros: "33" }]);
    const foreign = admin.readUsage({ query: { currency: "EUR" } }, options);
    await expect(foreign).rejects.toMatchObject({ code: "currency_mismatch" });
  });

  it.each([
    ["longer than may be read at once", { from: "2020-01-01T00:00:00Z" }],
    ["that ends before it begins", { from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z" }],
  ])("is refused for one %s", async (_what, query) => {
    const asked = admin.readUsage({ query }, options);
    await expect(asked).rejects.toMatchObject({ code: "request_invalid", where: "query /from" });
  });
});

describe("exports", () => {
  const download = async (path: string, key = control.keys.byRole.viewer) => {
    const response = await control.fetch(path, { headers: { authorization: `Bearer ${key}` } });
    const lines = (await response.text()).trimEnd().split("\r\n");
    return { lines, headers: response.headers, status: response.status };
  };

  it("give every entry of a window as a line, oldest first, as a file", async () => {
    const { lines, headers } = await download("/api/ledger/export/entries?account=grants/USD");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("content-disposition")).toMatch(
      /^attachment; filename="ledger-entries-\d{4}-/,
    );
    expect(lines[0]).toBe(
      "sequence,at,from,to,amount_micros,currency,reason,command_id,lot_id,hold_id,usage_id",
    );
    expect(lines.slice(1)).toHaveLength(1);
    expect(lines[1]).toMatch(/,grants\/USD,credit\/USD,1000000,USD,granted,gift,/);
    const all = await download("/api/ledger/export/entries");
    const { entries } = await admin.listLedgerEntries({ query: { limit: 1_000 } }, options);
    expect(all.lines.length - 1).toBe(entries.length);
  });

  it("quote what needs it, and let no spreadsheet take a name for a formula", async () => {
    const { lines } = await download("/api/ledger/export/usage");
    const cells = lines.find((line) => line.includes("op-2"));
    expect(cells).toContain(",'=ann,b,");
    expect(lines.find((line) => line.includes("op-3"))).toContain('"tiny, ""new"""');
    expect(lines.find((line) => line.includes("op-c"))).toContain(",33,credits,");
    expect(lines).toHaveLength(6);
    expect(
      (await download("/api/ledger/export/usage", control.keys.otherTenant)).lines,
    ).toHaveLength(1);
  });

  it("come in pages, each read when it is taken, and end when whoever takes them leaves", async () => {
    const { database, services } = control;
    const tenantId = await database.createTenant("long");
    await database.sql(
      `insert into faultline.ledger_batch
       select $1, min(n), max(n), $2::bigint + min(n), $2::bigint + max(n), '{grants/USD,credit/USD,granted}',
         array_agg('c'::text), array_agg($2::bigint + n order by n), array_agg(1), array_agg(2), array_agg(n order by n),
         array_agg(3), array_agg(0), array_agg(''::text), array_agg(''::text)
       from generate_series(1, 5000) n group by (n - 1) / 300`,
      [tenantId, Date.now() - 60_000],
    );
    await database.sql(
      `insert into faultline.ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros)
       select $1, 'use-' || n, 'h', 'c', $2::bigint + n % 7, n from generate_series(1, 5000) n`,
      [tenantId, Date.now() - 60_000],
    );
    const leaves = new AbortController();
    const scope = { tenantId, signal: leaves.signal };
    for (const open of [
      () => services.ledgerBooks.exportEntries(scope, {}),
      () => services.ledgerBooks.exportUsage(scope, {}),
    ]) {
      const lines: string[] = [];
      let pageRowsMax = 0;
      for await (const page of open()) {
        const rows = page.trimEnd().split("\r\n");
        pageRowsMax = Math.max(pageRowsMax, rows.length);
        lines.push(...rows);
      }
      expect([lines.length, new Set(lines).size, pageRowsMax]).toEqual([5_001, 5_001, 2_000]);
    }
    const left = services.ledgerBooks.exportEntries(scope, {});
    await left.next();
    await left.next();
    leaves.abort(new Error("gone"));
    await expect(left.next()).rejects.toThrow("gone");
    expect(await left.next()).toEqual({ done: true, value: undefined });
  });

  it("are refused before the first byte when the window is none, or the key may not", async () => {
    const wrong = await download(
      "/api/ledger/export/usage?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
    );
    expect(wrong.status).toBe(400);
    const { service } = control.keys.byRole;
    expect((await download("/api/ledger/export/usage", service)).status).toBe(403);
  });
});

describe("an operation that was never traced", () => {
  it("is not found", async () => {
    for (const id of ["op-1", "01980000-0000-7000-8000-000000000000"]) {
      await expect(admin.findOperationTrace({ params: { id } }, options)).rejects.toMatchObject({
        code: "not_found",
      });
    }
    expect(await admin.listRefusedCalls({ query: {} }, options)).toMatchObject({
      count: 0,
      calls: [],
    });
  });
});

describe("a long window", () => {
  it("sums up hours that are over once, and reads the rest as it was written", async () => {
    const { database } = control;
    const tenantId = await database.createTenant("old");
    const nowMs = Date.now();
    const dayMs = 86_400_000;
    // Two entries of each day for ten days: 100 are granted, 60 are spent.
    for (let days = 9; days >= 0; days -= 1) {
      const atMs = nowMs - days * dayMs - 1_000;
      await database.sql(
        `insert into faultline.ledger_batch values ($1, $2::bigint, $2::bigint + 1, $3::bigint, $3::bigint,
           '{grants/USD,credit/USD,usage:tokens/USD,granted,charged}', '{c,c}', array[$3::bigint, $3::bigint], '{1,2}', '{2,3}',
           '{100,60}', '{4,5}', '{0,0}', '{"",""}', '{"",""}')`,
        [tenantId, (10 - days) * 2, atMs],
      );
      await database.sql(
        `insert into faultline.ledger_use (tenant_id, id, hold_id, command_id, at_ms, amount_micros, details)
         values ($1, $2, 'h', 'c', $3, 60, '{"model":"m","tags":["x","y"],"inputTokens":3}')`,
        [tenantId, `use-${days}`, atMs],
      );
    }
    await database.sql(
      "insert into faultline.ledger_account values ($1, 'credit/USD', 400), ($1, 'grants/USD', -1000)",
      [tenantId],
    );
    await database.sql("insert into faultline.ledger_credit values ($1, 'USD', true, 0, 0)", [
      tenantId,
    ]);
    const scope = { tenantId, signal: options.signal };
    const { ledgerBooks } = control.services;
    for (const round of ["before the hours are summed up", "after"]) {
      const from = new Date(nowMs - 5 * dayMs).toISOString();
      const { points } = await ledgerBooks.balanceSeries(scope, { from, stepCount: 5 });
      const credits = points.map(({ creditMicros }) => Number(creditMicros));
      expect(credits, round).toEqual([200, 240, 280, 320, 360, 400]);
      for (const by of ["model", "tag", "provider"] as const) {
        const series = await ledgerBooks.spendSeries(scope, { by, from, bucketCount: 5 });
        expect([series.totalMicros, series.useCount, series.groups.length], round).toEqual([
          "300",
          5,
          by === "tag" ? 2 : 1,
        ]);
        expect(series.groups[0]).toMatchObject({ totalMicros: "300", inputTokens: 15 });
      }
    }
    const [summary] = await database.sql<{ until_ms: string }>(
      "select until_ms from faultline.ledger_summary where tenant_id = $1",
      [tenantId],
    );
    expect(Number(summary?.until_ms)).toBeGreaterThan(nowMs - 2 * 3_600_000);
  });
});
