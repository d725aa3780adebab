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
import { type Amounts, podRequests } from "./requests.ts";
import type { Source } from "../kubernetes/objects.ts";
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
  readonly gates: readonly string[];
  /** Constraints of the pod that no filter here judges. */
  readonly unjudged: readonly string[];
  /** Quantities that could not be read, each with its place. */
  readonly unreadable: readonly string[];
  /** Paths of fields that the text this pod was read from does not print. */
  readonly unknown: readonly string[];
}

/** Reads a pod. The template of a workload is read as the pod that it would make. */
export function readPod(source: Source): Pod {
  const { object } = source;
  const spec = fieldsAt(object, "spec");
  const condition = listAt(object, "status", "conditions").find(
    (item) => textAt(item, "type") === "PodScheduled",
  );
  const { amounts, unreadable } = podRequests(spec);
  const status = textAt(condition, "status");
  return {
    source,
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    labels: textsAt(object, "metadata", "labels"),
    nodeName: textAt(spec, "nodeName") || undefined,
    phase: textAt(object, "status", "phase"),
    isScheduled: status === undefined ? undefined : status === "True",
    scheduledMessage: textAt(condition, "message"),
    hasStatus: isPresentAt(object, "status", "phase") || condition !== undefined,
    nodeSelector: textsAt(spec, "nodeSelector"),
    affinity: requiredTerms(spec),
    tolerations: listAt(spec, "tolerations").map(readToleration),
    hostPorts: readHostPorts(spec),
    requests: amounts,
    claims: readClaims(spec, object.metadata.name),
    gates: listAt(spec, "schedulingGates").flatMap((gate) => textAt(gate, "name") ?? []),
    unjudged: readUnjudged(spec),
    unreadable,
    unknown: unknownFields(object),
  };
}

function requiredTerms(spec: Fields): Term[] | undefined {
  const required = fieldsAt(
    spec,
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
  );
  return isPresentAt(required, "nodeSelectorTerms") ? readTerms(required) : undefined;
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

function readUnjudged(spec: Fields): string[] {
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const spreads = listAt(spec, "topologySpreadConstraints").some(
    (item) => textAt(item, "whenUnsatisfiable") !== "ScheduleAnyway",
  );
  return [
    ...(listAt(spec, "affinity", "podAffinity", required).length > 0
      ? ["required pod affinity"]
      : []),
    ...(listAt(spec, "affinity", "podAntiAffinity", required).length > 0
      ? ["required pod anti-affinity"]
      : []),
    ...(spreads ? ["topology spread constraints"] : []),
    ...(listAt(spec, "resourceClaims").length > 0 ? ["device claims"] : []),
  ];
}
