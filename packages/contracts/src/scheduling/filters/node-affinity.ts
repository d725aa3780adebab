/** Refuses nodes that do not match the pod's nodeSelector and required node affinity. */

import type { Node } from "../node.ts";
import type { Pod } from "../pod.ts";
import type { Obstacle } from "../obstacle.ts";
import { actualOf, matchesExpression, matchesTerm, type Term } from "../../kubernetes/selector.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

export const nodeAffinity: Filter = {
  plugin: "NodeAffinity",
  judge(situation) {
    const { pod, node } = situation;
    if (matchesNode(pod, node) || node.unknown.has("labels")) return nothing;
    const selectors = selectorObstacles(situation);
    return pod.affinity === undefined ? selectors : [...selectors, ...affinityObstacles(situation)];
  },
  unknown({ pod, node }) {
    if (node.unknown.size + pod.unknown.length === 0) return nothing;
    const asks = pod.nodeSelector.size > 0 || pod.affinity !== undefined;
    return [
      ...(asks && node.unknown.has("labels") ? [`the labels of node ${node.name}`] : []),
      ...(pod.unknown.includes("spec.affinity") ? ["the pod's affinity"] : []),
    ];
  },
};

function selectorObstacles({ pod, node }: Situation): Obstacle[] {
  const obstacles: Obstacle[] = [];
  for (const [key, wanted] of pod.nodeSelector) {
    const actual = node.labels.get(key);
    if (actual !== wanted) obstacles.push({ kind: "selector", key, wanted, actual });
  }
  return obstacles;
}

function affinityObstacles({ pod, node }: Situation): Obstacle[] {
  if (pod.affinity === undefined || pod.affinity.some((term) => matchesTerm(term, node))) return [];
  const failing = pod.affinity.flatMap((term: Term, index) =>
    term.flatMap((expression, place) =>
      matchesExpression(expression, node)
        ? []
        : [{ term: index, index: place, expression, actual: actualOf(expression, node) }],
    ),
  );
  return [{ kind: "affinity", failing }];
}

/** Whether a node is one that the pod's nodeSelector and required node affinity allow. */
export function matchesNode({ nodeSelector, affinity }: Pod, node: Node): boolean {
  for (const [key, wanted] of nodeSelector) {
    if (node.labels.get(key) !== wanted) return false;
  }
  return affinity === undefined || affinity.some((term) => matchesTerm(term, node));
}

/**
 * The nodes that the scheduler looks at when every term of the affinity names nodes: it then leaves out all others
 * before any filter runs. Absent when some term names none.
 */
export function namedNodes({ affinity }: Pod): ReadonlySet<string> | undefined {
  if (affinity === undefined || affinity.length === 0) return undefined;
  const names = new Set<string>();
  for (const term of affinity) {
    const lists = term
      .filter(
        ({ on, key, operator }) => on === "field" && key === "metadata.name" && operator === "In",
      )
      .map((expression) => new Set(expression.values));
    const [first, ...rest] = lists;
    if (first === undefined) return undefined;
    for (const name of first) {
      if (rest.every((list) => list.has(name))) names.add(name);
    }
  }
  return names;
}
