/**
 * The home of an account wants back what it lent to a region. The region learns of that with the next answer and gives back all
 * that no operation under way needs. Until the time is over and everything has come back, the home lends it nothing, whatever
 * the region asks for; what has not come back when the time is over counts as spent until the region has reported. Pure.
 */

import type { Refusal } from "../rules/commands.ts";
import type { Currency } from "../rules/types.ts";
import type { RegionRequest } from "./region-request.ts";

/** As it is written down. */
export interface EscrowRecall {
  readonly recalledAtMs: number;
  readonly untilMs: number;
}

/** `over`: the time is over, and nothing is out any more. */
export type RecallState = "recalled" | "overdue" | "over";

/** How a recall stands while the home holds so much for the region. */
export function recallState(
  { untilMs }: EscrowRecall,
  { nowMs, heldMicros }: { readonly nowMs: number; readonly heldMicros: bigint },
): RecallState {
  if (nowMs < untilMs) return "recalled";
  return heldMicros > 0n ? "overdue" : "over";
}

/** The answer to a step of a region whose escrow is recalled; `undefined` where the step lends nothing. */
export function refuseRecalled(step: RegionRequest, currency: Currency): Refusal | undefined {
  if (step.kind !== "lease" && step.kind !== "renew-lease") return undefined;
  const { amountMicros: askedMicros } = step;
  const obstacle = { kind: "account", currency } as const;
  // The step stays under way in the region, which sends it again: lent once the recall is over.
  return {
    kind: "refused",
    code: "credit_exhausted",
    obstacle,
    askedMicros,
    leftMicros: 0n,
    leasedMicros: 0n,
  };
}
