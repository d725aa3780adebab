/** A node as the scheduler sees it: the API object and what the pods on it take. */

import {
  fieldsAt,
  integerAt,
  isPresentAt,
  isTrueAt,
  listAt,
  textAt,
  textsAt,
} from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";
import type { HostPort, Pod } from "./pod.ts";
import { addTo, type Amounts, readList } from "./requests.ts";
import { readFrom, unknownFields } from "../kubernetes/text-mark.ts";

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** A port of the node that a pod holds. */
export interface HeldPort extends HostPort {
  readonly holder: string;
}

export interface Node {
  readonly source: Source;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly isUnschedulable: boolean;
  readonly taints: readonly Taint[];
  readonly allocatable: Amounts;
  /** The most pods that the node takes; absent where the object does not say. */
  readonly podCountMax: bigint | undefined;
  readonly used: Amounts;
  readonly podCount: bigint;
  readonly heldPorts: readonly HeldPort[];
  /** The pods that run on the node. */
  readonly pods: readonly Pod[];
  /** How many volumes of a CSI driver the node takes, by driver. */
  readonly volumeCountMax: ReadonlyMap<string, number>;
  /** Kinds of facts that the evidence does not tell about this node. */
  readonly unknown: ReadonlySet<NodeFact>;
}

export type NodeFact = "labels" | "taints" | "allocatable" | "room" | "used";

/** The taint that the cluster puts on a cordoned node. */
export const unschedulableTaintKey = "node.kubernetes.io/unschedulable";

/** Labels and taints of nodes that run the cluster itself. */
export const controlPlaneKeys: readonly string[] = [
  "node-role.kubernetes.io/control-plane",
  "node-role.kubernetes.io/master",
];

/** What a node's own object does not tell. */
export interface NodeContext {
  /** Whether the evidence holds any pod that runs. */
  readonly arePodsKnown: boolean;
  readonly csiNode?: Source | undefined;
}

/** Reads a node and adds up the pods that run on it. */
export function readNode(source: Source, podsOnNode: readonly Pod[], rest: NodeContext): Node {
  const { object } = source;
  const status = fieldsAt(object, "status");
  // The API server fills allocatable from capacity when a node reports only that.
  const list = isPresentAt(status, "allocatable")
    ? fieldsAt(status, "allocatable")
    : fieldsAt(status, "capacity");
  const allocatable = readList(list, "status.allocatable", []);
  const absent = unknownFields(object);
  const unknown = new Set<NodeFact>();
  if (absent.includes("metadata.labels")) unknown.add("labels");
  if (absent.includes("spec.taints")) unknown.add("taints");
  if (absent.includes("status.allocatable")) unknown.add("allocatable");
  // A bare manifest tells nothing about room; for a pod that asks for none it is enough.
  else if (allocatable.size === 0) unknown.add("room");
  // A live node always runs something: without any pod in the evidence its use is unknown, not zero.
  if (!rest.arePodsKnown && isPresentAt(status, "nodeInfo")) unknown.add("used");
  return {
    source,
    name: object.metadata.name,
    labels: labelsOf(source),
    isUnschedulable: isTrueAt(object, "spec", "unschedulable"),
    taints: listAt(object, "spec", "taints").map(readTaint),
    allocatable,
    podCountMax: allocatable.get("pods"),
    ...takenBy(podsOnNode),
    volumeCountMax: volumeLimits(rest.csiNode),
    unknown,
  };
}

/** A kubelet labels its node with the node's name; a manifest that no kubelet has seen lacks only that. */
function labelsOf({ object }: Source): ReadonlyMap<string, string> {
  const labels = textsAt(object, "metadata", "labels");
  const isManifest = !isPresentAt(object, "status", "nodeInfo") && readFrom(object) === undefined;
  if (!isManifest || labels.has(hostnameKey)) return labels;
  return new Map([...labels, [hostnameKey, object.metadata.name]]);
}

/** The label in which every node carries its own name. */
export const hostnameKey = "kubernetes.io/hostname";

/** The same node with other pods on it. */
export function withPods(node: Node, pods: readonly Pod[]): Node {
  return { ...node, ...takenBy(pods) };
}

function takenBy(pods: readonly Pod[]): Pick<Node, "used" | "podCount" | "heldPorts" | "pods"> {
  const used = new Map<string, bigint>();
  for (const pod of pods) addTo(used, pod.requests);
  return {
    used,
    podCount: BigInt(pods.length),
    heldPorts: pods.flatMap((pod) =>
      pod.hostPorts.map((port) => ({ ...port, holder: `${pod.namespace}/${pod.name}` })),
    ),
    pods,
  };
}

function volumeLimits(csiNode: Source | undefined): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const driver of listAt(csiNode?.object, "spec", "drivers")) {
    const count = integerAt(driver, "allocatable", "count");
    if (count !== undefined) limits.set(textAt(driver, "name") ?? "", count);
  }
  return limits;
}

function readTaint(item: unknown): Taint {
  return {
    key: textAt(item, "key") ?? "",
    value: textAt(item, "value") ?? "",
    effect: textAt(item, "effect") ?? "",
  };
}

/** A taint as kubectl writes it. */
export function describeTaint({ key, value, effect }: Taint): string {
  return `${key}${value === "" ? "" : `=${value}`}:${effect}`;
}
