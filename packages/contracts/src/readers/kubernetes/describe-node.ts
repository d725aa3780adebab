/** A Node object and the pods on it from the text of `kubectl describe node`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
  conditionsOf,
  type DescribedField,
  one,
  pairsOf,
  tableRows,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import { mark, parseLabels } from "./text-object.ts";

/** The node and, from its table of pods, what runs on it. */
export function describedNode(fields: readonly DescribedField[], name: string): KubernetesObject[] {
  const allocatable = pairsOf(one(fields, "Allocatable"));
  const capacity = pairsOf(one(fields, "Capacity"));
  const taints = valuesOf(fields, "Taints").map(parseTaint);
  const pods = podsOf(one(fields, "Non-terminated Pods"), name);
  const node: KubernetesObject = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: parseLabels(valuesOf(fields, "Labels")) },
    spec: {
      ...(textOf(fields, "Unschedulable") === "true" ? { unschedulable: true } : {}),
      taints,
    },
    status: {
      allocatable,
      capacity,
      conditions: conditionsOf(one(fields, "Conditions")),
      nodeInfo: infoOf(one(fields, "System Info")),
    },
    ...mark(
      "kubectl describe node",
      one(fields, "Allocatable") === undefined ? ["status.allocatable"] : [],
    ),
  };
  return [node, ...pods];
}

function infoOf(block: DescribedField | undefined): Record<string, string> {
  const printed = pairsOf(block);
  const names = {
    architecture: "Architecture",
    operatingSystem: "Operating System",
    kubeletVersion: "Kubelet Version",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, field]) => {
      const text = printed[field];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/** `key=value:Effect`, where the value may be missing. */
function parseTaint(text: string): Record<string, string> {
  const at = text.lastIndexOf(":");
  const pair = at < 0 ? text : text.slice(0, at);
  const equals = pair.indexOf("=");
  return {
    key: equals < 0 ? pair : pair.slice(0, equals),
    ...(equals < 0 ? {} : { value: pair.slice(equals + 1) }),
    effect: at < 0 ? "NoSchedule" : text.slice(at + 1),
  };
}

/** Rows such as `default  web-1  100m (6%)  0 (0%)  64Mi (2%)  0 (0%)  5m`. */
function podsOf(block: DescribedField | undefined, nodeName: string): KubernetesObject[] {
  if (block === undefined) return [];
  return tableRows(block, [
    "Namespace",
    "Name",
    "CPU Requests",
    "CPU Limits",
    "Memory Requests",
  ]).flatMap(([namespace = "", name = "", cpu = "", , memory = ""]) => {
    if (namespace === "" || name === "") return [];
    const requests = { cpu: cpu.split(" ")[0] ?? "0", memory: memory.split(" ")[0] ?? "0" };
    return [
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace },
        spec: { nodeName, containers: [{ name: "all", resources: { requests } }] },
        status: { phase: "Running" },
        ...mark("kubectl describe node", ["metadata.labels", "spec"]),
      },
    ];
  });
}
