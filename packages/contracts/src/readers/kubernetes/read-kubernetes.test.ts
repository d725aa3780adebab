import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { EvidenceError } from "../evidence-error.ts";
import { describedKinds, describedPodInTrouble } from "./fixtures/descriptions.ts";
import { kubectlTables } from "./fixtures/tables.ts";
import { readKubernetes, recogniseKubernetes } from "./read-kubernetes.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "n" },
  spec: { x: 1 },
};

function names(text: string): string[] {
  expect(recogniseKubernetes(text)).toBe(true);
  return readKubernetes(text).objects.map(
    ({ kind, metadata }) => `${kind}/${metadata.namespace ?? "-"}/${metadata.name}`,
  );
}

function errorOf(text: string): EvidenceError {
  try {
    readKubernetes(text);
  } catch (error) {
    if (error instanceof EvidenceError) return error;
    throw error;
  }
  throw new Error("the text was read");
}

test.each([
  ["a manifest", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: n\n"],
  ["a description", describedPodInTrouble],
  [
    "a table",
    "NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE\nn           a      1/1     Running   0          5m\n",
  ],
])("%s that was copied with its indentation reads as without", (_what, text) => {
  const indented = text.replace(/^(?=.)/gm, "    ");
  expect(recogniseKubernetes(indented)).toBe(true);
  expect(readKubernetes(indented)).toEqual(readKubernetes(text));
});

describe("objects", () => {
  test.each([
    ["one object", JSON.stringify(pod)],
    ["indented, with a byte order mark", `\uFEFF${JSON.stringify(pod, null, 2)}`],
    ["a List", JSON.stringify({ apiVersion: "v1", kind: "List", items: [pod] })],
    ["an array", JSON.stringify([pod])],
    [
      "a typed list without kinds",
      JSON.stringify({ apiVersion: "v1", kind: "PodList", items: [{ metadata: pod.metadata }] }),
    ],
    [
      "a list in a list",
      JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: [{ apiVersion: "v1", kind: "PodList", items: [pod] }],
      }),
    ],
    ["YAML", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: n\n"],
    [
      "YAML with comments and empty documents",
      "---\n# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: n }\n---\n",
    ],
    [
      "YAML with an anchor",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: &n a, namespace: n, labels: { app: *n } }",
    ],
  ])("%s", (_form, text) => {
    expect(names(text)).toEqual(["Pod/n/a"]);
  });

  test("one object a line", () => {
    expect(names(`${JSON.stringify(pod)}\n${JSON.stringify(pod)}\n`)).toEqual([
      "Pod/n/a",
      "Pod/n/a",
    ]);
  });

  test("a generated name is kept with a mark", () => {
    const text = "apiVersion: v1\nkind: Pod\nmetadata: { generateName: job- }";
    expect(names(text)).toEqual(["Pod/-/job-*"]);
  });

  test("a fragment without a name is read under one that its content alone decides", () => {
    const fragment = (image: string): string =>
      `apiVersion: apps/v1\nkind: Deployment\nspec: { template: { spec: { containers: [{ image: ${image} }] } } }\n`;
    const [one, other] = names(`${fragment("a")}---\n${fragment("b")}`);
    expect(one).toMatch(/^Deployment\/-\/\(unnamed [0-9a-f]{8}\)$/);
    expect(other).not.toBe(one);
    expect(names(`${fragment("b")}---\n${fragment("a")}`)).toEqual([other, one]);
  });

  test("what has no name is left out with a note", () => {
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n---\napiVersion: v1\nkind: Kustomization\n";
    const { objects, notes } = readKubernetes(text);
    expect(objects).toHaveLength(1);
    expect(notes[0]).toContain("Kustomization at document 2");
  });

  test("secret values and managed fields never enter the evidence", () => {
    const text = JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", managedFields: [{ x: 1 }], annotations: { last: "hunter2" } },
      data: { password: "aHVudGVyMg==" },
      stringData: { other: "hunter2" },
    });
    const { objects } = readKubernetes(text);
    expect(JSON.stringify(objects)).not.toMatch(/hunter2|aHVudGVyMg|managedFields/);
    expect(objects[0]).toMatchObject({ data: { password: null }, stringData: { other: null } });
  });
});

describe("errors say where and what was expected", () => {
  test.each([
    [
      "truncated YAML",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: a, labels: { x:",
      /line 3, column \d+/,
    ],
    ["YAML cut in a key", "apiVersion: v1\nkind: Pod\nmetad", /line \d, column \d+/],
    [
      "truncated JSON",
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"',
      /line 1, column \d+/,
    ],
    [
      "a text among the documents",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n---\njust words",
      /document 2/,
    ],
  ])("%s", (_what, text, where) => {
    const error = errorOf(text);
    expect(error.where).toMatch(where);
    expect(error.expected).not.toBe("");
  });

  test("documents that lack their separator", () => {
    const one = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n";
    const error = errorOf(one + one);
    expect(error.where).toBe("line 4, column 1");
    expect(error.expected).toContain("---");
  });

  test("aliases that unfold into billions", () => {
    const levels = Array.from(
      { length: 20 },
      (_item, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(",")}]`,
    );
    const text = `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nl0: &l0 [x]\n${levels.join("\n")}`;
    expect(errorOf(text).message).toMatch(/anchors/);
  });

  test.each([
    [
      "JSON",
      `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"x":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    ],
    [
      "YAML",
      `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nx: ${"[".repeat(5_000)}${"]".repeat(5_000)}`,
    ],
    [
      "block YAML",
      `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nx:\n${Array.from({ length: 400 }, (_item, depth) => `${" ".repeat(depth + 1)}k:`).join("\n")}`,
    ],
  ])("deep %s", (_form, text) => {
    expect(errorOf(text)).toBeInstanceOf(EvidenceError);
  });

  test("numbers that JSON cannot carry", () => {
    expect(errorOf("apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nx: .inf").message).toContain(
      "infinite",
    );
  });
});

test.each([
  "",
  "hello",
  "name: x\nvalue: y",
  '{"messages":[]}',
  "NAME AGE\na 1d",
  "Name: Bob\n",
  "[1,2]",
])("does not claim %j", (text) => {
  expect(recogniseKubernetes(text)).toBe(false);
  expect(errorOf(text).expected).toContain("kubectl");
});

const nodes = `{"toolset_name":"kubernetes/core","tool_name":"get"}
{"schema_version": "v1", "invocation": "kubectl get -A -o wide node", "params": {}}
stdout:
NAME     STATUS                     ROLES           AGE   VERSION   LABELS
node-a   Ready,SchedulingDisabled   control-plane   28d   v1.31.2   disk=ssd,empty=
node-b   NotReady                   <none>          28d   v1.31.2   <none>

stderr:
`;

describe("text of kubectl", () => {
  test("a wrapped table of nodes", () => {
    const { objects, notes } = readKubernetes(nodes);
    expect(objects[0]).toMatchObject({
      kind: "Node",
      metadata: { name: "node-a", labels: { disk: "ssd", empty: "" } },
      spec: { unschedulable: true },
      faultlineText: { unknown: ["spec.taints", "status.allocatable", "status.conditions"] },
    });
    expect(objects[1]).toMatchObject({
      metadata: { labels: {} },
      status: { conditions: [{ status: "False" }] },
    });
    expect(notes[0]).toContain("unknown, not empty");
  });

  test("tables of pods, claims and events take the namespace of the recorded command", () => {
    const wrap = (table: string): string =>
      `{"tool_name":"x","invocation": "kubectl get pods -n shop"}\n${table}`;
    expect(
      names(
        wrap("NAME   READY   STATUS    RESTARTS   AGE\nweb    0/1     Pending   0          1m\n"),
      ),
    ).toEqual(["Pod/shop/web"]);
    expect(
      names(
        wrap(
          "NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\ndata   Pending                                      fast           1m\n",
        ),
      ),
    ).toEqual(["PersistentVolumeClaim/shop/data"]);
    expect(
      names(
        wrap(
          "LAST SEEN   TYPE      REASON             OBJECT    MESSAGE\n1m          Warning   FailedScheduling   pod/web   0/1 nodes are available: 1 Too many pods.\n",
        ),
      ),
    ).toEqual(["Event/shop/web.FailedScheduling.text"]);
  });

  test("rows of pods without their header are read by their shape, others are refused with what is wanted", () => {
    const wrap = (kind: string, rows: string): string =>
      `{"tool_name":"kubectl_find_resource"}\n{"invocation": "kubectl get -A ${kind} | grep web"}\n${rows}`;
    expect(names(wrap("pod", "shop   web   0/1   CrashLoopBackOff   4 (8s ago)   6m\n"))).toEqual([
      "Pod/shop/web",
    ]);
    const text = wrap("deployment", "shop   web   0/1   1   0   6m");
    expect(recogniseKubernetes(text)).toBe(true);
    expect(errorOf(text).expected).toContain("header line");
  });

  test("a broken row is noted and the others are read", () => {
    const broken = nodes.replace("node-b   Not", "node-b-with-a-long-name Not");
    const { objects, notes } = readKubernetes(broken);
    expect(objects).toHaveLength(1);
    expect(notes.join()).toContain("A row of a table could not be read");
  });

  test("a described pod with selectors, tolerations, requests, ports, claims and events", () => {
    const { objects } = readKubernetes(describedPod);
    expect(objects[0]).toMatchObject({
      kind: "Pod",
      metadata: { name: "web", namespace: "shop", labels: { app: "web", tier: "front" } },
      spec: {
        nodeSelector: { disk: "ssd", zone: "a" },
        tolerations: [
          { key: "dedicated", operator: "Equal", value: "gpu", effect: "NoSchedule" },
          {
            key: "node.kubernetes.io/not-ready",
            operator: "Exists",
            effect: "NoExecute",
            tolerationSeconds: 300,
          },
        ],
        containers: [
          {
            name: "main",
            resources: { requests: { cpu: "100m", memory: "256Mi" } },
            ports: [{ hostPort: 8080 }],
          },
        ],
        volumes: [{ persistentVolumeClaim: { claimName: "web-data" } }],
      },
      status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False" }] },
    });
    expect(objects[1]).toMatchObject({
      reason: "FailedScheduling",
      involvedObject: { name: "web" },
      age: "38s",
    });
  });

  test("a described node tells its taints, what it has and what runs on it", () => {
    const { objects } = readKubernetes(describedNode);
    expect(objects[0]).toMatchObject({
      kind: "Node",
      spec: {
        unschedulable: true,
        taints: [
          { key: "dedicated", value: "gpu", effect: "NoSchedule" },
          { key: "spot", effect: "NoExecute" },
        ],
      },
      status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" } },
    });
    expect(objects[1]).toMatchObject({
      kind: "Pod",
      metadata: { name: "web-1", namespace: "shop" },
      spec: {
        nodeName: "node-a",
        containers: [{ resources: { requests: { cpu: "250m", memory: "64Mi" } } }],
      },
    });
  });
});

describe("fuzz", () => {
  const corpus = [
    nodes,
    JSON.stringify(pod),
    "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { a: [1, {b: c}] }",
  ];

  test("any text is read or refused with a typed error", () => {
    const tryRead = (text: string): void => {
      recogniseKubernetes(text);
      try {
        readKubernetes(text);
      } catch (error) {
        expect(error).toBeInstanceOf(EvidenceError);
      }
    };
    fc.assert(fc.property(fc.string({ maxLength: 300 }), tryRead));
    const mutation = fc.tuple(
      fc.constantFrom(
        ...corpus,
        describedPod,
        describedNode,
        describedPodInTrouble,
        ...describedKinds.map(({ text }) => text),
        ...kubectlTables.map(({ text }) => text),
      ),
      fc.array(fc.tuple(fc.nat(4_000), fc.string({ maxLength: 4 }), fc.nat(20)), {
        minLength: 1,
        maxLength: 6,
      }),
    );
    fc.assert(
      fc.property(mutation, ([seed, edits]) => {
        let text = seed;
        for (const [at, inserted, removed] of edits) {
          const start = at % (text.length + 1);
          text = `${text.slice(0, start)}${inserted}${text.slice(start + removed)}`;
        }
        tryRead(text);
      }),
      { numRuns: 1_000 },
    );
  });
});

const describedPod = `Name:             web
Namespace:        shop
Priority:         0
Node:             <none>
Labels:           app=web
                  tier=front
Annotations:      <none>
Status:           Pending
IP:
IPs:              <none>
Containers:
  main:
    Image:      web:1
    Port:       8080/TCP
    Host Port:  8080/TCP
    Limits:
      cpu:     500m
    Requests:
      cpu:        100m
      memory:     256Mi
    Environment:  <none>
Conditions:
  Type           Status
  PodScheduled   False
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  web-data
    ReadOnly:   false
QoS Class:                   Burstable
Node-Selectors:              disk=ssd
                             zone=a
Tolerations:                 dedicated=gpu:NoSchedule
                             node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  38s   default-scheduler  0/1 nodes are available: 1 Too many pods.
`;

const describedNode = `Name:               node-a
Roles:              <none>
Labels:             disk=ssd
                    zone=a
Taints:             dedicated=gpu:NoSchedule
                    spot:NoExecute
Unschedulable:      true
Conditions:
  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message
  ----             ------  -----------------                 ------------------                ------                       -------
  Ready            True    Tue, 12 Aug 2025 06:42:07 +0200   Tue, 12 Aug 2025 06:42:07 +0200   KubeletReady                 kubelet is posting ready status
Capacity:
  cpu:                4
  memory:             9Gi
  pods:               110
Allocatable:
  cpu:                4
  memory:             8Gi
  pods:               110
Non-terminated Pods:          (1 in total)
  Namespace                   Name                CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------                   ----                ------------  ----------  ---------------  -------------  ---
  shop                        web-1               250m (6%)     0 (0%)      64Mi (0%)        0 (0%)         3d
Events:              <none>
`;
