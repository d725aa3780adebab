/** Constraints between pods and preemption against a plain second writing of the scheduler's rules, on random clusters. */

import { describe, expect, test } from "vitest";

import { expectSameFindings, snapshotOfObjects } from "../../test/metamorphic-kubernetes.ts";
import type { KubernetesObject } from "../model/evidence.ts";
import { filterReasons } from "./fixtures/check-yaml.ts";
import { seededChance } from "./fixtures/random-cluster.ts";
import { podFitsNode } from "./pod-fits-node.ts";

const clusterCount = 600;
const keys = ["zone", "host"] as const;
type Labels = Record<string, string>;

interface PlainNode {
  name: string;
  labels: Labels;
  fenced: boolean;
  cpu: number;
}

interface PlainTerm {
  key: string;
  app: string;
  namespaces: string[] | undefined;
}

interface PlainPod {
  name: string;
  namespace: string;
  labels: Labels;
  node: string | undefined;
  cpu: number;
  priority: number;
  isLeaving: boolean;
  away: PlainTerm[];
}

interface PlainSpread {
  key: string;
  app: string;
  maxSkew: number;
  minDomains: number | undefined;
  honorsTaints: boolean;
  honorsAffinity: boolean;
}

interface Asking extends PlainPod {
  near: PlainTerm[];
  spread: PlainSpread[];
  selector: Labels;
}

interface Plain {
  nodes: PlainNode[];
  pods: PlainPod[];
  asking: Asking;
}

describe("random clusters", () => {
  const clusters = Array.from({ length: clusterCount }, (_item, seed) => randomPlain(seed + 1));

  test("every node gets the reason that a plain reading of the rules gives it", () => {
    const seen = new Set<string>();
    for (const [index, plain] of clusters.entries()) {
      const reasons = plain.nodes.map((node) => reasonOn(node, plain.pods, plain));
      const fitting = reasons.filter((reason) => reason === undefined).length;
      const finding = findingOn(plain);
      const say = `cluster ${index + 1}`;
      expect(finding.verdict, say).toBe(fitting > 0 ? "holds" : "violated");
      for (const reason of reasons) seen.add(reason ?? "fits");
      if (fitting > 0) expect(finding.measures["fittingNodeCount"], say).toBe(fitting);
      else
        expect(filterReasons(finding), say).toBe(histogram(reasons.map((reason) => reason ?? "")));
    }
    // The clusters are of use only when every rule has its turn.
    expect(seen.size).toBeGreaterThanOrEqual(8);
  });

  test("preemption finds victims exactly where taking all lesser pods away helps, and none too many", () => {
    let helped = 0;
    for (const [index, plain] of clusters.entries()) {
      const finding = findingOn(plain);
      if (finding.verdict === "holds") continue;
      const candidates = plain.nodes.filter((node) => {
        const reason = reasonOn(node, plain.pods, plain);
        const lesser = plain.pods.filter((pod) => isLesser(pod, node, plain));
        if (reason === undefined || !isResolvable(reason, node, plain) || lesser.length === 0)
          return false;
        return (
          reasonOn(
            node,
            plain.pods.filter((pod) => !lesser.includes(pod)),
            plain,
          ) === undefined
        );
      });
      const chosen = finding.measures["preemptionNode"];
      const say = `cluster ${index + 1}`;
      expect(chosen !== undefined, say).toBe(candidates.length > 0);
      if (chosen === undefined) {
        expect(finding.actual, say).toContain(
          ` preemption: 0/${plain.nodes.length} nodes are available: `,
        );
        continue;
      }
      helped += 1;
      const node = candidates.find(({ name }) => name === chosen);
      const names = String(finding.measures["preemptionVictims"]).split(", ");
      const victims = plain.pods.filter((pod) => names.includes(`${pod.namespace}/${pod.name}`));
      const rest = plain.pods.filter((pod) => !victims.includes(pod));
      if (node === undefined) throw new Error(`${say}: ${String(chosen)} is no candidate`);
      expect(reasonOn(node, rest, plain), say).toBeUndefined();
      for (const spared of victims) {
        expect(reasonOn(node, [...rest, spared], plain), `${say}: ${spared.name}`).toBeDefined();
      }
    }
    expect(helped).toBeGreaterThan(20);
  });

  test("all fixes are verified, and neither order, pieces nor unrelated objects change a finding", () => {
    for (const plain of clusters.slice(0, 60)) {
      expect(findingOn(plain).fixes.every(({ verified }) => verified)).toBe(true);
      expectSameFindings(podFitsNode, objectsOf(plain));
    }
  });
});

function findingOn(plain: Plain): ReturnType<typeof podFitsNode.check>[number] {
  const finding = podFitsNode
    .check(snapshotOfObjects(objectsOf(plain)))
    .find(({ subject }) => subject.name === `${plain.asking.namespace}/asking`);
  if (finding === undefined) throw new Error("no finding");
  return finding;
}

function histogram(reasons: readonly string[]): string {
  const parts = [...new Set(reasons)].map(
    (reason) => `${reasons.filter((other) => other === reason).length} ${reason}`,
  );
  return `0/${reasons.length} nodes are available: ${parts.sort().join(", ")}.`;
}

const texts = {
  taint: "node(s) had untolerated taint {own: }",
  selector: "node(s) didn't match Pod's node affinity/selector",
  cpu: "Insufficient cpu",
  label: "node(s) didn't match pod topology spread constraints (missing required label)",
  skew: "node(s) didn't match pod topology spread constraints",
  near: "node(s) didn't match pod affinity rules",
  away: "node(s) didn't match pod anti-affinity rules",
  guard: "node(s) didn't satisfy existing pods anti-affinity rules",
};

function isResolvable(reason: string, node: PlainNode, { asking }: Plain): boolean {
  if (reason === texts.cpu) return asking.cpu <= node.cpu;
  return [texts.skew, texts.away, texts.guard].includes(reason);
}

function isLesser(pod: PlainPod, node: PlainNode, { asking }: Plain): boolean {
  return pod.node === node.name && pod.priority < asking.priority;
}

/** The first reason against a node, written down without any counting ahead. */
function reasonOn(node: PlainNode, pods: readonly PlainPod[], plain: Plain): string | undefined {
  const { asking } = plain;
  if (node.fenced) return texts.taint;
  if (!isSelected(node, asking)) return texts.selector;
  const used = pods.filter((pod) => pod.node === node.name).reduce((sum, pod) => sum + pod.cpu, 0);
  if (used + asking.cpu > node.cpu) return texts.cpu;
  return spreadReason(node, pods, plain) ?? companyReason(node, pods, plain);
}

function isSelected(node: PlainNode, { selector }: Asking): boolean {
  return Object.entries(selector).every(([key, value]) => node.labels[key] === value);
}

function spreadReason(
  node: PlainNode,
  pods: readonly PlainPod[],
  { asking, nodes }: Plain,
): string | undefined {
  for (const constraint of asking.spread) {
    const own = node.labels[constraint.key];
    if (own === undefined) return texts.label;
    const counting = nodes.filter(
      (other) =>
        asking.spread.every(({ key }) => other.labels[key] !== undefined) &&
        (!constraint.honorsAffinity || isSelected(other, asking)) &&
        (!constraint.honorsTaints || !other.fenced),
    );
    const countIn = (domain: string): number =>
      pods.filter(
        (pod) =>
          pod.namespace === asking.namespace &&
          !pod.isLeaving &&
          pod.labels["app"] === constraint.app &&
          counting.some(
            (other) => other.name === pod.node && other.labels[constraint.key] === domain,
          ),
      ).length;
    const domains = new Set(counting.map((other) => other.labels[constraint.key] ?? ""));
    const least =
      domains.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...[...domains].map(countIn));
    const self = asking.labels["app"] === constraint.app ? 1 : 0;
    if (countIn(own) + self - least > constraint.maxSkew) return texts.skew;
  }
  return undefined;
}

function companyReason(
  node: PlainNode,
  pods: readonly PlainPod[],
  { asking, nodes }: Plain,
): string | undefined {
  const labelOf = (pod: PlainPod, key: string): string | undefined =>
    nodes.find(({ name }) => name === pod.node)?.labels[key];
  const means = (term: PlainTerm, owner: PlainPod, pod: PlainPod): boolean =>
    pod.labels["app"] === term.app &&
    (term.namespaces ?? [owner.namespace]).includes(pod.namespace);
  const isMeantByAll = (pod: PlainPod): boolean =>
    asking.near.every((term) => means(term, asking, pod));
  if (asking.near.some(({ key }) => node.labels[key] === undefined)) return texts.near;
  const isMet = asking.near.every((term) =>
    pods.some((pod) => isMeantByAll(pod) && labelOf(pod, term.key) === node.labels[term.key]),
  );
  const isAnywhere = asking.near.some((term) =>
    pods.some((pod) => isMeantByAll(pod) && labelOf(pod, term.key) !== undefined),
  );
  if (!isMet && (isAnywhere || !isMeantByAll(asking))) return texts.near;
  const shares = (pod: PlainPod, key: string): boolean =>
    node.labels[key] !== undefined && labelOf(pod, key) === node.labels[key];
  const isRepelled = asking.away.some((term) =>
    pods.some((pod) => means(term, asking, pod) && shares(pod, term.key)),
  );
  if (isRepelled) return texts.away;
  const isGuarded = pods.some((pod) =>
    pod.away.some((term) => means(term, pod, asking) && shares(pod, term.key)),
  );
  return isGuarded ? texts.guard : undefined;
}

function randomPlain(seed: number): Plain {
  const chance = seededChance(seed);
  const below = (bound: number): number => Math.floor(chance() * bound);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const term = (): PlainTerm => ({
    key: pick(keys),
    app: pick(["x", "y"]),
    namespaces: chance() < 0.2 ? [pick(["one", "two"])] : undefined,
  });
  const nodes = Array.from({ length: 2 + below(4) }, (_item, index): PlainNode => {
    const name = `n${index}`;
    const labels: Labels = chance() < 0.9 ? { host: name } : {};
    if (chance() < 0.9) labels["zone"] = pick(["a", "b"]);
    return { name, labels, fenced: chance() < 0.15, cpu: 2 + below(4) };
  });
  const pods = Array.from({ length: below(9) }, (_item, index): PlainPod => ({
    name: `p${index}`,
    namespace: chance() < 0.8 ? "one" : "two",
    labels: { app: pick(["x", "y"]) },
    node: pick(nodes).name,
    cpu: 1,
    priority: pick([0, 5, 10]),
    isLeaving: chance() < 0.1,
    away: chance() < 0.2 ? [term()] : [],
  }));
  const asking: Asking = {
    name: "asking",
    namespace: "one",
    labels: { app: pick(["x", "y"]) },
    node: undefined,
    cpu: 1 + below(4),
    priority: pick([0, 5, 10]),
    isLeaving: false,
    away: chance() < 0.4 ? [term()] : [],
    near: chance() < 0.4 ? Array.from({ length: 1 + below(2) }, term) : [],
    selector: chance() < 0.2 ? { zone: pick(["a", "b"]) } : {},
    spread: Array.from({ length: below(3) }, () => ({
      key: pick(keys),
      app: pick(["x", "y"]),
      maxSkew: 1 + below(2),
      minDomains: chance() < 0.2 ? 1 + below(3) : undefined,
      honorsTaints: chance() < 0.3,
      honorsAffinity: chance() < 0.7,
    })),
  };
  return { nodes, pods, asking };
}

function objectsOf({ nodes, pods, asking }: Plain): KubernetesObject[] {
  return [
    ...nodes.map(({ name, labels, fenced, cpu }): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels },
      spec: fenced ? { taints: [{ key: "own", effect: "NoSchedule" }] } : {},
      status: { allocatable: { cpu: String(cpu), pods: "50" } },
    })),
    ...pods.map((pod) => podObject(pod, { phase: "Running" })),
    podObject(asking, { phase: "Pending" }),
  ];
}

function podObject(pod: PlainPod | Asking, status: Record<string, string>): KubernetesObject {
  const required = (list: readonly PlainTerm[]): unknown => ({
    requiredDuringSchedulingIgnoredDuringExecution: list.map(({ key, app, namespaces }) => ({
      topologyKey: key,
      labelSelector: { matchLabels: { app } },
      ...(namespaces === undefined ? {} : { namespaces }),
    })),
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      labels: pod.labels,
      ...(pod.isLeaving ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      ...(pod.node === undefined ? {} : { nodeName: pod.node }),
      priority: pod.priority,
      containers: [{ name: "main", resources: { requests: { cpu: String(pod.cpu) } } }],
      affinity: {
        podAntiAffinity: required(pod.away),
        ...("near" in pod ? { podAffinity: required(pod.near) } : {}),
      },
      ...("selector" in pod ? { nodeSelector: pod.selector } : {}),
      ...("spread" in pod
        ? {
            topologySpreadConstraints: pod.spread.map((constraint) => ({
              topologyKey: constraint.key,
              maxSkew: constraint.maxSkew,
              whenUnsatisfiable: "DoNotSchedule",
              labelSelector: { matchLabels: { app: constraint.app } },
              ...(constraint.minDomains === undefined ? {} : { minDomains: constraint.minDomains }),
              nodeTaintsPolicy: constraint.honorsTaints ? "Honor" : "Ignore",
              nodeAffinityPolicy: constraint.honorsAffinity ? "Honor" : "Ignore",
            })),
          }
        : {}),
    },
    status,
  };
}
