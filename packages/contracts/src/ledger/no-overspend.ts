/** Nothing is admitted beyond the limit, and what is owed beyond it blocks. */

import type { Contract } from "../model/contract.ts";
import type { BookedEntry, BookedLimit } from "../model/ledger.ts";
import { compareText } from "../text/compare-text.ts";
import { currencyOf } from "./account-name.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";

export const noOverspend: Contract = defineLedgerContract(
  {
    id: "ledger/no-overspend",
    version: 1,
    promise:
      "At every admission, in the order of the entries, spend and open holds lie within credit and the credit line, and no debt is beyond the line.",
    options: {},
  },
  judge,
);

function judge(books: Books): Judgement | undefined {
  const { accounts, entries, isWhole } = books;
  if (accounts === undefined || entries === undefined) return undefined;
  const unfit = [
    ...(isWhole ? [] : [wholeMissing]),
    ...(isOrdered(entries) ? [] : ["The order of the entries, by their numbers."]),
  ];
  const canReplay = unfit.length === 0;
  const missing = [
    ...unfit,
    ...currenciesWithoutLine(books).map(
      (currency) =>
        `How far the account in ${currency} may be used beyond its credit, and since when.`,
    ),
  ];
  const replay = canReplay ? replayAdmissions(books) : { differences: [], admissionCount: 0 };
  return {
    differences: [...replay.differences, ...blockingDebts(books)],
    missing,
    lists: ["accounts", "entries"],
    heldTitle: `Every admission of the ledger ${books.name} was within its limit`,
    lookedAt: canReplay
      ? `${replay.admissionCount} admissions were followed in the order of the entries.`
      : "The admissions could not be followed.",
  };
}

/** Something is owed in them, or was, and nobody says how much may be. */
function currenciesWithoutLine({ accounts = [], limits = [] }: Books): string[] {
  const known = new Set(limits.map(({ currency }) => currency));
  const owed = accounts.flatMap(({ id }) => (id.startsWith("debt/") ? [currencyOf(id)] : []));
  return owed.filter((currency) => !known.has(currency)).sort(compareText);
}

function isOrdered(entries: readonly BookedEntry[]): boolean {
  return entries.every(
    ({ sequence }, index) =>
      sequence !== undefined && (index === 0 || sequence > (entries[index - 1]?.sequence ?? 0)),
  );
}

interface Replay {
  readonly differences: Difference[];
  readonly admissionCount: number;
}

/** Follows the balances from entry to entry, and looks at them wherever a command reserved something. */
function replayAdmissions(books: Books): Replay {
  const { accounts = [], entries = [], limits = [] } = books;
  const balances = new Map(
    accounts.map(({ id, openingMicros }) => [id, BigInt(openingMicros ?? 0)]),
  );
  const limitAt = limitsInOrder(limits);
  const differences: Difference[] = [];
  let admissionCount = 0;
  for (const [index, entry] of entries.entries()) {
    const { from, to, amountMicros, reason, commandId } = entry;
    const micros = BigInt(amountMicros);
    balances.set(from, (balances.get(from) ?? 0n) - micros);
    balances.set(to, (balances.get(to) ?? 0n) + micros);
    if (reason !== "held") continue;
    const next = entries[index + 1];
    // One admission may draw on several lots and the credit line.
    if (next?.reason === "held" && next.commandId === commandId && commandId !== undefined)
      continue;
    admissionCount += 1;
    const limitMicros = limitAt(currencyOf(to), entry.sequence ?? 0);
    const fault = overspending({ entry, balances, limitMicros });
    if (fault !== undefined) differences.push(fault);
  }
  return { differences, admissionCount };
}

interface Admission {
  readonly entry: BookedEntry;
  readonly balances: ReadonlyMap<string, bigint>;
  /** Absent where nobody says. */
  readonly limitMicros: bigint | undefined;
}

function overspending({ entry, balances, limitMicros }: Admission): Difference | undefined {
  const { to, amountMicros, holdId, sequence } = entry;
  const currency = currencyOf(to);
  const creditMicros = balances.get(`credit/${currency}`) ?? 0n;
  const owedMicros = -(balances.get(`debt/${currency}`) ?? 0n);
  const isBeyondCredit = creditMicros < 0n;
  const lineMicros = limitMicros ?? owedMicros;
  if (!isBeyondCredit && owedMicros <= lineMicros) return undefined;
  const what = isBeyondCredit
    ? `left ${creditMicros} of credit`
    : `left a debt of ${owedMicros}, where ${lineMicros} may be owed`;
  return {
    kind: "overspent",
    subject: { kind: "hold", name: holdId ?? `entry ${sequence}` },
    expectedMicros: isBeyondCredit ? 0n : -lineMicros,
    actualMicros: isBeyondCredit ? creditMicros : -owedMicros,
    message: `The admission of ${holdId ?? "a hold"} at entry ${sequence} reserved ${amountMicros} ${currency} and ${what}.`,
    places: [{ list: "entries", ids: [String(sequence)] }],
    causeKind: "capacity",
    repair: `Raise the credit line of ${currency}, or grant what was admitted beyond it.`,
    nextCheck:
      "Find which process admitted it, and whether another held the same credit at that moment.",
  };
}

/** The limit of a currency at an entry; asked for entries in their order. Of several from one entry on the widest counts. */
function limitsInOrder(
  limits: readonly BookedLimit[],
): (currency: string, sequence: number) => bigint | undefined {
  const current = new Map<string, bigint>();
  const widest = widestLimits(limits);
  let next = 0;
  return (currency, sequence) => {
    for (let limit = widest[next]; limit !== undefined; limit = widest[next]) {
      if (limit.fromSequence > sequence) break;
      current.set(limit.currency, BigInt(limit.limitMicros));
      next += 1;
    }
    return current.get(currency);
  };
}

/** Which of several limits that were set with no entry between them was the last nobody can tell. */
function widestLimits(limits: readonly BookedLimit[]): readonly BookedLimit[] {
  const groups = Map.groupBy(limits, ({ currency, fromSequence }) => `${fromSequence} ${currency}`);
  return [...groups.values()].flatMap((group) =>
    group
      .toSorted((left, right) => (BigInt(left.limitMicros) > BigInt(right.limitMicros) ? -1 : 1))
      .slice(0, 1),
  );
}

/** Debts beyond the line now: use that a provider reported beyond its bound. They block, and somebody has to pay them. */
function blockingDebts({ accounts = [], limits }: Books): Difference[] {
  if (limits === undefined) return [];
  const present = new Map(
    widestLimits(limits).map(({ currency, limitMicros }) => [currency, BigInt(limitMicros)]),
  );
  const sorted = accounts.toSorted((left, right) => compareText(left.id, right.id));
  return sorted.flatMap(({ id, balanceMicros }): Difference[] => {
    const currency = currencyOf(id);
    const limitMicros = present.get(currency);
    const actualMicros = BigInt(balanceMicros);
    if (id !== `debt/${currency}` || limitMicros === undefined || actualMicros >= -limitMicros)
      return [];
    return [
      {
        kind: "debt-blocks",
        subject: { kind: "account", name: id },
        expectedMicros: -limitMicros,
        actualMicros,
        message: `The account owes ${-actualMicros}, and may owe ${limitMicros}.`,
        places: [{ list: "accounts", ids: [id] }],
        causeKind: "capacity",
        repair: `Grant credit: it covers the debt first. A wider credit line lets calls go on, and leaves the debt.`,
        nextCheck:
          "`faultline ledger explain OPERATION` shows which use was reported beyond its bound.",
      },
    ];
  });
}
