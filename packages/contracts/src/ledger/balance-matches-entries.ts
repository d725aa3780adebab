/** Every balance is the sum of the entries, and all balances of a currency sum to zero. */

import type { Contract } from "../model/contract.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { currencyOf, isHoldsAccount } from "./account-name.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";

export const balanceMatchesEntries: Contract = defineLedgerContract(
  {
    id: "ledger/balance-matches-entries",
    version: 1,
    promise:
      "The balance of every account is the sum of its entries, what a hold or a lease reserves is the sum of its own, and all balances of a currency sum to zero.",
    options: {},
  },
  judge,
);

function judge(books: Books): Judgement | undefined {
  const { accounts, entries, isWhole } = books;
  if (accounts === undefined && entries === undefined) return undefined;
  const differing = [...accountDifferences(books), ...reserveDifferences(books)];
  const unequal = differing.length > 0 ? [] : sumDifferences(books);
  const missing = missingTo(books, differing.length);
  return {
    differences: isWhole ? [...differing, ...unequal] : unequal,
    missing,
    lists: ["accounts", "entries"],
    heldTitle: `Every balance of the ledger ${books.name} is the sum of its entries`,
    lookedAt: `${plural(accounts?.length ?? 0, "balance")} and ${entries?.length ?? 0} entries were compared.`,
  };
}

function missingTo({ accounts, entries, isWhole }: Books, differenceCount: number): string[] {
  if (accounts === undefined) return ["The balances of the accounts."];
  if (entries === undefined) return ["The entries of the ledger."];
  // Parts that agree although they were read apart agree.
  return isWhole || differenceCount === 0 ? [] : [wholeMissing];
}

function accountDifferences({ accounts, entries }: Books): Difference[] {
  if (accounts === undefined || entries === undefined) return [];
  const entered = new Map<string, bigint>();
  const move = (id: string, micros: bigint): void =>
    void entered.set(id, (entered.get(id) ?? 0n) + micros);
  for (const { id, openingMicros } of accounts) move(id, BigInt(openingMicros ?? 0));
  for (const { from, to, amountMicros } of entries) {
    const micros = BigInt(amountMicros);
    move(from, -micros);
    move(to, micros);
  }
  const balances = new Map(accounts.map(({ id, balanceMicros }) => [id, BigInt(balanceMicros)]));
  return [...entered].sort(byId).flatMap(([id, expectedMicros]): Difference[] => {
    const actualMicros = balances.get(id) ?? 0n;
    if (actualMicros === expectedMicros) return [];
    return [
      {
        kind: "balance-differs",
        subject: { kind: "account", name: id },
        expectedMicros,
        actualMicros,
        message: `The entries of ${id} sum to ${expectedMicros}; its balance is ${actualMicros}.`,
        places: [{ list: "accounts", ids: [id] }],
        repair: `Set the balance of ${id} to ${expectedMicros} again, from its entries. No compensating entry settles it, because that moves both.`,
        nextCheck: `Look for what wrote the balance of ${id} other than by an entry, or took entries away.`,
      },
    ];
  });
}

/** What is reserved is compared where the ledger knows the hold; an entry for one that it does not know moves the balance alone. */
function reserveDifferences({ reserves, entries }: Books): Difference[] {
  if (reserves === undefined || entries === undefined) return [];
  const entered = new Map(
    reserves.map(({ id, openingMicros }) => [id, BigInt(openingMicros ?? 0)]),
  );
  for (const { from, to, amountMicros, holdId } of entries) {
    const micros = holdId === undefined ? undefined : entered.get(holdId);
    if (holdId === undefined || micros === undefined) continue;
    const gain = isHoldsAccount(to) ? BigInt(amountMicros) : 0n;
    const loss = isHoldsAccount(from) ? BigInt(amountMicros) : 0n;
    entered.set(holdId, micros + gain - loss);
  }
  const sorted = reserves.toSorted((left, right) => compareText(left.id, right.id));
  return sorted.flatMap(({ id, kind, remainingMicros }): Difference[] => {
    const expectedMicros = entered.get(id) ?? 0n;
    const actualMicros = BigInt(remainingMicros);
    if (actualMicros === expectedMicros) return [];
    return [
      {
        kind: "hold-differs",
        subject: { kind, name: id },
        expectedMicros,
        actualMicros,
        message: `The entries of hold ${id} leave ${expectedMicros}; it says ${actualMicros}.`,
        places: [{ list: "reserves", ids: [id] }],
        repair: `Set what ${id} reserves to ${expectedMicros} again, from its entries.`,
      },
    ];
  });
}

/** Double entry sums to zero; said where no account by itself shows what is wrong. */
function sumDifferences({ accounts, parts, name, isWhole }: Books): Difference[] {
  const listed = parts.filter(({ content }) => content.accounts !== undefined);
  // Balances of several moments need not sum to anything.
  if (accounts === undefined || listed.length > 1) return [];
  const sums = new Map<string, bigint>();
  const gives = new Set<string>();
  const takes = new Set<string>();
  for (const { id, balanceMicros } of accounts) {
    const currency = currencyOf(id);
    const micros = BigInt(balanceMicros);
    sums.set(currency, (sums.get(currency) ?? 0n) + micros);
    if (micros !== 0n) (micros > 0n ? takes : gives).add(currency);
  }
  // Balances that all lie on one side are some that were picked out: the accounts that they came from are not among them.
  if (!isWhole)
    for (const currency of sums.keys())
      if (!gives.has(currency) || !takes.has(currency)) sums.delete(currency);
  return [...sums].sort(byId).flatMap(([currency, actualMicros]): Difference[] => {
    if (actualMicros === 0n) return [];
    return [
      {
        kind: "sum-differs",
        subject: { kind: "ledger", name: `${name} in ${currency}` },
        expectedMicros: 0n,
        actualMicros,
        message: `All balances in ${currency} sum to ${actualMicros}, and every entry takes what it gives.`,
        places: [{ list: "accounts", ids: [] }],
        nextCheck: "Compare each balance with the sum of its entries.",
      },
    ];
  });
}

function byId([left]: readonly [string, bigint], [right]: readonly [string, bigint]): number {
  return compareText(left, right);
}
