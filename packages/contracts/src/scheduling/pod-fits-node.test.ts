import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Value } from "typebox/value";

import type { KubernetesObject } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import { readKubernetes } from "../readers/kubernetes/read-kubernetes.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { checkTexts, filterReasons, findingOf } from "./fixtures/check-yaml.ts";
import { randomCluster } from "./fixtures/random-cluster.ts";
import { podFitsNode } from "./pod-fits-node.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const cluster = readFileSync(`${here}fixtures/cluster.yaml`, "utf8");

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const shared = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));
const hasShared = existsSync(shared);

function pod(spec: string, extra = ""): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: asking }\nspec: { ${spec} }\n${extra}`;
}

const big = 'containers: [{ resources: { requests: { cpu: "2", memory: 4Gi } } }]';

describe("replicas that keep each other away", () => {
  const names = ["a", "b", "c"];
  const nodes = names.map(
    (name) =>
      `apiVersion: v1\nkind: Node\nmetadata: { name: ${name}, labels: { kubernetes.io/hostname: ${name}, zone: ${name === "a" ? "x" : "y"} } }\nspec: { taints: [${name === "c" ? "{ key: control, effect: NoSchedule }" : ""}] }\nstatus: { allocatable: { cpu: "4", memory: 8Gi, pods: "110" } }`,
  );
  const selector = "labelSelector: { matchLabels: { app: web } }";
  const judge = (replicas: number, spec: string, ...more: string[]): Finding => {
    const web = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: ${replicas}, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: main, ports: [PORTS] }], ${spec} } } }`;
    const texts = [...nodes, web.replace("PORTS", more[0] ?? "")];
    return findingOf(checkTexts(...texts), "web");
  };
  const apart = (key: string): string =>
    `affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ${key}, ${selector} }] } }`;
  const spread = (more: string): string =>
    `topologySpreadConstraints: [{ topologyKey: kubernetes.io/hostname, maxSkew: 1, whenUnsatisfiable: DoNotSchedule, ${selector} ${more} }]`;

  test("by anti-affinity are as many as the domains with a node that takes one", () => {
    const finding = judge(3, apart("kubernetes.io/hostname"));
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { replicaCount: 3, replicaRoom: 2 },
    });
    expect(finding.title).toContain("asks for 3 replicas, of which 2 find a node");
    expect(judge(2, apart("kubernetes.io/hostname")).verdict).toBe("holds");
    expect(judge(3, apart("zone")).measures["replicaRoom"]).toBe(2);
    expect(judge(3, apart("rack")).verdict).toBe("holds");
  });

  test("by a spread are bounded by a domain that counts and takes none, and free without one", () => {
    expect(judge(3, spread("")).measures["replicaRoom"]).toBe(2);
    expect(judge(3, spread(", nodeTaintsPolicy: Honor")).verdict).toBe("holds");
    expect(judge(9, spread(", nodeTaintsPolicy: Honor")).verdict).toBe("holds");
    const few = spread(", nodeTaintsPolicy: Honor, minDomains: 3");
    expect(judge(3, few).title).toContain("2 of the 3 domains that minDomains asks for");
  });

  test("by a port of the node are as many as the nodes", () => {
    const port = "{ containerPort: 80, hostPort: 80 }";
    expect(judge(3, "", port).verdict).toBe("violated");
    expect(judge(2, "", port).verdict).toBe("holds");
  });

  test("of which some run already are not counted: a new release takes their place", () => {
    const running = `apiVersion: v1\nkind: Pod\nmetadata: { name: web-1, labels: { app: web } }\nspec: { nodeName: a, containers: [{ name: main }] }\nstatus: { phase: Running }`;
    nodes.push(running);
    expect(judge(3, apart("kubernetes.io/hostname")).verdict).toBe("holds");
    nodes.pop();
  });
});

test("a claim that manifests of storage do not declare may come from elsewhere, and a cluster has it or not", () => {
  const other = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: other }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }`;
  const asking = pod(`${big}, volumes: [{ name: v, persistentVolumeClaim: { claimName: data } }]`);
  expect(findingOf(checkTexts(other, asking), "asking").verdict).toBe("inconclusive");
  const seen = `${other}\nstatus: { phase: Bound }`;
  expect(findingOf(checkTexts(seen, asking), "asking").verdict).toBe("violated");
});

describe("the verdict", () => {
  test("a pod that fits holds and names the node", () => {
    const finding = findingOf(checkTexts(cluster, pod("nodeSelector: { disk: ssd }")), "asking");
    expect(finding).toMatchObject({
      verdict: "holds",
      subject: { kind: "pod", name: "default/asking" },
      title: "Pod default/asking fits node plain.",
    });
  });

  test("a pod that runs holds, so that a pod which was pending can be compared", () => {
    expect(findingOf(checkTexts(cluster), "running").verdict).toBe("holds");
  });

  test("a pod that is too large is explained with both resources, the cheapest change and every node", () => {
    const finding = findingOf(checkTexts(cluster, pod(big)), "asking");
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "capacity",
      actual:
        "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {team: vision}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    });
    expect(finding.title).toContain(
      "cpu requested 2, free 1400m of 1500m and memory requested 4Gi",
    );
    expect(finding.fixes[0]).toMatchObject({ cost: 3, verified: true });
    expect(finding.fixes[0]?.description).toContain("at most cpu 1400m and memory 3008Mi");
    expect(finding.measures["node fenced"]).toBe(
      "the taint team=vision:NoSchedule is not tolerated",
    );
    expect(finding.measures["reason fenced"]).toBe("node(s) had untolerated taint {team: vision}");
    expect(finding.measures["reason plain"]).toBe("Insufficient cpu, Insufficient memory");
  });

  test("a selector that only a fenced node meets points at the fence, not at the selector", () => {
    const wanted = pod("nodeSelector: { kubernetes.io/hostname: fenced }");
    const [fix] = findingOf(checkTexts(cluster, wanted), "asking").fixes;
    expect(fix?.description).toContain("Add the toleration team=vision:NoSchedule");
  });

  test("a toleration that misses by its value is corrected rather than a new one added", () => {
    const wanted = pod(
      "nodeSelector: { kubernetes.io/hostname: fenced }, tolerations: [{ key: team, value: audio, effect: NoSchedule }]",
    );
    const [fix] = findingOf(checkTexts(cluster, wanted), "asking").fixes;
    expect(fix).toMatchObject({ cost: 2 });
    expect(fix?.description).toContain(
      "toleration team=audio:NoSchedule to team=vision:NoSchedule",
    );
  });

  test("a new node has neither cordon nor taints of the one it is like, and the text names the new one", () => {
    const full = (more: string): string =>
      `apiVersion: v1\nkind: Node\nmetadata: { name: full }\nspec: { ${more} }\nstatus: { allocatable: { cpu: "1", memory: 8Gi, pods: "10" } }`;
    const asking = pod('containers: [{ resources: { requests: { cpu: "4", memory: 1Gi } } }]');
    for (const fence of [
      "unschedulable: true",
      "taints: [{ key: team, value: vision, effect: NoSchedule }, { key: spot, effect: NoExecute }]",
    ]) {
      const finding = findingOf(checkTexts(full(fence), asking), "asking");
      expect(finding.title).toMatch(/^Pod default\/asking does not fit the only node: /);
      const added = finding.fixes.filter(({ description }) => description.startsWith("Add a node"));
      expect(added).toMatchObject([{ cost: 12, verified: true }]);
      expect(added[0]?.description).toMatch(/ free\b.*\. Then it fits the new node\.$/);
      expect(added[0]?.description).not.toMatch(/uncordon|toleration|remove the taint/i);
    }
  });

  test("a new node is no answer to a fence around a node that has room", () => {
    const fenced = (count: number): string =>
      `apiVersion: v1\nkind: Node\nmetadata: { name: fenced }\nspec: { unschedulable: true, taints: [${Array.from({ length: count }, (_, index) => `{ key: k${index}, effect: NoSchedule }`).join(", ")}] }\nstatus: { allocatable: { cpu: "8", memory: 8Gi, pods: "10" } }`;
    const { fixes } = findingOf(checkTexts(fenced(3), pod(big)), "asking");
    expect(fixes.length).toBeGreaterThan(0);
    expect(JSON.stringify(fixes)).not.toContain("a node like");
  });

  test("an extended resource is never lowered to nothing", () => {
    const wanted = pod('containers: [{ resources: { requests: { example.com/gpu: "1" } } }]');
    const [fix] = findingOf(checkTexts(cluster, wanted), "asking").fixes;
    expect(fix?.description).toContain("Add the toleration");
  });

  test("a single change is among the fixes also when several cheaper ones come first", () => {
    const wanted = pod(
      `nodeSelector: { a: x, b: x, c: x, d: x }, ${big.replace('"2"', '"1400m"').replace("4Gi", "1Gi")}`,
    );
    const finding = findingOf(checkTexts(cluster, wanted), "asking");
    expect(finding.measures["smallestChangeCount"]).toBe(4);
    expect(finding.fixes[0]?.cost).toBe(12);
  });

  test("no nodes, no event: inconclusive, and it says what to bring", () => {
    const finding = findingOf(checkTexts(pod(big)), "asking");
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing).toEqual(["the nodes: kubectl get nodes -o json"]);
  });

  test("no nodes, but the scheduler's words: violated, with those words", () => {
    const event = `apiVersion: v1
kind: Event
metadata: { name: e, namespace: default }
involvedObject: { kind: Pod, name: asking, namespace: default }
reason: FailedScheduling
message: "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."`;
    const finding = findingOf(checkTexts(pod(big, "status: { phase: Pending }"), event), "asking");
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "capacity" });
    expect(finding.title).toContain("0/3 nodes are available: 3 Insufficient cpu.");
    expect(finding.evidence.at(-1)?.quote).toContain("3 Insufficient cpu");
  });

  test("room by the objects, refusal by the event: inconclusive, never holds", () => {
    const pending = pod(
      "containers: []",
      'status: { phase: Pending, conditions: [{ type: PodScheduled, status: "False", message: "0/2 nodes are available: 2 node(s) were unschedulable." }] }',
    );
    expect(findingOf(checkTexts(cluster, pending), "asking").verdict).toBe("inconclusive");
  });

  test("the anti-affinity of a running pod keeps another from holding", () => {
    const running = `apiVersion: v1
kind: Pod
metadata: { name: jealous }
spec: { nodeName: plain, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: kubernetes.io/hostname, labelSelector: { matchLabels: { app: web } } }] } } }
status: { phase: Running }`;
    const asking = (app: string): string =>
      pod("containers: []").replace("name: asking", `name: asking, labels: { app: ${app} }`);
    const repelled = findingOf(checkTexts(cluster, running, asking("web")), "asking");
    expect(repelled.actual).toContain("1 node(s) didn't satisfy existing pods anti-affinity rules");
    expect(repelled.measures["node plain"]).toContain(
      "default/jealous runs in kubernetes.io/hostname=plain",
    );
    expect(repelled.fixes.map(({ description }) => description).join()).toContain(
      "ove or stop default/jealous",
    );
    expect(findingOf(checkTexts(cluster, running, asking("db")), "asking").verdict).toBe("holds");
  });

  test("a gated pod does not ask yet; a quantity that is none is named with its place", () => {
    expect(
      findingOf(checkTexts(cluster, pod("schedulingGates: [{ name: quota }]")), "asking").title,
    ).toContain("quota");
    const shown =
      "NAME     READY   STATUS            RESTARTS   AGE\nasking   0/1     SchedulingGated   0          7s\n";
    const seen = `apiVersion: v1\nkind: Pod\nmetadata: { name: asking }\nstatus: { phase: Pending, conditions: [{ type: PodScheduled, status: "False", reason: SchedulingGated, message: "Scheduling is blocked due to non-empty scheduling gates" }] }`;
    for (const text of [shown, seen]) {
      const finding = findingOf(checkTexts(text), "asking");
      expect(finding.verdict).toBe("inconclusive");
      expect(finding.title).toContain("waits at its scheduling gates");
    }
    const broken = pod("containers: [{ resources: { requests: { cpu: two } } }]");
    expect(findingOf(checkTexts(cluster, broken), "asking").missing[0]).toContain(
      "spec.containers[0].resources.requests.cpu",
    );
  });

  test("a live node without any pod in the evidence has unknown use, not none", () => {
    const node = `apiVersion: v1
kind: Node
metadata: { name: live }
status: { allocatable: { cpu: "8", memory: 32Gi, pods: "110" }, nodeInfo: { kubeletVersion: v1.31.0 } }`;
    const finding = findingOf(checkTexts(node, pod(big)), "asking");
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing).toEqual(["the pods on node live"]);
  });

  test("a manifest of a workload is judged by the pod it would make, one that is in a cluster by its pods", () => {
    const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { replicas: 2, template: { spec: { nodeSelector: { disk: hdd } } } }`;
    const [finding] = checkTexts(cluster, deployment);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "deployment", name: "default/web" },
    });
    const live = checkTexts(cluster, `${deployment}\nstatus: { replicas: 2 }`);
    expect(live.every((item) => item.verdict === "holds")).toBe(true);
  });

  test("a pod that is over or on its way out asks for nothing", () => {
    const over = pod(big, "status: { phase: Failed }");
    expect(checkTexts(cluster, over).map((item) => item.subject.name)).toEqual(["default/running"]);
  });

  test("every finding fits the published schema", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const findings = podFitsNode.check(snapshotOf(randomCluster(seed).objects));
      for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
    }
  });
});

describe("the scheduler's event", () => {
  test("reasons are counted over nodes and sorted as texts", () => {
    const nodes = Array.from(
      { length: 12 },
      (_item, index) => `apiVersion: v1
kind: Node
metadata: { name: node-${index} }
spec: { unschedulable: ${index < 2} }
status: { allocatable: { cpu: "1", pods: "9" } }`,
    ).join("\n---\n");
    const finding = findingOf(checkTexts(nodes, pod(big.replace(", memory: 4Gi", ""))), "asking");
    expect(filterReasons(finding)).toBe(
      "0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable.",
    );
  });

  test("nodes that a pod pinned by name leaves out are counted as the scheduler does", () => {
    const pinned = pod(
      `tolerations: [{ operator: Exists }], ${big.replace('"2"', '"9"')}, affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: metadata.name, operator: In, values: [fenced] }] }] } } }`,
      `status: { phase: Pending, conditions: [{ type: PodScheduled, status: "False", message: "0/2 nodes are available: 1 Insufficient cpu, 1 node is filtered out by the prefilter result." }] }`,
    );
    const finding = findingOf(checkTexts(cluster, pinned), "asking");
    expect(filterReasons(finding)).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    );
    expect(finding.measures["recordedEventMatches"]).toBe(true);
  });

  test.each([
    [
      "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {team: vision}. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
      true,
    ],
    [
      "0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
      true,
    ],
    [
      "0/2 nodes are available: 1 Insufficient memory, 1 Insufficient cpu, 1 node(s) had taint {team: vision}, that the pod didn't tolerate.",
      true,
    ],
    ["0/2 nodes are available: 2 Insufficient cpu.", false],
    [
      "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint {team: vision}.",
      false,
    ],
  ])("%s agrees: %s", (message, agrees) => {
    const pending = pod(
      big,
      `status: { phase: Pending, conditions: [{ type: PodScheduled, status: "False", message: "${message}" }] }`,
    );
    const finding = findingOf(checkTexts(cluster, pending), "asking");
    expect(finding.verdict).toBe("violated");
    expect(finding.measures["recordedEventMatches"]).toBe(agrees);
    expect(finding.nextChecks.some((check) => check.includes("another moment"))).toBe(!agrees);
  });
});

test("a reason that no filter gives points at a plugin of the scheduler", () => {
  const pending = pod(
    big,
    'status: { phase: Pending, conditions: [{ type: PodScheduled, status: "False", message: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) are in the wrong rack." }] }',
  );
  const finding = findingOf(checkTexts(cluster, pending), "asking");
  expect(finding.measures["recordedEventMatches"]).toBe(false);
  expect(finding.nextChecks.join()).toContain(
    "no filter of kube-scheduler gives: node(s) are in the wrong rack",
  );
});

describe("metamorphic", () => {
  const verdicts = (objects: readonly KubernetesObject[]): string =>
    JSON.stringify(
      podFitsNode
        .check(snapshotOf(objects))
        .filter((finding) => finding.subject.name === "default/asking")
        .map(({ evidence: _evidence, ...finding }) => finding),
    );

  test("neither order, repetition nor unrelated objects change a finding", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.infiniteStream(fc.nat(1_000)),
        (seed, stream) => {
          const { objects } = randomCluster(seed);
          const before = verdicts(objects);
          const keyed = objects.map((object) => ({ object, key: stream.next().value ?? 0 }));
          const shuffled = keyed
            .sort((left, right) => left.key - right.key)
            .map(({ object }) => object);
          expect(verdicts(shuffled)).toBe(before);
          expect(verdicts([...objects, ...shuffled])).toBe(before);
          const unrelated: KubernetesObject[] = [
            {
              apiVersion: "v1",
              kind: "ConfigMap",
              metadata: { name: "asking", namespace: "default" },
            },
            {
              apiVersion: "v1",
              kind: "Service",
              metadata: { name: "node-0", namespace: "default" },
              spec: {},
            },
            {
              apiVersion: "v1",
              kind: "Pod",
              metadata: { name: "asking", namespace: "other" },
              spec: { nodeName: "far" },
              status: { phase: "Running" },
            },
          ];
          expect(verdicts([...unrelated, ...objects])).toBe(before);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("renaming nodes changes names and nothing else", () => {
    const rename = (text: string): string => text.replaceAll("node-", "machine-");
    for (let seed = 1; seed <= 60; seed += 1) {
      const { objects } = randomCluster(seed);
      const renamed = objects.map((object): KubernetesObject =>
        JSON.parse(rename(JSON.stringify(object))),
      );
      // The taint key of the control plane holds "node-" too and is renamed back.
      const restored = renamed.map((object): KubernetesObject =>
        JSON.parse(
          JSON.stringify(object).replaceAll(
            "machine-role.kubernetes.io",
            "node-role.kubernetes.io",
          ),
        ),
      );
      expect(verdicts(restored)).toBe(
        rename(verdicts(objects)).replaceAll(
          "machine-role.kubernetes.io",
          "node-role.kubernetes.io",
        ),
      );
    }
  });
});

describe.skipIf(!hasShared)("shared data (skipped where ../shared/data is absent)", () => {
  const text = (path: string): string => readFileSync(`${shared}${path}`, "utf8");
  const pairOf = (name: string, file: string): Finding[] =>
    checkTexts(
      text("kubernetes-pairs/cluster.yaml"),
      text(`kubernetes-pairs/${name}/${file}.yaml`),
    );

  test.each([
    [
      "node-affinity-issue",
      "kubernetes.io/hostname In [non-existent-node]",
      "kubernetes.io/hostname In [valid-node]",
    ],
    ["insufficient-resources", "cpu requested 2", "at most cpu 1400m and memory 3008Mi"],
    [
      "persistent-volume-claim-issues",
      "the claim pvc-issue is not bound",
      "create a persistent volume",
    ],
  ])(
    "%s: one cause, the documented one, and nothing violated once fixed",
    (name, cause, change) => {
      const issue = pairOf(name, "issue");
      const violated = issue.filter((finding) => finding.verdict === "violated");
      expect(violated).toHaveLength(1);
      expect(violated[0]?.title).toContain(cause);
      expect(violated[0]?.fixes[0]?.description.toLowerCase()).toContain(change.toLowerCase());
      const fix = pairOf(name, "fix");
      expect(fix.every((finding) => finding.verdict === "holds")).toBe(true);
      expect(fix[0]?.subject.name).toMatch(/-fixed-pod$/);
    },
  );

  test.each([
    [
      "13a_pending_node_selector_basic",
      "no node has the label label=someLabel that its nodeSelector wants",
    ],
    ["24a_misconfigured_pvc_basic", 'the storage class "standard-v2" does not exist'],
  ])("the recorded pending pod %s is explained", (name, cause) => {
    const folder = `${shared}holmes-cases/${name}/`;
    const texts = readdirSync(folder)
      .filter((file) => /describe|get_by/.test(file))
      .map((file) => readFileSync(`${folder}${file}`, "utf8"));
    const findings = checkTexts(...texts);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.verdict).toBe("violated");
    expect(findings[0]?.title).toContain(cause);
    expect(findings[0]?.fixes.every((fix) => !fix.verified)).toBe(true);
  });
});

function snapshotOf(objects: readonly KubernetesObject[]): ReturnType<typeof createSnapshot> {
  const source = { name: "test", format: "kubernetes", notes: [] };
  return createSnapshot([{ source, content: { kind: "kubernetes", objects: [...objects] } }]);
}

test("a truncated manifest is refused with its place", () => {
  expect(() => readKubernetes(cluster.slice(0, 150))).toThrow(/not well formed/);
});
