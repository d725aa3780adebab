/** One line of the journal of usage: a checksum, and what was admitted or settled. */

import { crc32 } from "node:zlib";

import type { UsageRecord } from "#ledger/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

/** What a worker wrote down about a reserve of one tenant: a lease, or the hold of one call. */
export interface UsageEntry {
  readonly tenantId: TenantId;
  readonly record: UsageRecord;
  readonly details: UseDetails | undefined;
}

/** The JSON of a line. It has no integers of any size: amounts stand in it as text. */
interface LineForm {
  readonly kind: UsageRecord["kind"];
  readonly tenantId: string;
  readonly reserveId: string;
  readonly usageId: string;
  readonly usageKind: string;
  readonly micros: string;
  readonly attribution: object;
  readonly details?: UseDetails | undefined;
}

/** Writes an entry, with its end of line. */
export function toUsageLine({ tenantId, record, details }: UsageEntry): string {
  const { kind, leaseId: reserveId } = record;
  const charge = record.kind === "settled" ? record.charge : record.bound;
  const { usageId, usageKind, attribution } = charge;
  const micros = charge.amountMicros.toString();
  const ids = `"tenantId":${JSON.stringify(tenantId)},"reserveId":${JSON.stringify(reserveId)},"usageId":${JSON.stringify(usageId)}`;
  const what = `"usageKind":"${usageKind}","micros":"${micros}","attribution":${JSON.stringify(attribution)}`;
  const known = details === undefined ? "" : `,"details":${JSON.stringify(details)}`;
  // Written out, because two of these are made for each call.
  const text = `{"kind":"${kind}",${ids},${what}${known}}`;
  return `${crc32(text).toString(16)} ${text}\n`;
}

/** Reads a line without its end; `undefined` when it is not whole. */
export function fromUsageLine(line: string): UsageEntry | undefined {
  const space = line.indexOf(" ");
  const text = line.slice(space + 1);
  if (space < 1 || crc32(text).toString(16) !== line.slice(0, space)) return undefined;
  // The checksum says that the same release wrote it.
  const form = JSON.parse(text) as LineForm & {
    readonly tenantId: TenantId;
    readonly usageKind: "tokens" | "embedding";
  };
  const { tenantId, reserveId: leaseId, usageId, usageKind, attribution, details } = form;
  const charge = { usageId, usageKind, amountMicros: BigInt(form.micros), attribution };
  const record: UsageRecord =
    form.kind === "settled"
      ? { kind: "settled", leaseId, charge }
      : { kind: "admitted", leaseId, bound: charge };
  return { tenantId, record, details };
}
