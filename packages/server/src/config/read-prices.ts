/** Reads what a model costs, and from when on. */

import { PlatformError } from "@faultline/protocol";

import type { ConfiguredPrice, ModelConfig } from "./config.ts";
import type { ModelSettings, PriceSettings } from "./price-schema.ts";

type Prices = Pick<ModelConfig, "price" | "priceChanges">;

/** What costs nothing. */
export const freeOfCharge: ConfiguredPrice = {
  inputMicrosPerMillionTokens: 0n,
  outputMicrosPerMillionTokens: 0n,
  cachedInputMicrosPerMillionTokens: 0n,
};

/** `where` gives the line of a path below the model. Throws `configuration_invalid`. */
export function readPrices(
  model: ModelSettings,
  isLocal: boolean,
  where: (...path: (string | number)[]) => string,
): Prices {
  const { name, priceChanges = [] } = model;
  const price = readPrice(name, model, where());
  if (isLocal) {
    if (price === undefined && priceChanges.length === 0) return { price: freeOfCharge };
    throw refuse(
      where(),
      `Model \`${name}\` is local, so it is priced 0.`,
      "Remove its prices, or `local: true`.",
    );
  }
  if (priceChanges.length === 0) return { price };
  const seen = new Set<number>();
  const changes = priceChanges.map((change, index) => {
    const at = where("priceChanges", index);
    const changed = readPrice(name, change, at);
    if (changed === undefined) throw halfPrice(name, at);
    const validFromMs = readValidFrom(change.validFrom, at);
    if (seen.has(validFromMs)) {
      const fault = `Two prices of \`${name}\` are valid from ${change.validFrom} on.`;
      throw refuse(at, fault, "Remove one.");
    }
    seen.add(validFromMs);
    return { ...changed, validFromMs };
  });
  return { price, priceChanges: changes };
}

function readPrice(
  name: string,
  settings: PriceSettings,
  where: string,
): ConfiguredPrice | undefined {
  const { inputPricePerMillionTokens: input, outputPricePerMillionTokens: output } = settings;
  const { cachedInputPricePerMillionTokens: cached, priorityPercents } = settings;
  const { reasoningPricePerMillionTokens: reasoning } = settings;
  const all = [input, output, cached, reasoning, priorityPercents];
  if (all.every((part) => part === undefined)) return undefined;
  if (input === undefined || output === undefined) throw halfPrice(name, where);
  return {
    inputMicrosPerMillionTokens: toMicros(input, where),
    outputMicrosPerMillionTokens: toMicros(output, where),
    cachedInputMicrosPerMillionTokens: toMicros(cached ?? input, where),
    ...(reasoning === undefined
      ? {}
      : { reasoningMicrosPerMillionTokens: toMicros(reasoning, where) }),
    ...(priorityPercents === undefined ? {} : { priorityPercents }),
  };
}

function halfPrice(name: string, where: string): PlatformError {
  return refuse(
    where,
    `Model \`${name}\` needs both an input and an output price.`,
    "Prices are US dollars per million tokens.",
  );
}

/** The moment from which on a price is valid; `where` is the line. Throws `configuration_invalid`. */
export function readValidFrom(text: string, where: string): number {
  const ms = Date.parse(text.includes("T") ? text : `${text}T00:00:00Z`);
  if (Number.isFinite(ms)) return ms;
  throw refuse(where, `\`${text}\` is no moment.`, "For example 2026-12-01.");
}

const microsPerDollar = 1_000_000;

/** Dollars as whole micros; a finer price would be rounded silently, so it is refused. */
function toMicros(dollars: number, where: string): bigint {
  const micros = Math.round(dollars * microsPerDollar);
  if (micros / microsPerDollar !== dollars) {
    throw refuse(
      where,
      `The price ${dollars} is finer than a millionth of a dollar.`,
      "Round it to six decimal places.",
    );
  }
  return BigInt(micros);
}

function refuse(where: string, message: string, hint: string): PlatformError {
  return new PlatformError("configuration_invalid", `${where}: ${message}`, { where, hint });
}
