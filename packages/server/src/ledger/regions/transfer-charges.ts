/** What a region's ledger charged, as the home of the account is told. */

import type { LeaseCharge } from "../rules/commands.ts";
import type { Attribution, Transfer, UsageKind } from "../rules/types.ts";

/** The parts of a transfer that tell of use. */
export type UsageTransfer = Pick<
  Transfer,
  "from" | "to" | "amountMicros" | "usageId" | "holdId" | "commandId"
>;

export interface ChargeSource {
  readonly region: string;
  /** Whom a use was for. */
  readonly attributionOf: (transfer: UsageTransfer) => Attribution;
}

/**
 * The charges of transfers in their order, one for each use. What goes from one kind of use to another (a lost journal that was
 * found) was charged before.
 */
export function chargesOfTransfers(
  transfers: Iterable<UsageTransfer>,
  { region, attributionOf }: ChargeSource,
): LeaseCharge[] {
  const charges = new Map<string, LeaseCharge>();
  for (const transfer of transfers) {
    const { from, to, amountMicros } = transfer;
    if (!to.startsWith("usage:") || from.startsWith("usage:")) continue;
    // The part of an account's id before its currency, behind `usage:`.
    const usageKind = to.slice("usage:".length, to.indexOf("/")) as UsageKind;
    const usageId = chargeIdOf(transfer, region);
    const known = charges.get(usageId);
    const sumMicros = amountMicros + (known?.amountMicros ?? 0n);
    const attribution = known?.attribution ?? attributionOf(transfer);
    charges.set(usageId, { usageId, usageKind, amountMicros: sumMicros, attribution });
  }
  return [...charges.values()];
}

/** The id under which the home is told of a charge: that of the use, where there is one. */
export function chargeIdOf(
  { usageId, holdId, commandId }: Pick<UsageTransfer, "usageId" | "holdId" | "commandId">,
  region: string,
): string {
  return usageId ?? `unread/${region}/${holdId ?? commandId}`;
}

/**
 * How many of the transfers that were read, in their order, may be reported together: a command's transfers follow one another
 * and go together, or a use would be charged in part. `isAll` says that there are no more behind them.
 */
export function reportableCount(
  transfers: readonly Pick<UsageTransfer, "commandId">[],
  isAll: boolean,
): number {
  if (isAll) return transfers.length;
  const lastId = transfers.at(-1)?.commandId;
  return transfers.findLastIndex(({ commandId }) => commandId !== lastId) + 1;
}
