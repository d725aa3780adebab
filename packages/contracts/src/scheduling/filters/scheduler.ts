/** All filters in the order in which the scheduler runs them. */

import type { Obstacle } from "../obstacle.ts";
import { isBeforeNodes, reasonOf } from "../obstacle.ts";
import type { Filter, Situation } from "./filter.ts";
import { namedNodes, nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResources } from "./node-resources.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { taintToleration } from "./taint-toleration.ts";
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
  volumeBinding,
  volumeZone,
];

/** What all filters say about one node. */
export interface NodeVerdict {
  readonly situation: Situation;
  /** Every obstacle of every filter, in the scheduler's order. Empty when the pod fits. */
  readonly obstacles: readonly Obstacle[];
  /** Reasons that the scheduler's event counts for this node. */
  readonly eventReasons: readonly string[];
  /** What the evidence does not tell. */
  readonly unknown: readonly string[];
}

/** Runs every filter. */
export function judgeNode(situation: Situation): NodeVerdict {
  const judged = filters.map((filter) => filter.judge(situation));
  const first =
    judged.find((obstacles) => obstacles.some((obstacle) => !isBeforeNodes(obstacle))) ?? [];
  return {
    situation,
    obstacles: judged.flat(),
    eventReasons: eventReasons(first, situation),
    unknown: [...new Set(filters.flatMap((filter) => filter.unknown(situation)))],
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

/** The scheduler stops at the first taint, but lists every resource that is short. */
function eventReasons(obstacles: readonly Obstacle[], { pod, node }: Situation): string[] {
  if (namedNodes(pod)?.has(node.name) === false)
    return ["node(s) didn't satisfy plugin(s) [NodeAffinity]"];
  const counted = obstacles[0]?.kind === "taint" ? obstacles.slice(0, 1) : obstacles;
  return [...new Set(counted.filter((obstacle) => !isBeforeNodes(obstacle)).map(reasonOf))];
}
