/** The smallest change against brute force: an independent scheduler, an independent list of edits, every subset. */

import { expect, test } from "vitest";

import { createSnapshot, type SnapshotPart } from "../snapshot/create-snapshot.ts";
import type { KubernetesObject } from "../model/evidence.ts";
import {
  randomCluster,
  type PlainCluster,
  type PlainNode,
  type PlainPod,
} from "./fixtures/random-cluster.ts";
import { podFitsNode } from "./pod-fits-node.ts";

const clusterCount = 500;

/** The published cost table, written down once more. */
const table = {
  correct: 2,
  drop: 3,
  dropAffinity: 4,
  redirect: 10,
  dropFulfilled: 11,
  dropFulfilledAffinity: 12,
  label: 4,
  labelFulfilled: 10,
  labelReserved: 12,
  unlabel: 10,
  tolerate: 8,
  untaint: 9,
  tolerateControlPlane: 12,
  untaintControlPlane: 13,
  uncordon: 6,
  tolerateCordon: 14,
  freeCapacity: 10,
  addNode: 12,
  freeSlot: 7,
  changePort: 3,
  dropPort: 4,
  freePort: 9,
} as const;

interface Edit {
  readonly place: string;
  readonly cost: number;
  apply(pod: PlainPod, node: PlainNode): void;
}

test("the smallest change equals brute force over the cost table on 500 random clusters", () => {
  let violated = 0;
  let ofSeveral = 0;
  for (let seed = 1; seed <= clusterCount; seed += 1) {
    const cluster = randomCluster(seed);
    const finding = podFitsNode
      .check(createSnapshot([part(cluster)]))
      .find((item) => item.subject.name === "default/asking");
    if (finding === undefined) throw new Error(`seed ${seed}: no finding`);
    const fitting = cluster.nodes.filter((node) => fits(cluster.pod, node));
    expect(finding.verdict, `seed ${seed}`).toBe(fitting.length > 0 ? "holds" : "violated");
    if (finding.verdict === "holds") continue;
    violated += 1;
    const [fix] = finding.fixes;
    const claimed = fix?.cost ?? Number.POSITIVE_INFINITY;
    expect(claimed, `seed ${seed}: ${JSON.stringify(finding.fixes)}`).toBe(
      bruteForce(cluster, claimed),
    );
    expect(finding.fixes.every((item) => item.verified)).toBe(true);
    if (finding.measures["smallestChangeCount"] !== 1) ofSeveral += 1;
  }
  // The clusters are of use only when most pods fit nowhere and many need more than one change.
  expect(violated).toBeGreaterThan(250);
  expect(ofSeveral).toBeGreaterThan(50);
});

/** The least cost up to `limit` at which some node takes the pod, by trying every set of edits. */
function bruteForce(cluster: PlainCluster, limit: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const node of cluster.nodes) {
    const edits = editsFor(cluster, node);
    const choose = (from: number, chosen: readonly Edit[], cost: number): void => {
      if (cost > limit || cost >= least) return;
      if (chosen.length > 0) {
        const [pod, changed] = [structuredClone(cluster.pod), structuredClone(node)];
        for (const edit of chosen) edit.apply(pod, changed);
        if (fits(pod, changed)) {
          least = cost;
          return;
        }
      }
      for (const [offset, edit] of edits.slice(from).entries()) {
        if (chosen.some((other) => other.place === edit.place)) continue;
        choose(from + offset + 1, [...chosen, edit], cost + edit.cost);
      }
    };
    choose(0, [], 0);
  }
  return least;
}

function editsFor(cluster: PlainCluster, node: PlainNode): Edit[] {
  return [
    ...selectorEdits(cluster, node),
    ...affinityEdits(cluster, node),
    ...taintEdits(cluster, node),
    ...roomEdits(cluster, node),
    ...portEdits(cluster, node),
  ];
}

function labelEdit(cluster: PlainCluster, key: string, value: string): Edit {
  const isFulfilled = cluster.nodes.some((node) => node.labels[key] === value);
  const plain = isFulfilled ? table.labelFulfilled : table.label;
  return {
    place: `label ${key}`,
    cost: key.includes("kubernetes.io/") ? table.labelReserved : plain,
    apply: (_pod, node) => {
      node.labels[key] = value;
    },
  };
}

function selectorEdits(cluster: PlainCluster, node: PlainNode): Edit[] {
  return Object.entries(cluster.pod.nodeSelector).flatMap(([key, wanted]) => {
    const isFulfilled = cluster.nodes.some((other) => other.labels[key] === wanted);
    const actual = node.labels[key];
    const edits: Edit[] = [
      {
        place: `selector ${key}`,
        cost: isFulfilled ? table.dropFulfilled : table.drop,
        apply: (pod) => {
          delete pod.nodeSelector[key];
        },
      },
      labelEdit(cluster, key, wanted),
    ];
    if (actual === undefined) return edits;
    edits.push({
      place: `selector ${key}`,
      cost: isFulfilled ? table.redirect : table.correct,
      apply: (pod) => {
        pod.nodeSelector[key] = actual;
      },
    });
    return edits;
  });
}

function affinityEdits(cluster: PlainCluster, node: PlainNode): Edit[] {
  const terms = cluster.pod.terms;
  if (terms === undefined) return [];
  const isFulfilled = terms.some((term) =>
    cluster.nodes.some((other) => term.every((item) => matches(item, other.labels))),
  );
  const edits: Edit[] = [
    {
      place: "affinity",
      cost: isFulfilled ? table.dropFulfilledAffinity : table.dropAffinity,
      apply: (pod) => {
        pod.terms = undefined;
      },
    },
  ];
  for (const [termIndex, term] of terms.entries()) {
    for (const [index, item] of term.entries()) {
      const place = `expression ${termIndex}.${index}`;
      const met = cluster.nodes.some((other) => matches(item, other.labels));
      const actual = node.labels[item.key];
      const replace = (values: string[]): void => {
        edits.push({
          place,
          cost: met ? table.redirect : table.correct,
          apply: (pod) => {
            const own = pod.terms?.[termIndex]?.[index];
            if (own !== undefined) own.values = values;
          },
        });
      };
      if (item.operator === "In" && actual !== undefined) replace([actual]);
      const without = item.values.filter((value) => value !== actual);
      if (item.operator === "NotIn" && without.length > 0) replace(without);
      if (actual !== undefined && /^\d+$/.test(actual)) {
        if (item.operator === "Gt") replace([String(Number(actual) - 1)]);
        if (item.operator === "Lt") replace([String(Number(actual) + 1)]);
      }
      edits.push({
        place,
        cost: met ? table.dropFulfilled : table.drop,
        apply: (pod) => {
          const own = pod.terms?.[termIndex]?.[index];
          if (own !== undefined) own.operator = "Dropped";
        },
      });
      const [first] = item.values;
      if (item.operator === "In" && first !== undefined)
        edits.push(labelEdit(cluster, item.key, first));
      if (item.operator === "Exists") edits.push(labelEdit(cluster, item.key, "true"));
      if (item.operator === "DoesNotExist") {
        edits.push({
          place: `label ${item.key}`,
          cost: table.unlabel,
          apply: (_pod, changed) => {
            delete changed.labels[item.key];
          },
        });
      }
    }
  }
  return edits;
}

function taintEdits(cluster: PlainCluster, node: PlainNode): Edit[] {
  const edits: Edit[] = [];
  for (const taint of node.taints) {
    const isControlPlane = taint.key === "node-role.kubernetes.io/control-plane";
    edits.push(
      {
        place: `tolerate ${taint.key}`,
        cost: isControlPlane ? table.tolerateControlPlane : table.tolerate,
        apply: (pod) => {
          pod.tolerations.push({ key: taint.key, operator: "Exists", effect: taint.effect });
        },
      },
      {
        place: `taint ${taint.key}`,
        cost: isControlPlane ? table.untaintControlPlane : table.untaint,
        apply: (_pod, changed) => {
          changed.taints = changed.taints.filter((other) => other.key !== taint.key);
        },
      },
    );
    for (const [index, toleration] of cluster.pod.tolerations.entries()) {
      if (toleration.key !== taint.key) continue;
      edits.push({
        place: `toleration ${index}`,
        cost: table.correct,
        apply: (pod) => {
          pod.tolerations[index] = { key: taint.key, operator: "Exists", effect: taint.effect };
        },
      });
    }
  }
  if (!node.unschedulable) return edits;
  return [
    ...edits,
    {
      place: "cordon",
      cost: table.uncordon,
      apply: (_pod, changed) => {
        changed.unschedulable = false;
      },
    },
    {
      place: "tolerate cordon",
      cost: table.tolerateCordon,
      apply: (pod) => {
        pod.tolerations.push({
          key: "node.kubernetes.io/unschedulable",
          operator: "Exists",
          effect: "",
        });
      },
    },
  ];
}

function roomEdits(cluster: PlainCluster, node: PlainNode): Edit[] {
  const wanted = requestsOf(cluster.pod);
  const short = Object.keys(wanted).filter(
    (name) =>
      (wanted[name] ?? 0) > 0 &&
      (wanted[name] ?? 0) > (node.allocatable[name] ?? 0) - (node.used[name] ?? 0),
  );
  const isFull = node.podCount + 1 > node.podCountMax;
  const isHeld = cluster.pod.ports.some((port) => node.heldPorts.includes(port));
  const edits: Edit[] = [
    {
      place: "slot",
      cost: table.freeSlot,
      apply: (_pod, changed) => {
        changed.podCount = changed.podCountMax - 1;
      },
    },
  ];
  // Another node helps where this one lacks room, and nobody has fenced it.
  if (short.length > 0 || isFull || isHeld) {
    edits.push({
      place: "node",
      cost: table.addNode,
      apply: (_pod, changed) => {
        changed.unschedulable = false;
        changed.taints = [];
        changed.heldPorts = [];
        changed.podCount = 0;
        changed.used = {};
        for (const [name, amount] of Object.entries(wanted)) {
          changed.allocatable[name] = Math.max(changed.allocatable[name] ?? 0, amount);
        }
      },
    });
  }
  if (short.every((name) => (wanted[name] ?? 0) <= (node.allocatable[name] ?? 0))) {
    edits.push({
      place: "capacity",
      cost: table.freeCapacity,
      apply: (_pod, changed) => {
        for (const name of short)
          changed.used[name] = (changed.allocatable[name] ?? 0) - (wanted[name] ?? 0);
      },
    });
  }
  const free = (name: string): number => (node.allocatable[name] ?? 0) - (node.used[name] ?? 0);
  if (short.length > 0 && short.every((name) => free(name) > 0)) {
    const cuts = short.map((name) =>
      Math.min(3, Math.floor((4 * ((wanted[name] ?? 0) - free(name))) / (wanted[name] ?? 1))),
    );
    edits.push({
      place: "requests",
      cost: 2 + Math.max(...cuts),
      apply: (pod) => {
        pod.lowered = Object.fromEntries(short.map((name) => [name, free(name)]));
      },
    });
  }
  return edits;
}

function portEdits(cluster: PlainCluster, _node: PlainNode): Edit[] {
  return cluster.pod.ports.flatMap((port, index): Edit[] => [
    {
      place: `port ${index}`,
      cost: table.changePort,
      apply: (pod) => {
        pod.ports[index] = 50_000 + index;
      },
    },
    {
      place: `port ${index}`,
      cost: table.dropPort,
      apply: (pod) => {
        pod.ports[index] = 0;
      },
    },
    {
      place: `held ${port}`,
      cost: table.freePort,
      apply: (_pod, changed) => {
        changed.heldPorts = changed.heldPorts.filter((held) => held !== port);
      },
    },
  ]);
}

function fits(pod: PlainPod, node: PlainNode): boolean {
  const tolerates = (key: string, effect: string): boolean =>
    pod.tolerations.some(
      (item) =>
        (item.effect === "" || item.effect === effect) &&
        item.key === key &&
        (item.operator === "Exists" || item.operator === "Equal:other"
          ? item.operator === "Exists"
          : false),
    );
  if (node.unschedulable && !tolerates("node.kubernetes.io/unschedulable", "NoSchedule"))
    return false;
  if (
    node.taints.some(
      (taint) => taint.effect !== "PreferNoSchedule" && !tolerates(taint.key, taint.effect),
    )
  )
    return false;
  if (Object.entries(pod.nodeSelector).some(([key, value]) => node.labels[key] !== value))
    return false;
  const meets =
    pod.terms === undefined ||
    pod.terms.some((term) => {
      const kept = term.filter((item) => item.operator !== "Dropped");
      return kept.length > 0 && kept.every((item) => matches(item, node.labels));
    });
  if (!meets) return false;
  if (pod.ports.some((port) => node.heldPorts.includes(port))) return false;
  if (node.podCount + 1 > node.podCountMax) return false;
  return Object.entries(requestsOf(pod)).every(
    ([name, amount]) =>
      amount === 0 || (node.used[name] ?? 0) + amount <= (node.allocatable[name] ?? 0),
  );
}

function requestsOf(pod: PlainPod): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name of ["cpu", "memory", "example.com/gpu"]) {
    const app = pod.containers.reduce((total, container) => total + (container[name] ?? 0), 0);
    const init = Math.max(0, ...pod.initContainers.map((container) => container[name] ?? 0));
    result[name] = pod.lowered?.[name] ?? Math.max(app, init);
  }
  return result;
}

function matches(
  { key, operator, values }: { key: string; operator: string; values: readonly string[] },
  labels: Readonly<Record<string, string>>,
): boolean {
  const actual = labels[key];
  if (operator === "In") return actual !== undefined && values.includes(actual);
  if (operator === "NotIn") return actual === undefined || !values.includes(actual);
  if (operator === "Exists") return actual !== undefined;
  if (operator === "DoesNotExist") return actual === undefined;
  const [actualNumber, bound] = [Number(actual), Number(values[0])];
  if (actual === undefined || Number.isNaN(actualNumber)) return false;
  return operator === "Gt" ? actualNumber > bound : actualNumber < bound;
}

function part(cluster: PlainCluster): SnapshotPart {
  const objects: KubernetesObject[] = cluster.objects;
  return {
    source: { name: "random", format: "kubernetes", notes: [] },
    content: { kind: "kubernetes", objects },
  };
}
