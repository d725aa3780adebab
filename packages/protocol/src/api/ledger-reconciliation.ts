/** What the ledger finds that does not agree, and what would settle it. */

import { type Static, Type } from "typebox";

import {
  AskedCurrency,
  AskedMicros,
  closed,
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

export const ReconcileRequest = Type.Object(
  {
    invoice: Type.Optional(
      Type.Object(
        {
          from: Moment,
          until: Moment,
          lines: Type.Array(InvoiceLine, { minItems: 1, maxItems: 10_000 }),
        },
        closed,
      ),
    ),
    /** Makes the proposed entries; default: they are only proposed. */
    apply: Type.Optional(Type.Boolean()),
  },
  closed,
);

/** Something that does not agree. */
export const LedgerDifference = Type.Object(
  {
    kind: Type.Union([
      Type.Literal("balance-differs"),
      Type.Literal("hold-differs"),
      Type.Literal("debt-blocks"),
      Type.Literal("hold-without-work"),
      Type.Literal("work-without-hold"),
      Type.Literal("use-differs"),
      Type.Literal("lease-unread"),
      Type.Literal("edits-contradict"),
      Type.Literal("invoice-differs"),
    ]),
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
          direction: Type.Union([Type.Literal("give"), Type.Literal("take")]),
          amountMicros: Micros,
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
    /** Ids of the commands that made proposed entries. */
    applied: Type.Array(Id, { maxItems: 20_000 }),
  },
  closed,
);
export type Reconciliation = Static<typeof Reconciliation>;
