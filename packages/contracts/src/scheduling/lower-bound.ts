/** The least that a node can cost: what the search for the smallest change looks at first. */

import { changesAgainst } from "./changes/candidates.ts";
import { costs } from "./changes/change.ts";
import { loweringCost } from "./changes/resource-changes.ts";
import type { Background } from "./changes/surroundings.ts";
import type { NodeVerdict } from "./filters/scheduler.ts";
import { unschedulableTaintKey } from "./node.ts";
import { dependsOnSurroundings, type Obstacle } from "./obstacle.ts";
import type { Pod } from "./pod.ts";
import type { PodTerm } from "./pod-terms.ts";

/**
 * A sum that no set of changes can undercut, or nothing when some obstacle has no remedy. Obstacles are added up where
 * no single change removes two of them: a new node may remove all that has to do with room and fences, and one label
 * a pair of the nodeSelector, an expression of the affinity and a lack of company. What else lies in the surroundings
 * costs as little as any change, because a change to another fact may remove it as well. `known` remembers what
 * obstacles of one pod cost.
 */
export function lowerBound(
  verdict: NodeVerdict,
  background: Background,
  known: Map<string | PodTerm, number>,
): number | undefined {
  const sums = { place: 0, selector: 0, affinity: 0, company: 0, other: 0 };
  let least = 0;
  const shortages: Shortage[] = [];
  for (const obstacle of verdict.obstacles) {
    if (dependsOnSurroundings(obstacle)) {
      least = Math.max(least, leastAgainst(obstacle, verdict, { background, known }));
      if (obstacle.kind === "pod-affinity") {
        const own = known.get(obstacle.term) ?? cheapestAgainst(obstacle, verdict, background);
        known.set(obstacle.term, own);
        sums.company = Math.max(sums.company, Math.min(own, costs.addLabel));
      }
      continue;
    }
    if (obstacle.kind === "resource") {
      shortages.push(obstacle);
      continue;
    }
    // The cordon and the taint that stands for it go together, so only the cordon is counted.
    const isCordon = obstacle.kind === "taint" && obstacle.taint.key === unschedulableTaintKey;
    if (isCordon && verdict.situation.node.isUnschedulable) continue;
    const key = keyOf(obstacle);
    const cheapest = known.get(key) ?? cheapestAgainst(obstacle, verdict, background);
    known.set(key, cheapest);
    if (cheapest === Number.POSITIVE_INFINITY) return undefined;
    sums[groupOf(obstacle)] += cheapest;
  }
  if (shortages.length > 0) sums.place += roomCost(shortages);
  const wishes = Math.max(sums.selector, sums.affinity, sums.company);
  return Math.max(least, Math.min(sums.place, costs.addCapacity) + wishes + sums.other);
}

/** No change costs less. */
const leastCost = Math.min(...Object.values(costs).filter((cost) => cost > 1));

type Shortage = Extract<Obstacle, { kind: "resource" }>;

/** One edit of the requests, or room on the node, ends all shortages together. */
function roomCost(shortages: readonly Shortage[]): number {
  return Math.min(loweringCost(shortages) ?? Number.POSITIVE_INFINITY, costs.freeCapacity);
}

function groupOf({ kind }: Obstacle): "place" | "selector" | "affinity" | "other" {
  switch (kind) {
    case "selector":
    case "affinity":
      return kind;
    case "unschedulable":
    case "taint":
    case "port":
    case "pod-count":
    case "disk":
    case "volume-count":
      return "place";
    default:
      return "other";
  }
}

/**
 * The least that removes an obstacle in the surroundings: one of its own changes, unless the pod asks for something
 * whose change could move it to other company or change who is counted.
 */
function leastAgainst(
  obstacle: Obstacle,
  verdict: NodeVerdict,
  { background, known }: { background: Background; known: Map<string | PodTerm, number> },
): number {
  const { pod } = verdict.situation;
  switch (obstacle.kind) {
    case "pod-anti-affinity":
    case "pod-guard":
      if (mentions(pod, obstacle.term.topologyKey)) return leastCost;
      break;
    case "spread-skew": {
      const { topologyKey, honorsAffinity, honorsTaints } = obstacle.skew.constraint;
      const isAsking = pod.nodeSelector.size > 0 || pod.affinity !== undefined;
      if (honorsTaints || (honorsAffinity && isAsking) || mentions(pod, topologyKey))
        return leastCost;
      break;
    }
    default:
      return leastCost;
  }
  const key = keyOf(obstacle);
  const cheapest = known.get(key) ?? cheapestAgainst(obstacle, verdict, background);
  known.set(key, cheapest);
  return cheapest;
}

/** Whether the pod asks for a label that is also a topology: labelling the node then moves it. */
function mentions({ nodeSelector, affinity }: Pod, key: string): boolean {
  return (
    nodeSelector.has(key) ||
    affinity?.some((term) => term.some((expression) => expression.key === key)) === true
  );
}

/** Obstacles of one pod that cost the same on every node. */
function keyOf(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case "taint":
      return `taint ${obstacle.taint.key}\n${obstacle.taint.value}\n${obstacle.taint.effect}`;
    case "selector":
      return `selector ${obstacle.key}\n${obstacle.actual ?? "\n"}`;
    case "affinity":
      return `affinity ${obstacle.failing
        .map(({ term, index, actual }) => `${term}.${index}.${actual ?? "\n"}`)
        .join("\n")}`;
    case "spread-skew":
      return `skew ${obstacle.constraint} ${obstacle.skew.domainCount < obstacle.skew.constraint.minDomains}`;
    case "pod-anti-affinity":
    case "pod-guard":
      return `${obstacle.kind} ${obstacle.holders.length === 1}`;
    default:
      return "claim" in obstacle ? `${obstacle.kind} ${obstacle.claim}` : obstacle.kind;
  }
}

function cheapestAgainst(
  obstacle: Obstacle,
  { situation }: NodeVerdict,
  background: Background,
): number {
  let cheapest = Number.POSITIVE_INFINITY;
  for (const change of changesAgainst(obstacle, situation, background)) {
    cheapest = Math.min(cheapest, change.cost);
  }
  return cheapest;
}
