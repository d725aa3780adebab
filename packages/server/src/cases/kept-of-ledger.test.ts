/** Doctored repairs: each makes a contract hold by changing what no repair may change. */

import {
  type BookedEntry,
  type BookedReserve,
  type BookedUse,
  contracts,
  createSnapshot,
  type LedgerContent,
  type Snapshot,
} from "@faultline/contracts";
import { describe, expect, it } from "vitest";

import { judgeLedgerRepair } from "./judge-ledger-repair.ts";
import { keptParts } from "./kept-of-ledger.ts";

const atMicros = Date.parse("2026-03-01T00:00:00.000Z") * 1_000;
const minuteMicros = 60_000_000;
const lease: BookedReserve = {
  id: "lent",
  kind: "lease",
  currency: "USD",
  state: "lost",
  remainingMicros: "0",
  journal: { count: 1, amountMicros: "20" },
  unreadMicros: "280",
};
const hold: BookedReserve = {
  id: "op",
  kind: "hold",
  currency: "USD",
  state: "expired",
  remainingMicros: "0",
  endsMicros: atMicros,
  isCompleted: false,
};
const model = { provider: "openai", model: "gpt", currency: "USD" };

type Change = (content: LedgerContent) => Partial<LedgerContent>;

function entry(sequence: number, path: string, more: Partial<BookedEntry>): BookedEntry {
  const [from = "", to = ""] = path.split(" ").map((kind) => `${kind}/USD`);
  const amountMicros = "0";
  return {
    sequence,
    timeMicros: atMicros,
    from,
    to,
    amountMicros,
    commandId: `c${sequence}`,
    ...more,
  };
}

/** A credit of 1,000, a hold that ran out in the middle of its work, and a lease that was lost. */
function ledger(minute: number, creditMicros = "660"): LedgerContent {
  return {
    kind: "ledger",
    name: "tenant",
    readMicros: atMicros + minute * minuteMicros,
    accounts: [
      { id: "grants/USD", balanceMicros: "-1000" },
      { id: "credit/USD", balanceMicros: creditMicros },
      { id: "holds/USD", balanceMicros: "0" },
      { id: "usage:model/USD", balanceMicros: "60" },
      { id: "usage:unread/USD", balanceMicros: "280" },
    ],
    limits: [{ currency: "USD", fromSequence: 1, limitMicros: "0" }],
    entries: [
      entry(1, "grants credit", { amountMicros: "1000" }),
      entry(2, "credit holds", { amountMicros: "100", holdId: "op" }),
      entry(3, "holds usage:model", { amountMicros: "40", holdId: "op", usageId: "op/1" }),
      entry(4, "holds credit", { amountMicros: "60", holdId: "op" }),
      entry(5, "credit holds", { amountMicros: "300", holdId: "lent" }),
      entry(6, "holds usage:model", { amountMicros: "20", holdId: "lent", usageId: "lent/1" }),
      entry(7, "holds usage:unread", { amountMicros: "280", holdId: "lent" }),
    ],
    reserves: [lease, hold],
    uses: [
      { id: "op/1", holdId: "op", amountMicros: "40", timeMicros: atMicros, ...model },
      { id: "lent/1", holdId: "lent", amountMicros: "20", timeMicros: atMicros, ...model },
    ],
    invoice: [
      { ...model, amountMicros: "60", fromMicros: atMicros, untilMicros: atMicros + minuteMicros },
    ],
  };
}

function snapshotOfLedger(...contents: readonly LedgerContent[]): Snapshot {
  const source = { name: "ledger.jsonl", format: "ledger-export", notes: [] };
  return createSnapshot(contents.map((content) => ({ source, content })));
}

function judge(
  sides: { readonly before: LedgerContent; readonly after: LedgerContent | LedgerContent[] },
  [id, kind, name]: readonly [string, string, string] = [
    "balance-matches-entries",
    "account",
    "credit/USD",
  ],
) {
  const contract = contracts.find((one) => one.id === `ledger/${id}`);
  if (contract === undefined) throw new Error("there is no such contract");
  const hypothesis = {
    contract: contract.id,
    boundary: contract.boundary,
    subject: { kind, name },
  };
  const [before, after] = [
    snapshotOfLedger(sides.before),
    snapshotOfLedger(...[sides.after].flat()),
  ];
  return judgeLedgerRepair({ hypothesis, before, after, contract });
}

const withReserve =
  (id: string, more: Partial<BookedReserve>): Change =>
  ({ reserves = [] }) => ({
    reserves: reserves.map((reserve) => (reserve.id === id ? { ...reserve, ...more } : reserve)),
  });
const withEntry =
  (added: BookedEntry): Change =>
  ({ entries = [] }) => ({ entries: [...entries, added] });
const withUse =
  (id: string, more: Partial<BookedUse>): Change =>
  ({ uses = [] }) => ({
    uses: [...uses, { id, timeMicros: atMicros, amountMicros: "0", ...model, ...more }],
  });
const withLimit =
  (fromSequence: number, limitMicros: string): Change =>
  ({ limits = [] }) => ({ limits: [...limits, { currency: "USD", fromSequence, limitMicros }] });

/** For each part what a doctored export says otherwise. */
const doctored: Readonly<Record<string, readonly Change[]>> = {
  accounts: [({ accounts = [] }) => ({ accounts: accounts.slice(0, -1) })],
  openings: [
    ({ accounts = [] }) => ({
      accounts: accounts.map((account) => ({ ...account, openingMicros: "1" })),
    }),
  ],
  "credit lines": [
    withLimit(1, "500"),
    withLimit(5, "500"),
    withLimit(8, "500"),
    () => ({ limits: [] }),
    // Raised for one entry, and lowered again.
    (content) => {
      const limits = withLimit(8, "500")(content);
      return withLimit(9, "0")({ ...content, ...limits });
    },
  ],
  entries: [
    ({ entries = [] }) => ({ entries: entries.slice(0, -1) }),
    ({ entries = [] }) => ({
      entries: entries.map((one) => (one.sequence === 4 ? { ...one, amountMicros: "55" } : one)),
    }),
  ],
  "order of entries": [
    withEntry(entry(0, "grants credit", { amountMicros: "5" })),
    withEntry(entry(4, "grants credit", { amountMicros: "5" })),
    ({ entries = [] }) => ({ entries: [...entries, ...entries.slice(-1)] }),
  ],
  dates: [
    withEntry(entry(8, "grants credit", { amountMicros: "5", timeMicros: atMicros - 1 })),
    withUse("op/2", { holdId: "op", timeMicros: atMicros - 1 }),
  ],
  uses: [
    ({ uses = [] }) => ({ uses: uses.slice(1) }),
    ({ uses = [] }) => ({ uses: uses.map((use) => ({ ...use, priceVersion: "cheaper" })) }),
    ({ uses = [] }) => ({ uses: uses.map((use) => ({ ...use, amountMicros: "1" })) }),
  ],
  reserves: [({ reserves = [] }) => ({ reserves: reserves.slice(1) })],
  "terms of reserves": [
    withReserve("op", { state: "open" }),
    withReserve("lent", { state: "returned" }),
    withReserve("lent", { journal: { count: 0, amountMicros: "0" } }),
    withReserve("lent", { kind: "hold" }),
    withReserve("op", { currency: "EUR" }),
    withReserve("op", { endsMicros: atMicros - 1 }),
    ({ reserves = [] }) => ({
      reserves: reserves.map(({ endsMicros: _gone, ...reserve }) => reserve),
    }),
  ],
  journals: [
    withReserve("lent", { journal: { count: 2, amountMicros: "20" } }),
    withReserve("lent", { journal: { count: 1, amountMicros: "21" } }),
    // One that is charged with less than was told of.
    (content) => ({
      ...withReserve("lent", { journal: { count: 2, amountMicros: "50" } })(content),
      ...withUse("lent/2", { holdId: "lent", amountMicros: "29" })(content),
    }),
  ],
  "new reserves": [({ reserves = [] }) => ({ reserves: [...reserves, { ...hold, id: "gone" }] })],
  "lost leases": [
    withReserve("lent", { unreadMicros: "0" }),
    withReserve("lent", { settledBy: "reconcile-lease-lent" }),
    // Less than counts as spent is given back, more, or in another currency.
    ...[
      ["adjustments credit", "279"],
      ["adjustments credit", "281"],
      ["credit adjustments", "280"],
      ["grants credit", "280"],
    ].map(([path = "", amountMicros = ""]): Change => (content) => ({
      ...withReserve("lent", { settledBy: "reconcile-lease-lent" })(content),
      ...withEntry(entry(8, path, { amountMicros, commandId: "reconcile-lease-lent" }))(content),
    })),
  ],
  completions: [withReserve("op", { isCompleted: true })],
  invoices: [
    () => ({ invoice: [] }),
    ({ invoice = [] }) => ({ invoice: [...invoice, ...invoice] }),
    ({ invoice = [] }) => ({ invoice: invoice.map((line) => ({ ...line, amountMicros: "61" })) }),
  ],
};

describe("a repair of a ledger", () => {
  // A use whose hold nobody knows is there before, whatever is repaired.
  const stray = { id: "gone/1", holdId: "gone", amountMicros: "0", timeMicros: atMicros };
  const withStray = (content: LedgerContent): LedgerContent => ({
    ...content,
    uses: [...(content.uses ?? []), stray],
  });
  const before = withStray(ledger(1, "655"));

  it("is proved where nothing else was changed, whatever was entered since", () => {
    expect(judge({ before, after: withStray(ledger(2)) })).toMatchObject({ outcome: "proved" });
    const more = withEntry(entry(8, "grants credit", { amountMicros: "5" }))(withStray(ledger(2)));
    const after = { ...withStray(ledger(2, "665")), ...more };
    const accounts = after.accounts?.map((account) =>
      account.id === "grants/USD" ? { ...account, balanceMicros: "-1005" } : account,
    );
    expect(judge({ before, after: { ...after, accounts: accounts ?? [] } })).toMatchObject({
      outcome: "proved",
    });
  });

  it.each(keptParts.map(({ name }) => name))("is none where it changed: %s", (name) => {
    const changes = doctored[name] ?? [];
    expect(changes.length).toBeGreaterThan(0);
    for (const change of changes) {
      const after = withStray(ledger(2));
      const judgement = judge({ before, after: { ...after, ...change(after) } });
      expect(judgement.outcome).not.toBe("proved");
      const unmet = judgement.coverage.filter(({ met }) => !met).map((one) => one.name);
      expect(unmet).toContain(name);
    }
  });

  it("is none where of a use that stood there twice one was taken away", () => {
    const twice = {
      ...ledger(1),
      ...withUse("op/1", { holdId: "op", amountMicros: "40" })(ledger(1)),
    };
    const about = ["charged-once", "use", "op/1"] as const;
    const { outcome, contract, reasons } = judge({ before: twice, after: ledger(2) }, about);
    expect(contract).toMatchObject({ before: "violated", after: "holds" });
    expect(outcome).toBe("inconclusive");
    expect(reasons).toEqual([
      "Not covered, uses: expected all 3 uses, with their amounts and prices, as they were; 1 is not so: op/1.",
    ]);
  });

  it("may give back a use that was lost, with the date of its entry", () => {
    const about = ["charged-once", "use", "lent/1"] as const;
    const sideOf = (minute: number, change: Change): LedgerContent => {
      const later = entry(8, "grants credit", { timeMicros: atMicros + 5 });
      const side = { ...ledger(minute), ...withEntry(later)(ledger(minute)) };
      return { ...side, ...change(side) };
    };
    const before = sideOf(1, ({ uses = [] }) => ({ uses: uses.slice(0, 1) }));
    expect(judge({ before, after: sideOf(2, () => ({})) }, about).outcome).toBe("proved");
    const moved = sideOf(2, ({ uses = [] }) => ({
      uses: uses.map((use) => (use.id === "op/1" ? use : { ...use, timeMicros: atMicros + 1 })),
    }));
    expect(judge({ before, after: moved }, about).outcome).toBe("inconclusive");
  });

  it("is none of a debt by a wider credit line, and one by a grant", () => {
    const owing = (minute: number, debt: string, more: readonly BookedEntry[]): LedgerContent => ({
      kind: "ledger",
      name: "tenant",
      readMicros: atMicros + minute * minuteMicros,
      accounts: [
        { id: "debt/USD", balanceMicros: debt },
        { id: "grants/USD", balanceMicros: more.length === 0 ? "0" : "-30" },
        { id: "usage:model/USD", balanceMicros: "30" },
      ],
      limits: [{ currency: "USD", fromSequence: 1, limitMicros: "0" }],
      entries: [
        entry(1, "debt usage:model", { amountMicros: "30", holdId: "op", usageId: "op/1" }),
        ...more,
      ],
      reserves: [{ ...hold, state: "settled" }],
      uses: [{ id: "op/1", holdId: "op", amountMicros: "30", timeMicros: atMicros, ...model }],
    });
    const about = ["no-overspend", "account", "debt/USD"] as const;
    const sides = { before: owing(1, "-30", []), after: owing(2, "-30", []) };
    const wider = { ...sides.after, ...withLimit(2, "30")(sides.after) };
    const raised = judge({ ...sides, after: wider }, about);
    expect(raised.outcome).toBe("inconclusive");
    expect(raised.reasons).toEqual([
      "Not covered, credit lines: expected the credit lines, as they were set; 1 is not so: USD.",
    ]);
    const granted = owing(2, "0", [entry(2, "grants debt", { amountMicros: "30" })]);
    expect(judge({ ...sides, after: granted }, about).outcome).toBe("proved");
  });

  it("of a lost lease is one only with the entry that settles it", () => {
    const about = ["lease-matches-journal", "lease", "lent"] as const;
    const settled = withReserve("lent", { settledBy: "reconcile-lease-lent" });
    const sides = { before: ledger(1), after: { ...ledger(2), ...settled(ledger(2)) } };
    expect(judge(sides, about).outcome).toBe("inconclusive");
    const given = entry(8, "adjustments credit", {
      amountMicros: "280",
      commandId: "reconcile-lease-lent",
    });
    const accounts = [
      ...(ledger(2, "940").accounts ?? []),
      { id: "adjustments/USD", balanceMicros: "-280" },
    ];
    const after = { ...sides.after, ...withEntry(given)(sides.after), accounts };
    expect(judge({ ...sides, after }, about).outcome).toBe("proved");
  });

  it("is none where something else is off by more than it was, or a second ledger lies beside", () => {
    const accounts = (content: LedgerContent, micros: string) =>
      content.accounts?.map((account) =>
        account.id === "holds/USD" ? { ...account, balanceMicros: micros } : account,
      ) ?? [];
    const [earlier, later] = [ledger(1, "655"), ledger(2)];
    const sides = {
      before: { ...earlier, accounts: accounts(earlier, "5") },
      after: { ...later, accounts: accounts(later, "5") },
    };
    expect(judge(sides).outcome).toBe("proved");
    expect(judge({ ...sides, after: { ...later, accounts: accounts(later, "9") } }).outcome).toBe(
      "inconclusive",
    );
    const beside = [sides.after, { ...sides.after, name: "another" }];
    expect(judge({ ...sides, after: beside }).outcome).toBe("inconclusive");
  });
});
