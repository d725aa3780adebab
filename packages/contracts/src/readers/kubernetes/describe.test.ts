import { describe, expect, test } from "vitest";

import type { KubernetesObject } from "../../model/evidence.ts";
import { describedKinds, describedPodInTrouble } from "./fixtures/descriptions.ts";
import { readKubernetes } from "./read-kubernetes.ts";

function only(text: string, kind: string): KubernetesObject {
  const found = readKubernetes(text).objects.filter((object) => object.kind === kind);
  const [object] = found;
  if (object === undefined) throw new Error(`no ${kind}`);
  return object;
}

describe("a pod in trouble", () => {
  const pod = only(describedPodInTrouble, "Pod");

  test("its containers have a state, an end before it and a message of several lines", () => {
    expect(pod).toMatchObject({
      metadata: { ownerReferences: [{ kind: "ReplicaSet", name: "web-5d4f8c7b9" }] },
      spec: { serviceAccountName: "web", priorityClassName: "high" },
      status: {
        phase: "Running",
        initContainerStatuses: [
          { name: "setup", state: { terminated: { exitCode: 0, reason: "Completed" } } },
        ],
        containerStatuses: [
          {
            name: "main",
            ready: false,
            restartCount: 7,
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { reason: "Error", exitCode: 2 } },
          },
        ],
      },
    });
    expect(JSON.stringify(pod)).toContain(
      "Traceback: see below\\nKeyError: 'TOKEN'\\nmain.py: line 3",
    );
  });

  test("its containers have ports, probes, variables, sources, mounts and commands", () => {
    expect(pod).toMatchObject({
      spec: {
        containers: [
          {
            command: ["python", "main.py"],
            ports: [
              { containerPort: 8080, name: "http", hostPort: 18_080 },
              { containerPort: 9090, protocol: "UDP" },
            ],
            livenessProbe: {
              httpGet: { path: "/healthz", port: "http", scheme: "HTTPS" },
              initialDelaySeconds: 3,
              failureThreshold: 5,
            },
            readinessProbe: { exec: { command: ["cat", "/tmp/ready"] } },
            startupProbe: { tcpSocket: { port: 8080 } },
            env: [
              { name: "MODE", value: "fast" },
              {
                name: "TOKEN",
                valueFrom: { secretKeyRef: { name: "web", key: "token" } },
              },
              {
                name: "LEVEL",
                valueFrom: { configMapKeyRef: { name: "web", key: "level", optional: true } },
              },
            ],
            envFrom: [{ configMapRef: { name: "common" } }],
            volumeMounts: [
              { name: "conf", mountPath: "/etc/web.yaml", readOnly: true, subPath: "web.yaml" },
            ],
          },
        ],
        volumes: [
          { name: "conf", configMap: { name: "web-conf" } },
          { name: "certs", secret: { secretName: "web-tls", optional: true } },
          { name: "all", projected: { sources: [{ configMap: { name: "kube-root-ca.crt" } }] } },
        ],
      },
    });
  });

  test("an event of several lines stays one event", () => {
    expect(only(describedPodInTrouble, "Event")).toMatchObject({
      reason: "FailedMount",
      age: "3s (x5 over 3m)",
      message: "mount failed: exit status 32 Mounting command: mount Output: access denied",
    });
  });

  test("what the text never prints is unknown", () => {
    expect(pod).toMatchObject({
      faultlineText: { unknown: expect.arrayContaining(["spec.securityContext", "spec.affinity"]) },
    });
  });
});

test.each(describedKinds)("a described $kind", ({ kind, text, parts }) => {
  expect(only(text, kind)).toMatchObject(parts);
});

test("values of a secret are never read, only keys", () => {
  const text =
    "Name:         db\nNamespace:    shop\nLabels:       <none>\nAnnotations:  <none>\n\nType:  Opaque\n\nData\n====\npassword:  7 bytes\nuser:      3 bytes\n";
  expect(only(text, "Secret")).toMatchObject({ data: { password: null, user: null } });
});
