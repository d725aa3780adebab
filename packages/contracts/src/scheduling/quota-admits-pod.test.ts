import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { Finding } from "../model/finding.ts";
import { readKubernetes } from "../readers/kubernetes/read-kubernetes.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { quotaAdmitsPod } from "./quota-admits-pod.ts";

const namespace = "shop";

function check(...texts: readonly string[]): Finding[] {
  const { objects, notes } = readKubernetes(texts.join("\n---\n"));
  const source = { name: "test", format: "kubernetes", notes };
  return quotaAdmitsPod.check(
    createSnapshot([{ source, content: { kind: "kubernetes", objects } }]),
  );
}

function deployment(resources: string, { replicas = 2, status = "" } = {}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec: { replicas: ${replicas}, template: { spec: { containers: [{ name: main, resources: { ${resources} } }] } } }
${status === "" ? "" : `status: { ${status} }`}`;
}

function quota(hard: string, used = "", spec = ""): string {
  return `apiVersion: v1
kind: ResourceQuota
metadata: { name: team, namespace: ${namespace} }
spec: { hard: { ${hard} } ${spec === "" ? "" : `, ${spec}`} }
${used === "" ? "" : `status: { hard: { ${hard} }, used: { ${used} } }`}`;
}

function range(item: string): string {
  return `apiVersion: v1
kind: LimitRange
metadata: { name: bounds, namespace: ${namespace} }
spec: { limits: [{ ${item} }] }`;
}

const half = 'requests: { cpu: 500m, memory: 256Mi }, limits: { cpu: "1", memory: 512Mi }';

describe("quotas", () => {
  test("what is used and what is asked for must stay within what is hard", () => {
    const [finding] = check(
      deployment(half),
      quota('requests.cpu: "4", pods: "10"', 'requests.cpu: 3200m, pods: "4"'),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "deployment", name: "shop/web" },
      causeKind: "capacity",
      title:
        "Only 1 of 2 pods of deployment shop/web can be made: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=3700m, limited: requests.cpu=4.",
    });
    expect(finding?.measures).toMatchObject({ admittedPodCount: 1, wantedPodCount: 2 });
    expect(finding?.fixes.every(({ verified }) => verified)).toBe(true);
    expect(finding?.fixes.map(({ cost }) => cost)).toEqual([3, 3, 6]);
  });

  test.each([
    ['pods: "2"', 'pods: "1"', "pods=1, used: pods=2, limited: pods=2"],
    [
      "limits.memory: 1Gi",
      "limits.memory: 768Mi",
      "limits.memory=512Mi, used: limits.memory=768Mi",
    ],
    ['cpu: "1"', 'cpu: "1"', "cpu=500m, used: cpu=1, limited: cpu=1"],
    ["requests.memory: 300Mi", 'requests.memory: "0"', "requests.memory=256Mi"],
    [
      'count/pods: "0"',
      'count/pods: "0"',
      "count/pods=1, used: count/pods=0, limited: count/pods=0",
    ],
  ])("%s with %s used refuses in the API server's words", (hard, used, words) => {
    const [finding] = check(deployment(half), quota(hard, used));
    expect(finding?.verdict).toBe("violated");
    expect(finding?.actual).toContain(words);
  });

  test("extended resources are counted by their requests", () => {
    const [finding] = check(
      deployment('limits: { example.com/gpu: "2" }'),
      quota('requests.example.com/gpu: "3"', 'requests.example.com/gpu: "0"'),
    );
    expect(finding?.actual).toBe(
      "exceeded quota: team, requested: requests.example.com/gpu=2, used: requests.example.com/gpu=2, limited: requests.example.com/gpu=3",
    );
  });

  test("a quota of cpu or memory wants every container to state it", () => {
    const [finding] = check(
      deployment("requests: { cpu: 100m }"),
      quota('limits.cpu: "4", requests.memory: 4Gi, requests.storage: 10Gi', 'limits.cpu: "0"'),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
      actual: "failed quota: team: must specify limits.cpu for: main; requests.memory for: main",
    });
    expect(finding?.fixes[0]).toMatchObject({ cost: 2, verified: true });
  });

  test("a limit range that fills in the defaults satisfies such a quota", () => {
    const [finding] = check(
      deployment(""),
      quota('limits.cpu: "4", requests.memory: 4Gi', 'limits.cpu: "0"'),
      range("type: Container, default: { cpu: 200m, memory: 256Mi }"),
    );
    expect(finding?.verdict).toBe("holds");
  });

  test.each([
    ["scopes: [BestEffort]", "", "violated"],
    ["scopes: [BestEffort]", half, "holds"],
    ["scopes: [NotBestEffort]", "", "holds"],
    ["scopes: [Terminating]", half, "holds"],
    ["scopes: [NotTerminating]", half, "violated"],
    [
      "scopeSelector: { matchExpressions: [{ scopeName: PriorityClass, operator: In, values: [high] }] }",
      half,
      "holds",
    ],
    [
      "scopeSelector: { matchExpressions: [{ scopeName: PriorityClass, operator: NotIn, values: [high] }] }",
      half,
      "violated",
    ],
    [
      "scopeSelector: { matchExpressions: [{ scopeName: CrossNamespacePodAffinity, operator: Exists }] }",
      half,
      "holds",
    ],
  ])("a quota of no pods with %s and the resources {%s}: %s", (scope, resources, verdict) => {
    expect(check(deployment(resources), quota('pods: "0"', 'pods: "0"', scope))[0]?.verdict).toBe(
      verdict,
    );
  });

  test("without a status what is used is what the pods that run take", () => {
    const running = `apiVersion: v1
kind: Pod
metadata: { name: old, namespace: ${namespace} }
spec: { nodeName: n, containers: [{ name: a, resources: { requests: { cpu: "3" } } }] }
status: { phase: Running }`;
    const findings = check(deployment(half), quota('requests.cpu: "4"'), running);
    expect(findings.map(({ verdict }) => verdict)).toEqual(["holds"]);
    expect(check(deployment(half), quota("requests.cpu: 3500m"), running)[0]?.actual).toContain(
      "used: requests.cpu=3500m",
    );
  });
});

describe("limit ranges", () => {
  const bound = (item: string, resources = half): string =>
    check(deployment(resources), range(item))[0]?.actual ?? "";

  test.each([
    [
      "type: Container, max: { cpu: 500m }",
      "maximum cpu usage per Container is 500m, but limit is 1",
    ],
    [
      'type: Container, max: { example.com/gpu: "1" }',
      "No quota and no limit range refuses a pod.",
    ],
    [
      "type: Container, min: { memory: 300Mi }",
      "minimum memory usage per Container is 300Mi, but request is 256Mi",
    ],
    [
      'type: Container, maxLimitRequestRatio: { cpu: "1.5" }',
      "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000",
    ],
    [
      "type: Pod, max: { memory: 400Mi }",
      "maximum memory usage per Pod is 400Mi, but limit is 512Mi",
    ],
  ])("%s: %s", (item, words) => {
    expect(bound(item)).toBe(words);
  });

  test("a bound of pods wants what its containers leave out", () => {
    expect(bound("type: Pod, max: { cpu: 2 }", "requests: { cpu: 1 }")).toBe(
      "maximum cpu usage per Pod is 2.  No limit is specified",
    );
    expect(bound("type: Pod, min: { cpu: 2 }", "requests: { memory: 1Gi }")).toBe(
      "minimum cpu usage per Pod is 2.  No request is specified",
    );
  });

  test("several faults are told at once, and one edit of the pod repairs them", () => {
    const [finding] = check(
      deployment(half),
      range("type: Container, max: { cpu: 500m, memory: 128Mi }"),
    );
    expect(finding?.actual).toBe(
      "[maximum cpu usage per Container is 500m, but limit is 1, maximum memory usage per Container is 128Mi, but limit is 512Mi]",
    );
    expect(finding?.fixes[0]).toMatchObject({ cost: 2, verified: true });
  });
});

describe("what the API server said", () => {
  const said =
    'Error creating: pods "web-7f-x" is forbidden: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=4, limited: requests.cpu=4';
  const event = `apiVersion: v1
kind: Event
metadata: { name: e, namespace: ${namespace} }
reason: FailedCreate
involvedObject: { kind: ReplicaSet, name: web-7f, namespace: ${namespace} }
message: '${said}'`;
  const set = (replicas: number): string => `apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: web-7f, namespace: ${namespace}, ownerReferences: [{ kind: Deployment, name: web, controller: true }] }
spec: { replicas: 2, template: { spec: { containers: [{ name: main, resources: { ${half} } }] } } }
status: { replicas: ${replicas} }`;

  test("is believed when no quota is in the evidence, and told of the deployment behind the replica set", () => {
    const [finding] = check(event, set(0));
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { kind: "deployment", name: "shop/web" },
      actual: said,
    });
  });

  test("is told of the deployment that the replica set is named after, and is over once that has its pods", () => {
    const named = event.replaceAll("web-7f", "web-7f9c4d5b8");
    const [finding] = check(named, deployment(half, { status: "replicas: 1" }));
    expect(finding).toMatchObject({ verdict: "violated", subject: { name: "shop/web" } });
    expect(check(named, deployment(half, { status: "replicas: 2" }))).toEqual([]);
  });

  test("is believed also without the workload", () => {
    expect(check(event)[0]).toMatchObject({
      verdict: "violated",
      subject: { kind: "replicaset", name: "shop/web-7f" },
    });
  });

  test("is compared with what the objects say", () => {
    const full = quota('requests.cpu: "4"', 'requests.cpu: "4"');
    expect(check(event, set(0), full)[0]?.measures["recordedEventMatches"]).toBe(true);
    const free = quota('requests.cpu: "4"', 'requests.cpu: "1"');
    expect(check(event, set(0), free)[0]?.verdict).toBe("inconclusive");
  });

  test("is over once all pods have been made", () => {
    const [finding] = check(event, set(2), quota('requests.cpu: "4"', 'requests.cpu: "4"'));
    expect(finding?.verdict).toBe("holds");
  });

  test("other refusals are not this contract's", () => {
    expect(check(event.replace(/exceeded quota.*/, "serviceaccount not found'"), set(0))).toEqual(
      [],
    );
  });
});

test("a workload without quotas and limit ranges is none of its concern", () => {
  expect(check(deployment(half))).toEqual([]);
  expect(check(deployment(half), quota('pods: "0"').replace(namespace, "other"))).toEqual([]);
});

test("neither order, repetition, pieces, unrelated objects nor names change a finding", () => {
  const text = [
    deployment(half),
    quota('requests.cpu: "4"', "requests.cpu: 3200m"),
    range("type: Container, max: { memory: 1Gi }"),
  ].join("\n---\n");
  expectSameFindings(quotaAdmitsPod, readKubernetes(text).objects, ["web", "team", "bounds"]);
});

test("workloads that fit alone but not together are told of the quota", () => {
  const other = deployment(half).replace("name: web", "name: api");
  const room = quota('requests.cpu: "4"', "requests.cpu: 2500m");
  const findings = check(deployment(half), other, room);
  expect(findings.map(({ subject, verdict }) => `${subject.name} ${verdict}`)).toEqual([
    "shop/api holds",
    "shop/web holds",
    "shop/team violated",
  ]);
  expect(findings[2]?.title).toBe(
    "Quota shop/team has no room for all pods of deployment shop/api, deployment shop/web together: requests.cpu 4500m of 4, of which 2500m are used.",
  );
  expect(
    check(deployment(half), other, quota('requests.cpu: "5"', "requests.cpu: 2500m")),
  ).toHaveLength(2);
});
