/** Prices: what models cost and when, and what a model without a price costs the tenant. Amounts are micros for a million tokens. */

import { type Static, Type } from "typebox";

import { AskedMicros, closed, Micros, Moment, Name } from "./ledger-values.ts";

const prices = {
  inputMicros: Micros,
  cachedInputMicros: Micros,
  outputMicros: Micros,
  /** Absent: as other output. */
  reasoningMicros: Type.Optional(Micros),
};

/** What a model without a price costs. */
export const LedgerDefaultPrice = Type.Object(
  {
    /** As usage events name it; each setting is a version of its own. */
    priceVersion: Name,
    ...prices,
    setAt: Moment,
    setBy: Name,
  },
  closed,
);
export type LedgerDefaultPrice = Static<typeof LedgerDefaultPrice>;

/** Without a price, calls of models without one are refused. */
export const LedgerDefaultPriceReply = Type.Object(
  { price: Type.Optional(LedgerDefaultPrice) },
  closed,
);

export const SetDefaultPriceRequest = Type.Object(
  {
    inputMicros: AskedMicros,
    outputMicros: AskedMicros,
    /** Default: what input costs. */
    cachedInputMicros: Type.Optional(AskedMicros),
    /** Default: what output costs. */
    reasoningMicros: Type.Optional(AskedMicros),
  },
  closed,
);

export const LedgerPricesQuery = Type.Object(
  {
    /** A model, by its name or as `provider/name`. */
    model: Type.Optional(Name),
  },
  closed,
);
export type LedgerPricesQuery = Static<typeof LedgerPricesQuery>;

const Percent = Type.Integer({ minimum: 0, maximum: 10_000 });

/** One price of one model in one span of time. */
export const LedgerPrice = Type.Object(
  {
    priceVersion: Name,
    /** `provider/name`. */
    model: Type.String({ minLength: 1, maxLength: 512 }),
    /** Absent: it held from the beginning. */
    validFrom: Type.Optional(Moment),
    /** Absent while no other follows. */
    validUntil: Type.Optional(Moment),
    isValid: Type.Boolean(),
    ...prices,
    /** What calls of a priority cost, in percent; those that are absent cost 100. */
    priorityPercents: Type.Object(
      {
        interactive: Type.Optional(Percent),
        standard: Type.Optional(Percent),
        batch: Type.Optional(Percent),
      },
      closed,
    ),
    source: Type.String({ maxLength: 600 }),
  },
  closed,
);
export type LedgerPrice = Static<typeof LedgerPrice>;

export const LedgerPriceList = Type.Object(
  {
    /** By models and times; no more than fit. */
    prices: Type.Array(LedgerPrice, { maxItems: 1_000 }),
    /** Of the tenant, for models that have none. */
    defaultPrice: Type.Optional(LedgerDefaultPrice),
  },
  closed,
);
export type LedgerPriceList = Static<typeof LedgerPriceList>;
