import * as fc from "fast-check";
import { Value } from "typebox/value";
import { expect, test } from "vitest";

import type { EvidenceContent, KubernetesObject } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { explainText } from "./causes/explain-log.ts";
import { workloadContracts } from "./contracts.ts";

const names =
  "spec status metadata labels namespace ownerReferences controller kind name template containers initContainers containerStatuses state lastState waiting terminated running reason message exitCode restartCount ready phase conditions type resources limits requests memory env value valueFrom configMapKeyRef secretKeyRef key optional volumes volumeMounts configMap secret persistentVolumeClaim claimName storageClassName httpGet port path livenessProbe readinessProbe ports containerPort image command args involvedObject rules apiGroups verbs subjects roleRef schedule replicas selector matchLabels strategy rollingUpdate maxSurge maxUnavailable data provisioner deletionTimestamp finalizers nodeName shown readyCount serviceAccountName capacity storage accessModes".split(
    " ",
  );
const texts = [
  "",
  "a",
  "b",
  "CrashLoopBackOff",
  "OOMKilled",
  "ImagePullBackOff",
  "CreateContainerConfigError",
  "FailedMount",
  "FailedCreate",
  "Unhealthy",
  "Evicted",
  "False",
  "True",
  "Pending",
  "Running",
  "1Gi",
  "Pod",
  "Deployment",
  "Failed",
  "Ready",
  'secret "a" not found',
  "Liveness probe failed: HTTP probe failed with statuscode: 404",
  'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods" in API group ""',
  "-Xmx9999999999g",
  "The node was low on resource: memory. ",
  "* * * * *",
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
      "Event",
      "Event",
      "Node",
      "Deployment",
      "Job",
      "CronJob",
      "StatefulSet",
      "PersistentVolumeClaim",
      "StorageClass",
      "ConfigMap",
      "Role",
      "RoleBinding",
      "Namespace",
      "KubectlAnswer",
    ),
    fc.constantFrom("a", "b"),
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

const log: fc.Arbitrary<EvidenceContent> = fc
  .array(fc.oneof(fc.constantFrom(...texts), fc.string({ maxLength: 60 })), { maxLength: 6 })
  .map((lines) => ({
    kind: "logs",
    about: { pod: "a", isPrevious: lines.length % 2 === 0 },
    lines: lines.map((text) => ({ text })),
  }));

test("objects and logs of any content give findings that fit the schema, and never an error", () => {
  const source = { name: "fuzz", format: "kubernetes", notes: [] };
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 8 }), log, (objects, content) => {
      const snapshot = createSnapshot([
        { source, content: { kind: "kubernetes", objects } },
        { source, content },
      ]);
      for (const contract of workloadContracts) {
        for (const finding of contract.check(snapshot)) {
          expect(Value.Check(Finding, finding), JSON.stringify(finding)).toBe(true);
          if (finding.verdict === "inconclusive") expect(finding.missing).not.toEqual([]);
          if (finding.verdict !== "violated") expect(finding.causeKind).toBe("none");
        }
      }
    }),
    { numRuns: 400 },
  );
});

test("a line of any length is explained in time", () => {
  const pieces = [
    "a",
    " ",
    ":",
    "/",
    "error ",
    "open ",
    '"',
    "=",
    "https://",
    "host ",
    "1.",
    "env ",
    "the ",
    "config ",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...pieces), fc.constantFrom(...pieces), (one, other) => {
      const started = performance.now();
      explainText(`${one}${other}`.repeat(4_000));
      expect(performance.now() - started).toBeLessThan(1_000);
    }),
    { numRuns: 150 },
  );
});
