/** A node as the scheduler sees it: the API object and what the pods on it take. */

import { fieldsAt, isTrueAt, isPresentAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";
import type { HostPort, Pod } from "./pod.ts";
import { type Amounts, readList, sum } from "./requests.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

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
  /** Kinds of facts that the evidence does not tell about this node. */
  readonly unknown: ReadonlySet<NodeFact>;
}

export type NodeFact = "labels" | "taints" | "allocatable" | "used";

/** The taint that the cluster puts on a cordoned node. */
export const unschedulableTaintKey = "node.kubernetes.io/unschedulable";

/** Labels and taints of nodes that run the cluster itself. */
export const controlPlaneKeys: readonly string[] = [
  "node-role.kubernetes.io/control-plane",
  "node-role.kubernetes.io/master",
];

/** Reads a node and adds up the pods that run on it. */
export function readNode(source: Source, podsOnNode: readonly Pod[], arePodsKnown: boolean): Node {
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
  if (absent.includes("status.allocatable") || allocatable.size === 0) unknown.add("allocatable");
  // A live node always runs something: without any pod in the evidence its use is unknown, not zero.
  if (!arePodsKnown && isPresentAt(status, "nodeInfo")) unknown.add("used");
  return {
    source,
    name: object.metadata.name,
    labels: textsAt(object, "metadata", "labels"),
    isUnschedulable: isTrueAt(object, "spec", "unschedulable"),
    taints: listAt(object, "spec", "taints").map(readTaint),
    allocatable,
    podCountMax: allocatable.get("pods"),
    used: podsOnNode.map((pod) => pod.requests).reduce<Amounts>(sum, new Map()),
    podCount: BigInt(podsOnNode.length),
    heldPorts: podsOnNode.flatMap((pod) =>
      pod.hostPorts.map((port) => ({ ...port, holder: `${pod.namespace}/${pod.name}` })),
    ),
    unknown,
  };
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
