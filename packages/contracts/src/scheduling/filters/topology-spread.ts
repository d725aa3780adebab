/** Refuses nodes on which the pod would make the domains of a topology too unequal. */

import type { Obstacle, Skew } from "../obstacle.ts";
import { skewsOf } from "../spread-counts.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

export const topologySpread: Filter = {
  plugin: "PodTopologySpread",
  judge(situation) {
    const { pod, node } = situation;
    if (pod.spread.length === 0 || node.unknown.has("labels")) return nothing;
    return skewsOf(situation).flatMap((skew, constraint): Obstacle[] => {
      const key = pod.spread[constraint]?.topologyKey ?? "";
      if (skew === undefined) return [{ kind: "spread-label", constraint, key }];
      if (!isTooUnequal(skew) || isUncertain(situation)) return [];
      return [{ kind: "spread-skew", constraint, skew }];
    });
  },
  unknown(situation) {
    const { pod } = situation;
    if (pod.unknown.length > 0 && pod.unknown.includes("spec.topologySpreadConstraints"))
      return ["the pod's topology spread constraints"];
    return pod.spread.length === 0 ? nothing : unknownOf(situation);
  },
};

/** Whether the pod would leave its domain too far ahead of the emptiest. */
export function isTooUnequal({ constraint, count, self, least }: Skew): boolean {
  // Without any domain that counts there is nothing to be ahead of.
  return least !== Number.POSITIVE_INFINITY && count + self - least > constraint.maxSkew;
}

/** Pods or labels that are not known could fill or empty any domain. */
function isUncertain(situation: Situation): boolean {
  return unknownOf(situation).length > 0;
}

function unknownOf({ pod, neighbours }: Situation): readonly string[] {
  const honorsTaints = pod.spread.some((constraint) => constraint.honorsTaints);
  if (!honorsTaints) return neighbours.unknown;
  const untold = neighbours.nodes.find((node) => node.unknown.has("taints"));
  if (untold === undefined) return neighbours.unknown;
  return [...neighbours.unknown, `the taints of node ${untold.name}`];
}
