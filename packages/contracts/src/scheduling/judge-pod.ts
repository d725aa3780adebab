/** Judges one pod before all nodes: what stands in its way everywhere, and what would let it in. */

import type { Cluster } from "./cluster.ts";
import { eventText } from "./events.ts";
import { firstBeforeNodes, isBeforeNodes } from "./obstacle.ts";
import { claimStates } from "./claims.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import type { Situation } from "./filters/filter.ts";
import { judgeNode, type NodeVerdict } from "./filters/scheduler.ts";
import { type Node, readNode } from "./node.ts";
import type { Pod } from "./pod.ts";
import {
  type Eviction,
  nominatedBefore,
  preempt,
  type Preemption,
  withNominated,
} from "./preemption.ts";
import { type Room, roomFor } from "./room.ts";
import { aboutPreemption, type DevicePart } from "./scheduler-words.ts";
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
  /** The pods that the scheduler would evict to make room, where that helps. */
  readonly eviction: Eviction | undefined;
  /** The node that is closest to taking the pod: there its obstacles are the cause. */
  readonly closest: NodeVerdict | undefined;
  /** The closest node and the first others by name. */
  readonly listed: readonly NodeVerdict[];
  /** What the evidence does not tell, each once. */
  readonly unknown: readonly string[];
  readonly search: SearchResult;
  /** How many replicas of the pod find a node, where its own rules bound them. */
  readonly room: Room | undefined;
}

/** Judges pods of one cluster, those that ask for the same only once. */
export class Judge {
  readonly #cluster: Cluster;
  readonly #surroundings: Surroundings;
  readonly #remembered = new Map<string, Judgement>();
  /** The only labels of pods that any pod which runs asks about. */
  readonly #guardedKeys: ReadonlySet<string>;

  constructor(cluster: Cluster, surroundings: Surroundings) {
    this.#cluster = cluster;
    this.#surroundings = surroundings;
    this.#guardedKeys = new Set(
      cluster.neighbours.guards.flatMap(({ term }) =>
        (term.selector ?? []).map((expression) => expression.key),
      ),
    );
  }

  judge(pod: Pod): Judgement {
    const question = this.#questionOf(pod);
    const known = this.#remembered.get(question);
    if (known !== undefined) return { ...known, pod };
    const { cluster, surroundings } = { cluster: this.#cluster, surroundings: this.#surroundings };
    const hasNodes = cluster.nodes.length > 0;
    const nodes = hasNodes ? cluster.nodes : [unknownNode(pod)];
    const rest = {
      pod,
      claims: claimStates(pod, cluster.storage),
      devices: cluster.devices.statesOf(pod),
      neighbours: cluster.neighbours,
      attachments: cluster.attachments,
      pools: cluster.devices.areKnown ? cluster.devices.all : undefined,
      stopped: [],
    };
    const verdicts = nodes.map((node) => this.#judgeOn(node, rest));
    const judgement = summarise(pod, verdicts, { hasNodes, surroundings, cluster });
    this.#remembered.set(question, judgement);
    return judgement;
  }

  /** Pods that wait for a node count on it; but nobody may depend on them being there. */
  #judgeOn(original: Node, rest: Omit<Situation, "node" | "original">): NodeVerdict {
    const nominated = nominatedBefore(rest.pod, this.#cluster.nominated.get(original.name) ?? []);
    const alone = { ...rest, node: original, original };
    if (nominated.length === 0) return judgeNode(alone);
    const together = judgeNode({ ...alone, node: withNominated(original, nominated) });
    return together.obstacles.length === 0 ? judgeNode(alone) : together;
  }

  /** Everything of a pod that the filters look at. */
  #questionOf(pod: Pod): string {
    const hasTerms =
      pod.affinityTerms.length + pod.antiAffinityTerms.length + pod.spread.length > 0;
    const labels = [...pod.labels]
      .filter(([key]) => hasTerms || this.#guardedKeys.has(key))
      .sort(byKey);
    const isOwn =
      pod.claims.length + pod.deviceClaims.length > 0 || pod.nominatedNode !== undefined;
    const asksItself = hasTerms || pod.hostPorts.length > 0;
    return JSON.stringify([
      pod.nodeName,
      [...pod.nodeSelector],
      pod.affinity,
      pod.tolerations,
      pod.hostPorts,
      [...pod.requests].map(([resource, amount]) => [resource, String(amount)]),
      pod.unknown,
      pod.claims,
      pod.disks,
      pod.priority,
      hasTerms || this.#guardedKeys.size > 0 || this.#cluster.neighbours.guards.length > 0
        ? [pod.namespace, labels]
        : [],
      hasTerms ? [pod.spread, pod.affinityTerms, pod.antiAffinityTerms] : [],
      isOwn ? [pod.namespace, pod.name] : [],
      // Whether replicas of it run already decides how many more find room.
      asksItself ? [pod.hasStatus, pod.namespace, [...pod.labels].sort(byKey)] : [],
    ]);
  }
}

function byKey([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : 1;
}

interface Context {
  readonly hasNodes: boolean;
  readonly surroundings: Surroundings;
  readonly cluster: Cluster;
}

/** Keeps what findings tell; the verdicts of thousands of nodes for each pod would fill the memory. */
function summarise(
  pod: Pod,
  verdicts: readonly NodeVerdict[],
  { hasNodes, surroundings, cluster }: Context,
): Judgement {
  const open = verdicts.filter((verdict) => verdict.obstacles.length === 0);
  const fitting = open.filter((verdict) => hasNodes && verdict.unknown.length === 0);
  const isRefused = open.length === 0;
  const search = isRefused
    ? findSmallestChanges(verdicts, surroundings)
    : { solutions: [], isExact: true };
  const preemption = isRefused && hasNodes ? preempt(pod, verdicts, cluster.budgets) : undefined;
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
    eventText: isRefused ? fullText(verdicts, preemption) : "",
    eviction: preemption?.eviction,
    closest,
    listed,
    unknown: [...new Set(verdicts.flatMap((verdict) => verdict.unknown))].slice(
      0,
      listedNodeCountMax,
    ),
    search,
    room: hasNodes
      ? roomFor(
          pod,
          open.map(({ situation }) => situation.original ?? situation.node),
          cluster.neighbours,
        )
      : undefined,
  };
}

function fullText(verdicts: readonly NodeVerdict[], preemption: Preemption | undefined): string {
  const text = eventText(verdicts);
  const [first] = verdicts;
  if (preemption?.text === undefined || first === undefined) return text;
  const early = firstBeforeNodes(first.obstacles);
  const { neighbours } = first.situation;
  const devices = devicePartOf(verdicts);
  return `${text} ${aboutPreemption(preemption.text, { neighbours, early, devices })}`;
}

/** Devices that nobody else uses are taken back where they keep the pod from a node. */
function devicePartOf(verdicts: readonly NodeVerdict[]): DevicePart {
  if (verdicts[0]?.situation.devices.length === 0) return "none";
  const isTaken = verdicts.some(({ obstacles, situation: { devices } }) =>
    obstacles.some((obstacle) => {
      const state = obstacle.kind === "device-elsewhere" ? devices[obstacle.device] : undefined;
      return state?.kind === "allocated" && !state.isUsedByOthers;
    }),
  );
  return isTaken ? "taken-back" : "left";
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

/** Stands for the nodes of a cluster that the evidence does not show. */
function unknownNode(pod: Pod): Node {
  const object = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "(no node in the evidence)" },
    faultlineText: { unknown: ["metadata.labels", "spec.taints", "status.allocatable"] },
  };
  return readNode({ object, evidenceId: pod.source.evidenceId }, [], { arePodsKnown: true });
}
