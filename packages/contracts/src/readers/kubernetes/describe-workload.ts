/** What makes pods, from the text of `kubectl describe`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { containersOf } from "./describe-container.ts";
import {
  conditionsOf,
  controllerOf,
  type DescribedField,
  fieldsOf,
  one,
  parseLabelLines,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import { volumesOf } from "./describe-volume.ts";
import type { Description, DescriptionReader } from "./description.ts";
import { mark, parseLabels } from "./text-object.ts";

/** Descriptions of workloads; a Deployment has the fields of a ReplicaSet, so it comes first. */
export const workloadDescriptions: readonly DescriptionReader[] = [
  { kind: "CronJob", fields: ["Schedule", "Concurrency Policy"], read: readCronJob },
  { kind: "Job", fields: ["Parallelism", "Completions", "Pod Template"], read: readJob },
  { kind: "Deployment", fields: ["StrategyType", "Pod Template"], read: readDeployment },
  {
    kind: "DaemonSet",
    fields: ["Desired Number of Nodes Scheduled", "Pod Template"],
    read: readDaemonSet,
  },
  { kind: "StatefulSet", fields: ["Update Strategy", "Pod Template"], read: readStatefulSet },
  { kind: "ReplicaSet", fields: ["Replicas", "Pods Status", "Pod Template"], read: readReplicaSet },
];

function readDeployment(description: Description): KubernetesObject[] {
  const { fields } = description;
  const counts = textOf(fields, "Replicas") ?? "";
  const count = (word: string): Record<string, number> => countBefore(counts, word);
  const strategy = textOf(fields, "RollingUpdateStrategy") ?? "";
  const [, unavailable, surge] = /^(\S+) max unavailable, (\S+) max surge/.exec(strategy) ?? [];
  return [
    workload(description, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: {
        ...rename(count("desired"), "replicas"),
        strategy: {
          type: textOf(fields, "StrategyType") ?? "RollingUpdate",
          ...(unavailable === undefined || surge === undefined
            ? {}
            : { rollingUpdate: { maxUnavailable: amount(unavailable), maxSurge: amount(surge) } }),
        },
      },
      status: {
        ...rename(count("updated"), "updatedReplicas"),
        ...rename(count("total"), "replicas"),
        ...rename(count("available"), "availableReplicas"),
        ...rename(count("unavailable"), "unavailableReplicas"),
      },
    }),
  ];
}

function readReplicaSet(description: Description): KubernetesObject[] {
  const counts = textOf(description.fields, "Replicas") ?? "";
  return [
    workload(description, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      spec: rename(countBefore(counts, "desired"), "replicas"),
      status: rename(countBefore(counts, "current"), "replicas"),
    }),
  ];
}

function readStatefulSet(description: Description): KubernetesObject[] {
  const counts = textOf(description.fields, "Replicas") ?? "";
  return [
    workload(description, {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      spec: rename(countBefore(counts, "desired"), "replicas"),
      status: rename(countBefore(counts, "total"), "replicas"),
    }),
  ];
}

function readDaemonSet(description: Description): KubernetesObject[] {
  const count = (field: string, name: string): Record<string, number> => {
    const text = textOf(description.fields, field);
    return text !== undefined && /^\d{1,9}$/.test(text) ? { [name]: Number(text) } : {};
  };
  return [
    workload(description, {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      spec: {},
      status: {
        ...count("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ...count("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ...count("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ...count("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ...count("Number of Nodes Misscheduled", "numberMisscheduled"),
      },
    }),
  ];
}

function readJob(description: Description): KubernetesObject[] {
  const { fields } = description;
  const counts = textOf(fields, "Pods Statuses") ?? "";
  return [
    workload(description, {
      apiVersion: "batch/v1",
      kind: "Job",
      spec: jobSpec(fields),
      status: {
        ...rename(countBefore(counts, "Active"), "active"),
        ...rename(countBefore(counts, "Succeeded"), "succeeded"),
        ...rename(countBefore(counts, "Failed"), "failed"),
        ...textPart("startTime", textOf(fields, "Start Time")),
        ...textPart("completionTime", textOf(fields, "Completed At")),
      },
    }),
  ];
}

function readCronJob(description: Description): KubernetesObject[] {
  const { fields, metadata } = description;
  return [
    {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: metadataOf(description),
      spec: {
        schedule: textOf(fields, "Schedule") ?? "",
        concurrencyPolicy: textOf(fields, "Concurrency Policy") ?? "Allow",
        suspend: /^true$/i.test(textOf(fields, "Suspend") ?? ""),
        jobTemplate: { spec: { ...jobSpec(fields), template: templateOf(fields) } },
      },
      status: {
        ...textPart("lastScheduleTime", textOf(fields, "Last Schedule Time")),
        active: valuesOf(fields, "Active Jobs").map((name) => ({
          name,
          namespace: metadata.namespace,
        })),
      },
      ...mark("kubectl describe cronjob", templateUnknown("spec.jobTemplate.spec.template")),
    },
  ];
}

function jobSpec(fields: readonly DescribedField[]): Record<string, unknown> {
  const number = (field: string, name: string): Record<string, number> => {
    const text = /^(\d{1,9})s?$/.exec(textOf(fields, field) ?? "")?.[1];
    return text === undefined ? {} : { [name]: Number(text) };
  };
  return {
    ...number("Parallelism", "parallelism"),
    ...number("Completions", "completions"),
    ...number("Backoff Limit", "backoffLimit"),
    ...number("Active Deadline Seconds", "activeDeadlineSeconds"),
    suspend: /^true$/i.test(textOf(fields, "Suspend") ?? ""),
  };
}

interface Parts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Record<string, unknown>;
  readonly status: Record<string, unknown>;
}

function workload(
  description: Description,
  { apiVersion, kind, spec, status }: Parts,
): KubernetesObject {
  const { fields } = description;
  const selector = valuesOf(fields, "Selector").flatMap((text) => text.split(","));
  const isPlain = !selector.some((text) => /[ ()!]/.test(text));
  const conditions = one(fields, "Conditions");
  const pods = textOf(fields, "Pods Status");
  return {
    apiVersion,
    kind,
    metadata: metadataOf(description),
    spec: {
      ...spec,
      ...(isPlain && selector.length > 0
        ? { selector: { matchLabels: parseLabels(selector) } }
        : {}),
      template: templateOf(fields),
    },
    status: {
      ...status,
      ...(conditions === undefined ? {} : { conditions: conditionsOf(conditions) }),
      ...(pods === undefined ? {} : { shown: { pods } }),
    },
    ...mark(`kubectl describe ${kind.toLowerCase()}`, [
      ...(conditions === undefined && kind !== "Deployment" ? ["status.conditions"] : []),
      ...(isPlain ? [] : ["spec.selector"]),
      "spec.paused",
      "status.readyReplicas",
      ...templateUnknown("spec.template"),
    ]),
  };
}

function metadataOf({ fields, metadata }: Description): KubernetesObject["metadata"] {
  return {
    ...metadata,
    labels: parseLabels(valuesOf(fields, "Labels")),
    annotations: parseLabelLines(valuesOf(fields, "Annotations")),
    ...controllerOf(fields),
  };
}

/** What no description of a template prints. */
function templateUnknown(path: string): string[] {
  const unprinted = [
    "affinity",
    "topologySpreadConstraints",
    "securityContext",
    "containers.securityContext",
    "containers.ports.name",
    "imagePullSecrets",
    "restartPolicy",
    "automountServiceAccountToken",
  ];
  return unprinted.map((field) => `${path}.spec.${field}`);
}

function templateOf(fields: readonly DescribedField[]): Record<string, unknown> {
  const block = one(fields, "Pod Template");
  const inner = fieldsOf(block?.lines ?? []);
  const specs = (field: string): Record<string, unknown>[] =>
    containersOf(one(inner, field)).map(({ spec }) => spec);
  return {
    metadata: { labels: parseLabels(valuesOf(inner, "Labels")) },
    spec: {
      ...textPart("serviceAccountName", textOf(inner, "Service Account")),
      ...textPart("priorityClassName", textOf(inner, "Priority Class Name")),
      nodeSelector: parseLabels(valuesOf(inner, "Node-Selectors")),
      initContainers: specs("Init Containers"),
      containers: specs("Containers"),
      volumes: volumesOf(one(inner, "Volumes")),
    },
  };
}

/** `3` of `3 desired | 1 updated`, for the word `desired`. */
function countBefore(text: string, word: string): Record<string, number> {
  const found = new RegExp(`(?:^|[|/] )(\\d{1,9}) ${word}`).exec(text)?.[1];
  return found === undefined ? {} : { count: Number(found) };
}

function rename(count: Record<string, number>, name: string): Record<string, number> {
  return count["count"] === undefined ? {} : { [name]: count["count"] };
}

function amount(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function textPart(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}
