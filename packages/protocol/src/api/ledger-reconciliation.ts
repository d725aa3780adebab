/** What the ledger finds that does not agree, and what would settle it. */

import { type Static, Type } from "typebox";

import {
  AskedCurrency,
  AskedMicros,
  closed,
  Count,
  Currency,
  Id,
  Micros,
  Moment,
  Name,
} from "./ledger-values.ts";

/** A line of a provider's invoice. */
export const InvoiceLine = Type.Object(
  { provider: Name, model: Name, currency: AskedCurrency, amountMicros: AskedMicros },
  closed,
);
export type InvoiceLine = Static<typeof InvoiceLine>;

/** A provider's invoice for a time. */
export const ProviderInvoice = Type.Object(
  {
    from: Moment,
    until: Moment,
    lines: Type.Array(InvoiceLine, { minItems: 1, maxItems: 10_000 }),
  },
  closed,
);
export type ProviderInvoice = Static<typeof ProviderInvoice>;

export const ReconcileRequest = Type.Object(
  {
    invoice: Type.Optional(ProviderInvoice),
    /** Makes the proposed entries; default: they are only proposed. */
    apply: Type.Optional(Type.Boolean()),
    /** Enters what the invoice says as cost of the provider; the tenant's credit does not move. */
    book: Type.Optional(Type.Boolean()),
  },
  closed,
);

/** A line of a provider's invoice that was entered as cost. */
export const BookedInvoice = Type.Object(
  {
    /** The command that entered it. */
    commandId: Id,
    bookedAt: Moment,
    /** The provider, a slash and the model. */
    name: Type.String({ maxLength: 600 }),
    currency: Currency,
    amountMicros: Micros,
    /** What was charged for the same when it was entered. */
    chargedMicros: Micros,
    from: Moment,
    until: Moment,
  },
  closed,
);
export type BookedInvoice = Static<typeof BookedInvoice>;
export const BookedInvoiceList = Type.Object(
  { invoices: Type.Array(BookedInvoice, { maxItems: 1_000 }) },
  closed,
);

/** What may not agree. */
const DifferenceKind = Type.Union([
  Type.Literal("balance-differs"),
  Type.Literal("hold-differs"),
  Type.Literal("debt-blocks"),
  Type.Literal("hold-without-work"),
  Type.Literal("work-without-hold"),
  Type.Literal("use-differs"),
  Type.Literal("use-without-completion"),
  Type.Literal("lease-differs"),
  Type.Literal("journal-differs"),
  Type.Literal("lease-unread"),
  Type.Literal("lease-found"),
  Type.Literal("work-differs"),
  Type.Literal("escrow-overdue"),
  Type.Literal("edits-contradict"),
  Type.Literal("invoice-differs"),
]);

/** Something that does not agree. */
export const LedgerDifference = Type.Object(
  {
    kind: DifferenceKind,
    subject: Type.String({ maxLength: 600 }),
    expectedMicros: Micros,
    actualMicros: Micros,
    message: Type.String({ maxLength: 2_048 }),
    /** Ids of what shows it. */
    evidence: Type.Array(Type.String({ maxLength: 600 }), { maxItems: 100 }),
    /** The entry that would settle it, where one would. */
    proposal: Type.Optional(
      Type.Object(
        {
          commandId: Id,
          currency: Currency,
          /**
           * `release` ends the hold that is named, and frees what it still reserves. Where a hold or lease is named, `take`
           * charges to it a use that was made and never charged.
           */
          direction: Type.Union([
            Type.Literal("give"),
            Type.Literal("take"),
            Type.Literal("release"),
          ]),
          amountMicros: Micros,
          holdId: Type.Optional(Id),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type LedgerDifference = Static<typeof LedgerDifference>;

export const Reconciliation = Type.Object(
  {
    at: Moment,
    differences: Type.Array(LedgerDifference, { maxItems: 20_000 }),
    /** Kinds of which only the first are among the differences: there may be more. */
    cut: Type.Array(DifferenceKind, { maxItems: 20 }),
    /** Names this run in the history. */
    runId: Id,
    /** Ids of the commands that made proposed entries. */
    applied: Type.Array(Id, { maxItems: 20_000 }),
    /** Ids of the commands that entered what the invoice says as cost of its providers. */
    booked: Type.Array(Id, { maxItems: 10_000 }),
  },
  closed,
);
export type Reconciliation = Static<typeof Reconciliation>;

export const ReconciliationsQuery = Type.Object(
  {
    /** Only runs before this moment. */
    before: Type.Optional(Moment),
    /** Only runs that come behind this one in the list: several may be of one moment. */
    beforeId: Type.Optional(Id),
    /** Default 50. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  closed,
);
export type ReconciliationsQuery = Static<typeof ReconciliationsQuery>;
export const ReconciliationParams = Type.Object({ id: Id }, closed);

const run = {
  id: Id,
  at: Moment,
  cause: Type.Union([Type.Literal("schedule"), Type.Literal("request")]),
  /** Who asked; nobody on schedule. */
  actor: Type.Optional(Type.String({ maxLength: 300 })),
  differenceCount: Count,
  kinds: Type.Array(Type.Object({ kind: DifferenceKind, count: Count }, closed), { maxItems: 20 }),
  /** Ids of the commands that made proposed entries. */
  applied: Type.Array(Id, { maxItems: 20_000 }),
};

/** A run that was made. */
export const ReconciliationRun = Type.Object(run, closed);
export type ReconciliationRun = Static<typeof ReconciliationRun>;
export const ReconciliationRunList = Type.Object(
  { runs: Type.Array(ReconciliationRun, { maxItems: 500 }) },
  closed,
);
/** A run with what it found; of very many differences the first. */
export const ReconciliationRunDetail = Type.Object(
  { ...run, differences: Type.Array(LedgerDifference, { maxItems: 500 }) },
  closed,
);
export type ReconciliationRunDetail = Static<typeof ReconciliationRunDetail>;
