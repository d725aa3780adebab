/** What was charged for a provider's models is what the provider invoices. */

import type { Contract } from "../model/contract.ts";
import type { BookedUse } from "../model/ledger.ts";
import { plural } from "../text/plural.ts";
import type { Books } from "./books.ts";
import { defineLedgerContract } from "./define-ledger-contract.ts";
import type { Difference } from "./difference.ts";
import { isSettledBy } from "./invoice-settlement.ts";
import { invoiceEntryId } from "./invoice-entry-id.ts";
import { type InvoicePeriod, periodOf } from "./invoice-period.ts";
import type { Judgement } from "./judge-books.ts";

interface Options {
  readonly period: string;
  readonly differenceMicrosMax: number;
}

export const costMatchesInvoice: Contract = defineLedgerContract<Options>(
  {
    id: "ledger/cost-matches-invoice",
    version: 2,
    promise:
      "Of every model of a provider that an invoice names as much was charged in its time as it says, or an entry has settled the difference.",
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
  const all = unknown.length > 0 || period === undefined ? [] : compare(books, period, options);
  const differing = all.filter(({ entry }) => entry === undefined || !isSettledBy(books, entry));
  const settledCount = all.length - differing.length;
  // Uses that were read by themselves may be some of many, unless they are just what was invoiced.
  const doubts = isWhole || differing.length === 0 ? [] : doubtsOf(differing);
  return {
    differences: doubts.length > 0 ? [] : differing,
    missing: [...unknown, ...doubts],
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
  readonly currency: string;
  theirMicros: bigint;
  ourMicros: bigint;
  readonly uses: BookedUse[];
}

function compare(books: Books, period: InvoicePeriod, options: Options): Difference[] {
  const sides = new Map<string, Side>();
  const sideOf = (name: string, currency: string): Side => {
    const key = JSON.stringify([name, currency]);
    const side = sides.get(key) ?? { name, currency, theirMicros: 0n, ourMicros: 0n, uses: [] };
    sides.set(key, side);
    return side;
  };
  // Of what others are paid an invoice says nothing.
  const providers = new Set(books.invoice?.map(({ provider }) => provider));
  for (const { provider, model, currency, amountMicros } of books.invoice ?? [])
    sideOf(nameOf(provider, model), currency).theirMicros += BigInt(amountMicros);
  for (const use of books.uses ?? []) {
    const { provider, model = "", currency, timeMicros = 0, amountMicros } = use;
    if (provider === undefined || !providers.has(provider) || currency === undefined) continue;
    if (timeMicros < period.fromMicros || timeMicros >= period.untilMicros) continue;
    const side = sideOf(nameOf(provider, model), currency);
    side.ourMicros += BigInt(amountMicros);
    side.uses.push(use);
  }
  const differenceMax = BigInt(Math.floor(options.differenceMicrosMax));
  return [...sides.keys()].sort().flatMap((key) => {
    const side = sides.get(key);
    if (side === undefined) return [];
    const { theirMicros, ourMicros } = side;
    const difference = theirMicros > ourMicros ? theirMicros - ourMicros : ourMicros - theirMicros;
    return difference <= differenceMax ? [] : [differenceOf(side, difference, period)];
  });
}

/** Catalogs name a model with its provider before it, invoices by itself. */
function nameOf(provider: string, model: string): string {
  return model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
}

function differenceOf(side: Side, amountMicros: bigint, period: InvoicePeriod): Difference {
  const { name, currency, theirMicros, ourMicros } = side;
  const dearest = side.uses.toSorted((left, right) => {
    const difference = BigInt(right.amountMicros) - BigInt(left.amountMicros);
    return difference === 0n ? (left.id < right.id ? -1 : 1) : difference > 0n ? 1 : -1;
  });
  return {
    kind: "invoice-differs",
    subject: { kind: "invoice", name },
    expectedMicros: theirMicros,
    actualMicros: ourMicros,
    message: `For ${name} the provider invoices ${theirMicros} micros of ${currency}, and ${ourMicros} were charged.`,
    places: [
      { list: "invoice", ids: [name] },
      { list: "uses", ids: dearest.slice(0, namedUseCount).map(({ id }) => id) },
    ],
    entry: {
      proposal: {
        commandId: invoiceEntryId({ name, currency, ...period, theirMicros, ourMicros }),
        options: "--invoice FILE --apply",
      },
      currency,
      direction: ourMicros > theirMicros ? "give" : "take",
      amountMicros,
    },
    nextCheck:
      "Compare the prices by which the dearest uses were charged with the provider's, and their tokens with its report.",
  };
}
