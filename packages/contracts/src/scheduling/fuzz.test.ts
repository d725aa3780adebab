import * as fc from "fast-check";
import { Value } from "typebox/value";
import { expect, test } from "vitest";

import type { KubernetesObject } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { podFitsNode } from "./pod-fits-node.ts";
import { quotaAdmitsPod } from "./quota-admits-pod.ts";

const names = [
  "spec",
  "status",
  "metadata",
  "labels",
  "annotations",
  "nodeName",
  "nodeSelector",
  "affinity",
  "nodeAffinity",
  "tolerations",
  "requiredDuringSchedulingIgnoredDuringExecution",
  "nodeSelectorTerms",
  "matchExpressions",
  "matchFields",
  "key",
  "operator",
  "values",
  "value",
  "effect",
  "taints",
  "unschedulable",
  "allocatable",
  "capacity",
  "containers",
  "initContainers",
  "resources",
  "requests",
  "limits",
  "cpu",
  "memory",
  "pods",
  "ports",
  "hostPort",
  "hostIP",
  "volumes",
  "persistentVolumeClaim",
  "claimName",
  "volumeName",
  "storageClassName",
  "accessModes",
  "phase",
  "conditions",
  "type",
  "message",
  "overhead",
  "hostNetwork",
  "involvedObject",
  "reason",
  "name",
  "namespace",
  "provisioner",
  "volumeBindingMode",
  "nodeInfo",
  "faultlineText",
  "podAffinity",
  "podAntiAffinity",
  "labelSelector",
  "matchLabels",
  "matchLabelKeys",
  "namespaces",
  "namespaceSelector",
  "topologySpreadConstraints",
  "topologyKey",
  "maxSkew",
  "minDomains",
  "whenUnsatisfiable",
  "resourceClaims",
  "resourceClaimName",
  "devices",
  "allocation",
  "driver",
  "drivers",
  "count",
  "priority",
  "priorityClassName",
  "nominatedNodeName",
  "gcePersistentDisk",
  "pdName",
  "template",
  "replicas",
  "hard",
  "used",
  "scopes",
  "max",
  "min",
  "default",
  "maxLimitRequestRatio",
  "ownerReferences",
  "unknown",
];
const texts = [
  "",
  "a",
  "In",
  "NotIn",
  "Gt",
  "Exists",
  "Pending",
  "Running",
  "1",
  "100m",
  "2Gi",
  "-1",
  "PodScheduled",
  "False",
  "FailedScheduling",
  "Pod",
  "0/2 nodes are available: 2 Insufficient cpu.",
  "spec.taints",
  "status.allocatable",
  "metadata.labels",
  "DoNotSchedule",
  "Container",
  "BestEffort",
];

const { node: fields } = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 7, depthSize: "medium" },
    fc.oneof(fc.constantFrom(...texts), fc.jsonValue({ maxDepth: 1 })),
    fc.dictionary(fc.constantFrom(...names), tie("node"), { maxKeys: 6 }),
    fc.array(tie("node"), { maxLength: 3 }),
  ),
}));

const object: fc.Arbitrary<KubernetesObject> = fc
  .tuple(
    fc.constantFrom(
      "Pod",
      "Pod",
      "Node",
      "PersistentVolumeClaim",
      "PersistentVolume",
      "StorageClass",
      "Event",
      "Deployment",
      "Namespace",
      "PriorityClass",
      "PodDisruptionBudget",
      "CSINode",
      "CSIStorageCapacity",
      "VolumeAttachment",
      "ResourceClaim",
      "ResourceClaimTemplate",
      "DeviceClass",
      "ResourceSlice",
      "ResourceQuota",
      "LimitRange",
      "ReplicaSet",
    ),
    fc.constantFrom("a", "b", "c"),
    fc.dictionary(fc.constantFrom(...names), fields, { maxKeys: 8 }),
    fc.dictionary(
      fc.constantFrom(...names.filter((name) => name !== "name" && name !== "namespace")),
      fields,
      { maxKeys: 3 },
    ),
  )
  .map(([kind, name, rest, metadata]) => ({
    ...rest,
    apiVersion: "v1",
    kind,
    metadata: { ...metadata, name },
  }));

test("objects of any content give findings that fit the schema, and never an error", () => {
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 8 }), (objects) => {
      const source = { name: "fuzz", format: "kubernetes", notes: [] };
      const snapshot = createSnapshot([{ source, content: { kind: "kubernetes", objects } }]);
      const findings = [...podFitsNode.check(snapshot), ...quotaAdmitsPod.check(snapshot)];
      for (const finding of findings) {
        expect(Value.Check(Finding, finding)).toBe(true);
        if (finding.verdict === "inconclusive") expect(finding.missing).not.toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
