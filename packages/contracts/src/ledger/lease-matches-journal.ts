/** What a process admitted out of a lease, and wrote to its journal, is what the ledger charged. */

import type { Contract } from "../model/contract.ts";
import type { BookedReserve } from "../model/ledger.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type Judgement, wholeMissing } from "./judge-books.ts";
import { sumUses, type UsesOfReserve } from "./sum-uses.ts";

export const leaseMatchesJournal: Contract = defineLedgerContract(
  {
    id: "ledger/lease-matches-journal",
    version: 1,
    promise:
      "The uses that the journal of a lease tells of are charged, as many and as much, and of no lost lease anything is left that no journal explains.",
    options: {},
  },
  judge,
);

function judge(books: Books): Judgement | undefined {
  const { reserves, uses, isWhole } = books;
  const leases = (reserves ?? [])
    .filter(({ kind }) => kind === "lease")
    .toSorted((left, right) => compareText(left.id, right.id));
  if (leases.length === 0) return undefined;
  const isComparable = isWhole && uses !== undefined;
  const sums = isComparable ? sumUses(books) : new Map<string, UsesOfReserve>();
  return {
    differences: [
      ...leases.flatMap((lease) => differing(lease, sums.get(lease.id))),
      ...leases.flatMap(unread),
    ],
    missing: [
      ...(uses === undefined ? ["The uses that were charged to the leases."] : []),
      ...(isWhole ? [] : [wholeMissing]),
    ],
    lists: ["reserves", "uses"],
    heldTitle: `Every lease of the ledger ${books.name} was charged what its journal tells`,
    lookedAt: `${plural(leases.length, "lease")} and ${plural(uses?.length ?? 0, "use")} were compared.`,
  };
}

function differing(
  { id, journal }: BookedReserve,
  charged: UsesOfReserve | undefined,
): Difference[] {
  if (journal === undefined || charged === undefined) return [];
  const expectedMicros = BigInt(journal.amountMicros);
  const { count, amountMicros: actualMicros, ids } = charged;
  if (journal.count === count && expectedMicros === actualMicros) return [];
  return [
    {
      kind: "lease-differs",
      subject: { kind: "lease", name: id },
      expectedMicros,
      actualMicros,
      message: `The worker of the lease ${id} reported ${journal.count} uses of ${expectedMicros}; the ledger has ${count} of ${actualMicros}.`,
      places: [
        { list: "reserves", ids: [id] },
        { list: "uses", ids },
      ],
      nextCheck:
        "Read the journal of its process (`faultline journal`), and report again what is missing: each use is charged once.",
    },
  ];
}

function unread(lease: BookedReserve): Difference[] {
  const { id, state, currency, unreadMicros, settledBy } = lease;
  const actualMicros = BigInt(unreadMicros ?? 0);
  if (state !== "lost" || actualMicros <= 0n || settledBy !== undefined) return [];
  return [
    {
      kind: "lease-unread",
      subject: { kind: "lease", name: id },
      expectedMicros: 0n,
      actualMicros,
      message: `The lease ${id} was lost; ${actualMicros} of it count as spent, and no journal says for what.`,
      places: [{ list: "reserves", ids: [id] }],
      causeKind: "dependency",
      entry: {
        proposal: { commandId: `reconcile-lease-${id}`, options: "--apply" },
        currency,
        direction: "give",
        amountMicros: actualMicros,
      },
      nextCheck:
        "Look for the disk on which its journal lay: what is found there is charged in place of this.",
    },
  ];
}
