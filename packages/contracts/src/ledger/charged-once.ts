/** What was used is charged once, for as much as it cost. */

import type { Contract } from "../model/contract.ts";
import type { BookedUse } from "../model/ledger.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { currencyOf, isUsageAccount } from "./account-name.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";

export const chargedOnce: Contract = defineLedgerContract(
  {
    id: "ledger/charged-once",
    version: 1,
    promise:
      "Every use is charged exactly once, by its id or by its job and interval, and its entries sum to what it cost.",
    options: {},
  },
  judge,
);

function judge(books: Books): Judgement | undefined {
  const { uses, entries, isWhole } = books;
  if (uses === undefined) return undefined;
  const repeated = [...repeatedIds(uses), ...repeatedIntervals(uses)];
  const repeatedUses = new Set(repeated.map(({ subject }) => subject.name));
  const differing = isWhole
    ? chargeDifferences(books).filter(({ subject }) => !repeatedUses.has(subject.name))
    : [];
  const missing = [
    ...(entries === undefined ? ["The entries that charged the uses."] : []),
    ...(entries === undefined || isWhole ? [] : [wholeMissing]),
  ];
  return {
    differences: [...repeated, ...differing],
    missing,
    lists: ["uses", "entries"],
    heldTitle: `Every use of the ledger ${books.name} was charged once, for what it cost`,
    lookedAt: `${plural(uses.length, "use")} and ${entries?.length ?? 0} entries were compared.`,
  };
}

function repeatedIds(uses: readonly BookedUse[]): Difference[] {
  const groups = Map.groupBy(uses, ({ id }) => id);
  return [...groups].flatMap(([id, group]) =>
    group.length < 2
      ? []
      : [repetition(id, group, `The use ${id} was charged ${group.length} times`)],
  );
}

/** Uses under several ids that are for the same interval of the same job. */
function repeatedIntervals(uses: readonly BookedUse[]): Difference[] {
  const placed = uses.filter(({ job, interval }) => job !== undefined && interval !== undefined);
  const groups = Map.groupBy(placed, ({ job, interval }) => JSON.stringify([job, interval]));
  return [...groups.values()].flatMap((group) => {
    const ids = new Set(group.map(({ id }) => id));
    const [first] = group;
    if (first === undefined || ids.size < 2) return [];
    const what = `Interval ${first.interval} of job ${first.job} was charged as ${[...ids].join(", ")}`;
    return [repetition(first.id, group, what)];
  });
}

function repetition(id: string, group: readonly BookedUse[], words: string): Difference {
  const [first, ...others] = group.map(({ amountMicros }) => BigInt(amountMicros));
  const expectedMicros = first ?? 0n;
  const actualMicros = others.reduce((sum, micros) => sum + micros, expectedMicros);
  const currency = group.find((use) => use.currency !== undefined)?.currency;
  return {
    kind: "charged-twice",
    subject: { kind: "use", name: id },
    expectedMicros,
    actualMicros,
    message: `${words}, for ${actualMicros} in all.`,
    places: [{ list: "uses", ids: [...new Set(group.map((use) => use.id))] }],
    ...(currency === undefined || actualMicros <= expectedMicros
      ? {}
      : {
          entry: {
            currency,
            direction: "give" as const,
            amountMicros: actualMicros - expectedMicros,
          },
        }),
    repair:
      "Report each use under one id, which follows from the operation and its attempt, or from the job and its interval.",
  };
}

/** What each use cost beside what its entries brought to accounts of usage; for what no use stands for, nothing was due. */
function chargeDifferences({ uses = [], entries = [] }: Books): Difference[] {
  const costs = new Map(uses.map(({ id, amountMicros }) => [id, BigInt(amountMicros)]));
  const charges = new Map<string, bigint>();
  const currencies = new Map<string, string>();
  for (const { to, usageId, amountMicros } of entries) {
    if (usageId === undefined || !isUsageAccount(to)) continue;
    charges.set(usageId, (charges.get(usageId) ?? 0n) + BigInt(amountMicros));
    currencies.set(usageId, currencyOf(to));
  }
  const ids = [...new Set([...costs.keys(), ...charges.keys()])].sort(compareText);
  return ids.flatMap((id): Difference[] => {
    const expectedMicros = costs.get(id) ?? 0n;
    const actualMicros = charges.get(id) ?? 0n;
    if (expectedMicros === actualMicros) return [];
    const isTooMuch = actualMicros > expectedMicros;
    const amountMicros = isTooMuch ? actualMicros - expectedMicros : expectedMicros - actualMicros;
    const currency = currencies.get(id);
    return [
      {
        kind: "use-differs",
        subject: { kind: "use", name: id },
        expectedMicros,
        actualMicros,
        message: `The use ${id} cost ${expectedMicros}, and ${actualMicros} was charged.`,
        places: [{ list: costs.has(id) ? "uses" : "entries", ids: [id] }],
        ...(currency === undefined
          ? {}
          : { entry: { currency, direction: isTooMuch ? "give" : "take", amountMicros } }),
        nextCheck: "Look for what was reported of this use, and by which command it was charged.",
      },
    ];
  });
}
