/** The price table that ships with the product: list prices of hosted models, each with its page and day. */

import { PlatformError } from "@faultline/protocol";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

import shippedTable from "./prices.json" with { type: "json" };

const decimalMicros = Type.String({ pattern: "^[0-9]{1,15}$" });

/** The form of `prices.json`. Micros stand as decimal text, because JSON has no exact integers beyond 2^53. */
export const PriceTable = Type.Object(
  {
    formatVersion: Type.Literal(1),
    vendors: Type.Array(
      Type.Object(
        {
          vendor: Type.String({ maxLength: 64 }),
          /** Prices hold for calls to these hosts only: a reseller of the same model has prices of its own. */
          hosts: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 16 }),
          source: Type.String({ maxLength: 512 }),
          /** The day as of which the prices were collected; the source is the authority. */
          asOf: Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
          models: Type.Array(
            Type.Object(
              {
                /** Every name of the model under which the vendor charges this price. */
                names: Type.Array(Type.String({ maxLength: 256 }), { minItems: 1, maxItems: 16 }),
                /** The price holds from this day on (UTC) until the next of the same name; absent: from ever. */
                validFrom: Type.Optional(Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })),
                inputMicrosPerMillionTokens: decimalMicros,
                cachedInputMicrosPerMillionTokens: decimalMicros,
                outputMicrosPerMillionTokens: decimalMicros,
              },
              { additionalProperties: false },
            ),
            { maxItems: 1_000 },
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100 },
    ),
  },
  { additionalProperties: false },
);
export type PriceTable = Static<typeof PriceTable>;

/** The shipped table, checked. */
export function readShippedPriceTable(): PriceTable {
  return readPriceTable(shippedTable);
}

/** Checks a table. Throws `configuration_invalid` with the place of the first fault. */
export function readPriceTable(value: unknown): PriceTable {
  if (Value.Check(PriceTable, value)) return value;
  const [fault] = Value.Errors(PriceTable, value);
  throw new PlatformError(
    "configuration_invalid",
    `The price table is not in its form: ${fault?.message ?? "unknown fault"}.`,
    {
      where: fault?.instancePath ?? "",
      hint: "Restore prices.json from the release.",
    },
  );
}
