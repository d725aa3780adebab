/** What is reserved is for work that goes on, and work has something reserved for it. */

import type { Contract } from "../model/contract.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";

interface Options {
  readonly sweepDelayMillisMax: number;
}

export const holdsEnd: Contract = defineLedgerContract<Options>(
  {
    id: "ledger/holds-end",
    version: 1,
    promise:
      "A hold that ran out or ended reserves nothing any more, and every use belongs to a hold or a lease.",
    options: {
      sweepDelayMillisMax: {
        default: 60_000,
        description:
          "how long after its end a hold may still reserve, in milliseconds, until it is swept",
      },
    },
  },
  judge,
);

function judge(books: Books, options: Options): Judgement | undefined {
  const { reserves, uses, isWhole } = books;
  // A list of uses by itself tells nothing of holds, and need not.
  if (reserves === undefined) return undefined;
  return {
    differences: [...holdsWithoutWork(books, options), ...(isWhole ? workWithoutHold(books) : [])],
    missing: isWhole ? [] : [wholeMissing],
    lists: ["reserves", "uses"],
    heldTitle: `Every hold of the ledger ${books.name} is for work, and all work has one`,
    lookedAt: `${reserves.length} holds and leases and ${plural(uses?.length ?? 0, "use")} were compared.`,
  };
}

function holdsWithoutWork({ reserves = [], readMicros }: Books, options: Options): Difference[] {
  const sorted = reserves.toSorted(
    (left, right) =>
      (left.endsMicros ?? 0) - (right.endsMicros ?? 0) || compareText(left.id, right.id),
  );
  return sorted.flatMap(({ id, kind, state, remainingMicros, endsMicros }): Difference[] => {
    const actualMicros = BigInt(remainingMicros);
    const base = {
      kind: "hold-without-work",
      subject: { kind, name: id },
      expectedMicros: 0n,
      actualMicros,
      places: [{ list: "reserves", ids: [id] }],
      repair: `Release it, if its work is done: \`faultline ledger hold release ${id}\`. If the work goes on, renew it.`,
      nextCheck:
        "Look whether the process that placed it still lives, and whether the sweeper of the ledger runs.",
    } as const;
    if (state !== "open") {
      if (actualMicros === 0n) return [];
      const message = `The hold ${id} is ${state} and still reserves ${actualMicros}.`;
      return [{ ...base, message }];
    }
    if (kind === "lease" || readMicros === undefined || endsMicros === undefined) return [];
    if (endsMicros >= readMicros - options.sweepDelayMillisMax * 1_000) return [];
    return [{ ...base, message: `The hold ${id} ran out and still reserves ${actualMicros}.` }];
  });
}

function workWithoutHold({ reserves = [], uses = [] }: Books): Difference[] {
  const known = new Set(reserves.map(({ id }) => id));
  const sorted = uses.toSorted(
    (left, right) =>
      (left.timeMicros ?? 0) - (right.timeMicros ?? 0) || compareText(left.id, right.id),
  );
  return sorted.flatMap(({ id, holdId, amountMicros }): Difference[] => {
    if (holdId === undefined || known.has(holdId)) return [];
    return [
      {
        kind: "work-without-hold",
        subject: { kind: "use", name: id },
        expectedMicros: 0n,
        actualMicros: BigInt(amountMicros),
        message: `The use ${id} of ${amountMicros} belongs to no hold and no lease.`,
        places: [{ list: "uses", ids: [id] }],
        repair: "Admit the work through a hold or a lease before it begins.",
        nextCheck: `Look for who reported the use ${id}, and what became of ${holdId}.`,
      },
    ];
  });
}
