/** A pod as the scheduler sees it, read from the API object. */

import type { Fields } from "../model/fields.ts";
import {
  fieldsAt,
  integerAt,
  isPresentAt,
  isTrueAt,
  listAt,
  textAt,
  textsAt,
} from "../kubernetes/fields.ts";
import { labelsOf } from "../kubernetes/labels.ts";
import type { Source } from "../kubernetes/objects.ts";
import { type Disk, readDisks } from "./disks.ts";
import { type PodTerm, readPodTerms, readSpread, type SpreadConstraint } from "./pod-terms.ts";
import { noPriorityClasses, type Priority, type PriorityClasses } from "./priority.ts";
import { type Amounts, podRequests } from "./requests.ts";
import { readTerms, type Term } from "../kubernetes/selector.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export interface Toleration {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  /** Empty tolerates every effect. */
  readonly effect: string;
}

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly hostIP: string;
}

/** A volume of the pod that is backed by a claim. */
export interface ClaimUse {
  readonly volume: string;
  readonly claimName: string;
  /** The claim is made by the cluster for this pod alone. */
  readonly isEphemeral: boolean;
}

/** A device claim of the pod. */
export interface DeviceUse {
  readonly name: string;
  /** The claim; absent while the one of the template has not been made. */
  readonly claimName: string | undefined;
  readonly templateName: string | undefined;
}

export interface Pod {
  readonly source: Source;
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly nodeName: string | undefined;
  readonly phase: string | undefined;
  /** What `PodScheduled` says, and the scheduler's words with it. */
  readonly isScheduled: boolean | undefined;
  readonly scheduledMessage: string | undefined;
  readonly hasStatus: boolean;
  readonly nodeSelector: ReadonlyMap<string, string>;
  /** Terms of the required node affinity, of which one must match; absent when nothing is required. */
  readonly affinity: readonly Term[] | undefined;
  readonly tolerations: readonly Toleration[];
  readonly hostPorts: readonly HostPort[];
  readonly requests: Amounts;
  readonly claims: readonly ClaimUse[];
  readonly disks: readonly Disk[];
  readonly deviceClaims: readonly DeviceUse[];
  readonly spread: readonly SpreadConstraint[];
  /** Required terms; the pod wants to be near the pods that they mean. */
  readonly affinityTerms: readonly PodTerm[];
  /** Required terms; the pod wants to be away from the pods that they mean. */
  readonly antiAffinityTerms: readonly PodTerm[];
  readonly priority: Priority;
  readonly schedulerName: string;
  /** The node for which the scheduler is making room, if any. */
  readonly nominatedNode: string | undefined;
  readonly isTerminating: boolean;
  readonly startTime: string;
  /** Whether the pod waits at scheduling gates; their names where the evidence tells them. */
  readonly isGated: boolean;
  readonly gates: readonly string[];
  /** Quantities that could not be read, each with its place. */
  readonly unreadable: readonly string[];
  /** Paths of fields that the text this pod was read from does not print. */
  readonly unknown: readonly string[];
}

/** Reads a pod. The template of a workload is read as the pod that it would make. */
export function readPod(source: Source, classes: PriorityClasses = noPriorityClasses): Pod {
  const { object } = source;
  const spec = fieldsAt(object, "spec");
  const condition = listAt(object, "status", "conditions").find(
    (item) => textAt(item, "type") === "PodScheduled",
  );
  const { amounts, unreadable } = podRequests(spec, fieldsAt(object, "status"));
  const status = textAt(condition, "status");
  const namespace = object.metadata.namespace ?? "default";
  const labels = labelsOf(object);
  const gates = listAt(spec, "schedulingGates").flatMap((gate) => textAt(gate, "name") ?? []);
  return {
    source,
    namespace,
    name: object.metadata.name,
    labels,
    nodeName: textAt(spec, "nodeName") || undefined,
    phase: textAt(object, "status", "phase"),
    isScheduled: status === undefined ? undefined : status === "True",
    scheduledMessage: textAt(condition, "message"),
    hasStatus: isPresentAt(object, "status", "phase") || condition !== undefined,
    nodeSelector: textsAt(spec, "nodeSelector"),
    affinity: requiredTerms(spec),
    tolerations: readTolerations(listAt(spec, "tolerations")),
    hostPorts: readHostPorts(spec),
    requests: amounts,
    claims: readClaims(spec, object.metadata.name),
    disks: readDisks(spec),
    deviceClaims: readDeviceClaims(object),
    spread: readSpread(spec, labels),
    affinityTerms: readPodTerms(spec, "podAffinity", { namespace, labels }),
    antiAffinityTerms: readPodTerms(spec, "podAntiAffinity", { namespace, labels }),
    priority: classes.of(spec),
    schedulerName: textAt(spec, "schedulerName") || "default-scheduler",
    nominatedNode: textAt(object, "status", "nominatedNodeName") || undefined,
    isTerminating: isPresentAt(object, "metadata", "deletionTimestamp"),
    startTime: textAt(object, "status", "startTime") ?? "",
    isGated:
      gates.length > 0 || (status !== "True" && textAt(condition, "reason") === "SchedulingGated"),
    gates,
    unreadable,
    unknown: unknownFields(object),
  };
}

function requiredTerms(spec: Fields): Term[] | undefined {
  const path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
  // A requirement without terms is one that no node meets.
  return isPresentAt(spec, ...path) ? readTerms(fieldsAt(spec, ...path)) : undefined;
}

/** A memory and no state: readers keep equal lists once, and most pods of a cluster have the same. */
const knownTolerations = new WeakMap<readonly unknown[], readonly Toleration[]>();

/** Tolerations, of a pod or of a request for devices. */
export function readTolerations(list: readonly unknown[]): readonly Toleration[] {
  const tolerations = knownTolerations.get(list) ?? list.map(readToleration);
  knownTolerations.set(list, tolerations);
  return tolerations;
}

function readToleration(item: unknown): Toleration {
  return {
    key: textAt(item, "key") ?? "",
    operator: textAt(item, "operator") || "Equal",
    value: textAt(item, "value") ?? "",
    effect: textAt(item, "effect") ?? "",
  };
}

/** Ports that the pod takes of its node. With host networking every container port is one. */
function readHostPorts(spec: Fields): HostPort[] {
  const onHost = isTrueAt(spec, "hostNetwork");
  const sidecars = listAt(spec, "initContainers").filter(
    (container) => textAt(container, "restartPolicy") === "Always",
  );
  return [...sidecars, ...listAt(spec, "containers")]
    .flatMap((container) => listAt(container, "ports"))
    .flatMap((item) => {
      const port =
        integerAt(item, "hostPort") ?? (onHost ? integerAt(item, "containerPort") : undefined);
      if (port === undefined || port <= 0) return [];
      return [
        {
          port,
          protocol: textAt(item, "protocol") || "TCP",
          hostIP: textAt(item, "hostIP") || "0.0.0.0",
        },
      ];
    });
}

function readClaims(spec: Fields, podName: string): ClaimUse[] {
  return listAt(spec, "volumes").flatMap((item): ClaimUse[] => {
    const volume = textAt(item, "name") ?? "";
    const claimName = textAt(item, "persistentVolumeClaim", "claimName");
    if (claimName !== undefined) return [{ volume, claimName, isEphemeral: false }];
    if (!isPresentAt(item, "ephemeral")) return [];
    return [{ volume, claimName: `${podName}-${volume}`, isEphemeral: true }];
  });
}

function readDeviceClaims(object: Source["object"]): DeviceUse[] {
  const made = listAt(object, "status", "resourceClaimStatuses");
  return listAt(object, "spec", "resourceClaims").map((item) => {
    const name = textAt(item, "name") ?? "";
    const status = made.find((other) => textAt(other, "name") === name);
    return {
      name,
      claimName:
        textAt(item, "resourceClaimName") ??
        textAt(item, "source", "resourceClaimName") ??
        textAt(status, "resourceClaimName"),
      templateName:
        textAt(item, "resourceClaimTemplateName") ??
        textAt(item, "source", "resourceClaimTemplateName"),
    };
  });
}
