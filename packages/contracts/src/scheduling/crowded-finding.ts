/** The finding about a workload of which one pod finds a node, and whose replicas keep each other from the rest. */

import type { FindingParts } from "../model/make-finding.ts";
import type { AskingPod } from "./cluster.ts";
import { base, cut, kindNames } from "./finding-words.ts";
import type { Judgement } from "./judge-pod.ts";
import type { Room } from "./room.ts";

/** `room` is less than the workload asks for. */
export function crowdedFinding(
  asked: AskingPod,
  judgement: Judgement,
  { count, because, relief }: Room,
): FindingParts {
  const { subject, replicaCount } = asked;
  const kind = kindNames[subject.kind] ?? subject.kind;
  return {
    ...base(asked, "violated"),
    title: cut(
      `${kind} ${subject.name} asks for ${replicaCount} replicas, of which ${count} find${count === 1 ? "s" : ""} a node: ${because}.`,
    ),
    actual: cut(
      `${judgement.nodeCount} nodes, of which at least ${judgement.fittingCount} take${judgement.fittingCount === 1 ? "s" : ""} one pod; ${because}.`,
    ),
    causeKind: "configuration",
    measures: { nodeCount: judgement.nodeCount, replicaCount, replicaRoom: count },
    fixes: [
      {
        description: cut(`Set spec.replicas of ${kind} ${subject.name} to ${count}, or add nodes.`),
        cost: 2,
      },
      { description: cut(`Or ${relief}.`), cost: 3 },
    ],
  };
}
