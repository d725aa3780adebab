/** What the ledger is told about a worker that died, by whoever read its journal. The product and the simulation share it. */

import { unreachable } from "#kernel/index.ts";

import type { LedgerCommand, LeaseCharge } from "../rules/commands.ts";
import { ledgerLimits } from "../rules/limits.ts";
import { workerLimits } from "./limits.ts";

/** What a journal told of a life that surely ended. */
export interface JournalFindings {
  /**
   * `whole`: it tells of all that was admitted. `cut`: what it tells of stands, and more may have been admitted, since the machine
   * failed under it. `unread`: it is lost or damaged, or cannot be read for now; its writer may even go on.
   */
  readonly kind: "whole" | "cut" | "unread";
  /** What it tells of each reserve, as far as it could be read. */
  readonly charges: ReadonlyMap<string, readonly LeaseCharge[]>;
}

/** A hold or a lease of that life that is open in the ledger. */
export interface LeftReserve {
  readonly kind: "hold" | "lease";
  readonly id: string;
  readonly remainingMicros: bigint;
  /** When a hold expires, or the deadline of a lease. */
  readonly endsAtMs: number;
}

/** A command of a recovery; the ledger adds the time at which it arrives. */
export type RecoveryCommand =
  Extract<
    LedgerCommand,
    { readonly kind: "report-lease" | "return-lease" | "lose-lease" | "settle" | "release" }
  > extends infer Command
    ? Command extends LedgerCommand
      ? Omit<Command, "atMs">
      : never
    : never;

/**
 * What is to be said now about one reserve, in this order; the same again later says it again. A reserve whose journal was read
 * to its end ends with what was used of it. Any other keeps all its credit until shortly before the ledger would let it go, for
 * its journal may be read by then, and what its worker sent may come; then it counts as spent.
 */
export function recoveryOf(
  reserve: LeftReserve,
  findings: JournalFindings,
  nowMs: number,
): readonly RecoveryCommand[] {
  const charges = findings.charges.get(reserve.id) ?? [];
  switch (reserve.kind) {
    case "lease":
      return leaseRecovery(reserve, { ...findings, own: charges }, nowMs);
    case "hold":
      return holdRecovery(reserve, { ...findings, own: charges }, nowMs);
    default:
      return unreachable(reserve.kind);
  }
}

interface OwnFindings {
  readonly kind: JournalFindings["kind"];
  /** Of the reserve. */
  readonly own: readonly LeaseCharge[];
}

/** Until the lease's deadline has passed, or a later life of its worker is known, the ledger refuses its return. */
function leaseRecovery(
  { id: leaseId, endsAtMs }: LeftReserve,
  { kind, own }: OwnFindings,
  nowMs: number,
): readonly RecoveryCommand[] {
  const lostAtMs = endsAtMs + ledgerLimits.leaseGraceMs;
  if (kind === "unread" && nowMs < lostAtMs - workerLimits.unreadAheadMs) return [];
  const reports = recoveryReports(leaseId, own);
  if (kind === "whole") {
    const id = `${leaseId}/recovered-end`;
    const chargeCount = own.length;
    return [...reports, { kind: "return-lease", id, leaseId, from: "journal", chargeCount }];
  }
  if (nowMs < lostAtMs) return reports;
  return [...reports, { kind: "lose-lease", id: `${leaseId}/lost`, leaseId }];
}

/**
 * What is to be said of a lost lease whose journal was found after all. Uses that were charged before stay as they are; the id
 * says how many were found, because more may be found later.
 */
export function foundReports(
  leaseId: string,
  charges: readonly LeaseCharge[],
): readonly RecoveryCommand[] {
  return reportsOf(leaseId, charges, `${leaseId}/found${charges.length}-`);
}

/** The use that a hold is charged for whose journal could not be read. */
export function unreadUsageId(holdId: string): string {
  return `${holdId}/unread`;
}

/** A call is written down before its provider is asked, so that one which no whole journal tells of was not made. */
function holdRecovery(
  { id: holdId, remainingMicros, endsAtMs }: LeftReserve,
  { kind, own }: OwnFindings,
  nowMs: number,
): readonly RecoveryCommand[] {
  const [charge] = own;
  const id = `${holdId}/recovered`;
  const isKnown = charge !== undefined && kind !== "unread";
  if (kind === "whole" && !isKnown) return [{ kind: "release", id, holdId }];
  if (!isKnown && nowMs < endsAtMs - workerLimits.unreadAheadMs) return [];
  const use = charge ?? {
    usageId: unreadUsageId(holdId),
    usageKind: "unread",
    amountMicros: remainingMicros,
  };
  const { usageId, usageKind, amountMicros } = use;
  const settled = { usageId, usageKind, amountMicros } as const;
  return [{ kind: "settle", id, holdId, charge: settled, isFinal: true }];
}

function recoveryReports(leaseId: string, charges: readonly LeaseCharge[]): RecoveryCommand[] {
  return reportsOf(leaseId, charges, `${leaseId}/recovered`);
}

/** The ledger takes so many uses at once. */
function reportsOf(
  leaseId: string,
  charges: readonly LeaseCharge[],
  idPrefix: string,
): RecoveryCommand[] {
  const commands: RecoveryCommand[] = [];
  for (let start = 0; start < charges.length; start += workerLimits.chargesPerReportMax) {
    const batch = charges.slice(start, start + workerLimits.chargesPerReportMax);
    const id = `${idPrefix}${start}`;
    commands.push({ kind: "report-lease", id, leaseId, charges: batch });
  }
  return commands;
}
