/** Rows about pods and what makes them. */

import type { KubernetesObject } from "../../model/evidence.ts";
import type { Row, RowReader } from "./table-row.ts";
import { mark, parseLabels } from "./text-object.ts";

/** Tables of pods, workloads and jobs. */
export const workloadRows: readonly RowReader[] = [
  { kind: "Pod", columns: ["NAME", "READY", "STATUS", "RESTARTS"], read: readPod },
  {
    kind: "Deployment",
    columns: ["NAME", "READY", "UP-TO-DATE", "AVAILABLE"],
    read: readDeployment,
  },
  {
    kind: "DaemonSet",
    columns: ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE"],
    read: readDaemonSet,
  },
  { kind: "ReplicaSet", columns: ["NAME", "DESIRED", "CURRENT", "READY"], read: readReplicaSet },
  { kind: "StatefulSet", columns: ["NAME", "READY", "AGE"], isExact: true, read: readStatefulSet },
  {
    kind: "StatefulSet",
    columns: ["NAME", "READY", "AGE", "CONTAINERS", "IMAGES"],
    isExact: true,
    read: readStatefulSet,
  },
  { kind: "Job", columns: ["NAME", "COMPLETIONS", "DURATION"], read: readJob },
  {
    kind: "CronJob",
    columns: ["NAME", "SCHEDULE", "SUSPEND", "ACTIVE", "LAST SCHEDULE"],
    read: readCronJob,
  },
];

const phases: ReadonlySet<string> = new Set(["Running", "Pending", "Failed", "Succeeded"]);

/** The table says Pending for a pod without a node, and a container's state once it has one. */
function readPod(row: Row): KubernetesObject {
  // Old versions of kubectl print the code of what has ended; 0 is what later ones call Completed.
  const status = (row.cell("STATUS") ?? "").replace(/^ExitCode:0$/, "Completed");
  const node = row.cell("NODE");
  const ready = row.share("READY");
  const restarts = /^(\d{1,9})/.exec(row.cell("RESTARTS") ?? "")?.[1];
  const isGated = status === "SchedulingGated";
  const isWaiting = isGated || (status === "Pending" && node === undefined);
  const isDone = status === "Completed" || status === "Succeeded";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...row.identity(),
      ...(status === "Terminating" ? { deletionTimestamp: status } : {}),
    },
    spec: node === undefined ? {} : { nodeName: node },
    status: {
      ...(isDone ? { phase: "Succeeded" } : {}),
      ...(phases.has(status) ? { phase: status } : {}),
      ...(status === "Evicted" ? { phase: "Failed", reason: status } : {}),
      ...(isGated ? { phase: "Pending" } : {}),
      conditions: [
        {
          type: "PodScheduled",
          status: isWaiting ? "False" : "True",
          ...(isGated ? { reason: status } : {}),
        },
      ],
      shown: {
        status,
        ...(ready === undefined ? {} : { readyCount: ready[0], containerCount: ready[1] }),
        ...(restarts === undefined ? {} : { restartCount: Number(restarts) }),
        ...row.field("age", "AGE"),
      },
    },
    ...mark("kubectl get pods", ["spec", "status.containerStatuses", ...row.unknownLabels()]),
  };
}

function readDeployment(row: Row): KubernetesObject {
  const [ready, wanted] = row.share("READY") ?? [];
  return workload(row, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    spec: number("replicas", wanted),
    status: {
      ...number("replicas", wanted),
      ...number("readyReplicas", ready),
      ...number("updatedReplicas", row.number("UP-TO-DATE")),
      ...number("availableReplicas", row.number("AVAILABLE")),
    },
  });
}

function readReplicaSet(row: Row): KubernetesObject {
  return workload(row, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    spec: number("replicas", row.number("DESIRED")),
    status: {
      ...number("replicas", row.number("CURRENT")),
      ...number("readyReplicas", row.number("READY")),
    },
  });
}

function readStatefulSet(row: Row): KubernetesObject {
  const [ready, wanted] = row.share("READY") ?? [];
  return workload(row, {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    spec: number("replicas", wanted),
    status: number("readyReplicas", ready),
  });
}

function readDaemonSet(row: Row): KubernetesObject {
  return workload(row, {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    spec: {},
    status: {
      ...number("desiredNumberScheduled", row.number("DESIRED")),
      ...number("currentNumberScheduled", row.number("CURRENT")),
      ...number("numberReady", row.number("READY")),
      ...number("updatedNumberScheduled", row.number("UP-TO-DATE")),
      ...number("numberAvailable", row.number("AVAILABLE")),
    },
  });
}

function readJob(row: Row): KubernetesObject {
  const [succeeded, completions] = row.share("COMPLETIONS") ?? [];
  const status = row.cell("STATUS");
  const conditions = { Complete: "Complete", Failed: "Failed" } as Readonly<Record<string, string>>;
  const type = status === undefined ? undefined : conditions[status];
  return workload(row, {
    apiVersion: "batch/v1",
    kind: "Job",
    spec: number("completions", completions),
    status: {
      ...number("succeeded", succeeded),
      ...(type === undefined ? {} : { conditions: [{ type, status: "True" }] }),
    },
  });
}

function readCronJob(row: Row): KubernetesObject {
  return workload(row, {
    apiVersion: "batch/v1",
    kind: "CronJob",
    spec: {
      ...row.field("schedule", "SCHEDULE"),
      ...row.field("timeZone", "TIMEZONE"),
      suspend: row.cell("SUSPEND")?.toLowerCase() === "true",
    },
    status: { shown: { activeCount: row.number("ACTIVE") ?? 0 } },
  });
}

function number(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

interface Parts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Record<string, unknown>;
  readonly status: Record<string, unknown>;
}

function shownIn(status: Record<string, unknown>): object {
  const { shown } = status;
  return typeof shown === "object" && shown !== null ? shown : {};
}

/** A wide table names selector, containers and images as well. */
function workload(row: Row, { apiVersion, kind, spec, status }: Parts): KubernetesObject {
  const selector = row.cell("SELECTOR");
  // A selector of expressions is printed in words that labels do not have.
  const isPlain = selector !== undefined && !/[ ()!]/.test(selector);
  return {
    apiVersion,
    kind,
    metadata: row.identity(),
    spec: {
      ...spec,
      ...(isPlain ? { selector: { matchLabels: parseLabels(selector.split(",")) } } : {}),
    },
    status: { ...status, shown: { ...shownIn(status), ...row.field("age", "AGE") } },
    ...mark(`kubectl get ${kind.toLowerCase()}s`, [
      "spec.template",
      "spec.strategy",
      "status.conditions",
      ...(isPlain ? [] : ["spec.selector"]),
      ...row.unknownLabels(),
    ]),
  };
}
