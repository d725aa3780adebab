/** Escrows that were recalled and did not come back in time. */

import type { LedgerDifference } from "@faultline/protocol";

import type { Reader } from "#storage/index.ts";

import { readLentEscrows } from "../regions/region-store.ts";
import { readRecalls } from "../regions/recall-store.ts";

/**
 * What regions hold beyond the time for which it was recalled. Nobody but the region knows what it spent, so that it counts as
 * spent until the region has reported, and no entry is proposed.
 */
export async function overdueEscrows(reader: Reader, nowMs: number): Promise<LedgerDifference[]> {
  const recalls = await readRecalls(reader);
  if (recalls.size === 0) return [];
  return (await readLentEscrows(reader)).flatMap(({ region, currency, heldMicros }) => {
    const recall = recalls.get(region);
    if (recall === undefined || nowMs < recall.untilMs || heldMicros === 0n) return [];
    const until = new Date(recall.untilMs).toISOString();
    return {
      kind: "escrow-overdue" as const,
      subject: `region/${region}`,
      expectedMicros: "0",
      actualMicros: String(heldMicros),
      message: `The region ${region} was to give its credit back by ${until} and still holds ${heldMicros} of it: that counts as spent until the region has reported.`,
      evidence: [`escrow/${region}/${currency}`],
    };
  });
}
