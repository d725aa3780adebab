/** The ledger over time: balances, spend by what it was for, how long budgets last, refused calls, and downloads. */

import { type Static, Type } from "typebox";

import { BudgetWindow } from "./ledger.ts";
import {
  AskedCurrency,
  closed,
  Count,
  Currency,
  Id,
  Micros,
  Moment,
  Name,
} from "./ledger-values.ts";

const windowOf = {
  /** Default: 30 days before `until`. */
  from: Type.Optional(Moment),
  /** Default: now. */
  until: Type.Optional(Moment),
};
/** Default: USD. */
const currency = Type.Optional(AskedCurrency);

export const BalanceSeriesQuery = Type.Object(
  {
    currency,
    ...windowOf,
    /** Steps between the first point and the last one; default 60. */
    stepCount: Type.Optional(Type.Integer({ minimum: 1, maximum: 366 })),
  },
  closed,
);
export type BalanceSeriesQuery = Static<typeof BalanceSeriesQuery>;

/** What stood in the books at each moment, the first and the last of the window included. */
export const BalanceSeries = Type.Object(
  {
    currency: Currency,
    from: Moment,
    until: Moment,
    points: Type.Array(
      Type.Object(
        { at: Moment, creditMicros: Micros, heldMicros: Micros, debtMicros: Micros },
        closed,
      ),
      { maxItems: 367 },
    ),
  },
  closed,
);
export type BalanceSeries = Static<typeof BalanceSeries>;

/** By what spend is told apart. A use with several tags counts in each of them. */
export const SpendGrouping = Type.Union([
  Type.Literal("model"),
  Type.Literal("provider"),
  Type.Literal("key"),
  Type.Literal("user"),
  Type.Literal("tag"),
  Type.Literal("bundle"),
]);
export type SpendGrouping = Static<typeof SpendGrouping>;

export const SpendSeriesQuery = Type.Object(
  {
    by: Type.Optional(SpendGrouping),
    currency,
    ...windowOf,
    /** Parts of the window; default 60. */
    bucketCount: Type.Optional(Type.Integer({ minimum: 1, maximum: 366 })),
    /** Groups that are told by name, the dearest; default 7. What the others spent is one group. */
    groupCount: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  closed,
);
export type SpendSeriesQuery = Static<typeof SpendSeriesQuery>;

export const SpendGroup = Type.Object(
  {
    /** `unnamed`: the uses do not say; `others`: all that are not told by name. */
    kind: Type.Union([Type.Literal("named"), Type.Literal("unnamed"), Type.Literal("others")]),
    /** Empty where it has none. */
    name: Type.String({ maxLength: 256 }),
    useCount: Count,
    totalMicros: Micros,
    inputTokens: Count,
    outputTokens: Count,
    /** One for each bucket. */
    bucketMicros: Type.Array(Micros, { maxItems: 366 }),
  },
  closed,
);
export type SpendGroup = Static<typeof SpendGroup>;

/** What was charged in a window, the dearest group first. */
export const SpendSeries = Type.Object(
  {
    by: SpendGrouping,
    currency: Currency,
    from: Moment,
    until: Moment,
    /** The start of each bucket. */
    buckets: Type.Array(Moment, { maxItems: 366 }),
    /** Of every use once, whatever its tags. */
    totalMicros: Micros,
    useCount: Count,
    groups: Type.Array(SpendGroup, { maxItems: 102 }),
  },
  closed,
);
export type SpendSeries = Static<typeof SpendSeries>;

/** How long a budget lasts when spend goes on as it went lately. */
export const BudgetForecast = Type.Object(
  {
    budgetId: Id,
    currency: Currency,
    window: BudgetWindow,
    limitMicros: Micros,
    /** Spend that counts now, and what is held besides. */
    spentMicros: Micros,
    openMicros: Micros,
    leftMicros: Micros,
    /** The calendar day or month (UTC) that counts now; absent for other windows. */
    windowFrom: Type.Optional(Moment),
    windowUntil: Type.Optional(Moment),
    /** Spend of the scope on which the forecast stands; absent where there was none. */
    pace: Type.Optional(
      Type.Object({ from: Moment, spentMicros: Micros, perDayMicros: Micros }, closed),
    ),
    outlook: Type.Union([
      Type.Object({ kind: Type.Literal("used-up") }, closed),
      Type.Object({ kind: Type.Literal("runs-out"), at: Moment }, closed),
      Type.Object(
        {
          kind: Type.Literal("lasts"),
          /** What will count at the end of the window; of a rolling one, once the pace has filled it. */
          expectedMicros: Micros,
        },
        closed,
      ),
      Type.Object({ kind: Type.Literal("idle") }, closed),
      Type.Object({ kind: Type.Literal("too-early") }, closed),
    ]),
    /** In a sentence, how this was found. */
    method: Type.String({ maxLength: 512 }),
  },
  closed,
);
export type BudgetForecast = Static<typeof BudgetForecast>;
export const BudgetForecastList = Type.Object(
  { forecasts: Type.Array(BudgetForecast, { maxItems: 1_000 }) },
  closed,
);

export const RefusedCallsQuery = Type.Object(
  {
    /** Default: a day. */
    windowMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080 })),
  },
  closed,
);
/** Model calls that credit refused. */
export const RefusedCalls = Type.Object(
  {
    from: Moment,
    until: Moment,
    count: Count,
    byCode: Type.Array(Type.Object({ code: Name, count: Count }, closed), { maxItems: 16 }),
    /** The newest ones. */
    calls: Type.Array(
      Type.Object(
        {
          at: Moment,
          code: Name,
          message: Type.String({ maxLength: 4_096 }),
          model: Type.Optional(Name),
          keyId: Type.Optional(Name),
          traceId: Type.String({ pattern: "^[0-9a-f]{32}$" }),
        },
        closed,
      ),
      { maxItems: 50 },
    ),
  },
  closed,
);
export type RefusedCalls = Static<typeof RefusedCalls>;

/** Where an operation of the gateway was traced. */
export const OperationTrace = Type.Object(
  {
    operationId: Id,
    traceId: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    spanId: Type.String({ pattern: "^[0-9a-f]{16}$" }),
  },
  closed,
);
export type OperationTrace = Static<typeof OperationTrace>;

export const EntriesExportQuery = Type.Object(
  {
    /** An account such as `credit/USD`. */
    account: Type.Optional(Name),
    ...windowOf,
  },
  closed,
);
export type EntriesExportQuery = Static<typeof EntriesExportQuery>;

export const LedgerExportQuery = Type.Object(
  {
    /** Entries and uses from then on; what was before is summed up. Default: all. */
    since: Type.Optional(Moment),
  },
  closed,
);
export type LedgerExportQuery = Static<typeof LedgerExportQuery>;

export const UsageExportQuery = Type.Object(windowOf, closed);
export type UsageExportQuery = Static<typeof UsageExportQuery>;
