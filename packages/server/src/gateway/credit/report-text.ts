/**
 * Uses of a lease as one text: from a worker to the control process it is a fraction of what their objects are. The amounts
 * stand in it as text, since JSON has no integers of any size.
 */

import type { LeaseCharge } from "#ledger/index.ts";
import type { UseDetails } from "@faultline/protocol";

type Row = [
  usageId: string,
  usageKind: LeaseCharge["usageKind"],
  micros: string,
  attribution: LeaseCharge["attribution"],
  details: UseDetails | null,
];

/** The text of these charges, and of what is known of their uses. */
export function toReportText(
  charges: readonly LeaseCharge[],
  details: ReadonlyMap<string, UseDetails>,
): string {
  const rows = charges.map(({ usageId, usageKind, amountMicros, attribution }): Row => [
    usageId,
    usageKind,
    amountMicros.toString(),
    attribution,
    details.get(usageId) ?? null,
  ]);
  return JSON.stringify(rows);
}

/** What a text of `toReportText` says. */
export function fromReportText(text: string): {
  readonly charges: LeaseCharge[];
  readonly details: ReadonlyMap<string, UseDetails>;
} {
  // Both processes are of one release.
  const rows = JSON.parse(text) as readonly Row[];
  const details = new Map<string, UseDetails>();
  const charges = rows.map(([usageId, usageKind, micros, attribution, known]) => {
    if (known !== null) details.set(usageId, known);
    return { usageId, usageKind, amountMicros: BigInt(micros), attribution };
  });
  return { charges, details };
}
