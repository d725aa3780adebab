/** Work that was charged in part was ended by somebody. */

import type { Contract } from "../model/contract.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";
import { sumUses } from "./sum-uses.ts";

export const usageCompleted: Contract = defineLedgerContract(
  {
    id: "ledger/usage-completed",
    version: 1,
    promise:
      "Of every hold out of which something was charged somebody said that its work is done; none ran out in the middle.",
    options: {},
  },
  judge,
);

function judge(books: Books): Judgement | undefined {
  const { reserves, uses, isWhole } = books;
  if (reserves === undefined || uses === undefined) return undefined;
  const holds = reserves.filter(({ kind }) => kind === "hold");
  return {
    differences: isWhole ? unfinished(books) : [],
    missing: isWhole ? [] : [wholeMissing],
    lists: ["reserves", "uses"],
    heldTitle: `All work that the ledger ${books.name} charged for was ended by somebody`,
    lookedAt: `${plural(holds.length, "hold")} and ${plural(uses.length, "use")} were compared.`,
  };
}

function unfinished(books: Books): Difference[] {
  const sums = sumUses(books);
  const sorted = (books.reserves ?? []).toSorted((left, right) => compareText(left.id, right.id));
  return sorted.flatMap(({ id, kind, state, isCompleted }): Difference[] => {
    const sum = sums.get(id);
    if (kind !== "hold" || state !== "expired" || sum === undefined || sum.count === 0) return [];
    // A use that came late, as the last one of its work, says that it is done.
    if (isCompleted === true || sum.hasFinal) return [];
    return [
      {
        kind: "use-without-completion",
        subject: { kind: "hold", name: id },
        expectedMicros: 0n,
        actualMicros: sum.amountMicros,
        message: `Of the hold ${id} ${sum.amountMicros} were charged, and it ran out before anybody said that its work is done.`,
        places: [
          { list: "reserves", ids: [id] },
          { list: "uses", ids: sum.ids },
        ],
        causeKind: "dependency",
        repair:
          "Report the last use of this work as its last one; a late report is charged and completes it.",
        nextCheck:
          "Look whether the process that did the work died, and what it did that nobody reported.",
      },
    ];
  });
}
