import { describe, expect, test } from "vitest";

import { checkTexts, filterReasons, findingOf } from "../fixtures/check-yaml.ts";

function node(name = "node-a", labels = "zone: a"): string {
  return `apiVersion: v1
kind: Node
metadata: { name: ${name}, labels: { ${labels} } }
status: { allocatable: { cpu: "4", memory: 8Gi, pods: "20" } }`;
}

function pod(name: string, spec: string, { on = "", status = "", meta = "" } = {}): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}${meta === "" ? "" : `, ${meta}`} }
spec: { ${on === "" ? "" : `nodeName: ${on}, `}${spec} }
${on === "" && status === "" ? "" : `status: { phase: ${on === "" ? "Pending" : "Running"}${status === "" ? "" : `, ${status}`} }`}`;
}

function answer(...texts: readonly string[]): string {
  const finding = findingOf(checkTexts(texts.join("\n---\n")), "asking");
  if (finding.verdict === "inconclusive") return `not known: ${finding.missing.join("; ")}`;
  if (finding.verdict === "holds") return `fits ${finding.measures["fittingNodeCount"]}`;
  return filterReasons(finding).replace(/^0\/\d+ nodes are available: /, "");
}

describe("disks that pods name directly", () => {
  const gce = (more = ""): string =>
    `volumes: [{ name: d, gcePersistentDisk: { pdName: one${more} } }]`;
  const rbd = (monitors: string, more = ""): string =>
    `volumes: [{ name: d, rbd: { monitors: [${monitors}], pool: p, image: i${more} } }]`;
  const ebs = "volumes: [{ name: d, awsElasticBlockStore: { volumeID: vol-1, readOnly: true } }]";
  const iscsi = (iqn: string): string => `volumes: [{ name: d, iscsi: { iqn: ${iqn} } }]`;
  const refused = "1 node(s) had no available disk.";

  test.each([
    [gce(), gce(), refused],
    [gce(", readOnly: true"), gce(", readOnly: true"), "fits 1"],
    [gce(", readOnly: true"), gce(), refused],
    [gce(), gce().replace("one", "two"), "fits 1"],
    [ebs, ebs, refused],
    [iscsi("iqn.a"), iscsi("iqn.a"), refused],
    [iscsi("iqn.a"), iscsi("iqn.b"), "fits 1"],
    [rbd("m1, m2"), rbd("m2, m3"), refused],
    [rbd("m1"), rbd("m2"), "fits 1"],
    [rbd("m1", ", readOnly: true"), rbd("m1", ", readOnly: true"), "fits 1"],
    [gce(), ebs, "fits 1"],
  ])("%s where %s is mounted: %s", (wanted, held, expected) => {
    expect(answer(node(), pod("holder", held, { on: "node-a" }), pod("asking", wanted))).toBe(
      expected,
    );
  });
});

const claimed = (...names: string[]): string =>
  `volumes: [${names.map((name) => `{ name: v-${name}, persistentVolumeClaim: { claimName: ${name} } }`).join(", ")}]`;

function claim(name: string, spec: string, { status = "", meta = "" } = {}): string {
  return `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name}${meta === "" ? "" : `, ${meta}`} }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 5Gi } }, ${spec} }
${status === "" ? "" : `status: { phase: ${status} }`}`;
}

function volume(name: string, spec: string): string {
  return `apiVersion: v1
kind: PersistentVolume
metadata: { name: ${name} }
spec: { accessModes: [ReadWriteOnce], capacity: { storage: 10Gi }, ${spec} }`;
}

const csiVolume = (name: string): string =>
  volume(name, `csi: { driver: disk.example.com, volumeHandle: h-${name} }`);
const boundClaim = (name: string): string =>
  claim(name, `volumeName: pv-${name}`, { status: "Bound" });

describe("how many volumes a node takes", () => {
  const csiNode = (count: number): string => `apiVersion: storage.k8s.io/v1
kind: CSINode
metadata: { name: node-a }
spec: { drivers: [{ name: disk.example.com, allocatable: { count: ${count} } }] }`;
  const data = ["a", "b", "c"].flatMap((name) => [csiVolume(`pv-${name}`), boundClaim(name)]);
  const refused = "1 node(s) exceed max volume count.";
  const user = pod("user", claimed("a"), { on: "node-a" });

  test("counts the volumes of the driver that pods on the node use", () => {
    expect(answer(node(), csiNode(2), ...data, user, pod("asking", claimed("b")))).toBe("fits 1");
    expect(answer(node(), csiNode(2), ...data, user, pod("asking", claimed("b", "c")))).toBe(
      refused,
    );
    expect(answer(node(), csiNode(0), ...data, pod("asking", claimed("b")))).toBe(refused);
  });

  test("counts a volume that is attached already once", () => {
    expect(answer(node(), csiNode(1), ...data, user, pod("asking", claimed("a")))).toBe("fits 1");
  });

  test("counts what the cluster has attached, and claims that will get a volume", () => {
    const attachment = `apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: { name: va }
spec: { attacher: disk.example.com, nodeName: node-a, source: { persistentVolumeName: pv-c } }`;
    expect(answer(node(), csiNode(1), ...data, attachment, pod("asking", claimed("b")))).toBe(
      refused,
    );
    const later = claim("later", "storageClassName: fast");
    const fast = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: disk.example.com
volumeBindingMode: WaitForFirstConsumer`;
    expect(
      answer(node(), csiNode(1), fast, later, ...data, user, pod("asking", claimed("later"))),
    ).toBe(refused);
  });

  test("without a CSINode there is no limit, and other drivers have their own", () => {
    expect(answer(node(), ...data, user, pod("asking", claimed("b", "c")))).toBe("fits 1");
    const other = csiNode(0).replace("disk.example.com", "file.example.com");
    expect(answer(node(), other, ...data, pod("asking", claimed("b")))).toBe("fits 1");
  });
});

describe("claims that wait for their pod", () => {
  const waits = (provisioner: string, more = ""): string => `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: local }
provisioner: ${provisioner}
volumeBindingMode: WaitForFirstConsumer
${more}`;
  const local = (name: string, zone: string): string =>
    volume(
      name,
      `storageClassName: local, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: In, values: [${zone}] }] }] } }`,
    );
  const unavailable = "1 node(s) didn't find available persistent volumes to bind.";
  const two = [claim("one", "storageClassName: local"), claim("two", "storageClassName: local")];

  test("two claims need two volumes", () => {
    const manual = waits("kubernetes.io/no-provisioner");
    const asking = pod("asking", claimed("one", "two"));
    expect(answer(node(), manual, ...two, local("v1", "a"), asking)).toBe(unavailable);
    expect(answer(node(), manual, ...two, local("v1", "a"), local("v2", "a"), asking)).toBe(
      "fits 1",
    );
    expect(answer(node(), manual, ...two, local("v1", "a"), local("v2", "b"), asking)).toBe(
      unavailable,
    );
  });

  test("allowed topologies of the class and the node chosen before narrow the nodes", () => {
    const onlyB = waits(
      "disk.example.com",
      "allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: [b] }] }]",
    );
    const asking = pod("asking", claimed("one"));
    expect(answer(node(), onlyB, ...two, asking)).toBe(unavailable);
    expect(answer(node("node-b", "zone: b"), onlyB, ...two, asking)).toBe("fits 1");
    const chosen = claim("one", "storageClassName: local", {
      status: "Pending",
      meta: "annotations: { volume.kubernetes.io/selected-node: elsewhere }",
    });
    expect(answer(node(), waits("disk.example.com"), chosen, asking)).toBe(unavailable);
  });

  test("a driver that reports its capacity must have room", () => {
    const driver = `apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: disk.example.com }
spec: { storageCapacity: true }`;
    const capacity = (amount: string, zone = "a"): string => `apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata: { name: cap }
storageClassName: local
nodeTopology: { matchLabels: { zone: ${zone} } }
capacity: ${amount}`;
    const rest = [node(), waits("disk.example.com"), driver, ...two, pod("asking", claimed("one"))];
    const full = "1 node(s) did not have enough free storage.";
    expect(answer(...rest, capacity("10Gi"))).toBe("fits 1");
    expect(answer(...rest, capacity("1Gi"))).toBe(full);
    expect(answer(...rest, capacity("10Gi", "b"))).toBe(full);
    expect(answer(...rest)).toBe(full);
  });

  test("a claim that names a volume is not bound until both agree", () => {
    const half = claim("one", "volumeName: v1, storageClassName: local", { status: "Pending" });
    expect(answer(node(), half, local("v1", "a"), pod("asking", claimed("one")))).toBe(
      "pod has unbound immediate PersistentVolumeClaims.",
    );
  });

  test("an ephemeral volume uses only the claim that was made for its pod", () => {
    const spec = "volumes: [{ name: tmp, ephemeral: { volumeClaimTemplate: {} } }]";
    const asking = pod("asking", spec, { status: "reason: x", meta: "uid: u1" });
    const owned = (uid: string): string =>
      claim("asking-tmp", "volumeName: pv-x", {
        status: "Bound",
        meta: `ownerReferences: [{ kind: Pod, name: asking, uid: ${uid} }]`,
      });
    expect(answer(node(), csiVolume("pv-x"), owned("u1"), asking)).toBe("fits 1");
    expect(answer(node(), csiVolume("pv-x"), owned("u2"), asking)).toBe(
      "PVC default/asking-tmp was not created for pod default/asking (pod is not owner).",
    );
  });
});

describe("device claims", () => {
  const asking = pod("asking", "resourceClaims: [{ name: gpu, resourceClaimName: gpu-claim }]");
  const deviceClaim = (request: string, status = ""): string => `apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: { name: gpu-claim }
spec: { devices: { requests: [{ name: r, ${request} }] } }
${status === "" ? "" : `status: { ${status} }`}`;
  const want = (more = ""): string =>
    `exactly: { deviceClassName: gpu.example.com${more === "" ? "" : `, ${more}`} }`;
  const deviceClass = (
    expression = 'device.driver == "gpu.example.com"',
  ): string => `apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: { name: gpu.example.com }
spec: { selectors: [{ cel: { expression: '${expression}' } }] }`;
  const slice = (on: string, ...devices: string[]): string => `apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: { name: slice-${on} }
spec: { driver: gpu.example.com, nodeName: ${on}, pool: { name: ${on}, generation: 1 }, devices: [${devices.map((name) => `{ name: ${name} }`).join(", ")}] }`;

  test("an allocated claim holds the pod to the nodes of its allocation", () => {
    const on = (name: string): string =>
      deviceClaim(
        want(),
        `allocation: { nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: metadata.name, operator: In, values: [${name}] }] }] } }`,
      );
    expect(answer(node(), on("node-a"), asking)).toBe("fits 1");
    expect(answer(node(), on("node-b"), asking)).toBe("1 resourceclaim not available on the node.");
  });

  test("a claim that is to be allocated needs free devices of the class's driver", () => {
    const rest = [node(), deviceClass(), asking];
    expect(answer(...rest, deviceClaim(want()), slice("node-a", "d1"))).toBe("fits 1");
    expect(answer(...rest, deviceClaim(want("count: 2")), slice("node-a", "d1"))).toBe(
      "1 cannot allocate all claims.",
    );
    expect(answer(...rest, deviceClaim(want()), slice("node-b", "d1"))).toBe(
      "1 cannot allocate all claims.",
    );
    const held = deviceClaim(
      want(),
      "allocation: { devices: { results: [{ request: r, driver: gpu.example.com, pool: node-a, device: d1 }] } }",
    ).replace("gpu-claim", "other-claim");
    expect(answer(...rest, held, deviceClaim(want()), slice("node-a", "d1"))).toBe(
      "1 cannot allocate all claims.",
    );
  });

  test("an expression that cannot be told is named as what is not known", () => {
    const expression = 'device.attributes["gpu.example.com"].memory > 4';
    expect(
      answer(node(), deviceClass(expression), deviceClaim(want()), slice("node-a", "d1"), asking),
    ).toBe(`not known: whether devices match ${expression}`);
    // Without any device on the node no expression could help.
    expect(
      answer(node(), deviceClass(expression), deviceClaim(want()), slice("node-b", "d1"), asking),
    ).toBe("1 cannot allocate all claims.");
  });

  const device = (name: string, attributes: string, more = ""): string =>
    `{ name: ${name}, attributes: { ${attributes} }${more === "" ? "" : `, ${more}`} }`;
  const slices = (...devices: string[]): string =>
    slice("node-a").replace("devices: []", `devices: [${devices.join(", ")}]`);
  const model = (name: string): string =>
    `selectors: [{ cel: { expression: 'device.attributes["gpu.example.com"].model == "${name}"' } }]`;

  test("expressions over attributes choose among the devices", () => {
    const rest = [node(), deviceClass(), asking];
    const two = slices(device("d1", "model: { string: a }"), device("d2", "model: { string: b }"));
    expect(answer(...rest, two, deviceClaim(want(model("b"))))).toBe("fits 1");
    expect(answer(...rest, two, deviceClaim(want(model("c"))))).toBe(
      "1 cannot allocate all claims.",
    );
    expect(answer(...rest, two, deviceClaim(want(`count: 2, ${model("b")}`)))).toBe(
      "1 cannot allocate all claims.",
    );
  });

  test("of several requests each gets devices of its own", () => {
    const both = (first: string, second: string): string =>
      deviceClaim(want(first)).replace("{ name: r,", `{ name: s, ${want(second)} }, { name: r,`);
    const rest = [node(), deviceClass(), asking];
    const two = slices(device("d1", "model: { string: a }"), device("d2", "model: { string: b }"));
    // The one that takes anything must leave the other what it needs.
    expect(answer(...rest, two, both("count: 1", model("a")))).toBe("fits 1");
    expect(answer(...rest, two, both(model("a"), model("a")))).toBe(
      "1 cannot allocate all claims.",
    );
  });

  test("an alternative is enough, all means every one that matches, and values may have to be shared", () => {
    const rest = [node(), deviceClass(), asking];
    const two = slices(
      device("d1", "model: { string: a }, numa: { int: 0 }"),
      device("d2", "model: { string: b }, numa: { int: 1 }"),
    );
    const either = (one: string, other: string): string =>
      `firstAvailable: [{ name: x, deviceClassName: gpu.example.com, ${one} }, { name: y, deviceClassName: gpu.example.com, ${other} }]`;
    expect(answer(...rest, two, deviceClaim(either(model("c"), model("b"))))).toBe("fits 1");
    expect(answer(...rest, two, deviceClaim(either(model("c"), "count: 3")))).toBe(
      "1 cannot allocate all claims.",
    );
    expect(answer(...rest, two, deviceClaim(want("allocationMode: All")))).toBe("fits 1");
    const held = deviceClaim(
      want(),
      "allocation: { devices: { results: [{ request: r, driver: gpu.example.com, pool: node-a, device: d1 }] } }",
    ).replace("gpu-claim", "other-claim");
    expect(answer(...rest, two, held, deviceClaim(want("allocationMode: All")))).toBe(
      "1 cannot allocate all claims.",
    );
    const alike = (attribute: string): string =>
      deviceClaim(want("count: 2")).replace(
        "}] } }",
        `}], constraints: [{ matchAttribute: gpu.example.com/${attribute} }] } }`,
      );
    expect(answer(...rest, two, alike("numa"))).toBe("1 cannot allocate all claims.");
    const same = slices(device("d1", "numa: { int: 1 }"), device("d2", "numa: { int: 1 }"));
    expect(answer(...rest, same, alike("numa"))).toBe("fits 1");
  });

  test("a tainted device is for requests that tolerate it", () => {
    const rest = [node(), deviceClass(), asking];
    const tainted = slices(
      device("d1", "model: { string: a }", "taints: [{ key: broken, effect: NoExecute }]"),
    );
    expect(answer(...rest, tainted, deviceClaim(want()))).toBe("1 cannot allocate all claims.");
    expect(
      answer(
        ...rest,
        tainted,
        deviceClaim(want("tolerations: [{ key: broken, operator: Exists }]")),
      ),
    ).toBe("fits 1");
    const mild = slices(device("d1", "", "taints: [{ key: old, effect: None }]"));
    expect(answer(...rest, mild, deviceClaim(want()))).toBe("fits 1");
  });

  test("a device class may stand in for a resource that the node has nothing of", () => {
    const named = deviceClass().replace(
      "spec: {",
      "spec: { extendedResourceName: example.com/gpu,",
    );
    const counting = pod(
      "asking",
      'containers: [{ name: main, resources: { limits: { example.com/gpu: "2" } } }]',
    );
    expect(answer(node(), counting, deviceClass(), slice("node-a", "d1", "d2"))).toBe(
      "1 Insufficient example.com/gpu.",
    );
    expect(answer(node(), counting, named, slice("node-a", "d1", "d2"))).toBe("fits 1");
    expect(answer(node(), counting, named, slice("node-a", "d1"))).toBe(
      "1 cannot allocate all claims.",
    );
  });

  test("devices that failed to become ready are on no node, and those that wait may yet be", () => {
    const bound = (conditions: string): string =>
      deviceClaim(
        want(),
        `allocation: { devices: { results: [{ request: r, driver: gpu.example.com, pool: node-a, device: d1, bindingConditions: [up], bindingFailureConditions: [broken] }] } }, devices: [{ driver: gpu.example.com, pool: node-a, device: d1, conditions: [${conditions}] }]`,
      );
    expect(answer(node(), asking, bound('{ type: up, status: "True" }'))).toBe("fits 1");
    expect(answer(node(), asking, bound('{ type: broken, status: "True" }'))).toBe(
      "1 resourceclaim not available on the node.",
    );
    expect(answer(node(), asking, bound(""))).toBe(
      "not known: whether the devices of the claim gpu-claim become ready",
    );
  });

  test("what is missing is named in the scheduler's words", () => {
    const other = deviceClaim(want()).replace("gpu-claim", "other-claim");
    expect(answer(node(), other, asking)).toBe('resourceclaim "gpu-claim" not found.');
    const otherClass = deviceClass().replace("name: gpu.example.com", "name: fpga.example.com");
    expect(answer(node(), otherClass, deviceClaim(want()), asking)).toBe(
      "request r: device class gpu.example.com does not exist.",
    );
    expect(answer(node(), asking)).toBe("not known: the resource claim default/gpu-claim");
    const templated = pod(
      "asking",
      "resourceClaims: [{ name: gpu, resourceClaimTemplateName: t }]",
      {
        status: "reason: x",
      },
    );
    const template = `apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: { name: t }
spec: { spec: { devices: { requests: [{ name: r, ${want()} }] } } }`;
    expect(answer(node(), template, templated)).toBe(
      'pod "default/asking": ResourceClaim not created yet.',
    );
  });
});
