/** What does not agree in a ledger, in the words that the ledger's own reconciliation has for it. */

import type { CauseKind, Subject } from "../model/finding.ts";
import type { exportedDifferenceKinds } from "../model/ledger.ts";
import type { ListName } from "./books.ts";

/** The kinds of what may not agree: as reconciliation calls them, and what only entries in their order, or tables, show. */
type LedgerDifferenceKind =
  | (typeof exportedDifferenceKinds)[number]
  | "invoice-differs"
  | "sum-differs"
  | "overspent"
  | "charged-twice";

/** An entry that would settle a difference. */
export interface CompensatingEntry {
  /** Of one that reconciliation proposes: its id, by which it takes effect once, and the options that make it. */
  readonly proposal?: { readonly commandId: string; readonly options: string };
  readonly currency: string;
  readonly direction: "give" | "take";
  readonly amountMicros: bigint;
}

/** Something that does not agree. */
export interface Difference {
  readonly kind: LedgerDifferenceKind;
  readonly subject: Subject;
  readonly expectedMicros: bigint;
  readonly actualMicros: bigint;
  /** One sentence with the amounts in micros. */
  readonly message: string;
  /** What shows it, by list and id. */
  readonly places: readonly { readonly list: ListName; readonly ids: readonly string[] }[];
  /** `data` where left out. */
  readonly causeKind?: CauseKind;
  readonly entry?: CompensatingEntry;
  /** What else would settle it. */
  readonly repair?: string;
  readonly nextCheck?: string;
}

/** The words of a compensating entry. */
export function entryWords({
  proposal,
  currency,
  direction,
  amountMicros,
}: CompensatingEntry): string {
  const what = `${direction === "give" ? "gives" : "takes"} ${amountMicros} micros of ${currency}`;
  return proposal === undefined
    ? `A compensating entry that ${what} settles it.`
    : `The compensating entry ${proposal.commandId}, which ${what}, settles it; \`faultline ledger reconcile ${proposal.options}\` makes it.`;
}
