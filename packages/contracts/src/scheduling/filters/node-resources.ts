/** Refuses nodes that have not enough left of what the pod requests, and nodes that run all the pods they may. */

import type { Obstacle } from "../obstacle.ts";
import type { Filter, Situation } from "./filter.ts";

export const nodeResources: Filter = {
  plugin: "NodeResourcesFit",
  judge(situation) {
    if (situation.node.unknown.has("allocatable")) return [];
    return [...podCountObstacles(situation), ...resourceObstacles(situation)];
  },
  unknown({ pod, node }) {
    const asks = judgedRequests(pod.requests).length > 0;
    return [
      ...(node.unknown.has("allocatable") || (asks && node.unknown.has("room"))
        ? [`what node ${node.name} has to allocate`]
        : []),
      ...(asks && node.unknown.has("used") ? [`the pods on node ${node.name}`] : []),
      ...(pod.unknown.includes("spec") ? ["what the pod requests"] : []),
    ];
  },
};

function podCountObstacles({ node }: Situation): Obstacle[] {
  const { podCount, podCountMax } = node;
  // The node's own report always has it; where a manifest leaves it out, it is no limit.
  if (podCountMax === undefined || podCount + 1n <= podCountMax) return [];
  return [{ kind: "pod-count", used: podCount, max: podCountMax }];
}

function resourceObstacles({ pod, node }: Situation): Obstacle[] {
  if (node.unknown.has("room")) return [];
  return judgedRequests(pod.requests).flatMap(([resource, requested]) => {
    const allocatable = node.allocatable.get(resource) ?? 0n;
    const used = node.used.get(resource) ?? 0n;
    return requested <= allocatable - used
      ? []
      : [{ kind: "resource", resource, requested, used, allocatable } as const];
  });
}

/** Requests of nothing are not looked at, and neither are names that no node can offer. */
function judgedRequests(requests: ReadonlyMap<string, bigint>): (readonly [string, bigint])[] {
  return [...requests]
    .filter(([resource, amount]) => amount > 0n && isSchedulable(resource))
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

function isSchedulable(resource: string): boolean {
  return (
    ["cpu", "memory", "ephemeral-storage"].includes(resource) ||
    resource.startsWith("hugepages-") ||
    resource.startsWith("attachable-volumes-") ||
    resource.includes("/")
  );
}
