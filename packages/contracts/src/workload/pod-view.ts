/** A pod as its contracts look at it: what it should run, in what state it is, and what it belongs to. */

import {
  fieldsAt,
  integerAt,
  isPresentAt,
  isTrueAt,
  listAt,
  textAt,
} from "../kubernetes/fields.ts";
import { objectsOf, type Objects, type Source } from "../kubernetes/objects.ts";
import { readFrom, unknownFields } from "../kubernetes/text-mark.ts";
import type { Subject } from "../model/finding.ts";
import { type Fields, isFields } from "../model/fields.ts";
import type { Snapshot } from "../model/snapshot.ts";

/** One state of a container. */
export interface ContainerState {
  readonly kind: "waiting" | "running" | "terminated" | "unknown";
  readonly reason: string;
  readonly message: string;
  readonly exitCode: number | undefined;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
}

export interface ContainerView {
  readonly name: string;
  readonly isInit: boolean;
  /** As specified; empty where only the state is known. */
  readonly spec: Fields;
  readonly image: string;
  readonly state: ContainerState;
  /** How the container before this one ended. */
  readonly last: ContainerState | undefined;
  readonly restartCount: number;
  readonly isReady: boolean | undefined;
}

/** What a table of `kubectl get` prints in place of states. */
export interface ShownState {
  readonly status: string;
  readonly readyCount: number | undefined;
  readonly containerCount: number | undefined;
  readonly restartCount: number;
}

export interface PodView {
  readonly source: Source;
  readonly namespace: string;
  readonly name: string;
  /** What the pod belongs to: stable while pods come and go. */
  readonly owner: Subject;
  readonly ownerName: string;
  readonly spec: Fields;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly conditions: readonly Fields[];
  readonly containers: readonly ContainerView[];
  /** Present only where the pod is known from a table alone. */
  readonly shown: ShownState | undefined;
  readonly isBeingDeleted: boolean;
  readonly nodeName: string | undefined;
  /** Paths of fields that the text this pod was read from does not print. */
  readonly unknown: readonly string[];
}

/** The pods of a snapshot that have a status, by namespace and name. Manifests are no pods yet. */
export function podsOf(snapshot: Snapshot): readonly PodView[] {
  const known = podsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const objects = objectsOf(snapshot);
  const owners: Owners = new Map();
  const pods = objects
    .of("Pod")
    .filter(({ object }) => readFrom(object) !== "kubectl describe node")
    .flatMap((source) => viewOf(source, { objects, owners }) ?? []);
  podsBySnapshot.set(snapshot, pods);
  return pods;
}

/** A memory and no state: the same snapshot always has the same pods. */
const podsBySnapshot = new WeakMap<Snapshot, readonly PodView[]>();

/** A container of a pod as the subject of findings, under the name of what the pod belongs to. */
export function containerSubject(pod: PodView, container: Pick<ContainerView, "name">): Subject {
  return { kind: "container", name: `${pod.owner.name}/${container.name}` };
}

/** The restart policy, where it is known. */
export function restartPolicyOf(pod: PodView): string | undefined {
  return (
    textAt(pod.spec, "restartPolicy") ??
    (pod.unknown.includes("spec.restartPolicy") || pod.unknown.includes("spec")
      ? restartPolicyByOwner[pod.owner.kind]
      : "Always")
  );
}

const restartPolicyByOwner: Readonly<Record<string, string>> = {
  daemonset: "Always",
  deployment: "Always",
  replicaset: "Always",
  statefulset: "Always",
};

/** Owners by kind and name, each once: a few of them own many thousand pods. */
type Owners = Map<string, Pick<PodView, "owner" | "ownerName">>;

function viewOf(
  source: Source,
  { objects, owners }: { readonly objects: Objects; readonly owners: Owners },
): PodView | undefined {
  const records = objects.recordsOf(source.object);
  // A manifest that stands before a table tells what should run; how it runs stands in the table.
  const live = records.find(
    ({ object }) =>
      isPresentAt(object, "status", "phase") ||
      isPresentAt(object, "status", "containerStatuses") ||
      isPresentAt(object, "status", "shown"),
  );
  if (live === undefined) return undefined;
  const { object } = live;
  const specified = records.find(({ object: { spec } }) => isPresentAt(spec, "containers"));
  const spec = fieldsAt(specified?.object ?? object, "spec");
  const namespace = object.metadata.namespace ?? "default";
  const owner = ownerOf(object, namespace, objects);
  const key = `${owner.kind}\n${owner.name}\n${namespace}`;
  const owned = owners.get(key) ?? { owner, ownerName: owner.name.slice(namespace.length + 1) };
  owners.set(key, owned);
  return {
    source: live,
    namespace,
    name: object.metadata.name,
    owner: owned.owner,
    ownerName: owned.ownerName,
    spec,
    phase: textAt(object, "status", "phase") ?? "",
    reason: textAt(object, "status", "reason") ?? "",
    message: textAt(object, "status", "message") ?? "",
    conditions: conditionsOf(object),
    containers: containersOf(spec, fieldsAt(object, "status")),
    shown: shownOf(object),
    isBeingDeleted: isPresentAt(object, "metadata", "deletionTimestamp"),
    nodeName: textAt(object, "spec", "nodeName") || textAt(fieldsAt(spec), "nodeName") || undefined,
    unknown: unknownFields(specified?.object ?? object),
  };
}

/** The list of the object itself where it holds nothing else: of many thousand pods a copy takes memory. */
function conditionsOf(object: Fields): readonly Fields[] {
  const conditions = listAt(object, "status", "conditions");
  return conditions.every(isFields) ? conditions : conditions.map((item) => fieldsAt(item));
}

function shownOf(object: Fields): ShownState | undefined {
  const shown = fieldsAt(object, "status", "shown");
  const status = textAt(shown, "status");
  if (status === undefined) return undefined;
  return {
    status,
    readyCount: integerAt(shown, "readyCount"),
    containerCount: integerAt(shown, "containerCount"),
    restartCount: integerAt(shown, "restartCount") ?? 0,
  };
}

/** The workload behind a pod, as far as owners and labels tell it. */
function ownerOf(object: Source["object"], namespace: string, objects: Objects): Subject {
  const { name } = object.metadata;
  const subject = (kind: string, of: string): Subject => ({ kind, name: `${namespace}/${of}` });
  const controller = controllerOf(object);
  const hash = textAt(object, "metadata", "labels", "pod-template-hash");
  if (controller?.kind === "ReplicaSet" || (controller === undefined && hash !== undefined)) {
    const set = controller?.name ?? name.slice(0, name.lastIndexOf("-"));
    const above = controllerOf(objects.get("ReplicaSet", namespace, set)?.object ?? {});
    if (above !== undefined) return subject(above.kind.toLowerCase(), above.name);
    if (hash !== undefined && set.endsWith(`-${hash}`)) {
      return subject("deployment", set.slice(0, -hash.length - 1));
    }
    return subject("replicaset", set);
  }
  const job =
    controller?.kind === "Job"
      ? controller.name
      : (textAt(object, "metadata", "labels", "batch.kubernetes.io/job-name") ??
        textAt(object, "metadata", "labels", "job-name"));
  if (job !== undefined) {
    const above = controllerOf(objects.get("Job", namespace, job)?.object ?? {});
    return above === undefined
      ? subject("job", job)
      : subject(above.kind.toLowerCase(), above.name);
  }
  if (controller === undefined || controller.kind === "Node") return subject("pod", name);
  return subject(controller.kind.toLowerCase(), controller.name);
}

function controllerOf(object: Fields): { kind: string; name: string } | undefined {
  const owners = listAt(object, "metadata", "ownerReferences");
  const owner = owners.find((item) => isTrueAt(item, "controller")) ?? owners[0];
  const kind = textAt(owner, "kind");
  const name = textAt(owner, "name");
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

function containersOf(spec: Fields, status: Fields): ContainerView[] {
  const first = listed(
    listAt(spec, "initContainers"),
    listAt(status, "initContainerStatuses"),
    true,
  );
  // Joined so, a list takes no more memory than it needs.
  return first.concat(
    listed(listAt(spec, "containers"), listAt(status, "containerStatuses"), false),
  );
}

function listed(
  specs: readonly unknown[],
  statuses: readonly unknown[],
  isInit: boolean,
): ContainerView[] {
  const byName = new Map(statuses.map((status) => [textAt(status, "name") ?? "", status]));
  const names = new Set([...specs.map((item) => textAt(item, "name") ?? ""), ...byName.keys()]);
  return [...names].map((name) => {
    const spec = fieldsAt(specs.find((item) => textAt(item, "name") === name));
    const status = byName.get(name);
    const last = stateOf(fieldsAt(status, "lastState"));
    return {
      name,
      isInit,
      spec,
      image: textAt(spec, "image") ?? textAt(status, "image") ?? "",
      state: stateOf(fieldsAt(status, "state")),
      last: last.kind === "unknown" ? undefined : last,
      restartCount: integerAt(status, "restartCount") ?? 0,
      isReady: isPresentAt(status, "ready") ? isTrueAt(status, "ready") : undefined,
    };
  });
}

function stateOf(state: Fields): ContainerState {
  for (const kind of ["waiting", "running", "terminated"] as const) {
    if (!isPresentAt(state, kind)) continue;
    const detail = fieldsAt(state, kind);
    return {
      kind,
      reason: textAt(detail, "reason") ?? "",
      message: textAt(detail, "message") ?? "",
      exitCode: integerAt(detail, "exitCode"),
      startedAt: textAt(detail, "startedAt"),
      finishedAt: textAt(detail, "finishedAt"),
    };
  }
  return {
    kind: "unknown",
    reason: "",
    message: "",
    exitCode: undefined,
    startedAt: undefined,
    finishedAt: undefined,
  };
}

/** Whether a pod has not come to run yet: none of its containers was ever started, as far as the evidence tells. */
export function isStarting(pod: PodView): boolean {
  if (pod.phase === "Succeeded" || pod.phase === "Failed") return false;
  if (pod.shown !== undefined) {
    return /^(?:Pending|ContainerCreating|PodInitializing|Init:|CreateContainer)/.test(
      pod.shown.status,
    );
  }
  if (pod.containers.some(({ state }) => state.kind === "running" || state.kind === "terminated")) {
    return false;
  }
  return pod.containers.every(({ last }) => last === undefined);
}
