/** Judges one pod before all nodes: what stands in its way everywhere, and what would let it in. */

import type { Cluster } from "./cluster.ts";
import { eventText } from "./events.ts";
import { isBeforeNodes } from "./obstacle.ts";
import { claimStates } from "./claims.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import { judgeNode, type NodeVerdict } from "./filters/scheduler.ts";
import { type Node, readNode } from "./node.ts";
import type { Pod } from "./pod.ts";
import { findSmallestChanges, type SearchResult } from "./search.ts";

/** Nodes whose verdict is kept in full; thousands of nodes would not be read by anybody. */
const listedNodeCountMax = 20;

export interface Judgement {
  readonly pod: Pod;
  /** Without nodes there is one verdict, about a node that nothing is known of. */
  readonly hasNodes: boolean;
  readonly nodeCount: number;
  /** How many nodes the pod fits for certain, and the first of them. */
  readonly fittingCount: number;
  readonly firstFitting: string | undefined;
  /** Something definite stands in the way on every node. */
  readonly isRefused: boolean;
  /** The scheduler would reject the pod before it looks at any node. */
  readonly isRefusedEarly: boolean;
  /** The text of the event that the scheduler would write. */
  readonly eventText: string;
  /** The node that is closest to taking the pod: there its obstacles are the cause. */
  readonly closest: NodeVerdict | undefined;
  /** The closest node and the first others by name. */
  readonly listed: readonly NodeVerdict[];
  /** What the evidence does not tell, each once. */
  readonly unknown: readonly string[];
  readonly search: SearchResult;
}

/** Judges pods of one cluster, those that ask for the same only once. */
export class Judge {
  readonly #cluster: Cluster;
  readonly #surroundings: Surroundings;
  readonly #remembered = new Map<string, Judgement>();

  constructor(cluster: Cluster, surroundings: Surroundings) {
    this.#cluster = cluster;
    this.#surroundings = surroundings;
  }

  judge(pod: Pod): Judgement {
    const claims = claimStates(pod, this.#cluster.storage);
    const question = questionOf(pod, claims);
    const known = this.#remembered.get(question);
    if (known !== undefined) return { ...known, pod };

    const hasNodes = this.#cluster.nodes.length > 0;
    const nodes = hasNodes ? this.#cluster.nodes : [unknownNode(pod)];
    const verdicts = nodes.map((node) => judgeNode({ pod, node, claims }));
    const judgement = summarise(pod, verdicts, { hasNodes, surroundings: this.#surroundings });
    this.#remembered.set(question, judgement);
    return judgement;
  }
}

/** Keeps what findings tell; the verdicts of thousands of nodes for each pod would fill the memory. */
function summarise(
  pod: Pod,
  verdicts: readonly NodeVerdict[],
  { hasNodes, surroundings }: { hasNodes: boolean; surroundings: Surroundings },
): Judgement {
  const open = verdicts.filter((verdict) => verdict.obstacles.length === 0);
  const fitting = open.filter((verdict) => hasNodes && verdict.unknown.length === 0);
  const isRefused = open.length === 0;
  const search = isRefused
    ? findSmallestChanges(verdicts, surroundings)
    : { solutions: [], isExact: true };
  const closest = closestOf(verdicts, search);
  const others = verdicts.filter((verdict) => verdict !== closest);
  const listed = [
    ...(closest === undefined ? [] : [closest]),
    ...others.slice(0, listedNodeCountMax - 1),
  ];
  return {
    pod,
    hasNodes,
    nodeCount: hasNodes ? verdicts.length : 0,
    fittingCount: fitting.length,
    firstFitting: fitting[0]?.situation.node.name,
    isRefused,
    isRefusedEarly: verdicts[0]?.obstacles.some(isBeforeNodes) ?? false,
    eventText: isRefused ? eventText(verdicts) : "",
    closest,
    listed,
    unknown: [...new Set(verdicts.flatMap((verdict) => verdict.unknown))].slice(
      0,
      listedNodeCountMax,
    ),
    search,
  };
}

function closestOf(
  verdicts: readonly NodeVerdict[],
  { solutions: [best] }: SearchResult,
): NodeVerdict | undefined {
  const ofBest = verdicts.find((verdict) => verdict.situation.node.name === best?.nodeName);
  if (ofBest !== undefined) return ofBest;
  let closest = verdicts[0];
  for (const verdict of verdicts) {
    if (verdict.obstacles.length < (closest?.obstacles.length ?? 0)) closest = verdict;
  }
  return closest;
}

/** Everything of a pod that the filters look at. */
function questionOf(pod: Pod, claims: readonly unknown[]): string {
  return JSON.stringify([
    pod.nodeName,
    [...pod.nodeSelector],
    pod.affinity,
    pod.tolerations,
    pod.hostPorts,
    [...pod.requests].map(([resource, amount]) => [resource, String(amount)]),
    pod.unknown,
    pod.claims,
    claims.length === 0 ? [] : [pod.namespace, pod.name, claims.length],
  ]);
}

/** Stands for the nodes of a cluster that the evidence does not show. */
function unknownNode(pod: Pod): Node {
  const object = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "(no node in the evidence)" },
    faultlineText: { unknown: ["metadata.labels", "spec.taints", "status.allocatable"] },
  };
  return readNode({ object, evidenceId: pod.source.evidenceId }, [], true);
}
