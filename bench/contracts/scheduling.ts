/** How long it takes to explain every pod of a large cluster, of which many wait for a node. */

import { createHash } from "node:crypto";
import {
  checkSnapshot,
  findContract,
  type KubernetesObject,
  snapshotOf,
} from "@faultline/contracts";

import type { BenchOptions, BenchResult } from "../bench.ts";

interface Size {
  readonly nodes: number;
  readonly bound: number;
  readonly pending: number;
  /** Workloads that the pending pods belong to: pods of one workload ask for the same. */
  readonly workloads: number;
}

const small: Size = { nodes: 200, bound: 300, pending: 100, workloads: 10 };
const large: Size = { nodes: 5_000, bound: 7_000, pending: 3_000, workloads: 150 };
const runsSmall = 3;
const runsLarge = 2;

/** Checks a cluster in which a third of what waits is spread over zones or has affinity to other pods. */
export function run({ small: isSmall }: BenchOptions): Promise<BenchResult> {
  const size = isSmall ? small : large;
  const objects = clusterOf(size);
  const contract = findContract("scheduling/pod-fits-node");
  if (contract === undefined) throw new Error("the contract is not in the registry");
  let best = Number.POSITIVE_INFINITY;
  let hash = "";
  let violatedCount = 0;
  for (let index = 0; index < (isSmall ? runsSmall : runsLarge); index += 1) {
    // A new snapshot each time: nothing that was worked out before is remembered.
    const snapshot = snapshotOf([
      {
        id: `sha256:${"0".repeat(64)}`,
        source: { name: "bench", format: "bench", notes: [] },
        content: { kind: "kubernetes", objects },
      },
    ]);
    const start = process.hrtime.bigint();
    const findings = checkSnapshot(snapshot, [contract]);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
    violatedCount = findings.filter(({ verdict }) => verdict === "violated").length;
    const facts = findings.map(({ subject, verdict, actual }) => [subject.name, verdict, actual]);
    hash = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
  }
  const memoryMiB = process.memoryUsage().heapUsed / 2 ** 20;
  return Promise.resolve({
    name: "scheduling",
    figures: [
      { name: "explained in", value: best, unit: "s" },
      { name: "nodes", value: size.nodes, unit: "nodes" },
      { name: "pods", value: size.bound + size.pending, unit: "pods" },
      { name: "pods that fit no node", value: violatedCount, unit: "pods" },
      { name: "heap in use afterwards", value: Math.round(memoryMiB), unit: "MiB" },
    ],
    resultHash: hash,
  });
}

function clusterOf(size: Size): KubernetesObject[] {
  return [
    ...Array.from({ length: size.nodes }, (_item, index) => node(index)),
    ...Array.from({ length: size.bound }, (_item, index) => bound(index, size)),
    ...Array.from({ length: size.pending }, (_item, index) => pending(index, size)),
  ];
}

function node(index: number): KubernetesObject {
  const isGpu = index % 10 === 0;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: `node-${index}`,
      labels: {
        "kubernetes.io/hostname": `node-${index}`,
        "topology.kubernetes.io/zone": `zone-${index % 3}`,
        pool: isGpu ? "gpu" : `pool-${index % 4}`,
      },
    },
    spec: isGpu ? { taints: [{ key: "gpu", value: "true", effect: "NoSchedule" }] } : {},
    status: {
      allocatable: { cpu: "8", memory: "32Gi", pods: "110" },
      nodeInfo: { kubeletVersion: "v1.34.0" },
    },
  };
}

function bound(index: number, { nodes, workloads }: Size): KubernetesObject {
  const workload = index % workloads;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `bound-${index}`, namespace: "apps", labels: { app: `app-${workload}` } },
    spec: {
      nodeName: `node-${(index * 7) % nodes}`,
      containers: [{ name: "main", resources: { requests: { cpu: "2", memory: "4Gi" } } }],
      ...(workload % 7 === 0 ? { affinity: antiAffinity(`app-${workload}`) } : {}),
    },
    status: { phase: "Running", startTime: "2026-01-01T00:00:00Z" },
  };
}

function pending(index: number, { workloads }: Size): KubernetesObject {
  const workload = index % workloads;
  const app = `app-${workload}`;
  // Most ask for more than any node has left; the others meet fences, other pods or uneven zones.
  const kinds: Record<string, unknown>[] = [
    {},
    { nodeSelector: { pool: "none" } },
    { nodeSelector: { pool: "gpu" } },
    { topologySpreadConstraints: [spread(app)] },
    { affinity: { podAffinity: required({ app: "missing" }) } },
    { priority: 100 },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pending-${index}`, namespace: "apps", labels: { app } },
    spec: {
      containers: [
        {
          name: "main",
          resources: { requests: { cpu: `${9_000 + workload}m`, memory: "8Gi" } },
        },
      ],
      ...kinds[workload % kinds.length],
    },
    status: { phase: "Pending" },
  };
}

function spread(app: string): unknown {
  return {
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: { app } },
  };
}

function antiAffinity(app: string): unknown {
  return { podAntiAffinity: required({ app }) };
}

function required(labels: Record<string, string>): unknown {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } },
    ],
  };
}
