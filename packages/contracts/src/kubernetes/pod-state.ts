/** Whether a pod takes traffic, and if not, why. */

import type { KubernetesObject } from "../model/evidence.ts";
import { integerAt, isPresentAt, listAt, textAt } from "./fields.ts";
import { unknownFields } from "./text-mark.ts";

/**
 * `planned` is a manifest of which nothing runs yet; `none` a workload that is scaled to nothing; `over` a pod that
 * has ended or is being deleted; `unknown` one whose record does not say.
 */
export type PodState =
  | { readonly kind: "ready" | "planned" | "none" | "unknown" }
  | { readonly kind: "waiting" | "over"; readonly reason: string };

/** One for all pods that are. */
const isReady: PodState = { kind: "ready" };

/** The state of a pod, from its phase, its conditions and its containers. */
export function podStateOf(object: KubernetesObject): PodState {
  if (isPresentAt(object, "metadata", "deletionTimestamp")) {
    return { kind: "over", reason: "it is being deleted" };
  }
  const phase = textAt(object, "status", "phase");
  if (phase === "Succeeded" || phase === "Failed") {
    return { kind: "over", reason: `its phase is ${phase}` };
  }
  const ready = conditionOf(object, "Ready");
  if (ready === "True") return isReady;
  const reason = waitingReason(object);
  if (ready !== undefined || reason !== undefined) {
    return { kind: "waiting", reason: reason ?? "its Ready condition is not True" };
  }
  if (!isPresentAt(object, "status")) return { kind: "planned" };
  const shown = shownState(object);
  if (shown !== undefined) return shown;
  if (conditionOf(object, "PodScheduled") === "False") {
    return { kind: "waiting", reason: "it has no node" };
  }
  if (unknownFields(object).length === 0 && phase === "Pending") {
    return { kind: "waiting", reason: "its phase is Pending" };
  }
  return { kind: "unknown" };
}

/** A table tells how many containers are ready, and in one word what the pod does. */
function shownState(object: KubernetesObject): PodState | undefined {
  const ready = integerAt(object, "status", "shown", "readyCount");
  const count = integerAt(object, "status", "shown", "containerCount");
  const status = textAt(object, "status", "shown", "status");
  if (ready === undefined || count === undefined) return undefined;
  if (ready < count) {
    return {
      kind: "waiting",
      reason: `${ready} of ${count} containers are ready, ${status ?? ""}`,
    };
  }
  return status === "Running" && count > 0 ? { kind: "ready" } : undefined;
}

/** What keeps a container from being ready, in the words of the kubelet. */
function waitingReason(object: KubernetesObject): string | undefined {
  const statuses = ["initContainerStatuses", "containerStatuses"].flatMap((field) =>
    listAt(object, "status", field),
  );
  for (const status of statuses) {
    const waiting = textAt(status, "state", "waiting", "reason");
    if (waiting === undefined || /^(?:PodInitializing|ContainerCreating)$/.test(waiting)) continue;
    return `container ${textAt(status, "name") ?? ""} waits: ${waiting}`;
  }
  for (const status of listAt(object, "status", "containerStatuses")) {
    if (textAt(status, "ready") !== "false") continue;
    const name = textAt(status, "name") ?? "";
    const ended = textAt(status, "state", "terminated", "reason");
    if (ended !== undefined) return `container ${name} has ended: ${ended}`;
    if (isPresentAt(status, "state", "running")) return `container ${name} runs but is not ready`;
    return `container ${name} is not ready`;
  }
  if (conditionOf(object, "PodScheduled") === "False") return "it has no node";
  return undefined;
}

function conditionOf(object: KubernetesObject, type: string): string | undefined {
  const condition = listAt(object, "status", "conditions").find(
    (item) => textAt(item, "type") === type,
  );
  return textAt(condition, "status");
}

/** The state of the pods that a workload makes, from what its own status counts. */
export function workloadStateOf(object: KubernetesObject): PodState {
  const isDaemon = object.kind === "DaemonSet";
  const wanted = isDaemon
    ? integerAt(object, "status", "desiredNumberScheduled")
    : (integerAt(object, "spec", "replicas") ?? 1);
  if (wanted === 0) return { kind: "none" };
  if (!isPresentAt(object, "status")) return { kind: "planned" };
  const ready = integerAt(object, "status", isDaemon ? "numberReady" : "readyReplicas");
  const available = integerAt(object, "status", "availableReplicas");
  if ((ready ?? available ?? 0) > 0) return { kind: "ready" };
  const unknown = unknownFields(object);
  if (ready === undefined && unknown.includes("status.readyReplicas")) return { kind: "unknown" };
  const made = integerAt(object, "status", isDaemon ? "currentNumberScheduled" : "replicas");
  if (ready === 0 || made !== undefined || unknown.length === 0) {
    return { kind: "waiting", reason: `0 of ${wanted ?? "its"} pods are ready` };
  }
  return { kind: "unknown" };
}
