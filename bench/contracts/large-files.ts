/** Large files of other evidence than traces, for the memory that checking them takes. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Bytes of a large file. */
export const largeFileBytes = 200_000_000;
/** How many pairs of managers a pod of the API's own list has: with three a pod takes some 4 kB, as real ones do. */
const managerCountRaw = 3;
const startMillis = Date.UTC(2026, 0, 1);

/** Writes a Kubernetes List as `kubectl get pods -A -o json` prints it, with its managed fields. */
export async function writePodList(path: string): Promise<void> {
  await write(path, largeFileBytes, {
    before: '{\n    "apiVersion": "v1",\n    "items": [\n',
    part: (index) => `${index === 0 ? "" : ",\n"}${JSON.stringify(podOf(index), undefined, 4)}`,
    after:
      '\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n',
  });
}

/** Writes the list of pods that the API itself answers with: on one line, its items without kind and apiVersion. */
export async function writeRawPodList(path: string, sizeBytes: number): Promise<void> {
  await write(path, sizeBytes, {
    before: '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[',
    part: (index) => {
      const { apiVersion: _apiVersion, kind: _kind, ...pod } = podOf(index, managerCountRaw);
      return `${index === 0 ? "" : ","}${JSON.stringify(pod)}`;
    },
    after: "]}\n",
  });
}

/** Writes a log with one record of JSON on each line. */
export async function writeLog(path: string): Promise<void> {
  await write(path, largeFileBytes, {
    before: "",
    part: (index) => `${JSON.stringify(recordOf(index))}\n`,
    after: "",
  });
}

interface Parts {
  readonly before: string;
  readonly part: (index: number) => string;
  readonly after: string;
}

/** Writes parts until the file has its size; each is below 128 units a character, so characters are bytes. */
async function write(
  path: string,
  sizeBytes: number,
  { before, part, after }: Parts,
): Promise<void> {
  const file = createWriteStream(path);
  let pending = before;
  let written = 0;
  for (let index = 0; written < sizeBytes; index += 1) {
    const text = part(index);
    pending += text;
    written += text.length;
    if (pending.length < 1_000_000) continue;
    if (!file.write(pending)) await once(file, "drain");
    pending = "";
  }
  file.end(pending + after);
  await once(file, "finish");
}

function recordOf(index: number): unknown {
  return {
    level: ["info", "info", "debug", "warn", "error"][index % 5],
    time: new Date(startMillis + index * 137).toISOString(),
    msg: ["request completed", "cache miss", `order ${mixed(index)} placed`][index % 3],
    service: "orders",
    trace_id: digits(index, 32),
    req: { method: "GET", url: `/api/orders/${mixed(index) % 1_000_000}` },
    status: [200, 200, 404, 500][index % 4],
    durationMs: mixed(index) % 5_000,
  };
}

function podOf(index: number, managerCount = 1): Record<string, unknown> {
  const app = `app-${index % 400}`;
  const owner = `${app}-${digits(index % 400, 9)}`;
  const volume = `kube-api-access-${digits(index, 5)}`;
  const time = new Date(startMillis + (mixed(index) % 1_000_000) * 1_000).toISOString();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      creationTimestamp: time,
      generateName: `${owner}-`,
      labels: { app, "pod-template-hash": digits(index % 400, 9) },
      managedFields: Array.from({ length: managerCount }, () => managedFieldsOf(time)).flat(),
      name: `${owner}-${digits(index, 5)}${index}`,
      namespace: `team-${index % 40}`,
      ownerReferences: [
        { apiVersion: "apps/v1", controller: true, kind: "ReplicaSet", name: owner, uid: owner },
      ],
      resourceVersion: String(mixed(index)),
      uid: digits(index, 32),
    },
    spec: specOf(index, { app, volume }),
    status: statusOf(index, { app, time }),
  };
}

function managedFieldsOf(time: string): unknown[] {
  const conditions = { ".": {}, "f:lastProbeTime": {}, "f:status": {}, "f:type": {} };
  const container = {
    ".": {},
    "f:image": {},
    "f:imagePullPolicy": {},
    "f:name": {},
    "f:resources": { ".": {}, "f:limits": { ".": {}, "f:cpu": {}, "f:memory": {} } },
  };
  return [
    {
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:generateName": {}, "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": { "f:containers": { 'k:{"name":"app"}': container }, "f:dnsPolicy": {} },
      },
      manager: "kube-controller-manager",
      operation: "Update",
      time,
    },
    {
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:status": { "f:conditions": { 'k:{"type":"Ready"}': conditions } } },
      manager: "kubelet",
      operation: "Update",
      subresource: "status",
      time,
    },
  ];
}

function specOf(index: number, { app, volume }: { app: string; volume: string }): unknown {
  const tolerations = ["not-ready", "unreachable"].map((name) => ({
    effect: "NoExecute",
    key: `node.kubernetes.io/${name}`,
    operator: "Exists",
    tolerationSeconds: 300,
  }));
  return {
    containers: [
      {
        env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
        image: `registry.example.com/${app}:v1`,
        livenessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 10 },
        name: "app",
        ports: [{ containerPort: 8080, protocol: "TCP" }],
        resources: {
          limits: { cpu: "500m", memory: "512Mi" },
          requests: { cpu: "100m", memory: "256Mi" },
        },
        volumeMounts: [{ mountPath: "/var/run/secrets", name: volume, readOnly: true }],
      },
    ],
    nodeName: `node-${index % 300}`,
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    serviceAccountName: "default",
    tolerations,
    volumes: [
      {
        name: volume,
        projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: "token" } }] },
      },
    ],
  };
}

function statusOf(index: number, { app, time }: { app: string; time: string }): unknown {
  return {
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
      lastProbeTime: null,
      lastTransitionTime: time,
      status: "True",
      type,
    })),
    containerStatuses: [
      {
        containerID: `containerd://${digits(index, 64)}`,
        image: `registry.example.com/${app}:v1`,
        imageID: `registry.example.com/${app}@sha256:${digits(index % 400, 64)}`,
        lastState: {},
        name: "app",
        ready: true,
        restartCount: index % 3,
        state: { running: { startedAt: time } },
      },
    ],
    hostIP: `10.1.0.${index % 250}`,
    phase: "Running",
    podIP: `10.2.${Math.floor(index / 250) % 250}.${index % 250}`,
    startTime: time,
  };
}

/** A number that seems to have nothing to do with the index. */
function mixed(index: number): number {
  let value = Math.imul(index ^ (index >>> 16), 0x45d9f3b);
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0;
}

/** So many hexadecimal digits. */
function digits(index: number, count: number): string {
  let text = "";
  for (let part = 1; text.length < count; part += 1) {
    text += mixed(index * 31 + part)
      .toString(16)
      .padStart(8, "0");
  }
  return text.slice(0, count);
}
