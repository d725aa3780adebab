/** The cluster that the evidence shows: nodes with what runs on them, pods that ask for a node, storage, events. */

import type { EvidenceOf } from "../model/snapshot.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import type { Storage } from "./claims.ts";
import { type RecordedEvent, recordedEvents } from "./events.ts";
import { integerAt, isPresentAt, textAt } from "../kubernetes/fields.ts";
import { type Node, readNode } from "./node.ts";
import { type Pod, readPod, type Source } from "./pod.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import { templatePod } from "./workload.ts";

export interface Cluster {
  /** By name. */
  readonly nodes: readonly Node[];
  /** Pods, and pods that manifests of workloads would make, that ask for a node, in order of their subject. */
  readonly asking: readonly AskingPod[];
  readonly bound: readonly Pod[];
  readonly storage: Storage;
  /** By `namespace/name` of the pod. */
  readonly recorded: ReadonlyMap<string, RecordedEvent>;
}

/** A pod that asks for a node, under the name of what people know it by. */
export interface AskingPod {
  readonly subject: { readonly kind: string; readonly name: string };
  readonly pod: Pod;
}

/** Reads all Kubernetes evidence as one cluster. Neither order nor repetition of objects matters. */
export function readCluster(evidence: readonly EvidenceOf<"kubernetes">[]): Cluster {
  const { events, byKind } = gather(evidence);
  const pods = sourcesOf(byKind, "Pod").map(readPod);
  const nodeSources = sourcesOf(byKind, "Node");
  const nodeNames = new Set(nodeSources.map((source) => source.object.metadata.name));
  const living = pods.filter((pod) => pod.phase !== "Succeeded" && pod.phase !== "Failed");
  const bound = living.filter((pod) => isBound(pod, nodeNames));
  const boundPods = new Set(bound);
  const onNode = Map.groupBy(bound, (pod) => pod.nodeName);
  const nodes = nodeSources.map((source) =>
    readNode(source, onNode.get(source.object.metadata.name) ?? [], bound.length > 0),
  );
  const asking = living.filter(
    (pod) =>
      !boundPods.has(pod) && !isPresentAt(pod.source.object, "metadata", "deletionTimestamp"),
  );
  return {
    nodes,
    asking: [
      ...asking.map((pod) => ({
        subject: { kind: "pod", name: `${pod.namespace}/${pod.name}` },
        pod,
      })),
      ...(nodes.length === 0 ? [] : workloadPods(byKind)),
    ],
    bound,
    storage: readStorage(byKind, events, bound),
    recorded: recordedEvents(events),
  };
}

type ByKind = ReadonlyMap<string, ReadonlyMap<string, Source>>;

const clusterScoped: ReadonlySet<string> = new Set(["Node", "PersistentVolume", "StorageClass"]);

function gather(evidence: readonly EvidenceOf<"kubernetes">[]): {
  events: Source[];
  byKind: ByKind;
} {
  const events: Source[] = [];
  const byKind = new Map<string, Map<string, Source>>();
  for (const item of evidence) {
    for (const object of item.content.objects) {
      const source = { object, evidenceId: item.id };
      if (object.kind === "Event") {
        events.push(source);
        continue;
      }
      const { name, namespace = "default" } = object.metadata;
      const key = clusterScoped.has(object.kind) ? name : `${namespace}/${name}`;
      const known = byKind.get(object.kind) ?? new Map<string, Source>();
      byKind.set(object.kind, known);
      const other = known.get(key);
      if (other === undefined || isBetter(source, other)) known.set(key, source);
    }
  }
  return { events, byKind };
}

/**
 * Of two records of one object: an object of the API over text, a description over a table, the newer version,
 * the one with a status. What is left is settled by content, so that the order of the evidence never matters.
 */
function isBetter(left: Source, right: Source): boolean {
  const [one, other] = [rankOf(left), rankOf(right)];
  for (const [index, rank] of one.entries()) {
    const otherRank = other[index] ?? 0;
    if (rank !== otherRank) return rank > otherRank;
  }
  return canonicalJson(left.object) > canonicalJson(right.object);
}

function rankOf({ object }: Source): number[] {
  const command = readFrom(object);
  const detail =
    command === undefined
      ? 2
      : Number(command.startsWith(`kubectl describe ${object.kind.toLowerCase()}`));
  return [
    detail,
    integerAt(object, "metadata", "resourceVersion") ?? 0,
    integerAt(object, "metadata", "generation") ?? 0,
    Number(isPresentAt(object, "status")),
    Number(isPresentAt(object, "spec", "nodeName")),
  ];
}

function sourcesOf(byKind: ByKind, kind: string): Source[] {
  return [...(byKind.get(kind) ?? [])]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, source]) => source);
}

/** A pod that names a node which nobody knows still waits, unless its status says otherwise. */
function isBound(pod: Pod, nodeNames: ReadonlySet<string>): boolean {
  if (pod.nodeName === undefined) return pod.isScheduled === true || pod.phase === "Running";
  if (pod.hasStatus || nodeNames.size === 0) return pod.isScheduled !== false;
  return nodeNames.has(pod.nodeName);
}

function workloadPods(byKind: ByKind): AskingPod[] {
  return ["CronJob", "Deployment", "Job", "ReplicaSet", "StatefulSet"].flatMap((kind) =>
    sourcesOf(byKind, kind).flatMap((source) => {
      const pod = templatePod(source);
      if (pod === undefined) return [];
      return [{ subject: { kind: kind.toLowerCase(), name: `${pod.namespace}/${pod.name}` }, pod }];
    }),
  );
}

function readStorage(byKind: ByKind, events: readonly Source[], bound: readonly Pod[]): Storage {
  const objectsOf = (kind: string): ReadonlyMap<string, Source["object"]> =>
    new Map([...(byKind.get(kind) ?? [])].map(([key, { object }]) => [key, object]));
  const users = new Map<string, Pod[]>();
  for (const pod of bound) {
    for (const { claimName } of pod.claims) {
      const key = `${pod.namespace}/${claimName}`;
      users.set(key, [...(users.get(key) ?? []), pod]);
    }
  }
  return {
    claims: objectsOf("PersistentVolumeClaim"),
    volumes: objectsOf("PersistentVolume"),
    classes: objectsOf("StorageClass"),
    warnings: claimWarnings(events),
    users,
  };
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
