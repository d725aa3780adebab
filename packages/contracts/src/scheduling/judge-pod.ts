/** Judges one pod before all nodes: what stands in its way everywhere, and what would let it in. */

import type { Cluster } from "./cluster.ts";
import { claimStates } from "./claims.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import { judgeNode, type NodeVerdict } from "./filters/scheduler.ts";
import { type Node, readNode } from "./node.ts";
import type { Pod } from "./pod.ts";
import { findSmallestChanges, type SearchResult } from "./search.ts";

export interface Judgement {
  readonly pod: Pod;
  /** One for each node, in the order of their names; one for a node that nothing is known of when there is none. */
  readonly verdicts: readonly NodeVerdict[];
  readonly hasNodes: boolean;
  /** Nodes on which the pod fits for certain. */
  readonly fitting: readonly string[];
  /** Nodes against which nothing is known, but not everything is. */
  readonly uncertain: readonly NodeVerdict[];
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
    const open = verdicts.filter((verdict) => verdict.obstacles.length === 0);
    const fitting = open.filter((verdict) => hasNodes && verdict.unknown.length === 0);
    const isRefused = open.length === 0;
    const judgement: Judgement = {
      pod,
      verdicts,
      hasNodes,
      fitting: fitting.map((verdict) => verdict.situation.node.name),
      uncertain: open.filter((verdict) => verdict.unknown.length > 0),
      search: isRefused
        ? findSmallestChanges(verdicts, this.#surroundings)
        : { solutions: [], isExact: true },
    };
    this.#remembered.set(question, judgement);
    return judgement;
  }
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
