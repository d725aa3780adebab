/**
 * The ledger: accounts, entries, grants, holds, budgets, usage, and what an operation cost. Amounts are micros (millionths of a
 * unit of the currency) as decimal text, because JSON has no exact integers beyond 2^53.
 */

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

/** Whom an operation is for; budgets are found by it. */
export const LedgerAttribution = Type.Object(
  {
    keyId: Type.Optional(Name),
    userId: Type.Optional(Name),
    model: Type.Optional(Name),
    tags: Type.Optional(Type.Array(Name, { maxItems: 16 })),
  },
  closed,
);
export type LedgerAttribution = Static<typeof LedgerAttribution>;

export const LedgerAccount = Type.Object(
  {
    currency: Currency,
    isOpen: Type.Boolean(),
    /** What could be held now, the credit line included. */
    availableMicros: Micros,
    creditMicros: Micros,
    heldMicros: Micros,
    debtMicros: Micros,
    limitMicros: Micros,
    usedMicros: Micros,
  },
  closed,
);
export type LedgerAccount = Static<typeof LedgerAccount>;

export const LedgerLot = Type.Object(
  {
    id: Id,
    currency: Currency,
    grantedMicros: Micros,
    remainingMicros: Micros,
    priority: Type.Integer(),
    grantedAt: Moment,
    /** Absent where it never expires. */
    expiresAt: Type.Optional(Moment),
  },
  closed,
);
export type LedgerLot = Static<typeof LedgerLot>;

export const LedgerLease = Type.Object(
  { id: Id, workerId: Name, currency: Currency, remainingMicros: Micros, deadlineAt: Moment },
  closed,
);
export type LedgerLease = Static<typeof LedgerLease>;

/** Where the tenant stands: its accounts, the lots that something is left in, what is held, and every balance. */
export const LedgerBalance = Type.Object(
  {
    accounts: Type.Array(LedgerAccount, { maxItems: 16 }),
    lots: Type.Array(LedgerLot, { maxItems: 1_000 }),
    leases: Type.Array(LedgerLease, { maxItems: 1_000 }),
    openHoldCount: Count,
    /** Of every account of the double entry, by its name. */
    balances: Type.Array(Type.Object({ account: Name, balanceMicros: Micros }, closed), {
      maxItems: 100,
    }),
  },
  closed,
);
export type LedgerBalance = Static<typeof LedgerBalance>;

export const OpenAccountRequest = Type.Object(
  {
    id: Type.Optional(Id),
    currency: AskedCurrency,
    /** How far it may be used beyond its credit; default 0. */
    limitMicros: Type.Optional(AskedMicros),
  },
  closed,
);
export const CloseAccountRequest = Type.Object(
  { id: Type.Optional(Id), currency: AskedCurrency },
  closed,
);

export const LedgerEntriesQuery = Type.Object(
  {
    /** An account such as `credit/USD`. */
    account: Type.Optional(Name),
    /** Entries before this sequence number; default: the newest. */
    before: Type.Optional(Type.Integer({ minimum: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  closed,
);
export type LedgerEntriesQuery = Static<typeof LedgerEntriesQuery>;

/** One movement: what it takes from one account it gives to another. */
export const LedgerEntry = Type.Object(
  {
    sequence: Count,
    at: Moment,
    commandId: Id,
    from: Name,
    to: Name,
    amountMicros: Micros,
    reason: Name,
    lotId: Type.Optional(Id),
    holdId: Type.Optional(Id),
    usageId: Type.Optional(Id),
  },
  closed,
);
export type LedgerEntry = Static<typeof LedgerEntry>;

/** Newest first. */
export const LedgerEntries = Type.Object(
  { entries: Type.Array(LedgerEntry, { maxItems: 1_000 }) },
  closed,
);
export type LedgerEntries = Static<typeof LedgerEntries>;

export const GrantRequest = Type.Object(
  {
    /** The client's id; the same grant sent again with it takes effect once. */
    id: Type.Optional(Id),
    currency: AskedCurrency,
    amountMicros: AskedMicros,
    /** Among lots that expire together the lower is used first; default 0. */
    priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
    expiresAt: Type.Optional(Moment),
  },
  closed,
);
export const Granted = Type.Object(
  { lotId: Id, coveredMicros: Micros, balance: LedgerBalance },
  closed,
);

export const LedgerHold = Type.Object(
  {
    id: Id,
    currency: Currency,
    state: Type.String({ maxLength: 16 }),
    heldMicros: Micros,
    remainingMicros: Micros,
    chargedMicros: Micros,
    attribution: LedgerAttribution,
    placedAt: Moment,
    expiresAt: Moment,
  },
  closed,
);
export type LedgerHold = Static<typeof LedgerHold>;
export const LedgerHoldList = Type.Object(
  { holds: Type.Array(LedgerHold, { maxItems: 1_000 }) },
  closed,
);
export const LedgerHoldParams = Type.Object({ id: Id }, closed);

export const PlaceHoldRequest = Type.Object(
  {
    /** The client's id, which is the hold's. */
    id: Type.Optional(Id),
    currency: AskedCurrency,
    amountMicros: AskedMicros,
    durationSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    attribution: Type.Optional(LedgerAttribution),
  },
  closed,
);
export const RenewHoldRequest = Type.Object(
  { id: Type.Optional(Id), durationSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }) },
  closed,
);

/** So many tokens that sums of them fit into any column. */
const TokenCount = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 });
/** What a use was, beyond its amount. */
export const UseDetails = Type.Object(
  {
    bundleHash: Type.Optional(Name),
    provider: Type.Optional(Name),
    model: Type.Optional(Name),
    inputTokens: Type.Optional(TokenCount),
    cachedInputTokens: Type.Optional(TokenCount),
    reasoningTokens: Type.Optional(TokenCount),
    outputTokens: Type.Optional(TokenCount),
    deviceKind: Type.Optional(Name),
    deviceSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 1e12 })),
    priceVersion: Type.Optional(Name),
    keyId: Type.Optional(Name),
    userId: Type.Optional(Name),
    tags: Type.Optional(Type.Array(Name, { maxItems: 16 })),
  },
  closed,
);
export type UseDetails = Static<typeof UseDetails>;

export const UsageKind = Type.Union([
  Type.Literal("tokens"),
  Type.Literal("embedding"),
  Type.Literal("rerank"),
  Type.Literal("evaluation"),
  Type.Literal("tool"),
  Type.Literal("sandbox"),
  Type.Literal("compute"),
]);
export type UsageKind = Static<typeof UsageKind>;

export const SettleHoldRequest = Type.Object(
  {
    id: Type.Optional(Id),
    /** Unique in the tenant: a use that is reported twice is charged once. */
    usageId: Id,
    usageKind: UsageKind,
    amountMicros: AskedMicros,
    /** Whether the hold ends; default true. */
    isFinal: Type.Optional(Type.Boolean()),
    details: Type.Optional(UseDetails),
  },
  closed,
);
export const Settled = Type.Object(
  {
    usageId: Id,
    chargedMicros: Micros,
    releasedMicros: Micros,
    beyondHoldMicros: Micros,
    debtMicros: Micros,
    isRepeated: Type.Boolean(),
    isLate: Type.Boolean(),
  },
  closed,
);
export const ReleaseHoldRequest = Type.Object({ id: Type.Optional(Id) }, closed);
export const Released = Type.Object({ releasedMicros: Micros }, closed);

export const BudgetScope = Type.Union([
  Type.Object({ kind: Type.Literal("tenant") }, closed),
  Type.Object(
    {
      kind: Type.Union([
        Type.Literal("key"),
        Type.Literal("user"),
        Type.Literal("model"),
        Type.Literal("tag"),
      ]),
      value: Name,
    },
    closed,
  ),
]);
export type BudgetScope = Static<typeof BudgetScope>;
export const BudgetWindow = Type.Union([
  Type.Object({ kind: Type.Literal("day") }, closed),
  Type.Object({ kind: Type.Literal("month") }, closed),
  Type.Object(
    {
      kind: Type.Literal("rolling"),
      durationSeconds: Type.Integer({ minimum: 1, maximum: 31_622_400 }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("total") }, closed),
]);
export type BudgetWindow = Static<typeof BudgetWindow>;

const budgetTerms = {
  budgetId: Id,
  scope: BudgetScope,
  window: BudgetWindow,
  /** A hard budget refuses; a soft one only tells. */
  isHard: Type.Boolean(),
  /** Shares of the limit in per cent, of which passing one is told once in each window. */
  thresholdPercents: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000 }), { maxItems: 8 }),
};

export const SetBudgetRequest = Type.Object(
  {
    id: Type.Optional(Id),
    currency: AskedCurrency,
    limitMicros: AskedMicros,
    ...budgetTerms,
  },
  closed,
);
export const LedgerBudget = Type.Object(
  {
    ...budgetTerms,
    currency: Currency,
    limitMicros: Micros,
    /** Spend and open holds of the window. */
    usedMicros: Micros,
    leftMicros: Micros,
  },
  closed,
);
export type LedgerBudget = Static<typeof LedgerBudget>;
export const LedgerBudgetList = Type.Object(
  { budgets: Type.Array(LedgerBudget, { maxItems: 1_000 }) },
  closed,
);
export const BudgetParams = Type.Object({ id: Id }, closed);

/** By what usage is summed. */
export const UsageGrouping = Type.Union([
  Type.Literal("model"),
  Type.Literal("provider"),
  Type.Literal("key"),
  Type.Literal("user"),
  Type.Literal("bundle"),
  Type.Literal("price"),
]);
export type UsageGrouping = Static<typeof UsageGrouping>;
export const LedgerUsageQuery = Type.Object(
  {
    by: Type.Optional(UsageGrouping),
    /** Default: each currency of the tenant, in rows of its own. */
    currency: Type.Optional(AskedCurrency),
    /** Default: 30 days before `until`; at most 400 days before it. */
    from: Type.Optional(Moment),
    until: Type.Optional(Moment),
  },
  closed,
);
export type LedgerUsageQuery = Static<typeof LedgerUsageQuery>;
export const LedgerUsage = Type.Object(
  {
    by: UsageGrouping,
    from: Moment,
    until: Moment,
    rows: Type.Array(
      Type.Object(
        {
          /** Empty where the uses do not say. */
          name: Type.String({ maxLength: 256 }),
          /** What was charged in two currencies stands in two rows. */
          currency: Currency,
          useCount: Count,
          chargedMicros: Micros,
          inputTokens: Count,
          outputTokens: Count,
        },
        closed,
      ),
      { maxItems: 2_000 },
    ),
  },
  closed,
);
export type LedgerUsage = Static<typeof LedgerUsage>;

export const OperationParams = Type.Object({ id: Id }, closed);
/** What an operation cost, line by line. */
export const OperationCost = Type.Object(
  {
    operationId: Id,
    /** What it was charged, in each currency. */
    charged: Type.Array(Type.Object({ currency: Currency, amountMicros: Micros }, closed), {
      maxItems: 2,
    }),
    holds: Type.Array(LedgerHold, { maxItems: 100 }),
    uses: Type.Array(
      Type.Object(
        {
          usageId: Id,
          holdId: Id,
          at: Moment,
          currency: Currency,
          amountMicros: Micros,
          details: Type.Optional(UseDetails),
        },
        closed,
      ),
      { maxItems: 100 },
    ),
    /** In the order in which they were made. */
    entries: Type.Array(LedgerEntry, { maxItems: 1_000 }),
  },
  closed,
);
export type OperationCost = Static<typeof OperationCost>;
