/** In a phrase, what keeps a pod from being ready. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { textAt } from "../kubernetes/fields.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { ContainerView, PodView } from "./pod-view.ts";

const passing: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing", ""]);
const shownWell =
  /^(?:Running|Completed|Succeeded|Pending|ContainerCreating|PodInitializing|Terminating|Init:\d+\/\d+)$/;

/** The first trouble of a pod; nothing for one that is well or only just starting. */
export function troubleOf(pod: PodView, snapshot: Snapshot): string | undefined {
  if (pod.shown !== undefined) {
    return shownWell.test(pod.shown.status) ? undefined : `a pod is in ${pod.shown.status}`;
  }
  const unscheduled = pod.conditions.find(
    (condition) =>
      textAt(condition, "type") === "PodScheduled" && textAt(condition, "status") === "False",
  );
  const events = eventsOf(snapshot).about("Pod", pod.namespace, pod.name);
  if (unscheduled !== undefined && pod.nodeName === undefined) {
    const message =
      textAt(unscheduled, "message") ??
      events.find(({ reason }) => reason === "FailedScheduling")?.message;
    if (message !== undefined)
      return `a pod fits no node (${message.split(/\s*preemption:/)[0] ?? message})`;
  }
  for (const container of pod.containers) {
    const trouble = containerTrouble(container);
    if (trouble !== undefined) return trouble;
  }
  const unhealthy = events.find(({ message }) => /probe (?:failed|errored)/.test(message));
  const isUnready = pod.containers.some(
    ({ state, isReady, isInit }) => !isInit && state.kind === "running" && isReady === false,
  );
  return isUnready && unhealthy !== undefined ? unhealthy.message : undefined;
}

function containerTrouble({ name, state, last, isInit }: ContainerView): string | undefined {
  if (state.kind === "waiting" && !passing.has(state.reason)) {
    const end =
      last === undefined
        ? ""
        : `, last ended with ${last.reason === "" || last.reason === "Error" ? `exit code ${last.exitCode ?? "unknown"}` : last.reason}`;
    return `container ${name} is in ${state.reason}${end}`;
  }
  if (state.kind === "terminated" && (state.exitCode ?? 0) !== 0) {
    return `${isInit ? "init container" : "container"} ${name} ended with exit code ${state.exitCode ?? "unknown"}`;
  }
  return undefined;
}
