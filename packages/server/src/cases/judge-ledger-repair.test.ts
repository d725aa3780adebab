/** Repairs of a ledger that are none. */

import { contracts, readEvidence, type Snapshot, snapshotOf } from "@faultline/contracts";
import { describe, expect, it } from "vitest";

import { judgeLedgerRepair } from "./judge-ledger-repair.ts";

/** The export of a ledger into which `opening` was granted before its window, and 10 in it. */
function exported(minute: number, opening: number, balance: number): Snapshot {
  const records = [
    { account: { id: "credit/USD", balanceMicros: String(balance), openingMicros: `${opening}` } },
    { account: { id: "grants/USD", balanceMicros: `${-balance}`, openingMicros: `${-opening}` } },
    {
      entry: {
        sequence: 7,
        at: "2026-03-01T00:00:30.000Z",
        from: "grants/USD",
        to: "credit/USD",
        amountMicros: "10",
        reason: "grant",
        commandId: "gift",
      },
    },
  ];
  const heading = {
    faultline: "ledger",
    version: 1,
    name: "tenant",
    at: `2026-03-01T00:0${minute}:00.000Z`,
    from: "2026-03-01T00:00:00.000Z",
  };
  const lines = [heading, ...records, { end: { lineCount: records.length } }];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const bytes = new TextEncoder().encode(text);
  const { evidence, unreadable } = readEvidence([{ name: "ledger", bytes }]);
  expect(unreadable).toEqual([]);
  return snapshotOf(evidence);
}

/** The export of a ledger with uses that no hold and no lease was for, and an account whose entries leave 10. */
function exportedWith(minute: number, balance: number, useNames: readonly string[]): Snapshot {
  const at = "2026-03-01T00:00:30.000Z";
  const records = [
    { account: { id: "credit/USD", balanceMicros: String(balance) } },
    { account: { id: "grants/USD", balanceMicros: "-10" } },
    {
      entry: {
        sequence: 1,
        at,
        from: "grants/USD",
        to: "credit/USD",
        amountMicros: "10",
        reason: "grant",
        commandId: "gift",
      },
    },
    ...useNames.map((id) => ({
      use: { id, holdId: `hold-of-${id}`, at, amountMicros: "5", currency: "USD" },
    })),
  ];
  const heading = {
    faultline: "ledger",
    version: 1,
    name: "tenant",
    at: `2026-03-01T00:0${minute}:00.000Z`,
  };
  const lines = [heading, ...records, { end: { lineCount: records.length } }];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const { evidence, unreadable } = readEvidence([
    { name: "ledger", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  return snapshotOf(evidence);
}

function judge(before: Snapshot, after: Snapshot) {
  const contract = contracts.find(({ id }) => id === "ledger/balance-matches-entries");
  if (contract === undefined) throw new Error("there is no such contract");
  const hypothesis = {
    contract: contract.id,
    boundary: contract.boundary,
    subject: { kind: "account", name: "credit/USD" },
  };
  return judgeLedgerRepair({ hypothesis, before, after, contract });
}

describe("a repair of a ledger", () => {
  it("is proved where the balance follows from the entries again", () => {
    expect(judge(exported(1, 100, 105), exported(2, 100, 110)).outcome).toBe("proved");
  });

  it("is not proved where what was entered before the window became something else", () => {
    const { outcome, reasons } = judge(exported(1, 100, 105), exported(2, 95, 105));
    expect(outcome).toBe("inconclusive");
    expect(reasons.join(" ")).toContain("2 are not so: credit/USD, grants/USD");
  });

  it("is not proved where a new violation lies behind a hundred old ones, and is where none does", () => {
    const old = Array.from({ length: 150 }, (_, index) => `use-${String(index).padStart(4, "0")}`);
    const before = exportedWith(1, 7, old);
    expect(judge(before, exportedWith(2, 10, old)).outcome).toBe("proved");
    const { outcome, reasons } = judge(before, exportedWith(2, 10, [...old, "use-new"]));
    expect(outcome).toBe("inconclusive");
    expect(reasons.join(" ")).toContain("use-new");
  });
});
