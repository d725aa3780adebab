/** Claims, volumes and storage classes from the text of `kubectl describe`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
  conditionsOf,
  type DescribedField,
  fieldsOf,
  one,
  pairsOf,
  parseLabelLines,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import type { Description, DescriptionReader } from "./description.ts";
import { longAccessMode, mark, parseLabels } from "./text-object.ts";

/** Descriptions of storage. */
export const storageDescriptions: readonly DescriptionReader[] = [
  {
    kind: "StorageClass",
    fields: ["Provisioner", "ReclaimPolicy", "VolumeBindingMode"],
    read: readStorageClass,
  },
  {
    kind: "PersistentVolume",
    fields: ["StorageClass", "Reclaim Policy", "Source"],
    read: readVolume,
  },
  {
    kind: "PersistentVolumeClaim",
    fields: ["StorageClass", "Access Modes", "Status"],
    read: readClaim,
  },
];

function readClaim({ fields, metadata }: Description): KubernetesObject[] {
  const storageClassName = textOf(fields, "StorageClass");
  const volumeName = textOf(fields, "Volume");
  const volumeMode = textOf(fields, "VolumeMode");
  const capacity = textOf(fields, "Capacity");
  const modes = textOf(fields, "Access Modes");
  const phase = textOf(fields, "Status") ?? "Unknown";
  return [
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        ...metadata,
        labels: parseLabels(valuesOf(fields, "Labels")),
        annotations: parseLabelLines(valuesOf(fields, "Annotations")),
        ...(phase.startsWith("Terminating") ? { deletionTimestamp: phase } : {}),
      },
      spec: {
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...(volumeName === undefined ? {} : { volumeName }),
        ...(volumeMode === undefined ? {} : { volumeMode }),
      },
      status: {
        phase: phase.split(" ")[0] ?? phase,
        ...(capacity === undefined ? {} : { capacity: { storage: capacity } }),
        ...(modes === undefined ? {} : { accessModes: modes.split(",").map(longAccessMode) }),
        conditions: conditionsOf(one(fields, "Conditions")),
        shown: { usedBy: valuesOf(fields, "Used By").join(", ") },
      },
      ...mark("kubectl describe pvc", ["spec.resources", "spec.accessModes", "spec.selector"]),
    },
  ];
}

function readVolume({ fields, metadata }: Description): KubernetesObject[] {
  const storageClassName = textOf(fields, "StorageClass");
  const capacity = textOf(fields, "Capacity");
  const [namespace, claim] = (textOf(fields, "Claim") ?? "").split("/");
  const affinity = one(fields, "Node Affinity");
  const hasAffinity = (affinity?.lines.length ?? 0) > 0;
  return [
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: {
        name: metadata.name,
        labels: parseLabels(valuesOf(fields, "Labels")),
        annotations: parseLabelLines(valuesOf(fields, "Annotations")),
      },
      spec: {
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...(capacity === undefined ? {} : { capacity: { storage: capacity } }),
        accessModes: (textOf(fields, "Access Modes") ?? "").split(",").map(longAccessMode),
        persistentVolumeReclaimPolicy: textOf(fields, "Reclaim Policy") ?? "Delete",
        ...(namespace !== undefined && claim !== undefined
          ? { claimRef: { namespace, name: claim } }
          : {}),
        ...sourceOf(one(fields, "Source")),
      },
      status: { phase: textOf(fields, "Status") ?? "Unknown" },
      ...mark("kubectl describe persistentvolume", hasAffinity ? ["spec.nodeAffinity"] : []),
    },
  ];
}

function sourceOf(block: DescribedField | undefined): Record<string, unknown> {
  const fields = fieldsOf(block?.lines ?? []);
  const type = textOf(fields, "Type")?.split(" ")[0];
  const path = textOf(fields, "Path");
  if (type === "HostPath") return { hostPath: { path: path ?? "" } };
  return type === "NFS"
    ? { nfs: { server: textOf(fields, "Server") ?? "", path: path ?? "" } }
    : {};
}

function readStorageClass({ fields, metadata }: Description): KubernetesObject[] {
  const isDefault = /^yes$/i.test(textOf(fields, "IsDefaultClass") ?? "");
  const expands = textOf(fields, "AllowVolumeExpansion");
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: metadata.name,
        annotations: isDefault ? { "storageclass.kubernetes.io/is-default-class": "true" } : {},
      },
      provisioner: textOf(fields, "Provisioner") ?? "",
      reclaimPolicy: textOf(fields, "ReclaimPolicy") ?? "Delete",
      volumeBindingMode: textOf(fields, "VolumeBindingMode") ?? "Immediate",
      ...(expands === undefined ? {} : { allowVolumeExpansion: /^true$/i.test(expands) }),
      parameters: {
        ...pairsOf(one(fields, "Parameters")),
        ...parseLabelLines((textOf(fields, "Parameters") ?? "").split(",")),
      },
      ...mark("kubectl describe storageclass", ["allowedTopologies"]),
    },
  ];
}
