/** All filters in the order in which the scheduler runs them. */

import type { Obstacle } from "../obstacle.ts";
import { isBeforeNodes, isResolvable, reasonOf } from "../obstacle.ts";
import { inSchedulerWords } from "../scheduler-words.ts";
import { dynamicResources } from "./dynamic-resources.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { namedNodes, nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResources } from "./node-resources.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { taintToleration } from "./taint-toleration.ts";
import { topologySpread } from "./topology-spread.ts";
import { volumeLimits } from "./volume-limits.ts";
import { volumeBinding, volumeRestrictions, volumeZone } from "./volumes.ts";

/** The scheduler's order; its event names only what the first refusing filter says about a node. */
export const filters: readonly Filter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResources,
  volumeRestrictions,
  volumeLimits,
  volumeBinding,
  volumeZone,
  topologySpread,
  interPodAffinity,
  dynamicResources,
];

/** What all filters say about one node. */
export interface NodeVerdict {
  readonly situation: Situation;
  /** Every obstacle of every filter, in the scheduler's order. Empty when the pod fits. */
  readonly obstacles: readonly Obstacle[];
  /** Reasons that the scheduler's event counts for this node. */
  readonly eventReasons: readonly string[];
  /** Whether the node refuses for a reason that evicting pods from it could remove. */
  readonly isResolvable: boolean;
  /** What the evidence does not tell. */
  readonly unknown: readonly string[];
}

/** Runs every filter. */
export function judgeNode(situation: Situation): NodeVerdict {
  const obstacles: Obstacle[] = [];
  let first: readonly Obstacle[] = nothing;
  let unknown: string[] | undefined;
  for (const filter of filters) {
    const judged = filter.judge(situation);
    if (judged.length > 0) {
      obstacles.push(...judged);
      if (first === nothing && judged.some((obstacle) => !isBeforeNodes(obstacle))) first = judged;
    }
    const untold = filter.unknown(situation);
    if (untold.length > 0) unknown = [...(unknown ?? []), ...untold];
  }
  return {
    situation,
    obstacles,
    eventReasons:
      obstacles.length === 0
        ? nothing
        : eventReasons(first, situation).map((reason) =>
            inSchedulerWords(reason, situation.neighbours),
          ),
    isResolvable: obstacles.length > 0 && resolvable(first, obstacles, situation),
    unknown: unknown === undefined ? nothing : [...new Set(unknown)],
  };
}

/** The first obstacle of the first filter that refuses, or nothing when the pod fits. */
export function firstObstacle(situation: Situation): Obstacle | undefined {
  for (const filter of filters) {
    const [obstacle] = filter.judge(situation);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

/** Filters that say all that they hold against a node; the others stop at the first. */
const thorough: ReadonlySet<Obstacle["kind"]> = new Set([
  "resource",
  "pod-count",
  "volume-elsewhere",
  "volume-unavailable",
  "volume-space",
]);

/** What the event counts of the first filter that refuses: every resource that is short, but one taint only. */
function eventReasons(obstacles: readonly Obstacle[], { pod, node }: Situation): string[] {
  if (namedNodes(pod)?.has(node.name) === false)
    return ["node(s) didn't satisfy plugin(s) [NodeAffinity]"];
  const [first] = obstacles.filter((obstacle) => !isBeforeNodes(obstacle));
  if (first === undefined) return [];
  if (obstacles.length === 1 || !thorough.has(first.kind)) return [reasonOf(first)];
  return [...new Set(obstacles.filter((obstacle) => !isBeforeNodes(obstacle)).map(reasonOf))];
}

/** The first filter decides, and it decides against preemption when any of what it says cannot be removed. */
function resolvable(
  first: readonly Obstacle[],
  all: readonly Obstacle[],
  { pod, node }: Situation,
): boolean {
  if (all.some(isBeforeNodes) || namedNodes(pod)?.has(node.name) === false) return false;
  const counted =
    first[0]?.kind === "resource" || first[0]?.kind === "pod-count" ? first : first.slice(0, 1);
  return counted.length > 0 && counted.every(isResolvable);
}
