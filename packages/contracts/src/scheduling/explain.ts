/** Says in words why a pod fits no node, and which kind of cause that is. */

import type { CauseKind } from "../model/finding.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import type { NodeVerdict } from "./filters/scheduler.ts";
import type { Judgement } from "./judge-pod.ts";
import { describeObstacle } from "./describe-obstacle.ts";
import { isBeforeNodes, type Obstacle } from "./obstacle.ts";
import { describeExpression } from "../kubernetes/selector.ts";

/** The cause in one phrase, from the obstacles on the closest node. */
export function describeCause(
  judgement: Judgement,
  closest: NodeVerdict,
  surroundings: Surroundings,
): string {
  const phrases = closest.obstacles.map((obstacle) => describe(obstacle, surroundings));
  const isLocal = phrases.some((phrase) => phrase.isLocal) && judgement.nodeCount > 1;
  const where = isLocal ? `on the closest, ${closest.situation.node.name}, ` : "";
  return `${where}${[...new Set(phrases.map((phrase) => phrase.text))].join(" and ")}`;
}

/** An obstacle in words; local when the words are true of one node and not of all. */
function describe(
  obstacle: Obstacle,
  surroundings: Surroundings,
): { text: string; isLocal: boolean } {
  if (obstacle.kind === "selector" && !surroundings.hasLabel(obstacle.key, obstacle.wanted)) {
    const text = `no node has the label ${obstacle.key}=${obstacle.wanted} that its nodeSelector wants`;
    return { text, isLocal: false };
  }
  if (obstacle.kind === "affinity") {
    const unfulfilled = obstacle.failing.filter(
      ({ expression }) => !surroundings.fulfils(expression),
    );
    if (unfulfilled.length === obstacle.failing.length && unfulfilled.length > 0) {
      const wishes = unfulfilled.map(({ expression }) => describeExpression(expression));
      const text = `no node matches its required node affinity ${wishes.join("; or ")}`;
      return { text, isLocal: false };
    }
  }
  return { text: describeObstacle(obstacle), isLocal: !isBeforeNodes(obstacle) };
}

/** The kind of the cause: capacity when only room is lacking, otherwise what somebody configured. */
export function causeKindOf(closest: NodeVerdict): CauseKind {
  const isRoom = closest.obstacles.every(({ kind }) => kind === "resource" || kind === "pod-count");
  return isRoom && closest.obstacles.length > 0 ? "capacity" : "configuration";
}

/** Everything that all filters hold against one node. */
export function describeVerdict(verdict: NodeVerdict): string {
  const said = descriptions.get(verdict);
  if (said !== undefined) return said;
  const description = describeAll(verdict);
  descriptions.set(verdict, description);
  return description;
}

/** A memory and no state: pods that ask for the same share their verdicts. */
const descriptions = new WeakMap<NodeVerdict, string>();

function describeAll({ obstacles, unknown }: NodeVerdict): string {
  const known = obstacles.length === 0 ? "no obstacle" : obstacles.map(describeObstacle).join("; ");
  return unknown.length === 0 ? known : `${known}; not known: ${unknown.join(", ")}`;
}
