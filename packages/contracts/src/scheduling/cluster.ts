/** The cluster that the evidence shows: nodes with what runs on them, pods that ask for a node, storage, events. */

import { integerAt, isPresentAt, isTrueAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, type Source } from "../kubernetes/objects.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";
import { readLabelSelector } from "../kubernetes/selector.ts";
import { Attachments } from "./attachments.ts";
import type { Capacity, Storage } from "./claims.ts";
import { Devices } from "./devices.ts";
import { type RecordedEvent, recordedEvents } from "./events.ts";
import { Namespaces, Neighbours } from "./neighbours.ts";
import { type Node, readNode } from "./node.ts";
import { type Pod, readPod } from "./pod.ts";
import { type Budget, readBudgets } from "./preemption.ts";
import { PriorityClasses } from "./priority.ts";
import { templatePod } from "./workload.ts";

export interface Cluster {
  /** By name. */
  readonly nodes: readonly Node[];
  /** Pods, and pods that manifests of workloads would make, that ask for a node, in order of their subject. */
  readonly asking: readonly AskingPod[];
  readonly bound: readonly Pod[];
  readonly storage: Storage;
  readonly devices: Devices;
  readonly neighbours: Neighbours;
  readonly attachments: Attachments;
  readonly budgets: readonly Budget[];
  /** Pods for which the scheduler makes room, by the node where it does. */
  readonly nominated: ReadonlyMap<string, readonly Pod[]>;
  /** By `namespace/name` of the pod. */
  readonly recorded: ReadonlyMap<string, RecordedEvent>;
}

/** A pod that asks for a node, under the name of what people know it by. */
export interface AskingPod {
  readonly subject: { readonly kind: string; readonly name: string };
  readonly pod: Pod;
  /** How many pods like it the manifest asks for. */
  readonly replicaCount: number;
}

/** Reads all Kubernetes objects as one cluster. */
export function readCluster(objects: Objects): Cluster {
  const classes = new PriorityClasses(objects.of("PriorityClass"));
  const pods = objects.of("Pod").map((source) => readPod(source, classes));
  const nodeSources = objects.of("Node");
  const nodeNames = new Set(nodeSources.map((source) => source.object.metadata.name));
  const living = pods.filter((pod) => pod.phase !== "Succeeded" && pod.phase !== "Failed");
  const bound = living.filter((pod) => isBound(pod, nodeNames));
  const boundPods = new Set(bound);
  const onNode = Map.groupBy(bound, (pod) => pod.nodeName);
  const nodes = nodeSources.map((source) =>
    readNode(source, onNode.get(source.object.metadata.name) ?? [], {
      arePodsKnown: bound.length > 0,
      csiNode: objects.get("CSINode", "", source.object.metadata.name),
    }),
  );
  const asking = living.filter((pod) => !boundPods.has(pod) && !pod.isTerminating);
  const storage = readStorage(objects, bound);
  const workloads = workloadPods(objects, classes);
  const planned = [...asking, ...workloads.map(({ pod }) => pod)].filter((pod) => !pod.hasStatus);
  return {
    nodes,
    asking: [
      ...asking.map((pod) => ({
        subject: { kind: "pod", name: `${pod.namespace}/${pod.name}` },
        pod,
        replicaCount: 1,
      })),
      ...(nodes.length === 0 ? [] : workloads),
    ],
    bound,
    storage,
    devices: new Devices(objects),
    neighbours: new Neighbours(nodes, readNamespaces(objects), planned),
    attachments: new Attachments(storage, objects.of("VolumeAttachment")),
    budgets: readBudgets(objects.of("PodDisruptionBudget")),
    nominated: Map.groupBy(
      asking.filter((pod) => pod.nominatedNode !== undefined),
      (pod) => pod.nominatedNode ?? "",
    ),
    recorded: recordedEvents(objects.events),
  };
}

/** A pod that names a node which nobody knows still waits, unless its status says otherwise. */
function isBound(pod: Pod, nodeNames: ReadonlySet<string>): boolean {
  if (pod.nodeName === undefined) return pod.isScheduled === true || pod.phase === "Running";
  if (pod.hasStatus || nodeNames.size === 0) return pod.isScheduled !== false;
  return nodeNames.has(pod.nodeName);
}

function workloadPods(objects: Objects, classes: PriorityClasses): AskingPod[] {
  return ["CronJob", "Deployment", "Job", "ReplicaSet", "StatefulSet"].flatMap((kind) =>
    objects.of(kind).flatMap((source) => {
      const pod = templatePod(source, classes);
      if (pod === undefined) return [];
      const subject = { kind: kind.toLowerCase(), name: `${pod.namespace}/${pod.name}` };
      return [{ subject, pod, replicaCount: replicaCountOf(source) }];
    }),
  );
}

/** Jobs make their pods one after the other or side by side; one is enough for them to go on. */
function replicaCountOf({ object }: Source): number {
  return object.kind.endsWith("Job") ? 1 : (integerAt(object, "spec", "replicas") ?? 1);
}

function readNamespaces(objects: Objects): Namespaces {
  return new Namespaces(
    new Map(
      objects
        .of("Namespace")
        .map(({ object }) => [object.metadata.name, textsAt(object, "metadata", "labels")]),
    ),
  );
}

function readStorage(objects: Objects, bound: readonly Pod[]): Storage {
  const byKey = (kind: string): ReadonlyMap<string, Source["object"]> =>
    new Map(objects.of(kind).map(({ object }) => [nameOf(object), object]));
  const users = new Map<string, Pod[]>();
  for (const pod of bound) {
    for (const { claimName } of pod.claims) {
      const key = `${pod.namespace}/${claimName}`;
      users.set(key, [...(users.get(key) ?? []), pod]);
    }
  }
  return {
    claims: byKey("PersistentVolumeClaim"),
    volumes: byKey("PersistentVolume"),
    classes: byKey("StorageClass"),
    measuredDrivers: new Set(
      objects
        .of("CSIDriver")
        .filter(({ object }) => isTrueAt(object, "spec", "storageCapacity"))
        .map(({ object }) => object.metadata.name),
    ),
    capacities: readCapacities(objects),
    isRecorded:
      objects.has("Node") ||
      ["PersistentVolumeClaim", "PersistentVolume", "StorageClass"].some((kind) =>
        objects
          .of(kind)
          .some(
            ({ object }) => isPresentAt(object, "status") || isPresentAt(object, "metadata", "uid"),
          ),
      ),
    warnings: claimWarnings(objects.events),
    users,
  };
}

function readCapacities(objects: Objects): ReadonlyMap<string, readonly Capacity[]> {
  const capacities = new Map<string, Capacity[]>();
  for (const { object } of objects.of("CSIStorageCapacity")) {
    // A report without any amount says that nothing is left.
    const text = textAt(object, "maximumVolumeSize") ?? textAt(object, "capacity") ?? "0";
    const capacity = {
      topology: readLabelSelector(object["nodeTopology"]),
      sizeMax: resourceAmount("storage", text) ?? 0n,
    };
    const className = textAt(object, "storageClassName") ?? "";
    capacities.set(className, [...(capacities.get(className) ?? []), capacity]);
  }
  return capacities;
}

function claimWarnings(events: readonly Source[]): ReadonlyMap<string, string> {
  const warnings = new Map<string, string>();
  for (const { object } of events) {
    if (textAt(object, "reason") !== "ProvisioningFailed") continue;
    const namespace =
      textAt(object, "involvedObject", "namespace") ?? object.metadata.namespace ?? "default";
    const key = `${namespace}/${textAt(object, "involvedObject", "name") ?? ""}`;
    const message = textAt(object, "message") ?? "";
    if (message > (warnings.get(key) ?? "")) warnings.set(key, message);
  }
  return warnings;
}
