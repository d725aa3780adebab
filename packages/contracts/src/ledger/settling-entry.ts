/** What an entry of an export settles. */

import type { BookedEntry } from "../model/ledger.ts";
import type { SettlingEntry } from "./invoice-settlement.ts";

const adjustments = "adjustments/";

/** Only what goes between credit, or debt, and adjustments of one currency adjusts an account. */
export function settlingEntryOf({
  commandId = "",
  from,
  to,
  ...entry
}: BookedEntry): SettlingEntry {
  const amountMicros = BigInt(entry.amountMicros);
  const isTaken = to.startsWith(adjustments);
  const [adjusted, other] = isTaken ? [to, from] : [from, to];
  const currency = adjusted.slice(adjustments.length);
  const isSettling =
    adjusted.startsWith(adjustments) &&
    (other === `credit/${currency}` || other === `debt/${currency}`);
  if (!isSettling) return { commandId, currency: "", takenMicros: 0n };
  return { commandId, currency, takenMicros: isTaken ? amountMicros : -amountMicros };
}
