import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { Contract } from "../model/contract.ts";
import { readKubernetes } from "../readers/kubernetes/read-kubernetes.ts";
import { containerStaysUp } from "./container-stays-up.ts";
import { eventYaml, podYaml } from "./fixtures/check-texts.ts";
import { imagePulls } from "./image-pulls.ts";
import { memoryLimit } from "./memory-limit.ts";
import { nodeHealth } from "./node-health.ts";
import { permissions } from "./permissions.ts";
import { probes } from "./probes.ts";
import { references } from "./references.ts";
import { rollout } from "./rollout.ts";
import { volumeClaims } from "./volume-claims.ts";

const pod = "Pod/web-5d4f8c7b9-abcde";
const state = (text: string): string =>
  podYaml({
    status: `phase: Pending, containerStatuses: [{ name: main, image: "web:1", ready: false, restartCount: 3, ${text} }]`,
  });
const waiting = (reason: string, message = ""): string =>
  state(`state: { waiting: { reason: ${reason}, message: '${message}' } }`);
const deployment = `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  template:
    spec:
      containers: [{ name: main, image: "web:1", env: [{ name: A, valueFrom: { configMapKeyRef: { name: web-conf, key: a } } }] }]
status: { observedGeneration: 1, availableReplicas: 0, conditions: [{ type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: late }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: web-conf, namespace: shop }
data: { b: c }
`;
const claim = `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: shop }
spec: { storageClassName: fast, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
status: { phase: Pending }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: slow }
provisioner: ebs.csi.aws.com
`;
const node = `---
apiVersion: v1
kind: Node
metadata: { name: node-a }
status: { conditions: [{ type: Ready, status: Unknown, reason: NodeStatusUnknown, message: "Kubelet stopped posting node status." }] }
`;
const role = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: pod-reader, namespace: shop }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: read-pods, namespace: shop }
roleRef: { kind: Role, name: pod-reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: shop }]
`;

const cases: readonly (readonly [Contract, string])[] = [
  [
    imagePulls,
    `${waiting("ImagePullBackOff")}${eventYaml(pod, "Failed", 'Failed to pull image "web:1": not found: manifest unknown')}${eventYaml(pod, "BackOff", 'Back-off pulling image "web:1"')}`,
  ],
  [
    containerStaysUp,
    state(
      "state: { waiting: { reason: CrashLoopBackOff } }, lastState: { terminated: { exitCode: 1, reason: Error, message: \"KeyError: 'API_TOKEN'\" } }",
    ),
  ],
  [
    memoryLimit,
    state(
      "state: { waiting: { reason: CrashLoopBackOff } }, lastState: { terminated: { exitCode: 137, reason: OOMKilled } }",
    ),
  ],
  [
    probes,
    `${state("state: { running: {} }")}${eventYaml(pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")}${eventYaml(pod, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404")}`,
  ],
  [
    references,
    `${deployment}${waiting("CreateContainerConfigError", "couldn''t find key a in ConfigMap shop/web-conf")}`,
  ],
  [
    volumeClaims,
    `${claim}${waiting("ContainerCreating")}${eventYaml(pod, "FailedMount", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-old')}`,
  ],
  [
    permissions,
    `${role}${eventYaml(pod, "FailedCreate", 'pods is forbidden: User "system:serviceaccount:shop:reader" cannot list resource "pods" in API group "" in the namespace "shop"')}`,
  ],
  [
    nodeHealth,
    `${node}${waiting("ContainerCreating")}${eventYaml(pod, "FailedCreatePodSandBox", "cni plugin not initialized")}`,
  ],
  [rollout, `${deployment}${waiting("ImagePullBackOff")}`],
];

describe("order, repetition, other objects and other names change no finding", () => {
  test.each(cases.map(([contract, text]) => ({ id: contract.id, contract, text })))(
    "$id",
    ({ contract, text }) => {
      const { objects } = readKubernetes(text);
      expectSameFindings(contract, objects, ["web-5d4f8c7b9-abcde", "node-a"]);
      expect(objects.length).toBeGreaterThan(0);
    },
  );
});
