/** Rows about nodes, storage, settings, policies and events. */

import type { KubernetesObject } from "../../model/evidence.ts";
import type { Row, RowReader, TableOrigin } from "./table-row.ts";
import { longAccessMode, mark, textEvent } from "./text-object.ts";

/** Tables of what pods stand on. */
export const clusterRows: readonly RowReader[] = [
  { kind: "Node", columns: ["NAME", "STATUS", "ROLES", "VERSION"], read: readNode },
  {
    kind: "PersistentVolumeClaim",
    columns: ["NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES"],
    read: readClaim,
  },
  {
    kind: "PersistentVolume",
    columns: ["NAME", "CAPACITY", "ACCESS MODES", "RECLAIM POLICY", "STATUS"],
    read: readVolume,
  },
  {
    kind: "StorageClass",
    columns: ["NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE"],
    read: readStorageClass,
  },
  { kind: "ConfigMap", columns: ["NAME", "DATA", "AGE"], isExact: true, read: readConfigMap },
  { kind: "Secret", columns: ["NAME", "TYPE", "DATA", "AGE"], isExact: true, read: readSecret },
  {
    kind: "ServiceAccount",
    columns: ["NAME", "SECRETS", "AGE"],
    isExact: true,
    read: readServiceAccount,
  },
  { kind: "Namespace", columns: ["NAME", "STATUS", "AGE"], isExact: true, read: readNamespace },
  {
    kind: "PriorityClass",
    columns: ["NAME", "VALUE", "GLOBAL-DEFAULT"],
    read: readPriorityClass,
  },
  {
    kind: "Event",
    columns: ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
    read: readEvent,
  },
];

function readNode(row: Row): KubernetesObject {
  const states = (row.cell("STATUS") ?? "Unknown").split(",");
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: row.clusterIdentity(),
    spec: states.includes("SchedulingDisabled") ? { unschedulable: true } : {},
    status: {
      conditions: [{ type: "Ready", status: states.includes("Ready") ? "True" : "False" }],
      nodeInfo: { ...row.field("kubeletVersion", "VERSION") },
    },
    ...mark("kubectl get nodes", [
      ...row.unknownLabels(),
      "spec.taints",
      "status.allocatable",
      "status.conditions",
    ]),
  };
}

function readClaim(row: Row): KubernetesObject {
  const capacity = row.cell("CAPACITY");
  const modes = row.cell("ACCESS MODES");
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: row.identity(),
    spec: {
      ...row.field("volumeName", "VOLUME"),
      ...row.field("storageClassName", "STORAGECLASS"),
      ...row.field("volumeMode", "VOLUMEMODE"),
    },
    status: {
      phase: row.cell("STATUS") ?? "Unknown",
      ...(capacity === undefined ? {} : { capacity: { storage: capacity } }),
      ...(modes === undefined ? {} : { accessModes: modes.split(",").map(longAccessMode) }),
    },
    ...mark("kubectl get pvc", ["spec.resources", "spec.accessModes", "spec.selector"]),
  };
}

function readVolume(row: Row): KubernetesObject {
  const capacity = row.cell("CAPACITY");
  const [namespace, name] = (row.cell("CLAIM") ?? "").split("/");
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: row.clusterIdentity(),
    spec: {
      ...(capacity === undefined ? {} : { capacity: { storage: capacity } }),
      ...row.field("storageClassName", "STORAGECLASS"),
      ...row.field("persistentVolumeReclaimPolicy", "RECLAIM POLICY"),
      ...(namespace !== undefined && name !== undefined ? { claimRef: { namespace, name } } : {}),
      accessModes: (row.cell("ACCESS MODES") ?? "").split(",").map(longAccessMode),
    },
    status: { phase: row.cell("STATUS") ?? "Unknown" },
    ...mark("kubectl get pv", ["metadata.labels", "spec.nodeAffinity"]),
  };
}

function readStorageClass(row: Row): KubernetesObject {
  const [name = "", ...rest] = (row.cell("NAME") ?? "").split(" ");
  const expands = row.cell("ALLOWVOLUMEEXPANSION");
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name,
      ...(rest.includes("(default)")
        ? { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }
        : {}),
    },
    provisioner: row.cell("PROVISIONER") ?? "",
    volumeBindingMode: row.cell("VOLUMEBINDINGMODE") ?? "Immediate",
    ...(expands === undefined ? {} : { allowVolumeExpansion: expands === "true" }),
    ...mark("kubectl get storageclass", ["allowedTopologies", "parameters"]),
  };
}

/** The table counts the keys and does not name them. */
function readConfigMap(row: Row): KubernetesObject {
  return plain(row, "ConfigMap", ["data", "binaryData"]);
}

function readSecret(row: Row): KubernetesObject {
  return { ...plain(row, "Secret", ["data"]), ...row.field("type", "TYPE") };
}

function readServiceAccount(row: Row): KubernetesObject {
  return plain(row, "ServiceAccount", ["imagePullSecrets", "automountServiceAccountToken"]);
}

function plain(row: Row, kind: string, unknown: readonly string[]): KubernetesObject {
  return {
    apiVersion: "v1",
    kind,
    metadata: row.identity(),
    ...mark(`kubectl get ${kind.toLowerCase()}s`, unknown),
  };
}

function readNamespace(row: Row): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: row.clusterIdentity(),
    status: { phase: row.cell("STATUS") ?? "Active" },
    ...mark("kubectl get namespaces", row.unknownLabels()),
  };
}

function readPriorityClass(row: Row): KubernetesObject {
  const value = row.cell("VALUE");
  return {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: row.clusterIdentity(),
    ...(value !== undefined && /^-?\d{1,10}$/.test(value) ? { value: Number(value) } : {}),
    globalDefault: row.cell("GLOBAL-DEFAULT") === "true",
    ...mark("kubectl get priorityclasses", ["preemptionPolicy"]),
  };
}

function readEvent(row: Row, origin: TableOrigin): KubernetesObject | undefined {
  const [kind = "", name = ""] = (row.cell("OBJECT") ?? "").split("/");
  const message = row.cell("MESSAGE");
  if (name === "" || message === undefined) return undefined;
  const namespace = row.cell("NAMESPACE") ?? origin.namespace ?? "default";
  return textEvent(
    { kind, name, namespace },
    {
      type: row.cell("TYPE") ?? "Normal",
      reason: row.cell("REASON") ?? "",
      message,
      age: row.cell("LAST SEEN") ?? "",
    },
  );
}
