/** The id of the entry that settles what an invoice differs by: the same comparison gives the same one. */

import { createPortableHasher } from "../snapshot/evidence-id.ts";

const hashLength = 32;

/** As `faultline ledger reconcile` makes it, so that either proposal takes effect once. */
export function invoiceEntryId(side: {
  readonly name: string;
  readonly currency: string;
  readonly fromMicros: number;
  readonly untilMicros: number;
  readonly theirMicros: bigint;
  readonly ourMicros: bigint;
}): string {
  const { name, currency, fromMicros, untilMicros, theirMicros, ourMicros } = side;
  const parts = [name, currency, fromMicros / 1_000, untilMicros / 1_000, theirMicros, ourMicros];
  const hasher = createPortableHasher();
  hasher.update(new TextEncoder().encode(JSON.stringify(parts.map(String))));
  return `reconcile-invoice-${hasher.digest().slice(0, hashLength)}`;
}
