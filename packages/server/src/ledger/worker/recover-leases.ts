/** What the ledger is told about a worker that died, by whoever read its journal. */

import type { LeaseCharge } from "../rules/commands.ts";
import type { Hold, Lease } from "../rules/types.ts";
import { workerLimits } from "./limits.ts";
import type { WorkerCommand } from "./lease-keeper.ts";

/** The life of a worker that has surely ended. */
export interface DeadWorker {
  readonly workerId: string;
  readonly epoch: number;
}

/** Reports of what its journal says, in batches; then, once all of those took effect, `returnCommand` may be sent. */
export function recoveryReports(leaseId: string, charges: readonly LeaseCharge[]): WorkerCommand[] {
  const commands: WorkerCommand[] = [];
  for (let start = 0; start < charges.length; start += workerLimits.chargesPerReportMax) {
    const batch = charges.slice(start, start + workerLimits.chargesPerReportMax);
    const id = `${leaseId}/recovered${start}`;
    commands.push({ kind: "report-lease", id, leaseId, charges: batch });
  }
  return commands;
}

/** Ends a lease whose journal was read to the end; the ledger refuses as long as it knows of fewer uses. */
export function returnCommand(leaseId: string, charges: readonly LeaseCharge[]): WorkerCommand {
  const from = "journal" as const;
  const id = `${leaseId}/recovered-end`;
  return { kind: "return-lease", id, leaseId, from, chargeCount: charges.length };
}

/** The open leases of a life that ended. */
export function leasesOf(leases: Iterable<Lease>, { workerId, epoch }: DeadWorker): Lease[] {
  return [...leases].filter(
    (lease) => lease.state === "open" && lease.workerId === workerId && lease.epoch === epoch,
  );
}

/** The open holds of a life that ended: a worker's commands bear its name and epoch. */
export function holdsOf(holds: Iterable<Hold>, { workerId, epoch }: DeadWorker): Hold[] {
  const prefix = `${workerId}/${epoch}/`;
  return [...holds].filter((hold) => hold.state === "open" && hold.id.startsWith(prefix));
}
