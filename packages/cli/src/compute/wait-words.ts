/** Why a job waits, and what would let it start, in sentences. */

import type { ComputeRemedy, ComputeWait } from "@faultline/protocol";

import { unitsOf } from "../ledger/amount-text.ts";

/** What binds a job now. */
export function waitWords(wait: ComputeWait): string {
  switch (wait.kind) {
    case "nodes":
      return "No node could ever take it: the configured nodes do not fit all its members, even if all were free.";
    case "quota":
      return `The tenant's quota is used: it asks for ${wait.askedDeviceCount}, and ${wait.usedDeviceCount} of ${wait.deviceCountMax} devices are in use.`;
    case "running-jobs":
      return `As many jobs of the tenant run as may: ${wait.runningJobCountMax}.`;
    case "credit":
      return `Credit does not suffice: it costs ${unitsOf(wait.askedMicros)} USD, and ${unitsOf(wait.spendableMicros)} can be spent after the jobs before it.`;
    case "capacity":
      return `Devices are taken: it is next, and starts at ${wait.startAt} at the latest, when ${wait.awaitedJobCount} of the running jobs will have ended.`;
    case "turn":
      return wait.fitsNow
        ? `It is not its turn: it would fit, but would delay the job before it, which starts at ${wait.headStartAt}.`
        : `It is not its turn: the job before it starts at ${wait.headStartAt}.`;
    case "earlier-job":
      return "An earlier job of the tenant waits for the same.";
  }
}

/** A change that would let it start. */
export function remedyWords(remedy: ComputeRemedy): string {
  switch (remedy.kind) {
    case "grant-credit":
      return `grant ${unitsOf(remedy.amountMicros)} USD: faultline ledger grant ${unitsOf(remedy.amountMicros)}`;
    case "raise-quota":
      return `raise the quota of ${remedy.deviceKind} to ${remedy.deviceCountMax} devices`;
    case "raise-running-jobs":
      return `let the tenant run ${remedy.runningJobCountMax} jobs at once`;
    case "add-nodes": {
      const where = remedy.region === "" ? "" : ` in ${remedy.region}`;
      return `add ${remedy.nodeCount} nodes of the size of one member${where}`;
    }
    case "shorten":
      return `ask for ${remedy.durationSeconds}s instead`;
    case "wait":
      return `wait until ${remedy.untilAt}, for the end of ${remedy.endedJobCount} jobs`;
  }
}
