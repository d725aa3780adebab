/** Freezes the tenant's ledger into a snapshot: all of it at this moment, from the beginning of a window on. */

import {
  type BookedInvoiceLine,
  createSnapshot,
  encodeSnapshotFile,
  readEvidence,
  type SnapshotPart,
} from "@faultline/contracts";
import { type CaseSnapshot, PlatformError } from "@faultline/protocol";

import { assert } from "#kernel/index.ts";
import type { Blobs, TenantScope } from "#storage/index.ts";

import type { CaseWindow } from "./case-window.ts";
import type { FrozenSnapshot } from "./freeze-snapshot.ts";
import { caseLimits } from "./limits.ts";

/** What a case needs of the ledger. */
export interface LedgerSource {
  /** The ledger as lines of JSON; what was before `since` is summed up. Throws `limit_exceeded` where that is too much. */
  exportLedger(scope: TenantScope, query: { readonly since: string }): Promise<readonly string[]>;
}

/** Takes a snapshot of the ledger and stores its file. */
export async function freezeLedger(
  parts: { readonly ledger: LedgerSource; readonly blobs: Blobs; readonly scope: TenantScope },
  request: {
    readonly window: CaseWindow;
    readonly role: CaseSnapshot["role"];
    /** ISO 8601. */
    readonly takenAt: string;
    /** What a provider invoiced: the ledger is taken from the beginning of its time on. */
    readonly invoice: readonly BookedInvoiceLine[];
  },
): Promise<FrozenSnapshot> {
  const { window, role, takenAt, invoice } = request;
  const from = new Date(window.fromMs).toISOString();
  const startMs = Math.min(
    window.fromMs,
    ...invoice.slice(0, 1).map(({ fromMicros = 0 }) => fromMicros / 1_000),
  );
  const since = new Date(startMs).toISOString();
  const pieces = await parts.ledger.exportLedger(parts.scope, { since });
  const bytes = new TextEncoder().encode(pieces.join(""));
  if (bytes.byteLength > caseLimits.ledgerBytesMax) {
    throw new PlatformError(
      "limit_exceeded",
      `The ledger of this window has ${bytes.byteLength} bytes; a case freezes ${caseLimits.ledgerBytesMax}.`,
      {
        where: "/from",
        hint: "Choose a shorter window: what was before it is summed up, and still judged.",
      },
    );
  }
  const { evidence, unreadable } = readEvidence([{ name: "ledger", bytes }]);
  assert(unreadable.length === 0, "what the ledger exports can be read");
  const snapshot = createSnapshot([...evidence, ...invoiceParts(invoice)]);
  const file = encodeSnapshotFile(snapshot);
  return {
    snapshot,
    facts: {
      id: await parts.blobs.put(file),
      role,
      takenAt,
      from,
      to: new Date(window.toMs).toISOString(),
      evidenceCount: snapshot.evidence.length,
      traceCountSeen: 0,
      traceCountKept: 0,
      byteCount: file.byteLength,
    },
  };
}

/** All lines of an invoice are for one time. */
function invoiceParts(invoice: readonly BookedInvoiceLine[]): SnapshotPart[] {
  if (invoice.length === 0) return [];
  const source = { name: "invoice", format: "invoice-csv", notes: [] };
  return [{ source, content: { kind: "ledger", invoice: [...invoice] } }];
}
