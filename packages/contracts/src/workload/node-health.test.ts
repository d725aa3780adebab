import { expect, test } from "vitest";

import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { nodeHealth } from "./node-health.ts";

const node = (conditions: string, spec = ""): string =>
  `---\napiVersion: v1\nkind: Node\nmetadata: { name: node-a }\nspec: { ${spec} }\nstatus: { conditions: [${conditions}] }\n`;
const ready = '{ type: Ready, status: "True" }';

test.each([
  [
    '{ type: Ready, status: Unknown, reason: NodeStatusUnknown, message: "Kubelet stopped posting node status." }',
    "kubelet stopped posting",
    "dependency",
  ],
  [
    '{ type: Ready, status: "False", reason: KubeletNotReady, message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized" }',
    "cni plugin not initialized",
    "configuration",
  ],
  [
    `${ready}, { type: DiskPressure, status: "True", reason: KubeletHasDiskPressure, message: "kubelet has disk pressure" }`,
    "short of disk",
    "capacity",
  ],
  [`${ready}, { type: MemoryPressure, status: "True" }`, "short of memory", "capacity"],
  [`${ready}, { type: PIDPressure, status: "True" }`, "process ids", "capacity"],
  [
    `${ready}, { type: NetworkUnavailable, status: "True", message: "RouteController failed to create a route" }`,
    "RouteController failed",
    "dependency",
  ],
  [
    `${ready}, { type: KernelDeadlock, status: "True", reason: DockerHung }`,
    "KernelDeadlock (DockerHung)",
    "dependency",
  ],
])("%s", (conditions, words, causeKind) => {
  const finding = findingIn(nodeHealth, node(conditions));
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind,
    subject: { kind: "node", name: "node-a" },
  });
  expect(finding.title).toContain(words);
});

test("a ready node holds, also when it is cordoned", () => {
  const healthy = `${ready}, { type: DiskPressure, status: "False" }, { type: EtcdIsVoter, status: "True" }`;
  expect(findingIn(nodeHealth, node(healthy)).verdict).toBe("holds");
  expect(findingIn(nodeHealth, node(healthy, "unschedulable: true"))).toMatchObject({
    verdict: "holds",
    measures: { cordoned: true },
  });
});

test("a table tells NotReady and not why", () => {
  const table =
    "NAME     STATUS     ROLES    AGE   VERSION\nnode-a   NotReady   <none>   8d    v1.31.2\n";
  const finding = findingIn(nodeHealth, table);
  expect(finding.verdict).toBe("violated");
  expect(finding.missing).not.toEqual([]);
});

const creating = podYaml({
  status:
    "phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: ContainerCreating } } }]",
});

test.each([
  [
    'Failed to create pod sandbox: plugin type="aws-cni" failed: add cmd: failed to assign an IP address to container',
    "no free IP address",
    "capacity",
  ],
  [
    "Failed to create pod sandbox: cni plugin not initialized",
    "network plugin (CNI)",
    "dependency",
  ],
  [
    'Failed to create pod sandbox: no runtime for "gvisor" is configured',
    "container runtime of its runtime class",
    "configuration",
  ],
])("%s", (message, words, causeKind) => {
  const finding = findingIn(
    nodeHealth,
    creating,
    eventYaml("Pod/web-5d4f8c7b9-abcde", "FailedCreatePodSandBox", message),
  );
  expect(finding).toMatchObject({ verdict: "violated", causeKind, subject: { name: "shop/web" } });
  expect(finding.title).toContain(words);
});

test("a pod that cannot end names its finalizers or its lost node", () => {
  const ending = (finalizers: string): string =>
    podYaml({
      status: "phase: Running, containerStatuses: [{ name: main, state: { running: {} } }]",
    }).replace(
      "  namespace: shop",
      `  namespace: shop\n  deletionTimestamp: "2026-01-01T00:00:00Z"\n  finalizers: [${finalizers}]`,
    );
  const held = ending("example.com/hold");
  expect(findingIn(nodeHealth, held)).toMatchObject({ verdict: "inconclusive" });
  const later = findingIn(
    nodeHealth,
    held,
    eventYaml("Pod/other", "Started", "Started container main"),
  );
  expect(later.verdict).toBe("violated");
  expect(later.title).toContain("example.com/hold");
  expect(findingsIn(nodeHealth, ending("batch.kubernetes.io/job-tracking"))).toEqual([]);
  expect(findingsIn(nodeHealth, ending(""))).toEqual([]);
  const lost = findingsIn(nodeHealth, ending(""), node("{ type: Ready, status: Unknown }"));
  expect(lost.map(({ title }) => title).join()).toContain("its node node-a is not ready");
});

test("an eviction for disk is the node's, one for memory is not", () => {
  const evicted = (resource: string): string =>
    podYaml({
      status: `phase: Failed, reason: Evicted, message: "The node was low on resource: ${resource}. "`,
    });
  expect(findingIn(nodeHealth, evicted("ephemeral-storage")).title).toContain(
    "ran short of ephemeral-storage",
  );
  expect(findingsIn(nodeHealth, evicted("memory"))).toEqual([]);
});

test("a namespace that cannot end says what remains", () => {
  const namespace =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: old }\nstatus: { phase: Terminating, conditions: [{ type: NamespaceFinalizersRemaining, status: "True", message: "Some content has finalizers remaining: a.example.com in 1 resource instances" }] }';
  expect(findingIn(nodeHealth, namespace).title).toContain("a.example.com");
});
