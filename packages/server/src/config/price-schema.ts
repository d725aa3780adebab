/** The schemas of what models cost: a price that holds from ever, and prices that follow it at their moments. */

import { type Static, Type } from "typebox";

import { closed, text } from "./schema-fields.ts";

/** US dollars per million tokens. */
function dollars(description: string) {
  return Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000, description }));
}

function percent(priority: string) {
  return Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      default: 100,
      description: `Of keys whose priority is \`${priority}\`.`,
    }),
  );
}

/** What calls of a priority cost, in percent of the price. */
export const PriorityPercentSettings = Type.Object(
  {
    interactive: percent("interactive"),
    standard: percent("standard"),
    batch: percent("batch"),
  },
  closed,
);

const price = {
  inputPricePerMillionTokens: dollars("US dollars; without it the built-in price table is asked."),
  outputPricePerMillionTokens: dollars("US dollars; without it the built-in price table is asked."),
  cachedInputPricePerMillionTokens: dollars(
    "US dollars; without it cached input costs what input costs.",
  ),
  reasoningPricePerMillionTokens: dollars(
    "US dollars; without it reasoning costs what other output costs.",
  ),
  priorityPercents: Type.Optional(PriorityPercentSettings),
};

export const PriceSettings = Type.Object(price, closed);
export type PriceSettings = Static<typeof PriceSettings>;

/** From when on a price is valid. */
export const ValidFrom = Type.String({
  pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2})?(Z|[+-]\\d{2}:\\d{2}))?$",
  description: "From then on: a day (its start in UTC), or a moment such as 2026-12-01T08:00Z.",
});

/** A price that takes the place of the one before it. */
export const PriceChangeSettings = Type.Object(
  {
    validFrom: ValidFrom,
    ...price,
  },
  closed,
);
export type PriceChangeSettings = Static<typeof PriceChangeSettings>;

export const ModelSettings = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 256,
      description: "The name that callers send.",
    }),
    upstreamName: text({
      description: "The name that the provider knows, when it differs.",
      maxLength: 256,
    }),
    local: Type.Optional(Type.Boolean({ description: "Runs on own hardware: priced 0." })),
    ...price,
    priceChanges: Type.Optional(
      Type.Array(PriceChangeSettings, {
        maxItems: 100,
        description: "Prices that follow, each from a moment on.",
      }),
    ),
  },
  closed,
);
export type ModelSettings = Static<typeof ModelSettings>;
