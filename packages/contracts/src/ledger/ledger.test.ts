import { describe, expect, it } from "vitest";

import { LedgerMaker } from "../../test/ledger-maker.ts";
import type { Finding } from "../model/finding.ts";
import type { BookedReserve, LedgerContent } from "../model/ledger.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { redactSnapshot } from "../snapshot/redact.ts";
import { ledgerContracts } from "./contracts.ts";
import { costMatchesInvoice } from "./cost-matches-invoice.ts";
import { earlierInvoiceEntryId, invoiceEntryId, invoiceSideHash } from "./invoice-entry-id.ts";

const source = { name: "ledger.jsonl", format: "ledger-export", notes: [] };

function check(...contents: readonly LedgerContent[]): Finding[] {
  const snapshot = createSnapshot(contents.map((content) => ({ source, content })));
  return ledgerContracts.flatMap((contract) => contract.check(snapshot));
}

const told = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ verdict }) => verdict === "violated")
    .map(
      ({ measures, subject }) =>
        `${String(measures["difference"])} ${subject.kind} ${subject.name}`,
    );
const verdicts = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ contract, verdict }) => [contract.slice(7), verdict]));

/** A ledger in which everything happened once: a hold that was settled, one that is open, a lease in use. */
function maker(): LedgerMaker {
  const made = new LedgerMaker().grant(1_000n);
  made.reserve("hold", "op", 100n);
  made.use("op", "op/1", { micros: 40n, provider: "openai", model: "gpt" }).end("op", "settled");
  made.reserve("hold", "next", 50n);
  made.reserve("lease", "lent", 300n);
  return made.use("lent", "lent/1", { micros: 20n, provider: "openai", model: "gpt" });
}

function changed(change: (content: LedgerContent) => Partial<LedgerContent>): Finding[] {
  const content = maker().content();
  return check({ ...content, ...change(content) });
}

const withReserve = (id: string, more: Partial<BookedReserve>) => (content: LedgerContent) => ({
  reserves:
    content.reserves?.map((reserve) => (reserve.id === id ? { ...reserve, ...more } : reserve)) ??
    [],
});

describe("a ledger in which everything agrees", () => {
  it("holds by every contract that it concerns", () => {
    expect(verdicts(check(maker().content()))).toEqual({
      "balance-matches-entries": "holds",
      "no-overspend": "holds",
      "charged-once": "holds",
      "holds-end": "holds",
      "usage-completed": "holds",
      "lease-matches-journal": "holds",
    });
  });

  it("holds with amounts beyond any number of JSON, to the last micro", () => {
    const huge = 10n ** 30n;
    const made = new LedgerMaker().grant(huge + 1n);
    made.reserve("hold", "op", huge);
    const content = made.content();
    expect(told(check(content))).toEqual([]);
    const accounts = content.accounts?.map((account) =>
      account.id === "credit/USD" ? { ...account, balanceMicros: "2" } : account,
    );
    expect(check({ ...content, accounts: accounts ?? [] })[0]).toMatchObject({
      verdict: "violated",
      title: "The entries of credit/USD sum to 1; its balance is 2.",
      measures: { expectedMicros: "1", actualMicros: "2" },
    });
  });
});

describe("a snapshot of a ledger", () => {
  it("keeps its verdicts when it is redacted, though amounts and ids look like numbers of cards", () => {
    const card = "4111111111111111";
    const made = new LedgerMaker().grant(BigInt(card));
    made.reserve("hold", card, BigInt(card) - 1n);
    const content = made.use(card, `${card}/1`, { micros: 5n }).content();
    const uses = content.uses?.map((use) => ({ ...use, amountMicros: "6" })) ?? [];
    const snapshot = createSnapshot([{ source, content: { ...content, uses } }]);
    const redacted = redactSnapshot(snapshot).snapshot;
    const of = (one: typeof snapshot) =>
      told(ledgerContracts.flatMap((contract) => contract.check(one)));
    expect(of(snapshot)).toEqual([`use-differs use ${card}/1`]);
    expect(of(redacted)).toEqual(of(snapshot));
  });

  it("keeps two ledgers apart, and tells of each", () => {
    const other = { ...maker().content(), name: "other", accounts: [] };
    const found = check(maker().content(), other);
    const held = found.filter(({ contract }) => contract === "ledger/balance-matches-entries");
    expect(new Set(held.map(({ verdict }) => verdict))).toEqual(new Set(["holds", "violated"]));
    const violated = held.filter(({ verdict }) => verdict === "violated");
    expect(new Set(violated.map(({ measures }) => measures["ledger"]))).toEqual(new Set(["other"]));
  });
});

describe("ledger/balance-matches-entries", () => {
  it("finds an account that was changed, and one that was taken away", () => {
    const set = (balanceMicros: string) =>
      changed(({ accounts = [] }) => ({
        accounts: accounts.map((account) =>
          account.id === "holds/USD" ? { ...account, balanceMicros } : account,
        ),
      }));
    expect(told(set("331"))).toEqual(["balance-differs account holds/USD"]);
    const without = changed(({ accounts = [] }) => ({
      accounts: accounts.filter(({ id }) => id !== "holds/USD"),
    }));
    expect(told(without)).toEqual(["balance-differs account holds/USD"]);
  });

  it("finds a hold that says another amount than its entries", () => {
    expect(told(changed(withReserve("next", { remainingMicros: "49" })))).toEqual([
      "hold-differs hold next",
    ]);
  });

  it("finds balances that do not sum to zero where no entries are known, and asks for these", () => {
    const { accounts = [] } = maker().content();
    const [first, ...rest] = accounts;
    if (first === undefined) throw new Error("there is an account");
    const off = { ...first, balanceMicros: String(BigInt(first.balanceMicros) + 1n) };
    const found = check({ kind: "ledger", accounts: [off, ...rest] });
    expect(found.map(({ verdict }) => verdict)).toEqual(["violated", "inconclusive"]);
    expect(told(found)).toEqual(["sum-differs ledger ledger in USD"]);
    expect(check({ kind: "ledger", accounts }).map(({ verdict }) => verdict)).toEqual([
      "inconclusive",
    ]);
  });

  it("does not call balances wrong that were picked out of a ledger", () => {
    const { accounts = [] } = maker().content();
    const picked = accounts.filter(({ balanceMicros }) => BigInt(balanceMicros) > 0n);
    expect(picked.length).toBeGreaterThan(0);
    expect(check({ kind: "ledger", accounts: picked }).map(({ verdict }) => verdict)).toEqual([
      "inconclusive",
    ]);
  });

  it("does not call parts wrong that were read one after another", () => {
    const { accounts = [], entries = [] } = maker().content();
    const late = entries.slice(0, -1);
    const parts = (list: typeof entries) =>
      check({ kind: "ledger", accounts }, { kind: "ledger", entries: list }).filter(
        ({ contract }) => contract === "ledger/balance-matches-entries",
      );
    expect(parts(entries)).toMatchObject([{ verdict: "holds" }]);
    expect(parts(late)).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe("ledger/no-overspend", () => {
  it("finds an admission beyond credit and line, in the order of the entries, though it was paid later", () => {
    const made = new LedgerMaker().grant(100n).setLimit(50n);
    made.reserve("hold", "a", 150n);
    made.setLimit(0n);
    const content = made.grant(500n).content();
    expect(told(check(content))).toEqual(["debt-blocks account debt/USD"]);
    const early = content.limits?.map((limit) => ({ ...limit, limitMicros: "0" })) ?? [];
    const found = check({ ...content, limits: early });
    expect(told(found)).toEqual(["overspent hold a", "debt-blocks account debt/USD"]);
    expect(found.find(({ subject }) => subject.name === "a")?.title).toBe(
      "The admission of a at entry 3 reserved 50 USD and left a debt of 50, where 0 may be owed.",
    );
  });

  it("takes use that a provider reported beyond its bound for a debt, and for no admission", () => {
    const made = new LedgerMaker().grant(100n);
    made.reserve("hold", "op", 100n);
    const found = check(made.use("op", "op/1", { micros: 130n }).end("op", "settled").content());
    expect(told(found)).toEqual(["debt-blocks account debt/USD"]);
    expect(found.find(({ verdict }) => verdict === "violated")).toMatchObject({
      title: "The account owes 30, and may owe 0.",
      causeKind: "capacity",
      boundary: "tenant-compute",
    });
  });

  it("asks for the order and the line where they are not known", () => {
    const open = (content: LedgerContent) =>
      check(content).find(({ contract }) => contract === "ledger/no-overspend");
    const made = new LedgerMaker().grant(100n).setLimit(50n);
    made.reserve("hold", "a", 150n);
    const { limits: _limits, ...content } = made.content();
    for (const limits of [undefined, []]) {
      const without = limits === undefined ? content : { ...content, limits };
      expect(open(without)).toMatchObject({ verdict: "inconclusive" });
      expect(open(without)?.missing[0]).toContain("account in USD may be used beyond its credit");
    }
    const unnumbered = content.entries?.map(({ sequence: _sequence, ...entry }) => entry) ?? [];
    const whole = maker().content();
    expect(open({ ...whole, entries: unnumbered })?.missing[0]).toContain("order of the entries");
    const { limits: _unused, ...prepaid } = whole;
    expect(open(prepaid)?.verdict).toBe("holds");
  });

  it("finds an admission of credit that two processes held at once", () => {
    const content = maker().content();
    const entries = (content.entries ?? []).flatMap((entry) =>
      entry.holdId === "next" && entry.reason === "held"
        ? [{ ...entry, amountMicros: "2000" }]
        : [entry],
    );
    expect(told(check({ ...content, entries }))).toContain("overspent hold next");
  });
});

describe("ledger/charged-once", () => {
  it("finds what was charged twice, by its id, and what was charged for something else than it cost", () => {
    const twice = changed(({ entries = [] }) => {
      const charge = entries.find(({ usageId }) => usageId === "op/1");
      return charge === undefined ? {} : { entries: [...entries, { ...charge, sequence: 99 }] };
    });
    expect(told(twice)).toContain("use-differs use op/1");
    const finding = twice.find(({ subject }) => subject.name === "op/1");
    expect(finding?.fixes[0]?.description).toBe(
      "A compensating entry that gives 40 micros of USD settles it.",
    );
  });

  it("finds one interval of a job under two ids, and one id twice", () => {
    const place = { job: "train", interval: "3" };
    const made = new LedgerMaker().grant(1_000n);
    made.reserve("hold", "train", 500n);
    made
      .use("train", "train/3", { micros: 40n, ...place })
      .use("train", "train/3-again", { micros: 40n, ...place });
    const content = made.content();
    expect(told(check(content))).toEqual(["charged-twice use train/3"]);
    const uses = content.uses?.map(({ job: _job, ...use }) => use) ?? [];
    expect(told(check({ ...content, uses }))).toEqual([]);
    const table: LedgerContent = { kind: "ledger", uses: [...uses, ...uses] };
    expect(told(check(table))).toEqual([
      "charged-twice use train/3",
      "charged-twice use train/3-again",
    ]);
    // Two tables that overlap tell of the same use.
    const [first = { id: "", amountMicros: "0" }] = uses;
    expect(told(check({ kind: "ledger", uses }, { kind: "ledger", uses: [first] }))).toEqual([]);
  });
});

describe("ledger/holds-end", () => {
  it("finds a hold that ran out, though not before it could be swept, and one that ended and still reserves", () => {
    const { readMicros = 0 } = maker().content();
    const ended = (agoMillis: number) =>
      told(changed(withReserve("next", { endsMicros: readMicros - agoMillis * 1_000 })));
    expect(ended(60_001)).toEqual(["hold-without-work hold next"]);
    expect(ended(60_000)).toEqual([]);
    expect(told(changed(withReserve("next", { state: "released" })))).toEqual([
      "hold-without-work hold next",
    ]);
    // A lease past its deadline waits for its journal.
    expect(told(changed(withReserve("lent", { endsMicros: 1 })))).toEqual([]);
  });

  it("finds work that no hold and no lease was for", () => {
    const found = changed(({ uses = [] }) => ({
      uses: uses.map((use) => (use.id === "op/1" ? { ...use, holdId: "nobody" } : use)),
    }));
    expect(told(found)).toEqual(["work-without-hold use op/1"]);
  });
});

describe("ledger/usage-completed", () => {
  it("finds a hold that ran out after a use, unless its last use came late", () => {
    const expired = (isCompleted: boolean) => {
      const made = new LedgerMaker().grant(1_000n);
      made.reserve("hold", "job", 100n);
      return told(
        check(
          made.use("job", "job/1", { micros: 40n }).end("job", "expired", isCompleted).content(),
        ),
      );
    };
    expect(expired(false)).toEqual(["use-without-completion hold job"]);
    expect(expired(true)).toEqual([]);
    const unused = new LedgerMaker().grant(1_000n);
    unused.reserve("hold", "job", 100n);
    expect(told(check(unused.end("job", "expired", false).content()))).toEqual([]);
  });
});

describe("ledger/lease-matches-journal", () => {
  it("finds uses that the journal told of and nobody charged", () => {
    const found = changed(withReserve("lent", { journal: { count: 2, amountMicros: "60" } }));
    expect(told(found)).toEqual(["lease-differs lease lent"]);
    expect(found.find(({ verdict }) => verdict === "violated")?.title).toBe(
      "The worker of the lease lent reported 2 uses of 60; the ledger has 1 of 20.",
    );
  });

  it("finds what of a lost lease no journal explains, until an entry settled it", () => {
    const lost = { state: "lost", unreadMicros: "7" };
    const found = changed(withReserve("lent", { ...lost, remainingMicros: "280" }));
    expect(told(found)).toContain("lease-unread lease lent");
    const finding = found.find(({ measures }) => measures["difference"] === "lease-unread");
    expect(finding?.fixes[0]?.description).toContain("reconcile-lease-lent, which gives 7 micros");
    const settled = changed(withReserve("lent", { ...lost, settledBy: "reconcile-lease-lent" }));
    expect(told(settled)).not.toContain("lease-unread lease lent");
  });
});

describe("ledger/cost-matches-invoice", () => {
  const line = { provider: "openai", model: "gpt", currency: "USD" };
  const day = { fromMicros: 1_799_999_000_000_000, untilMicros: 1_800_000_001_000_000 };
  const invoiceOf = (amountMicros: string, more: object = {}): LedgerContent => ({
    kind: "ledger",
    invoice: [{ ...line, amountMicros, ...more }],
  });
  const cost = (findings: readonly Finding[]) =>
    findings.filter(({ contract }) => contract === costMatchesInvoice.id);
  /** The export is made long after the time of the invoice. */
  const ledger = (): LedgerContent => ({ ...maker().content(), readMicros: 1_900_000_000_000_000 });
  const month = { fromMicros: 1_799_999_000_000_000, untilMicros: 1_800_100_000_000_000 };

  it("compares sums by provider, model and currency in the time of the invoice", () => {
    expect(cost(check(ledger(), invoiceOf("60", month)))).toMatchObject([{ verdict: "holds" }]);
    const [finding] = cost(check(ledger(), invoiceOf("50", month)));
    expect(finding).toMatchObject({
      verdict: "violated",
      title: "For openai/gpt the provider invoices 50 micros of USD, and 60 were charged.",
    });
    expect(finding?.fixes[0]?.description).toMatch(
      /reconcile-invoice\/1799999000000-1800100000000\/[0-9a-f]{32}\/0, which gives 10/,
    );
    expect(cost(check(ledger(), invoiceOf("60", day)))[0]?.verdict).toBe("violated");
  });

  it("says nothing of a provider that the invoice does not name, and all of one that it names", () => {
    const { uses = [] } = ledger();
    const others = uses.map((use) => ({ ...use, id: `${use.id}-more`, holdId: "op" }));
    const of = (provider: string, model: string): LedgerContent => ({
      ...ledger(),
      uses: [...uses, ...others.map((use) => ({ ...use, provider, model }))],
    });
    const judged = (content: LedgerContent) =>
      cost(check(content, invoiceOf("60", month))).map(({ verdict }) => verdict);
    expect(judged(of("anthropic", "claude"))).toEqual(["holds"]);
    expect(judged(of("openai", "gpt-small"))).toEqual(["violated"]);
  });

  it("holds once the entry that it proposes was made, as much and the same way", () => {
    const [finding] = cost(check(ledger(), invoiceOf("50", month)));
    const commandId = /reconcile-invoice\/[0-9a-f/-]+/.exec(finding?.fixes[0]?.description ?? "");
    const entered = (from: string, to: string, amountMicros: string): LedgerContent => ({
      ...ledger(),
      entries: [
        ...(ledger().entries ?? []),
        { sequence: 999, from, to, amountMicros, commandId: commandId?.[0] ?? "" },
      ],
    });
    const judged = (content: LedgerContent) =>
      cost(check(content, invoiceOf("50", month))).map(({ verdict }) => verdict);
    expect(judged(entered("adjustments/USD", "credit/USD", "10"))).toEqual(["holds"]);
    expect(judged(entered("adjustments/USD", "credit/USD", "9"))).toEqual(["violated"]);
    expect(judged(entered("credit/USD", "adjustments/USD", "10"))).toEqual(["violated"]);
    expect(judged(entered("adjustments/EUR", "credit/EUR", "10"))).toEqual(["violated"]);
    expect(judged(entered("adjustments/USD", "debt/USD", "10"))).toEqual(["holds"]);
    expect(judged(entered("adjustments/USD", "grants/USD", "10"))).toEqual(["violated"]);
    expect(judged(entered("adjustments/USD", "credit/EUR", "10"))).toEqual(["violated"]);
    // What was settled is settled once: corrected, the invoice differs by the rest, which the next entry settles.
    const corrected = cost(
      check(entered("adjustments/USD", "credit/USD", "10"), invoiceOf("45", month)),
    );
    expect(corrected[0]?.fixes[0]?.description).toMatch(/[0-9a-f]{32}\/1, which gives 5 micros/);
  });

  it("counts the entry of an earlier release, and not of another time that overlaps this one", () => {
    const withEntry = (commandId: string): LedgerContent => ({
      ...ledger(),
      entries: [
        ...(ledger().entries ?? []),
        { sequence: 999, from: "adjustments/USD", to: "credit/USD", amountMicros: "10", commandId },
      ],
    });
    const ms = { fromMs: month.fromMicros / 1_000, untilMs: month.untilMicros / 1_000 };
    const side = { name: "openai/gpt", currency: "USD" };
    const earlier = earlierInvoiceEntryId(ms, { ...side, theirMicros: 50n, ourMicros: 60n });
    const judged = (commandId: string, amountMicros: string) =>
      cost(check(withEntry(commandId), invoiceOf(amountMicros, month)));
    expect(judged(earlier, "50")).toMatchObject([{ verdict: "holds" }]);
    expect(judged(earlier, "48")[0]?.fixes[0]?.description).toContain("/0, which gives 2 micros");
    const overlapping = { ...ms, untilMs: ms.untilMs + 1 };
    const other = invoiceEntryId(overlapping, invoiceSideHash(side), 0);
    expect(judged(other, "50")).toMatchObject([
      { verdict: "inconclusive", missing: [expect.stringContaining(other)] },
    ]);
    expect(judged(other, "60")).toMatchObject([{ verdict: "holds" }]);
  });

  it("needs a conversion of another currency, and none of the same in other letters", () => {
    const judged = (more: object) => cost(check(ledger(), invoiceOf("60", { ...month, ...more })));
    expect(judged({ currency: "usd" })).toMatchObject([{ verdict: "holds" }]);
    const euros = judged({ currency: "EUR" });
    expect(euros).toMatchObject([
      {
        verdict: "inconclusive",
        missing: ["A conversion: openai invoices in EUR, and its uses were charged in USD."],
      },
    ]);
    // Of a model that was never used nothing is to be converted.
    expect(judged({ currency: "EUR", provider: "anthropic" })[0]?.verdict).toBe("violated");
  });

  it("finds a model by its name in a catalog, which begins with that of its provider", () => {
    const named = { ...month, model: "openai/gpt" };
    expect(cost(check(ledger(), invoiceOf("60", named)))).toMatchObject([{ verdict: "holds" }]);
  });

  it("takes the time of an option, and lets sums be off by as much as one says", () => {
    const snapshot = createSnapshot(
      [ledger(), invoiceOf("55")].map((content) => ({ source, content })),
    );
    const period = "2027-01-01/2027-02-01";
    expect(costMatchesInvoice.check(snapshot)).toMatchObject([{ verdict: "inconclusive" }]);
    expect(costMatchesInvoice.with({ period }).check(snapshot)).toMatchObject([
      { verdict: "violated" },
    ]);
    const lenient = costMatchesInvoice.with({ period, differenceMicrosMax: 5 });
    expect(lenient.check(snapshot)).toMatchObject([{ verdict: "holds" }]);
  });

  it("is inconclusive without all uses of that time, and of two ledgers at once", () => {
    const { fromMicros } = month;
    const late = { ...ledger(), fromMicros: fromMicros + 1 };
    expect(cost(check(late, invoiceOf("60", month)))[0]).toMatchObject({ verdict: "inconclusive" });
    expect(cost(check(invoiceOf("60", month)))[0]).toMatchObject({ verdict: "inconclusive" });
    const two = check(ledger(), { ...ledger(), name: "other" }, invoiceOf("60", month));
    expect(cost(two)).toMatchObject([{ verdict: "inconclusive" }]);
    const { uses = [] } = ledger();
    const table: LedgerContent = { kind: "ledger", uses };
    expect(cost(check(table, invoiceOf("60", month)))[0]?.verdict).toBe("holds");
    expect(cost(check(table, invoiceOf("61", month)))[0]?.verdict).toBe("inconclusive");
  });
});
