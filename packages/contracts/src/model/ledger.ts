/**
 * What a ledger says of credit: balances and the entries that made them, what is reserved, what was used, and what a provider
 * invoiced. Amounts are micros (millionths of a unit of a currency) as decimal text, which is exact at any size; whom something
 * was for is not kept.
 */

import { type Static, Type } from "typebox";

/** How much of a ledger one piece of evidence holds. */
export const ledgerEvidenceLimits = {
  accountCountMax: 10_000,
  entryCountMax: 1_000_000,
  reserveCountMax: 500_000,
  useCountMax: 1_000_000,
  invoiceLineCountMax: 100_000,
  limitChangeCountMax: 10_000,
  /** Of an id or a name. */
  nameLengthMax: 512,
} as const;

const closed = { additionalProperties: false } as const;
const Name = Type.String({ maxLength: ledgerEvidenceLimits.nameLengthMax });
/** A whole number of micros; negative where something is owed. */
const Micros = Type.String({ pattern: "^(?:0|-?[1-9][0-9]{0,39})$" });
/** Microseconds since 1970. */
const Time = Type.Number({ minimum: 0 });
/** A whole number that a double holds exactly. */
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** An account, as `credit/USD`: a kind, a stroke and its currency. */
export const BookedAccount = Type.Object(
  {
    id: Name,
    balanceMicros: Micros,
    /** What the entries before the first one that is here had left in it; absent where all of them are here. */
    openingMicros: Type.Optional(Micros),
  },
  closed,
);
export type BookedAccount = Static<typeof BookedAccount>;

/** How far the account of a currency may be used beyond its credit, from an entry on. */
export const BookedLimit = Type.Object(
  {
    currency: Name,
    /** It holds for entries of this number and above, until the next one. */
    fromSequence: Count,
    limitMicros: Micros,
  },
  closed,
);
export type BookedLimit = Static<typeof BookedLimit>;

/** A movement: what it takes from one account it gives to another. */
export const BookedEntry = Type.Object(
  {
    /** Its place in the order of the ledger. */
    sequence: Type.Optional(Count),
    timeMicros: Type.Optional(Time),
    from: Name,
    to: Name,
    amountMicros: Micros,
    /** `held`, `charged`, `released`, … */
    reason: Type.Optional(Name),
    commandId: Type.Optional(Name),
    holdId: Type.Optional(Name),
    usageId: Type.Optional(Name),
  },
  closed,
);
export type BookedEntry = Static<typeof BookedEntry>;

/** Uses, counted and summed. */
const UseSum = Type.Object({ count: Count, amountMicros: Micros }, closed);

/** Credit that is reserved: for one operation (a hold), or lent to a process for many (a lease). */
export const BookedReserve = Type.Object(
  {
    id: Name,
    kind: Type.Union([Type.Literal("hold"), Type.Literal("lease")]),
    currency: Name,
    /** `open`, or how it ended: `settled`, `released`, `expired`, `returned`, `lost`. */
    state: Name,
    remainingMicros: Micros,
    /** What the entries before the first one that is here had left in it. */
    openingMicros: Type.Optional(Micros),
    /** When it ends, or ended, unless it was renewed or ended before. */
    endsMicros: Type.Optional(Time),
    /** Somebody said that its work is done; of leases absent. */
    isCompleted: Type.Optional(Type.Boolean()),
    /** Uses of it before the first one that is here. */
    earlierUses: Type.Optional(UseSum),
    /** Of a lease: what its journal told of, as the ledger was told. */
    journal: Type.Optional(UseSum),
    /** Of a lost lease: what counts as spent, and no journal says for what. */
    unreadMicros: Type.Optional(Micros),
    /** The entry that settled what was unread, if one did. */
    settledBy: Type.Optional(Name),
  },
  closed,
);
export type BookedReserve = Static<typeof BookedReserve>;

/** Something that was used, and what was charged for it. */
export const BookedUse = Type.Object(
  {
    id: Name,
    /** The hold or lease that it was charged to. */
    holdId: Type.Optional(Name),
    timeMicros: Type.Optional(Time),
    amountMicros: Micros,
    currency: Type.Optional(Name),
    provider: Type.Optional(Name),
    model: Type.Optional(Name),
    priceVersion: Type.Optional(Name),
    /** Of compute: which job, and which interval of it. */
    job: Type.Optional(Name),
    interval: Type.Optional(Name),
    deviceKind: Type.Optional(Name),
    deviceSeconds: Type.Optional(Type.Number({ minimum: 0 })),
    /** Whoever reported it said that the work is done. */
    isFinal: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type BookedUse = Static<typeof BookedUse>;

/** A line of a provider's invoice. */
export const BookedInvoiceLine = Type.Object(
  {
    provider: Name,
    model: Name,
    currency: Name,
    amountMicros: Micros,
    /** The time that it is for, where it says so. */
    fromMicros: Type.Optional(Time),
    untilMicros: Type.Optional(Time),
  },
  closed,
);
export type BookedInvoiceLine = Static<typeof BookedInvoiceLine>;

export const LedgerContent = Type.Object(
  {
    kind: Type.Literal("ledger"),
    /** Whose ledger it is; the same in every export of it. Absent of a table that does not say. */
    name: Type.Optional(Name),
    /** The one moment at which all of it was true; absent where parts were read by themselves. */
    readMicros: Type.Optional(Time),
    /** Entries and uses are those from then on; absent where they are all that ever were. */
    fromMicros: Type.Optional(Time),
    /** It ends before its end. */
    isCut: Type.Optional(Type.Boolean()),
    // A list that is absent was not read; one that is empty has nothing in it.
    accounts: Type.Optional(
      Type.Array(BookedAccount, { maxItems: ledgerEvidenceLimits.accountCountMax }),
    ),
    limits: Type.Optional(
      Type.Array(BookedLimit, { maxItems: ledgerEvidenceLimits.limitChangeCountMax }),
    ),
    entries: Type.Optional(
      Type.Array(BookedEntry, { maxItems: ledgerEvidenceLimits.entryCountMax }),
    ),
    reserves: Type.Optional(
      Type.Array(BookedReserve, { maxItems: ledgerEvidenceLimits.reserveCountMax }),
    ),
    uses: Type.Optional(Type.Array(BookedUse, { maxItems: ledgerEvidenceLimits.useCountMax })),
    invoice: Type.Optional(
      Type.Array(BookedInvoiceLine, { maxItems: ledgerEvidenceLimits.invoiceLineCountMax }),
    ),
  },
  closed,
);
export type LedgerContent = Static<typeof LedgerContent>;

/** What may not agree in a ledger, as reconciliation calls it, as far as an export shows it: a case about the ledger finds it. */
export const exportedDifferenceKinds = [
  "balance-differs",
  "hold-differs",
  "debt-blocks",
  "hold-without-work",
  "work-without-hold",
  "use-differs",
  "use-without-completion",
  "lease-differs",
  "lease-unread",
] as const;
