/** What was charged for a provider's models is what the provider invoices. */

import type { Contract } from "../model/contract.ts";
import type { BookedUse } from "../model/ledger.ts";
import { plural } from "../text/plural.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { type InvoicePeriod, periodOf } from "./invoice-period.ts";
import { InvoiceSettlements, type InvoiceStanding } from "./invoice-settlement.ts";
import type { Judgement } from "./judge-books.ts";
import { settlingEntryOf } from "./settling-entry.ts";
import { UnconvertedProviders } from "./unconverted-providers.ts";

interface Options {
  readonly period: string;
  readonly differenceMicrosMax: number;
}

export const costMatchesInvoice: Contract = defineLedgerContract<Options>(
  {
    id: "ledger/cost-matches-invoice",
    version: 3,
    promise:
      "Of every model of a provider that an invoice names as much was charged in its time as it says, or entries have settled the difference.",
    options: {
      period: {
        default: "",
        description:
          "the time that an invoice without dates is for, as two moments with a stroke: 2026-10-01/2026-11-01",
      },
      differenceMicrosMax: {
        default: 0,
        description: "how far a sum may be off, in micros, as providers round",
      },
    },
  },
  judge,
);

/** Uses that are named in one finding: the dearest. */
const namedUseCount = 20;
const toldDoubtCountMax = 5;

function judge(books: Books, options: Options): Judgement | undefined {
  const { invoice, uses, name, isWhole } = books;
  if (invoice === undefined) return undefined;
  const period = periodOf(books, options.period);
  const unknown = missingTo(books, period);
  const compared =
    unknown.length > 0 || period === undefined
      ? { differing: [], unclear: [], settledCount: 0 }
      : compare(books, period, options);
  const { differing, unclear, settledCount } = compared;
  // Uses that were read by themselves may be some of many, unless they are just what was invoiced.
  const doubts = isWhole || differing.length === 0 ? [] : doubtsOf(differing);
  return {
    differences: doubts.length > 0 ? [] : differing,
    missing: [...unknown, ...unclear.slice(0, toldDoubtCountMax), ...doubts],
    lists: ["invoice", "uses"],
    heldTitle: `What the ledger ${name} charged is what the provider invoices`,
    lookedAt: `${plural(invoice.length, "line")} of an invoice and ${plural(uses?.length ?? 0, "use")} were compared.${
      settledCount === 0 ? "" : ` ${plural(settledCount, "difference")} had been settled.`
    }`,
  };
}

function missingTo(books: Books, period: InvoicePeriod | undefined): string[] {
  const { uses, fromMicros, readMicros } = books;
  if (uses === undefined) {
    return [
      "The uses that were charged: one ledger, as `faultline ledger export` gives it, beside the invoice.",
    ];
  }
  if (period === undefined)
    return [
      "The time that the invoice is for: columns `from` and `until`, or the option `period`.",
    ];
  const missing: string[] = [];
  if (fromMicros !== undefined && fromMicros > period.fromMicros)
    missing.push("Uses from the beginning of that time on: export the ledger from before it.");
  if (readMicros !== undefined && readMicros < period.untilMicros)
    missing.push("Uses up to the end of that time: it goes on beyond the export.");
  return missing;
}

function doubtsOf(differences: readonly Difference[]): string[] {
  const told = differences.slice(0, toldDoubtCountMax).map(({ message }) => message);
  return [
    `That these are all uses of that time, as an export says it. By those at hand: ${told.join(" ")}`,
  ];
}

interface Side {
  readonly name: string;
  readonly provider: string;
  readonly currency: string;
  theirMicros: bigint;
  ourMicros: bigint;
  readonly uses: BookedUse[];
}

interface Compared {
  readonly differing: readonly Difference[];
  /** What would have to be known of those that cannot be judged. */
  readonly unclear: readonly string[];
  /** Sides that differed, until entries settled it. */
  readonly settledCount: number;
}

function compare(books: Books, period: InvoicePeriod, options: Options): Compared {
  const sides = sidesOf(books, period);
  const entries = (books.entries ?? []).map(settlingEntryOf);
  const settlements = new InvoiceSettlements(windowOf(period), entries);
  const unconverted = unconvertedIn(sides);
  const differenceMax = BigInt(Math.floor(options.differenceMicrosMax));
  const differing: Difference[] = [];
  const unclear = new Set<string>();
  let settledCount = 0;
  for (const side of sides) {
    const standing = settlements.standingOf(side);
    const isOff = sizeOf(side.theirMicros - side.ourMicros) > differenceMax;
    const restMicros = side.theirMicros - side.ourMicros - standing.settledMicros;
    if (sizeOf(restMicros) <= differenceMax) {
      if (isOff) settledCount += 1;
      continue;
    }
    const doubt = doubtOf(side, standing, unconverted);
    if (doubt === undefined) differing.push(differenceOf(side, standing));
    else unclear.add(doubt);
  }
  return { differing, unclear: [...unclear], settledCount };
}

/** What an invoice and the uses in its time say of each model, in the order of names. */
function sidesOf(books: Books, period: InvoicePeriod): Side[] {
  const sides = new Map<string, Side>();
  const sideOf = (provider: string, model: string, currencyText: string): Side => {
    const name = nameOf(provider, model);
    const currency = currencyOf(currencyText);
    const key = JSON.stringify([name, currency]);
    const fresh = { name, provider, currency, theirMicros: 0n, ourMicros: 0n, uses: [] };
    const side = sides.get(key) ?? fresh;
    sides.set(key, side);
    return side;
  };
  // Of what others are paid an invoice says nothing.
  const providers = new Set(books.invoice?.map(({ provider }) => provider));
  for (const { provider, model, currency, amountMicros } of books.invoice ?? [])
    sideOf(provider, model, currency).theirMicros += BigInt(amountMicros);
  for (const use of books.uses ?? []) {
    const { provider, model = "", currency, timeMicros = 0, amountMicros } = use;
    if (provider === undefined || !providers.has(provider) || currency === undefined) continue;
    if (timeMicros < period.fromMicros || timeMicros >= period.untilMicros) continue;
    const side = sideOf(provider, model, currency);
    side.ourMicros += BigInt(amountMicros);
    side.uses.push(use);
  }
  return [...sides.keys()].sort().flatMap((key) => sides.get(key) ?? []);
}

/** The codes of ISO 4217 are the same in either case; a ledger may count in something else. */
function currencyOf(text: string): string {
  return /^[a-z]{3}$/i.test(text) ? text.toUpperCase() : text;
}

/** The ledger counts in milliseconds. */
function windowOf({ fromMicros, untilMicros }: InvoicePeriod) {
  return { fromMs: Math.floor(fromMicros / 1_000), untilMs: Math.floor(untilMicros / 1_000) };
}

function unconvertedIn(sides: readonly Side[]): UnconvertedProviders {
  const providers = new UnconvertedProviders();
  for (const side of sides) {
    if (side.theirMicros !== 0n) providers.addInvoiced(side);
    if (side.ourMicros !== 0n) providers.addCharged(side);
  }
  return providers;
}

function doubtOf(
  { name, provider }: Side,
  { overlapping }: InvoiceStanding,
  unconverted: UnconvertedProviders,
): string | undefined {
  const currencies = unconverted.currenciesOf(provider);
  if (currencies !== undefined)
    return `A conversion: ${provider} invoices in ${currencies.invoiced.join(", ")}, and its uses were charged in ${currencies.charged.join(", ")}.`;
  if (overlapping.length === 0) return undefined;
  return `How much of ${overlapping.join(", ")} is for this time: those settled ${name} for a time that overlaps it.`;
}

function sizeOf(micros: bigint): bigint {
  return micros < 0n ? -micros : micros;
}

/** Catalogs name a model with its provider before it, invoices by itself. */
function nameOf(provider: string, model: string): string {
  return model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
}

function differenceOf(side: Side, { settledMicros, commandId }: InvoiceStanding): Difference {
  const { name, currency, theirMicros, ourMicros } = side;
  const paidMicros = ourMicros + settledMicros;
  const dearest = side.uses.toSorted((left, right) => {
    const difference = BigInt(right.amountMicros) - BigInt(left.amountMicros);
    return difference === 0n ? (left.id < right.id ? -1 : 1) : difference > 0n ? 1 : -1;
  });
  const settled = settledMicros === 0n ? "" : `, and entries settled ${settledMicros} since`;
  return {
    kind: "invoice-differs",
    subject: { kind: "invoice", name },
    expectedMicros: theirMicros,
    actualMicros: paidMicros,
    message: `For ${name} the provider invoices ${theirMicros} micros of ${currency}, and ${ourMicros} were charged${settled}.`,
    places: [
      { list: "invoice", ids: [name] },
      { list: "uses", ids: dearest.slice(0, namedUseCount).map(({ id }) => id) },
    ],
    entry: {
      proposal: { commandId, options: "--invoice FILE --apply" },
      currency,
      direction: paidMicros > theirMicros ? "give" : "take",
      amountMicros: sizeOf(theirMicros - paidMicros),
    },
    nextCheck:
      "Compare the prices by which the dearest uses were charged with the provider's, and their tokens with its report.",
  };
}
