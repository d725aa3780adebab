/** Whether the entry that settles what an invoice differs by was made. */

import { type Books } from "./books.ts";
import type { CompensatingEntry } from "./difference.ts";

const adjustments = "adjustments/";

/** As the entries say it: under the id that is proposed as much was taken or given. */
export function isSettledBy({ entries = [] }: Books, entry: CompensatingEntry): boolean {
  const { proposal, currency, direction, amountMicros } = entry;
  if (proposal === undefined) return false;
  let takenMicros = 0n;
  for (const { commandId, from, to, amountMicros: moved } of entries) {
    if (commandId !== proposal.commandId) continue;
    if (to === `${adjustments}${currency}`) takenMicros += BigInt(moved);
    if (from === `${adjustments}${currency}`) takenMicros -= BigInt(moved);
  }
  return takenMicros === (direction === "take" ? amountMicros : -amountMicros);
}
