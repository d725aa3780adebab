/** `faultline ledger price`: what models cost and when, and what those without a price cost. */

import { printable } from "@faultline/contracts";
import type { LedgerDefaultPrice, LedgerPrice } from "@faultline/protocol";

import { type CommandContext, type CommandOption, UsageError } from "../command.ts";
import { connect, textOption } from "../connection.ts";
import type { Terminal } from "../terminal.ts";
import { askedMicrosOf, unitsOf } from "./amount-text.ts";
import { foreignTable } from "./foreign-table.ts";
import { tell } from "./tell.ts";

/** Of `price default set`. */
export const priceOptions = {
  input: { type: "string", value: "USD", description: "for a million tokens of input" },
  output: { type: "string", value: "USD", description: "for a million tokens of output" },
  "cached-input": {
    type: "string",
    value: "USD",
    description: "for a million tokens of cached input (default: as input)",
  },
  reasoning: {
    type: "string",
    value: "USD",
    description: "for a million tokens of reasoning (default: as output)",
  },
} as const satisfies Record<string, CommandOption>;

/** Without words it lists the prices. */
export async function price(context: CommandContext, words: readonly string[]): Promise<number> {
  const [step = "list", ...rest] = words;
  if (step === "list" && rest.length === 0) return await list(context);
  if (step === "default") return await standIn(context, rest);
  throw new UsageError("ledger price takes list or default [set | remove].");
}

async function list(context: CommandContext): Promise<number> {
  const { signal, terminal } = context;
  const model = textOption(context, "model");
  const query = model === undefined ? {} : { model };
  const found = await connect(context).client.listPrices({ query }, { signal });
  return tell(context, found, () =>
    [priceTable(terminal, found.prices), defaultLine(found.defaultPrice)].join("\n\n"),
  );
}

async function standIn(context: CommandContext, words: readonly string[]): Promise<number> {
  const [step, ...rest] = words;
  const { signal } = context;
  const { client } = connect(context);
  if (rest.length > 0) throw new UsageError("ledger price default takes set or remove.");
  switch (step) {
    case undefined: {
      const found = await client.readDefaultPrice({}, { signal });
      return tell(context, found, () => defaultLine(found.price));
    }
    case "set": {
      const set = await client.setDefaultPrice({ body: readPrice(context) }, { signal });
      return tell(context, set, () => defaultLine(set));
    }
    case "remove":
      await client.removeDefaultPrice({}, { signal });
      return tell(context, {}, () => defaultLine(undefined));
    default:
      throw new UsageError(`'${step}' is none of set, remove.`);
  }
}

function readPrice(context: CommandContext) {
  const input = textOption(context, "input");
  const output = textOption(context, "output");
  if (input === undefined || output === undefined)
    throw new UsageError("ledger price default set takes --input USD and --output USD.");
  const cached = textOption(context, "cached-input");
  const reasoning = textOption(context, "reasoning");
  return {
    inputMicros: askedMicrosOf(input),
    outputMicros: askedMicrosOf(output),
    ...(cached === undefined ? {} : { cachedInputMicros: askedMicrosOf(cached) }),
    ...(reasoning === undefined ? {} : { reasoningMicros: askedMicrosOf(reasoning) }),
  };
}

function defaultLine(price: LedgerDefaultPrice | undefined): string {
  if (price === undefined) return "A model without a price is refused: there is no default.";
  const { inputMicros, cachedInputMicros, outputMicros, reasoningMicros } = price;
  const parts = [
    `${unitsOf(inputMicros)} input`,
    `${unitsOf(cachedInputMicros)} cached`,
    `${unitsOf(outputMicros)} output`,
    `${unitsOf(reasoningMicros ?? outputMicros)} reasoning`,
  ];
  return `A model without a price costs ${parts.join(", ")} (${price.priceVersion}, set ${price.setAt} by ${printable(price.setBy)}).`;
}

function priceTable(terminal: Terminal, prices: readonly LedgerPrice[]): string {
  if (prices.length === 0) return "No price is known.";
  const titles = ["MODEL", "FROM", "INPUT", "CACHED", "OUTPUT", "REASONING", "PRIORITY", "VERSION"];
  const rows = prices.map((one) => [
    one.model,
    `${one.validFrom ?? "the beginning"}${one.isValid ? "" : " (not now)"}`,
    unitsOf(one.inputMicros),
    unitsOf(one.cachedInputMicros),
    unitsOf(one.outputMicros),
    unitsOf(one.reasoningMicros ?? one.outputMicros),
    Object.entries(one.priorityPercents)
      .map(([priority, percent]) => `${priority} ${percent} %`)
      .join(", "),
    one.priceVersion,
  ]);
  return foreignTable(terminal, titles, rows);
}
