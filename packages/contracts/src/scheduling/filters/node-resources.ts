/** Refuses nodes that have not enough left of what the pod requests, and nodes that run all the pods they may. */

import type { Obstacle } from "../obstacle.ts";
import type { Pod } from "../pod.ts";
import { isServedByDevices } from "./dynamic-resources.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

export const nodeResources: Filter = {
  plugin: "NodeResourcesFit",
  judge(situation) {
    if (situation.node.unknown.has("allocatable")) return nothing;
    const count = podCountObstacle(situation);
    const shortages = resourceObstacles(situation);
    return count === undefined ? shortages : [count, ...shortages];
  },
  unknown({ pod, node }) {
    if (node.unknown.size + pod.unknown.length === 0) return nothing;
    const asks = asksForAnything(pod);
    return [
      ...(node.unknown.has("allocatable") || (asks && node.unknown.has("room"))
        ? [`what node ${node.name} has to allocate`]
        : []),
      ...(asks && node.unknown.has("used") ? [`the pods on node ${node.name}`] : []),
      ...(pod.unknown.includes("spec") ? ["what the pod requests"] : []),
    ];
  },
};

function podCountObstacle({ node }: Situation): Obstacle | undefined {
  const { podCount, podCountMax } = node;
  // The node's own report always has it; where a manifest leaves it out, it is no limit.
  if (podCountMax === undefined || podCount + 1n <= podCountMax) return undefined;
  return { kind: "pod-count", used: podCount, max: podCountMax };
}

function resourceObstacles({ pod, node, devices }: Situation): readonly Obstacle[] {
  if (node.unknown.has("room")) return nothing;
  let shortages: Shortage[] | undefined;
  for (const [resource, requested] of pod.requests) {
    if (requested <= 0n) continue;
    const allocatable = node.allocatable.get(resource) ?? 0n;
    const used = node.used.get(resource) ?? 0n;
    if (requested + used <= allocatable || !isSchedulable(resource)) continue;
    if (devices.length > 0 && isServedByDevices(resource, { node, devices })) continue;
    shortages ??= [];
    shortages.push({ kind: "resource", resource, requested, used, allocatable });
  }
  if (shortages === undefined) return nothing;
  return shortages.length === 1
    ? shortages
    : shortages.sort((left, right) => (left.resource < right.resource ? -1 : 1));
}

type Shortage = Extract<Obstacle, { kind: "resource" }>;

/** Requests of nothing are not looked at, and neither are names that no node can offer. */
function asksForAnything({ requests }: Pod): boolean {
  return [...requests].some(([resource, amount]) => amount > 0n && isSchedulable(resource));
}

function isSchedulable(resource: string): boolean {
  return (
    ["cpu", "memory", "ephemeral-storage"].includes(resource) ||
    resource.startsWith("hugepages-") ||
    resource.startsWith("attachable-volumes-") ||
    resource.includes("/")
  );
}
