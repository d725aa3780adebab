/** A reservation as the API shows it to its tenant: other tenants' jobs are counted, never named. */

import { unreachable } from "#kernel/index.ts";
import type { ComputeRemedy, ComputeWait, Reservation } from "@faultline/protocol";

import type { Explanation, Remedy } from "./explain-wait.ts";
import { localIdOf } from "./reservation-store.ts";
import type { ReservationRecord } from "./reservation-record.ts";
import type { Wait } from "./wait.ts";

const msPerSecond = 1_000;

/** `explanation` is of one that waits. */
export function showReservation(
  { request, stage, placement }: ReservationRecord,
  explanation?: Explanation,
): Reservation {
  const { antiAffinityGroup, member, regions } = request;
  const admitted =
    "admittedAtMs" in stage
      ? {
          admittedAt: showTime(stage.admittedAtMs),
          endsAt: showTime(stage.admittedAtMs + request.durationMs),
        }
      : {};
  const heard =
    stage.kind === "running"
      ? { startedAt: showTime(stage.startedAtMs), heardAt: showTime(stage.heardAtMs) }
      : {};
  return {
    id: localIdOf(request.id),
    stage: stage.kind,
    ...(stage.kind === "ended" ? { end: stage.end } : {}),
    deviceKind: request.deviceKind,
    memberCount: request.memberCount,
    member: { ...member },
    regions: [...regions],
    distinctNodes: request.distinctNodes,
    ...(antiAffinityGroup === undefined ? {} : { antiAffinityGroup }),
    priority: request.priority,
    durationSeconds: request.durationMs / msPerSecond,
    currency: "USD",
    costMicros: String(request.costMicros),
    ...(request.priceVersion === undefined ? {} : { priceVersion: request.priceVersion }),
    submittedAt: showTime(request.submittedAtMs),
    ...admitted,
    ...heard,
    placement: placement.map((part) => ({ ...part })),
    ...(explanation === undefined
      ? {}
      : {
          wait: {
            binding: showWait(explanation.binding),
            remedies: explanation.remedies.map((remedy) => showRemedy(remedy)),
          },
        }),
  };
}

function showWait(wait: Wait): ComputeWait {
  switch (wait.kind) {
    case "nodes":
    case "running-jobs":
    case "earlier-job":
      return wait;
    case "quota": {
      const { kind, deviceCountMax, usedDeviceCount, askedDeviceCount } = wait;
      return { kind, deviceCountMax, usedDeviceCount, askedDeviceCount };
    }
    case "credit":
      return {
        kind: "credit",
        askedMicros: String(wait.askedMicros),
        spendableMicros: String(wait.spendableMicros),
      };
    case "capacity":
      return {
        kind: "capacity",
        startAt: showTime(wait.startMs),
        awaitedJobCount: wait.awaitedJobIds.length,
      };
    case "turn":
      return { kind: "turn", headStartAt: showTime(wait.headStartMs), fitsNow: wait.fitsNow };
    default:
      return unreachable(wait);
  }
}

function showRemedy(remedy: Remedy): ComputeRemedy {
  switch (remedy.kind) {
    case "grant-credit":
      return { kind: "grant-credit", amountMicros: String(remedy.micros) };
    case "raise-quota": {
      const { kind, deviceKind, deviceCountMax } = remedy;
      return { kind, deviceKind, deviceCountMax };
    }
    case "raise-running-jobs":
      return { kind: remedy.kind, runningJobCountMax: remedy.runningJobCountMax };
    case "add-nodes":
      return {
        kind: "add-nodes",
        nodeCount: remedy.nodes.length,
        region: remedy.nodes[0]?.region ?? "",
      };
    case "shorten":
      // Rounded down: a longer one would not start.
      return { kind: "shorten", durationSeconds: Math.floor(remedy.durationMs / msPerSecond) };
    case "wait":
      return {
        kind: "wait",
        untilAt: showTime(remedy.untilMs),
        endedJobCount: remedy.endedJobIds.length,
      };
    default:
      return unreachable(remedy);
  }
}

function showTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
