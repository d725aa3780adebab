/**
 * One line of the journal of usage: all that was admitted and settled in one turn of the event loop, behind a checksum. What
 * stands in a line that is torn was not begun, since its write did not return.
 */

import { crc32 } from "node:zlib";

import type { UsageRecord } from "#ledger/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

import { type SectionForm, toCharge, toDetails, type UsageSection } from "./usage-text.ts";

/** What a worker wrote down about a reserve of one tenant: a lease, or the hold of one call. */
export interface UsageEntry {
  readonly tenantId: TenantId;
  readonly record: UsageRecord;
  readonly details: UseDetails | undefined;
}

const checksumLength = 8;
/** Bytes of a character in UTF-8 at most, of those that a string counts as one. */
const bytesPerUnitMax = 3;

/** The line of these sections, with its end. It ends their turn. */
export function toUsageBlock(sections: readonly UsageSection[]): Buffer {
  const text = `[${sections.map((section) => section.close()).join(",")}]\n`;
  const start = checksumLength + 1;
  const bytes = Buffer.allocUnsafe(start + text.length * bytesPerUnitMax);
  const end = start + bytes.write(text, start);
  bytes.write(`${checksumOf(bytes.subarray(start, end - 1))} `, 0, "latin1");
  return bytes.subarray(0, end);
}

/** Reads a line without its end; `undefined` when it is not whole. */
export function fromUsageBlock(line: string): UsageEntry[] | undefined {
  const text = line.slice(checksumLength + 1);
  if (line[checksumLength] !== " " || checksumOf(text) !== line.slice(0, checksumLength))
    return undefined;
  // The checksum says that the same release wrote it.
  return (JSON.parse(text) as readonly SectionForm[]).flatMap(entriesOf);
}

/** Begins as a line does: a checksum, a space, and text without the bytes that such a text never has. */
const begunBlock = /^(?:[0-9a-f]{0,8}|[0-9a-f]{8} (?:\[[ -\uffff]*)?)$/;

/** Whether this may be the beginning of a line. */
export function isBegunBlock(text: string): boolean {
  return begunBlock.test(text);
}

function entriesOf({ tenantId, reserveId: leaseId, terms, admitted, settled }: SectionForm) {
  return [
    ...admitted.map((row): UsageEntry => {
      const record = { kind: "admitted", leaseId, bound: toCharge(terms, row) } as const;
      return { tenantId, record, details: undefined };
    }),
    ...settled.map((row): UsageEntry => {
      const record = { kind: "settled", leaseId, charge: toCharge(terms, row) } as const;
      return { tenantId, record, details: toDetails(terms, row) };
    }),
  ];
}

function checksumOf(content: string | Uint8Array): string {
  return crc32(content).toString(16).padStart(checksumLength, "0");
}
