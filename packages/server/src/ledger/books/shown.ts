/** Records of the ledger in the form in which the control API shows them. */

import type { LedgerEntry, LedgerHold } from "@faultline/protocol";
import type { Selectable } from "kysely";

import type { Schema } from "#storage/index.ts";

import { reservedMicros } from "../rules/credit.ts";
import type { Hold } from "../rules/types.ts";
import { readRecord } from "../store/micros-text.ts";

/** A time of the ledger as ISO 8601. */
export function showTime(atMs: number | string): string {
  return new Date(Number(atMs)).toISOString();
}

type TransferRow = Omit<
  Selectable<Schema["ledger_transfer"]>,
  "tenant_id" | "batch_first" | "batch_from_ms" | "batch_until_ms"
>;

/** A transfer. */
export function showEntry(row: TransferRow): LedgerEntry {
  return {
    sequence: Number(row.sequence),
    at: showTime(row.at_ms),
    commandId: row.command_id,
    from: row.from_account,
    to: row.to_account,
    amountMicros: row.amount_micros,
    reason: row.reason,
    ...(row.lot_id === null ? {} : { lotId: row.lot_id }),
    ...(row.hold_id === null ? {} : { holdId: row.hold_id }),
    ...(row.usage_id === null ? {} : { usageId: row.usage_id }),
  };
}

/** The columns that `showEntry` reads. */
export const entryColumns = [
  "sequence",
  "at_ms",
  "command_id",
  "from_account",
  "to_account",
  "amount_micros",
  "reason",
  "lot_id",
  "hold_id",
  "usage_id",
] as const satisfies readonly (keyof TransferRow)[];

/** A hold from its record. */
export function showHold(record: unknown): LedgerHold {
  // The record of a row of kind `hold` was written from a hold.
  const hold = readRecord(record) as Hold;
  const { keyId, userId, model, tags } = hold.attribution;
  return {
    id: hold.id,
    currency: hold.currency,
    state: hold.state,
    heldMicros: String(hold.heldMicros),
    remainingMicros: String(reservedMicros(hold)),
    chargedMicros: String(hold.chargedMicros),
    attribution: {
      ...(keyId === undefined ? {} : { keyId }),
      ...(userId === undefined ? {} : { userId }),
      ...(model === undefined ? {} : { model }),
      ...(tags === undefined ? {} : { tags: [...tags] }),
    },
    placedAt: showTime(hold.placedAtMs),
    expiresAt: showTime(hold.expiresAtMs),
  };
}
