import { describe, expect, test } from "vitest";

import { checkTexts, filterReasons, findingOf } from "../fixtures/check-yaml.ts";

/** A pod `asking` with the given spec lines, before one node with the given lines. */
function reasons({
  pod = "",
  node = "",
  more = "",
}: {
  pod?: string;
  node?: string;
  more?: string;
}): string {
  const text = `
apiVersion: v1
kind: Node
metadata: { name: node-a, labels: { disk: ssd, cores: "8", kubernetes.io/hostname: node-a } }
spec: { ${node} }
status: { allocatable: { cpu: "4", memory: 8Gi, pods: "3", ephemeral-storage: 20Gi, example.com/gpu: "1" } }
---
apiVersion: v1
kind: Pod
metadata: { name: asking }
spec: { ${pod === "" ? "containers: []" : pod} }
${more === "" ? "" : `---\n${more}`}`;
  const finding = findingOf(checkTexts(text), "asking");
  if (finding.verdict === "holds") return "fits";
  return filterReasons(finding).replace("0/1 nodes are available: ", "");
}

const noMatch = "1 node(s) didn't match Pod's node affinity/selector.";

function affinity(expressions: string, kind = "matchExpressions"): string {
  return `affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ ${kind}: [${expressions}] }] } } }`;
}

describe("node name and cordon", () => {
  test.each([
    ["nodeName: node-b", "1 node(s) didn't match the requested node name."],
    ["containers: []", "fits"],
  ])("a pod with %s: %s", (pod, expected) => {
    expect(reasons({ pod })).toBe(expected);
  });

  test.each([
    ["containers: []", "1 node(s) were unschedulable."],
    ["tolerations: [{ key: node.kubernetes.io/unschedulable, operator: Exists }]", "fits"],
    ["tolerations: [{ operator: Exists }]", "fits"],
    [
      "tolerations: [{ key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoExecute }]",
      "1 node(s) were unschedulable.",
    ],
  ])("a cordoned node and a pod with %s: %s", (pod, expected) => {
    expect(reasons({ pod, node: "unschedulable: true" })).toBe(expected);
  });
});

describe("taints", () => {
  const refused = "1 node(s) had untolerated taint {dedicated: gpu}.";
  test.each([
    ["", refused],
    ["{ key: dedicated, operator: Equal, value: gpu, effect: NoSchedule }", "fits"],
    ["{ key: dedicated, value: gpu }", "fits"],
    ["{ key: dedicated, value: cpu }", refused],
    ["{ key: dedicated, operator: Exists }", "fits"],
    ["{ key: dedicated, operator: Exists, value: anything }", "fits"],
    ["{ key: dedicated, operator: Exists, effect: NoExecute }", refused],
    ["{ operator: Exists }", "fits"],
    ["{ operator: Exists, effect: NoSchedule }", "fits"],
    ["{ operator: Exists, effect: PreferNoSchedule }", refused],
    ["{ operator: Equal }", refused],
    ["{ key: other, operator: Exists }", refused],
  ])("the toleration %s gives %s", (toleration, expected) => {
    const pod = `tolerations: [${toleration}]`;
    expect(
      reasons({ pod, node: "taints: [{ key: dedicated, value: gpu, effect: NoSchedule }]" }),
    ).toBe(expected);
  });

  test("counts the first of several taints only, as the scheduler does", () => {
    const node =
      "taints: [{ key: a, effect: NoSchedule }, { key: b, value: c, effect: NoExecute }]";
    expect(reasons({ node })).toBe("1 node(s) had untolerated taint {a: }.");
  });

  test("never refuses for PreferNoSchedule", () => {
    expect(reasons({ node: "taints: [{ key: a, effect: PreferNoSchedule }]" })).toBe("fits");
  });

  test("reports later obstacles in the measures although the event stops at the taint", () => {
    const text = `
apiVersion: v1
kind: Node
metadata: { name: node-a }
spec: { taints: [{ key: a, effect: NoSchedule }, { key: b, effect: NoSchedule }] }
status: { allocatable: { cpu: "1", pods: "3" } }
---
apiVersion: v1
kind: Pod
metadata: { name: asking }
spec: { containers: [{ resources: { requests: { cpu: "2" } } }] }`;
    const said = findingOf(checkTexts(text), "asking").measures["node node-a"];
    expect(said).toBe(
      "the taint a:NoSchedule is not tolerated; the taint b:NoSchedule is not tolerated; cpu requested 2, free 1 of 1",
    );
  });
});

describe("node selector and affinity", () => {
  test.each([
    ["nodeSelector: { disk: ssd }", "fits"],
    ["nodeSelector: { disk: hdd }", noMatch],
    ["nodeSelector: { disk: ssd, other: x }", noMatch],
    [affinity("{ key: disk, operator: In, values: [hdd, ssd] }"), "fits"],
    [affinity("{ key: disk, operator: In, values: [hdd] }"), noMatch],
    [affinity("{ key: none, operator: In, values: [hdd] }"), noMatch],
    [affinity("{ key: disk, operator: NotIn, values: [ssd] }"), noMatch],
    [affinity("{ key: none, operator: NotIn, values: [ssd] }"), "fits"],
    [affinity('{ key: none, operator: NotIn, values: ["not a value!"] }'), noMatch],
    [affinity("{ key: disk, operator: Exists }"), "fits"],
    [affinity("{ key: none, operator: Exists }"), noMatch],
    [affinity("{ key: disk, operator: DoesNotExist }"), noMatch],
    [affinity("{ key: none, operator: DoesNotExist }"), "fits"],
    [affinity('{ key: cores, operator: Gt, values: ["7"] }'), "fits"],
    [affinity('{ key: cores, operator: Gt, values: ["8"] }'), noMatch],
    [affinity('{ key: cores, operator: Lt, values: ["9"] }'), "fits"],
    [affinity('{ key: cores, operator: Lt, values: ["8"] }'), noMatch],
    [affinity('{ key: disk, operator: Gt, values: ["1"] }'), noMatch],
    [affinity("{ key: cores, operator: Gt, values: [many] }"), noMatch],
    [affinity("{ key: disk, operator: Near, values: [ssd] }"), noMatch],
    [affinity("{ key: disk, operator: Exists }, { key: none, operator: Exists }"), noMatch],
    [affinity("{ key: metadata.name, operator: In, values: [node-a] }", "matchFields"), "fits"],
    [
      affinity("{ key: metadata.name, operator: In, values: [node-b] }", "matchFields"),
      "1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [affinity("{ key: metadata.name, operator: NotIn, values: [node-a] }", "matchFields"), noMatch],
  ])("a pod with %s: %s", (pod, expected) => {
    expect(reasons({ pod })).toBe(expected);
  });

  test("terms are alternatives, and a term without expressions matches nothing", () => {
    const terms = (list: string): string =>
      `affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [${list}] } } }`;
    const hdd = "{ matchExpressions: [{ key: disk, operator: In, values: [hdd] }] }";
    const ssd = "{ matchExpressions: [{ key: disk, operator: In, values: [ssd] }] }";
    expect(reasons({ pod: terms(`${hdd}, ${ssd}`) })).toBe("fits");
    expect(reasons({ pod: terms(`${hdd}, {}`) })).toBe(noMatch);
    expect(reasons({ pod: terms("{}") })).toBe(noMatch);
    expect(reasons({ pod: terms("") })).toBe(noMatch);
    expect(
      reasons({
        pod: "affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } }",
      }),
    ).toBe(noMatch);
  });

  test("preferences never refuse", () => {
    const pod =
      "affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: none, operator: Exists }] } }] } }";
    expect(reasons({ pod })).toBe("fits");
  });
});

describe("host ports", () => {
  const holder = (port: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: holder }
spec: { nodeName: node-a, containers: [{ ports: [${port}] }] }
status: { phase: Running }`;
  const refused = "1 node(s) didn't have free ports for the requested pod ports.";
  test.each([
    ["{ hostPort: 80 }", "{ hostPort: 80 }", refused],
    ["{ hostPort: 81 }", "{ hostPort: 80 }", "fits"],
    ["{ hostPort: 80, protocol: UDP }", "{ hostPort: 80 }", "fits"],
    ["{ hostPort: 80, protocol: TCP }", "{ hostPort: 80 }", refused],
    ["{ hostPort: 80, hostIP: 10.0.0.1 }", "{ hostPort: 80, hostIP: 10.0.0.2 }", "fits"],
    ["{ hostPort: 80, hostIP: 10.0.0.1 }", "{ hostPort: 80, hostIP: 10.0.0.1 }", refused],
    ["{ hostPort: 80, hostIP: 0.0.0.0 }", "{ hostPort: 80, hostIP: 10.0.0.2 }", refused],
    ["{ hostPort: 80, hostIP: 10.0.0.1 }", "{ hostPort: 80 }", refused],
    ["{ containerPort: 80 }", "{ hostPort: 80 }", "fits"],
  ])("the pod wants %s where %s is held: %s", (wanted, held, expected) => {
    const pod = `containers: [{ ports: [${wanted}] }]`;
    expect(reasons({ pod, more: holder(held) })).toBe(expected);
  });

  test("with host networking every container port is a host port", () => {
    const pod = "hostNetwork: true, containers: [{ ports: [{ containerPort: 80 }] }]";
    expect(reasons({ pod, more: holder("{ hostPort: 80 }") })).toBe(refused);
  });
});

describe("resources", () => {
  const requests = (list: string): string =>
    `containers: [{ resources: { requests: { ${list} } } }]`;
  const runs = (name: string, list: string, phase = "Running"): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { nodeName: node-a, ${requests(list)} }
status: { phase: ${phase} }`;

  test.each([
    ['cpu: "4"', "fits"],
    ["cpu: 4001m", "1 Insufficient cpu."],
    ["cpu: 4000.1m", "1 Insufficient cpu."],
    ["memory: 8Gi", "fits"],
    ["memory: 8.1Gi", "1 Insufficient memory."],
    ["memory: 8589934593", "1 Insufficient memory."],
    ["ephemeral-storage: 30Gi", "1 Insufficient ephemeral-storage."],
    ['example.com/gpu: "1"', "fits"],
    ['example.com/gpu: "2"', "1 Insufficient example.com/gpu."],
    ['example.com/tpu: "1"', "1 Insufficient example.com/tpu."],
    ['example.com/tpu: "0"', "fits"],
    ['cpu: "5", memory: 9Gi', "1 Insufficient cpu, 1 Insufficient memory."],
  ])("a request of %s: %s", (list, expected) => {
    expect(reasons({ pod: requests(list) })).toBe(expected);
  });

  test("what runs on the node is taken, what is over is not", () => {
    expect(reasons({ pod: requests('cpu: "2"'), more: runs("other", "cpu: 2001m") })).toBe(
      "1 Insufficient cpu.",
    );
    expect(
      reasons({ pod: requests('cpu: "2"'), more: runs("other", "cpu: 2001m", "Succeeded") }),
    ).toBe("fits");
  });

  test("the node's number of pods is a limit", () => {
    const three = ["a", "b", "c"].map((name) => runs(name, "cpu: 1m")).join("\n---");
    expect(reasons({ more: three })).toBe("1 Too many pods.");
  });

  test("a limit stands in for a request that is absent", () => {
    expect(reasons({ pod: 'containers: [{ resources: { limits: { cpu: "5" } } }]' })).toBe(
      "1 Insufficient cpu.",
    );
    expect(
      reasons({
        pod: 'containers: [{ resources: { limits: { cpu: "5" }, requests: { cpu: "1" } } }]',
      }),
    ).toBe("fits");
  });

  test("init containers count one by one, sidecars add to all that follows", () => {
    const container = (cpu: number, restart = ""): string =>
      `{ ${restart} resources: { requests: { cpu: "${cpu}" } } }`;
    const sidecar = (cpu: number): string => container(cpu, "restartPolicy: Always,");
    const fits = (init: string[], app: string[]): string =>
      reasons({ pod: `initContainers: [${init.join(", ")}], containers: [${app.join(", ")}]` });
    expect(fits([container(4), container(4)], [container(2), container(2)])).toBe("fits");
    expect(fits([container(5)], [])).toBe("1 Insufficient cpu.");
    expect(fits([], [container(2), container(3)])).toBe("1 Insufficient cpu.");
    expect(fits([sidecar(2)], [container(2)])).toBe("fits");
    expect(fits([sidecar(2)], [container(3)])).toBe("1 Insufficient cpu.");
    expect(fits([sidecar(2), container(3)], [])).toBe("1 Insufficient cpu.");
    expect(fits([container(4), sidecar(1)], [container(3)])).toBe("fits");
  });

  test("overhead is added, and a request of the pod replaces those of its containers", () => {
    expect(reasons({ pod: `overhead: { cpu: 1m }, ${requests('cpu: "4"')}` })).toBe(
      "1 Insufficient cpu.",
    );
    expect(reasons({ pod: `resources: { requests: { cpu: "3" } }, ${requests('cpu: "5"')}` })).toBe(
      "fits",
    );
  });
});

describe("claims", () => {
  const claim = (spec: string, status = ""): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 5Gi } }, ${spec} }
${status === "" ? "" : `status: { ${status} }`}`;
  const volume = (spec: string, labels = ""): string => `
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk-1, labels: { ${labels} } }
spec: { accessModes: [ReadWriteOnce], capacity: { storage: 10Gi }, ${spec} }`;
  const storageClass = (mode: string, provisioner: string): string => `
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: ${provisioner}
volumeBindingMode: ${mode}`;
  const pod = "volumes: [{ name: d, persistentVolumeClaim: { claimName: data } }]";
  const unbound = "pod has unbound immediate PersistentVolumeClaims.";
  const notFound = 'persistentvolumeclaim "data" not found.';
  const here =
    "nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: disk, operator: In, values: [ssd] }] }] } }";
  const elsewhere = here.replace("ssd", "hdd");
  const waits = storageClass("WaitForFirstConsumer", "kubernetes.io/no-provisioner");

  test.each([
    [
      "a class that makes volumes",
      claim("storageClassName: fast") + storageClass("Immediate", "disk.example.com"),
      "fits",
    ],
    [
      "a class that makes none",
      claim("storageClassName: fast") + storageClass("Immediate", "kubernetes.io/no-provisioner"),
      unbound,
    ],
    [
      "a class that does not exist",
      claim("storageClassName: slow") + storageClass("Immediate", "disk.example.com"),
      unbound,
    ],
    [
      "a fitting volume",
      claim("storageClassName: fast") + volume("storageClassName: fast"),
      "fits",
    ],
    [
      "a volume of another class",
      claim("storageClassName: fast") +
        volume("storageClassName: slow") +
        waits.replace("fast", "none"),
      unbound,
    ],
    [
      "a volume that is too small",
      claim('storageClassName: ""') +
        volume("capacity: { storage: 1Gi }").replace("capacity: { storage: 10Gi }, ", ""),
      unbound,
    ],
    [
      "a volume that is taken",
      claim('storageClassName: ""') + volume("claimRef: { namespace: default, name: other }"),
      unbound,
    ],
    [
      "a claim that still waits for its provisioner",
      claim("storageClassName: fast", "phase: Pending") +
        storageClass("Immediate", "disk.example.com"),
      unbound,
    ],
    [
      "a lost claim",
      claim("volumeName: gone", "phase: Lost"),
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "gone".',
    ],
    [
      "a claim that waits, and no volume",
      claim("storageClassName: fast") + waits,
      "1 node(s) didn't find available persistent volumes to bind.",
    ],
    [
      "a claim that waits, and a volume here",
      claim("storageClassName: fast") + waits + "\n" + volume(`storageClassName: fast, ${here}`),
      "fits",
    ],
    [
      "a claim that waits, and a volume elsewhere",
      claim("storageClassName: fast") +
        waits +
        "\n" +
        volume(`storageClassName: fast, ${elsewhere}`),
      "1 node(s) didn't find available persistent volumes to bind.",
    ],
    [
      "a claim that waits for a class that makes volumes",
      claim("storageClassName: fast") + storageClass("WaitForFirstConsumer", "disk.example.com"),
      "fits",
    ],
    ["a bound volume here", claim("volumeName: disk-1", "phase: Bound") + volume(here), "fits"],
    [
      "a bound volume elsewhere",
      claim("volumeName: disk-1", "phase: Bound") + volume(elsewhere),
      "1 node(s) had volume node affinity conflict.",
    ],
    [
      "a bound volume that is gone",
      claim("volumeName: disk-2", "phase: Bound") + volume(here),
      'persistentvolume "disk-2" not found.',
    ],
  ])("%s", (_what, more, expected) => {
    expect(reasons({ pod, more: more.trim() })).toBe(expected);
  });

  test("a claim that does not exist is named", () => {
    expect(
      reasons({
        pod,
        more: claim("storageClassName: fast").trim().replace("name: data", "name: other"),
      }),
    ).toBe(notFound);
  });

  test("a volume of another zone is refused only by nodes that have a zone", () => {
    const bound = claim("volumeName: disk-1", "phase: Bound").trim();
    const zoned = `${bound}${volume("volumeMode: Filesystem", "topology.kubernetes.io/zone: west")}`;
    expect(reasons({ pod, more: zoned })).toBe("fits");
    const node = zoned.replace(
      "---",
      `---
apiVersion: v1
kind: Node
metadata: { name: node-a, resourceVersion: "2", labels: { topology.kubernetes.io/zone: east } }
status: { allocatable: { cpu: "1", pods: "5" } }
---`,
    );
    expect(reasons({ pod, more: node })).toBe("1 node(s) had no available volume zone.");
  });

  test("a claim for one pod alone is refused while another uses it", () => {
    const more = `${claim("volumeName: disk-1", "phase: Bound").trim().replace("ReadWriteOnce", "ReadWriteOncePod")}
---
apiVersion: v1
kind: Pod
metadata: { name: user }
spec: { nodeName: node-a, ${pod} }
status: { phase: Running }`;
    expect(reasons({ pod, more })).toBe(
      "1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.",
    );
  });
});
