/** Pods as others find them: by namespace and labels, those that run and those that manifests would make. */

import type { Fields } from "../model/fields.ts";
import type { KubernetesObject } from "../model/evidence.ts";
import type { Subject } from "../model/finding.ts";
import { fieldsAt, integerAt, isPresentAt, listAt, textAt, textsAt } from "./fields.ts";
import { labelsOf } from "./labels.ts";
import { nameOf, type Objects, type Source } from "./objects.ts";
import { type PodState, podStateOf, workloadStateOf } from "./pod-state.ts";
import { unknownFields } from "./text-mark.ts";
import { flatText } from "../text/cut-text.ts";

/** A pod of the evidence, or the pods that a workload makes where none of them is in the evidence. */
export interface KnownPod {
  readonly source: Source;
  /** The pod, or the workload that stands for its pods. */
  readonly subject: Subject;
  readonly namespace: string;
  /** A manifest may leave the namespace to whoever applies it. */
  readonly isNamespaceStated: boolean;
  /** Nothing where the text that the pod was read from does not print them. */
  readonly labels: ReadonlyMap<string, string> | undefined;
  readonly spec: Fields;
  /** The containers are known. */
  readonly isSpecKnown: boolean;
  /** It stands for the pods of a workload. */
  readonly isTemplate: boolean;
  readonly state: PodState;
  /** `Kind/name` of what made it: equal for the pods of one Deployment across its revisions. */
  readonly workload: string;
}

/** Kinds whose template makes pods. Objects of other groups count when they carry a template of a pod. */
const workloadKinds = [
  "CronJob",
  "DaemonSet",
  "Deployment",
  "DeploymentConfig",
  "Job",
  "ReplicaSet",
  "ReplicationController",
  "Rollout",
  "StatefulSet",
] as const;

/** All pods of the evidence, gathered once, in the order of their kinds and names. */
export function podsOf(objects: Objects): readonly KnownPod[] {
  const known = podsByObjects.get(objects);
  if (known !== undefined) return known;
  const pods = gather(objects);
  podsByObjects.set(objects, pods);
  return pods;
}

/** A memory and no state: the same objects always have the same pods. */
const podsByObjects = new WeakMap<Objects, readonly KnownPod[]>();

/** Pods by their namespace, in the order of `podsOf`. */
export function podsByNamespace(objects: Objects): ReadonlyMap<string, readonly KnownPod[]> {
  const known = groupsByObjects.get(objects);
  if (known !== undefined) return known;
  const groups = Map.groupBy(podsOf(objects), (pod) => pod.namespace);
  groupsByObjects.set(objects, groups);
  return groups;
}

const groupsByObjects = new WeakMap<Objects, ReadonlyMap<string, readonly KnownPod[]>>();

function gather(objects: Objects): KnownPod[] {
  const pods = objects.of("Pod").map((source) => livePod(source, objects));

  const made = new Set(pods.flatMap((pod) => [`${pod.namespace} ${pod.workload}`]));
  const labelled = Map.groupBy(pods, (pod) => pod.namespace);
  const templates = workloadKinds.flatMap((kind) =>
    objects.of(kind).flatMap((source) => {
      const pod = templateOf(source);
      if (pod === undefined || made.has(`${pod.namespace} ${pod.workload}`)) return [];
      return isMade(pod, labelled.get(pod.namespace) ?? []) ? [] : [pod];
    }),
  );
  return [...pods, ...templates];
}

function livePod(source: Source, objects: Objects): KnownPod {
  const { object } = source;
  const unknown = unknownFields(object);
  return {
    source,
    subject: { kind: "pod", name: flatText(nameOf(object)) },
    namespace: object.metadata.namespace ?? "default",
    isNamespaceStated: object.metadata.namespace !== undefined,
    labels: unknown.includes("metadata.labels") ? undefined : labelsOf(object),
    spec: fieldsAt(object, "spec"),
    isSpecKnown: !unknown.includes("spec"),
    isTemplate: false,
    state: podStateOf(object),
    workload: flatText(workloadOf(object, objects)),
  };
}

/** The controller, and its Deployment or CronJob where the controller is one of many that it makes. */
function workloadOf(object: KubernetesObject, objects: Objects): string {
  const owner = controllerOf(object);
  if (owner === undefined) return `Pod/${object.metadata.name}`;
  const namespace = object.metadata.namespace ?? "default";
  const record = objects.get(owner.kind, namespace, owner.name)?.object;
  const above = record === undefined ? undefined : controllerOf(record);
  if (above !== undefined) return `${above.kind}/${above.name}`;
  const hash = textAt(object, "metadata", "labels", "pod-template-hash");
  if (owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    const kind = textAt(object, "metadata", "labels", "rollouts-pod-template-hash");
    const name = owner.name.slice(0, -hash.length - 1);
    return `${kind === undefined ? "Deployment" : "Rollout"}/${name}`;
  }
  return `${owner.kind}/${owner.name}`;
}

function controllerOf(object: KubernetesObject): { kind: string; name: string } | undefined {
  const owners = listAt(object, "metadata", "ownerReferences");
  const owner = owners.find((item) => isPresentAt(item, "controller")) ?? owners[0];
  const [kind, name] = [textAt(owner, "kind"), textAt(owner, "name")];
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

/** The pods that a workload makes, from its template. What another workload makes counts as that one's. */
function templateOf(source: Source): KnownPod | undefined {
  const { object } = source;
  if (controllerOf(object) !== undefined) return undefined;
  const path =
    object.kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"];
  const template = fieldsAt(object, ...path);
  if (listAt(template, "spec", "containers").length === 0 && !isPresentAt(template, "metadata")) {
    return undefined;
  }
  const unknown = unknownFields(object);
  const isUnknown = (field: string): boolean =>
    unknown.some((item) => item === field || field.startsWith(`${item}.`));
  return {
    source,
    subject: { kind: object.kind.toLowerCase(), name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    isNamespaceStated: object.metadata.namespace !== undefined,
    labels: isUnknown([...path, "metadata", "labels"].join("."))
      ? undefined
      : textsAt(template, "metadata", "labels"),
    spec: fieldsAt(template, "spec"),
    isSpecKnown: !isUnknown([...path, "spec"].join(".")),
    isTemplate: true,
    state: workloadStateOf(object),
    workload: `${object.kind}/${object.metadata.name}`,
  };
}

/** Whether a pod of the evidence says by its labels that this template made it, as pods without owners do. */
function isMade(template: KnownPod, pods: readonly KnownPod[]): boolean {
  const { labels } = template;
  if (labels === undefined || labels.size === 0) return false;
  // What a manifest will make is not what runs already, unless what runs says so.
  if (!isPresentAt(template.source.object, "status")) return false;
  return pods.some(
    (pod) =>
      pod.workload.startsWith("Pod/") &&
      pod.labels !== undefined &&
      [...labels].every(([key, value]) => pod.labels?.get(key) === value),
  );
}

/** How many pods a workload asks for: its replicas, one where it says nothing, none for a DaemonSet's unknown. */
export function replicasOf({ source, isTemplate }: KnownPod): number | undefined {
  if (!isTemplate) return 1;
  if (source.object.kind === "DaemonSet") {
    return integerAt(source.object, "status", "desiredNumberScheduled");
  }
  return integerAt(source.object, "spec", "replicas") ?? 1;
}
