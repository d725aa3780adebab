/** What each kind of finding of a reconciliation is called, and what it means, in a line for a person. */

import type { LedgerDifference } from "@faultline/protocol";

interface DifferenceWords {
  readonly name: string;
  readonly meaning: string;
}

const words: Readonly<Record<LedgerDifference["kind"], DifferenceWords>> = {
  "balance-differs": {
    name: "balance differs from its entries",
    meaning: "The books contradict themselves: something other than the ledger wrote to them.",
  },
  "hold-differs": {
    name: "hold differs from its entries",
    meaning: "What is reserved is not what moved into it and out of it.",
  },
  "debt-blocks": {
    name: "debt beyond the credit line",
    meaning: "More was used than there was credit for. Calls are refused until credit covers it.",
  },
  "hold-without-work": {
    name: "hold without work",
    meaning: "Credit is reserved, and nobody works on what it is for. Ending the hold frees it.",
  },
  "work-without-hold": {
    name: "work without a hold",
    meaning: "Something is used for which nothing is reserved. Other credit pays for it.",
  },
  "work-differs": {
    name: "work differs from its charge",
    meaning: "A job worked in other intervals than it was charged for.",
  },
  "use-differs": {
    name: "use differs from its charge",
    meaning: "What was charged for a use is not what it cost.",
  },
  "use-without-completion": {
    name: "use without completion",
    meaning: "Work was paid in part, and nobody said that it ended. What followed was not charged.",
  },
  "lease-differs": {
    name: "lease differs from its uses",
    meaning: "A worker reported other use of its lease than stands in the books.",
  },
  "journal-differs": {
    name: "journal tells of other use",
    meaning:
      "A worker's journal on disk and the books disagree, as after either was lost or restored.",
  },
  "lease-unread": {
    name: "lease that no journal accounts for",
    meaning:
      "A worker's journal was lost, so that its whole lease counts as spent. Give back what you know was not used.",
  },
  "lease-found": {
    name: "given back, and used after all",
    meaning: "A lost journal was found after its lease was given back. What it shows is owed.",
  },
  "edits-contradict": {
    name: "set in two regions at once",
    meaning: "Two regions set one limit without knowing of one another. The lower one holds.",
  },
  "escrow-overdue": {
    name: "recalled escrow did not come back",
    meaning: "A region keeps credit beyond its time. It counts as spent until the region reports.",
  },
  "invoice-differs": {
    name: "invoice differs",
    meaning: "A provider asks for something else than was charged for the same use.",
  },
};

/** The name of a kind. */
export function differenceName(kind: LedgerDifference["kind"]): string {
  return words[kind].name;
}

/** What it means. */
export function differenceMeaning(kind: LedgerDifference["kind"]): string {
  return words[kind].meaning;
}
