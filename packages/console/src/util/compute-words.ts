/** Why a job waits and what would let it start, in sentences. */

import type { ComputeRemedy, ComputeWait } from "@faultline/protocol";

import { plural } from "./format.ts";
import { formatMicros } from "./money.ts";
import { coarse, formatDistance, formatLocal } from "./time.ts";

/** What binds now: a title, and what it means. */
export function waitText(
  wait: ComputeWait,
  now: Date,
): { readonly title: string; readonly text: string } {
  switch (wait.kind) {
    case "nodes":
      return {
        title: "No node could ever take it",
        text: "No set of the configured nodes fits all its members, even if they were all free.",
      };
    case "quota":
      return {
        title: "The tenant's quota is used",
        text: `It asks for ${plural(wait.askedDeviceCount, "device")}; ${wait.usedDeviceCount} of ${wait.deviceCountMax} are in use.`,
      };
    case "running-jobs":
      return {
        title: "As many jobs run as may",
        text: `The tenant may run ${plural(wait.runningJobCountMax, "job")} at once.`,
      };
    case "credit":
      return {
        title: "Credit does not suffice",
        text: `It costs ${formatMicros(wait.askedMicros, "USD")}; ${formatMicros(wait.spendableMicros, "USD")} can be spent now, after the jobs before it.`,
      };
    case "capacity":
      return {
        title: "Devices are taken",
        text: `It is next, and starts ${at(wait.startAt, now)} at the latest, when ${plural(wait.awaitedJobCount, "job")} will have ended.`,
      };
    case "turn":
      return {
        title: "It is not its turn",
        text: wait.fitsNow
          ? `It would fit, but would delay the job before it, which starts ${at(wait.headStartAt, now)}.`
          : `The job before it starts ${at(wait.headStartAt, now)}.`,
      };
    default:
      return {
        title: "An earlier job of the tenant waits for the same",
        text: "It is not passed by a later one that needs the same quota.",
      };
  }
}

/** A change that would let it start. */
export function remedyText(remedy: ComputeRemedy, now: Date): string {
  switch (remedy.kind) {
    case "grant-credit":
      return `Grant ${formatMicros(remedy.amountMicros, "USD")} of credit.`;
    case "raise-quota":
      return `Raise the quota of ${remedy.deviceKind} to ${plural(remedy.deviceCountMax, "device")}.`;
    case "raise-running-jobs":
      return `Let the tenant run ${plural(remedy.runningJobCountMax, "job")} at once.`;
    case "add-nodes":
      return `Add ${plural(remedy.nodeCount, "node")} of the size of one member${remedy.region === "" ? "" : ` in ${remedy.region}`}.`;
    case "shorten":
      return `Ask for ${coarse(remedy.durationSeconds * 1_000)} instead: it would pass the head of the queue.`;
    default:
      return remedy.endedJobCount === 0
        ? `Wait until ${at(remedy.untilAt, now)}.`
        : `Wait for the end of ${plural(remedy.endedJobCount, "job")}, ${at(remedy.untilAt, now)}.`;
  }
}

function at(moment: string, now: Date): string {
  const date = new Date(moment);
  return `${formatDistance(date, now)} (${formatLocal(date, now)})`;
}
