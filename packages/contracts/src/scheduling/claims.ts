/** What becomes of a pod's claims: bound, waiting, missing, or not told by the evidence. */

import type { KubernetesObject } from "../model/evidence.ts";
import {
  fieldsAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
  textsAt,
} from "../kubernetes/fields.ts";
import type { ClaimUse, Pod } from "./pod.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";
import { type Expression, readExpressions, readTerms, type Term } from "../kubernetes/selector.ts";
import { mismatchesOf } from "./volume-match.ts";

/** A volume as far as it decides where a pod may run. */
export interface Volume {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Terms of which a node must match one; absent when the volume is usable from everywhere. */
  readonly terms: readonly Term[] | undefined;
}

/** A change to storage that would let the claim be used. */
export interface ClaimRemedy {
  readonly kind:
    | "near-volume"
    | "provisioning-class"
    | "create-class"
    | "create-volume"
    | "other-claim"
    | "create-claim";
  /** Distinguishes remedies of one kind. */
  readonly detail: string;
  readonly description: string;
  readonly state: ClaimState;
}

export type ClaimState =
  | { readonly kind: "usable" }
  | { readonly kind: "bound"; readonly volume: Volume | undefined }
  | {
      readonly kind: "missing";
      readonly isEphemeral: boolean;
      readonly remedies: readonly ClaimRemedy[];
    }
  | { readonly kind: "lost"; readonly volume: string }
  | { readonly kind: "deleting" }
  /** The claim of an ephemeral volume that belongs to another pod. */
  | { readonly kind: "foreign"; readonly reason: string }
  | { readonly kind: "unbound"; readonly why: string; readonly remedies: readonly ClaimRemedy[] }
  | { readonly kind: "volume-gone"; readonly volume: string }
  | {
      readonly kind: "delayed";
      /** Free volumes that fit, the smallest first. */
      readonly volumes: readonly Volume[];
      readonly size: bigint;
      readonly className: string;
      /** The node that the scheduler has chosen before, for which a volume is being made. */
      readonly selectedNode: string | undefined;
      /** Where the driver has room for how large a volume; absent when it does not say. */
      readonly capacities: readonly Capacity[] | undefined;
      /** Terms of nodes for which a volume can be made; empty for all nodes, absent when none is made. */
      readonly provisionedIn: readonly Term[] | undefined;
      readonly why: string;
    }
  /** `afterwards` is the state once the holder is gone. */
  | { readonly kind: "in-use"; readonly holder: Pod; readonly afterwards: ClaimState }
  | { readonly kind: "unknown"; readonly what: string };

/** The largest volume that a driver can make on the nodes of a topology. */
export interface Capacity {
  readonly topology: readonly Expression[] | undefined;
  readonly sizeMax: bigint;
}

/** The storage objects of a cluster. */
export interface Storage {
  /** By `namespace/name`. */
  readonly claims: ReadonlyMap<string, KubernetesObject>;
  readonly volumes: ReadonlyMap<string, KubernetesObject>;
  readonly classes: ReadonlyMap<string, KubernetesObject>;
  /** Drivers that report their capacity. */
  readonly measuredDrivers: ReadonlySet<string>;
  /** By storage class. */
  readonly capacities: ReadonlyMap<string, readonly Capacity[]>;
  /** Seen in a cluster: among manifests alone a claim may come from another folder. */
  readonly isRecorded: boolean;
  /** Messages of warnings about claims, by `namespace/name`. */
  readonly warnings: ReadonlyMap<string, string>;
  /** Pods that run, by the claim that they use as `namespace/name`. */
  readonly users: ReadonlyMap<string, readonly Pod[]>;
}

const noProvisioner = "kubernetes.io/no-provisioner";
const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

/** The states of a pod's claims, in the order of `pod.claims`. */
export function claimStates(pod: Pod, storage: Storage): ClaimState[] {
  return pod.claims.map((use) => claimState(pod, use, storage));
}

function claimState(pod: Pod, use: ClaimUse, storage: Storage): ClaimState {
  const key = `${pod.namespace}/${use.claimName}`;
  const claim = storage.claims.get(key);
  if (claim === undefined) return absentClaim(pod, use, storage);
  const user = (storage.users.get(key) ?? []).find(
    (other) => other.source.object !== pod.source.object,
  );
  const afterwards = use.isEphemeral ? ownClaim(claim, pod, storage) : presentClaim(claim, storage);
  if (user !== undefined && textListAt(claim, "spec", "accessModes").includes("ReadWriteOncePod")) {
    return { kind: "in-use", holder: user, afterwards };
  }
  return afterwards;
}

/** An ephemeral volume uses its claim only when the claim was made for its pod. */
function ownClaim(claim: KubernetesObject, pod: Pod, storage: Storage): ClaimState {
  const owners = listAt(claim, "metadata", "ownerReferences");
  const uid = textAt(pod.source.object, "metadata", "uid");
  const isForeign = uid !== undefined && !owners.some((owner) => textAt(owner, "uid") === uid);
  if (!isForeign) return presentClaim(claim, storage);
  const { name } = claim.metadata;
  const reason = `PVC ${pod.namespace}/${name} was not created for pod ${pod.namespace}/${pod.name} (pod is not owner)`;
  return { kind: "foreign", reason };
}

function absentClaim(pod: Pod, use: ClaimUse, storage: Storage): ClaimState {
  if (use.isEphemeral && !pod.hasStatus) return { kind: "usable" };
  const areClaimsKnown =
    storage.isRecorded && storage.claims.size + storage.volumes.size + storage.classes.size > 0;
  const said = pod.scheduledMessage?.includes(`persistentvolumeclaim "${use.claimName}" not found`);
  if (!areClaimsKnown && said !== true) {
    return { kind: "unknown", what: `the claim ${pod.namespace}/${use.claimName}` };
  }
  const others = [...storage.claims]
    .filter(([key]) => key.startsWith(`${pod.namespace}/`))
    .flatMap(([key, claim]): ClaimRemedy[] => {
      const state = presentClaim(claim, storage);
      if (!["bound", "usable", "delayed"].includes(state.kind)) return [];
      const name = key.slice(pod.namespace.length + 1);
      const description = `let the volume ${use.volume} use the existing claim ${name} instead of ${use.claimName}`;
      return [{ kind: "other-claim", detail: name, description, state }];
    });
  const create: ClaimRemedy = {
    kind: "create-claim",
    detail: use.claimName,
    description: `create the claim ${pod.namespace}/${use.claimName}`,
    state: { kind: "usable" },
  };
  return { kind: "missing", isEphemeral: use.isEphemeral, remedies: [...others, create] };
}

/** What becomes of a claim that exists. */
export function presentClaim(claim: KubernetesObject, storage: Storage): ClaimState {
  const volumeName = textAt(claim, "spec", "volumeName") || undefined;
  const phase = textAt(claim, "status", "phase");
  if (phase === "Lost") return { kind: "lost", volume: volumeName ?? "" };
  if (isPresentAt(claim, "metadata", "deletionTimestamp")) return { kind: "deleting" };
  if (volumeName !== undefined) {
    if (phase === "Pending" && !isBindingComplete(claim)) return incompleteClaim(claim, volumeName);
    const volume = storage.volumes.get(volumeName);
    if (volume === undefined && storage.volumes.size > 0)
      return { kind: "volume-gone", volume: volumeName };
    return { kind: "bound", volume: volume === undefined ? undefined : readVolume(volume) };
  }
  if (phase === "Bound") return { kind: "bound", volume: undefined };
  return unboundClaim(claim, storage);
}

/** The cluster writes down when both sides of a binding agree; until then the claim is not bound. */
function isBindingComplete(claim: KubernetesObject): boolean {
  return textsAt(claim, "metadata", "annotations").has("pv.kubernetes.io/bind-completed");
}

function incompleteClaim(claim: KubernetesObject, volumeName: string): ClaimState {
  const { name } = claim.metadata;
  const description = `make the volume ${volumeName} free for the claim ${name}, or let the claim name another`;
  return {
    kind: "unbound",
    why: `it names the volume ${volumeName}, which has not been bound to it`,
    remedies: [{ kind: "near-volume", detail: volumeName, description, state: { kind: "usable" } }],
  };
}

function unboundClaim(claim: KubernetesObject, storage: Storage): ClaimState {
  const className = classOf(claim, storage);
  const storageClass = storage.classes.get(className);
  const matches = [...storage.volumes.values()].filter(
    (volume) => mismatchesOf(volume, claim, className).length === 0,
  );
  const provisioner = textAt(storageClass, "provisioner") ?? "";
  const makesVolumes = provisioner !== "" && provisioner !== noProvisioner;
  if (textAt(storageClass, "volumeBindingMode") === "WaitForFirstConsumer") {
    return {
      kind: "delayed",
      volumes: matches.sort(compareCapacity).map(readVolume),
      size: sizeOf(claim),
      className,
      selectedNode: textsAt(claim, "metadata", "annotations").get(selectedNodeAnnotation),
      capacities: storage.measuredDrivers.has(provisioner)
        ? (storage.capacities.get(className) ?? [])
        : undefined,
      provisionedIn: makesVolumes ? topologiesOf(storageClass) : undefined,
      why: makesVolumes
        ? `the class ${className} makes volumes only in its allowed topologies`
        : `no volume of class ${className} that fits it can be reached from this node`,
    };
  }
  const [smallest] = matches.sort(compareCapacity);
  if (smallest !== undefined) return { kind: "bound", volume: readVolume(smallest) };
  // What has not been handed to a cluster yet is provisioned as soon as it is.
  if (makesVolumes && !isPresentAt(claim, "status", "phase")) return { kind: "usable" };
  return waitingClaim(claim, storage, {
    className,
    provisioner: makesVolumes ? provisioner : undefined,
  });
}

function waitingClaim(
  claim: KubernetesObject,
  storage: Storage,
  { className, provisioner }: { className: string; provisioner: string | undefined },
): ClaimState {
  const { namespace = "default", name } = claim.metadata;
  const warning = storage.warnings.get(`${namespace}/${name}`);
  const isClassGone = className !== "" && !storage.classes.has(className);
  const isClassKnownGone =
    isClassGone && (storage.classes.size > 0 || warning?.includes("not found") === true);
  if (warning === undefined && storage.classes.size + storage.volumes.size === 0) {
    return {
      kind: "unknown",
      what: `the storage classes and volumes for the claim ${namespace}/${name}`,
    };
  }
  if (isClassGone && !isClassKnownGone) {
    return { kind: "unknown", what: `the storage class ${className}` };
  }
  let why: string;
  if (isClassKnownGone) why = `the storage class "${className}" does not exist`;
  else if (provisioner !== undefined) why = `${provisioner} has not made a volume for it`;
  else if (className === "") why = "it names no storage class and no free volume fits it";
  else why = `the storage class "${className}" makes no volumes and no free volume fits it`;
  return {
    kind: "unbound",
    why: warning === undefined || isClassKnownGone ? why : `${why} (${warning.slice(0, 200)})`,
    remedies: remediesOf(claim, storage, { className, isClassGone, provisioner }),
  };
}

function remediesOf(
  claim: KubernetesObject,
  storage: Storage,
  {
    className,
    isClassGone,
    provisioner,
  }: { className: string; isClassGone: boolean; provisioner: string | undefined },
): ClaimRemedy[] {
  const { name } = claim.metadata;
  const near = [...storage.volumes.values()].flatMap((volume): ClaimRemedy[] => {
    const [only, ...more] = mismatchesOf(volume, claim, className);
    if (only === undefined || more.length > 0) return [];
    const description = `make the claim ${name} fit the free volume ${volume.metadata.name}: ${only}`;
    return [
      {
        kind: "near-volume",
        detail: volume.metadata.name,
        description,
        state: { kind: "bound", volume: readVolume(volume) },
      },
    ];
  });
  const classes = [...storage.classes.values()].flatMap((item): ClaimRemedy[] => {
    const maker = textAt(item, "provisioner") ?? "";
    const other = item.metadata.name;
    if (maker === "" || maker === noProvisioner || other === className) return [];
    const description = `make the claim ${name} anew with storageClassName ${other}, whose provisioner ${maker} makes volumes`;
    return [{ kind: "provisioning-class", detail: other, description, state: { kind: "usable" } }];
  });
  const create: ClaimRemedy[] = isClassGone
    ? [
        {
          kind: "create-class",
          detail: className,
          description: `create the storage class ${className} with a provisioner that runs`,
          state: { kind: "usable" },
        },
      ]
    : [];
  const size = textAt(claim, "spec", "resources", "requests", "storage");
  const modes = textListAt(claim, "spec", "accessModes").join(", ");
  const wanted = [
    size === undefined ? "" : `at least ${size}`,
    modes,
    className === "" ? "no class" : `class ${className}`,
  ];
  const volume: ClaimRemedy = {
    kind: "create-volume",
    detail: name,
    description:
      provisioner === undefined
        ? `create a persistent volume for the claim ${name} (${wanted.filter((part) => part !== "").join("; ")})`
        : `repair the provisioner ${provisioner}, or create a volume for the claim ${name} by hand`,
    state: { kind: "usable" },
  };
  return [...near, ...classes, ...create, volume];
}

/** The class that the claim names, or the default class that admission would write into it. */
export function classOf(claim: KubernetesObject, storage: Storage): string {
  const named = textAt(claim, "spec", "storageClassName");
  if (named !== undefined) return named;
  const annotated = textsAt(claim, "metadata", "annotations").get(
    "volume.beta.kubernetes.io/storage-class",
  );
  if (annotated !== undefined) return annotated;
  const defaults = [...storage.classes.values()]
    .filter(
      (item) => textsAt(item, "metadata", "annotations").get(defaultClassAnnotation) === "true",
    )
    .map((item) => item.metadata.name);
  return defaults.sort()[0] ?? "";
}

function readVolume(volume: KubernetesObject): Volume {
  const required = fieldsAt(volume, "spec", "nodeAffinity", "required");
  return {
    name: volume.metadata.name,
    labels: textsAt(volume, "metadata", "labels"),
    terms: isPresentAt(required, "nodeSelectorTerms") ? readTerms(required) : undefined,
  };
}

/** Allowed topologies as terms; none allow every node. */
function topologiesOf(storageClass: KubernetesObject | undefined): Term[] {
  return listAt(storageClass, "allowedTopologies").map((item) =>
    readExpressions(
      listAt(item, "matchLabelExpressions").map((expression) => ({
        ...fieldsAt(expression),
        operator: "In",
      })),
      "label",
    ),
  );
}

function sizeOf(claim: KubernetesObject): bigint {
  const text = textAt(claim, "spec", "resources", "requests", "storage");
  return resourceAmount("storage", text ?? "0") ?? 0n;
}

function compareCapacity(left: KubernetesObject, right: KubernetesObject): number {
  const [leftSize, rightSize] = [left, right].map(
    (volume) =>
      resourceAmount("storage", textAt(volume, "spec", "capacity", "storage") ?? "0") ?? 0n,
  );
  if (leftSize === undefined || rightSize === undefined || leftSize === rightSize) {
    return left.metadata.name < right.metadata.name ? -1 : 1;
  }
  return leftSize < rightSize ? -1 : 1;
}
