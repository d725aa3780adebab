/** Ids of entries that settle what an invoice differs by. They say the window, for which model, and the how manieth for both. */

import { createPortableHasher } from "../snapshot/evidence-id.ts";

/** How ids of all such entries begin, those of earlier releases too. */
export const invoiceEntryPrefix = "reconcile-invoice";
const hashLength = 32;
const pattern = /^reconcile-invoice\/(\d{1,16})-(\d{1,16})\/([0-9a-f]{32})\/(\d{1,9})$/;
const earlierPattern = /^reconcile-invoice-[0-9a-f]{32}$/;

interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What stands for a model and a currency. */
export function invoiceSideHash(side: {
  readonly name: string;
  readonly currency: string;
}): string {
  return hashOf([side.name, side.currency]);
}

/** The id of an entry for a window and a model; `index` counts those before it. */
export function invoiceEntryId(
  { fromMs, untilMs }: Window,
  sideHash: string,
  index: number,
): string {
  return `${invoiceEntryPrefix}/${fromMs}-${untilMs}/${sideHash}/${index}`;
}

/** What an id says; nothing of another one. */
export function parseInvoiceEntryId(
  text: string,
): (Window & { readonly hash: string; readonly index: number }) | undefined {
  const [, from, until, hash, index] = pattern.exec(text) ?? [];
  if (hash === undefined) return undefined;
  return { fromMs: Number(from), untilMs: Number(until), hash, index: Number(index) };
}

/** Whether an earlier release may have given this id. */
export function isEarlierInvoiceEntryId(text: string): boolean {
  return earlierPattern.test(text);
}

/** The id that an earlier release gave, by both sums at that time. */
export function earlierInvoiceEntryId(
  { fromMs, untilMs }: Window,
  side: {
    readonly name: string;
    readonly currency: string;
    readonly theirMicros: bigint;
    readonly ourMicros: bigint;
  },
): string {
  const { name, currency, theirMicros, ourMicros } = side;
  return `${invoiceEntryPrefix}-${hashOf([name, currency, fromMs, untilMs, theirMicros, ourMicros])}`;
}

function hashOf(parts: readonly (string | number | bigint)[]): string {
  const hasher = createPortableHasher();
  hasher.update(new TextEncoder().encode(JSON.stringify(parts.map(String))));
  return hasher.digest().slice(0, hashLength);
}
