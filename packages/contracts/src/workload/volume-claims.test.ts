import { expect, test } from "vitest";

import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { volumeClaims } from "./volume-claims.ts";

const claim = (spec: string, phase = "Pending"): string =>
  `---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data, namespace: shop }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 5Gi } }, ${spec} }\nstatus: { phase: ${phase} }\n`;
const storageClass = (name: string, more = ""): string =>
  `---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: { name: ${name} }\nprovisioner: ebs.csi.aws.com\n${more}\n`;
const told = (reason: string, message: string, about = "PersistentVolumeClaim/data"): string =>
  eventYaml(about, reason, message);

test("a class that does not exist is named with the nearest one", () => {
  const event = told("ProvisioningFailed", 'storageclass.storage.k8s.io "standrad" not found');
  const finding = findingIn(
    volumeClaims,
    claim("storageClassName: standrad"),
    `${storageClass("standard")}${event}`,
  );
  expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
  expect(finding.title).toContain('storage class "standrad" does not exist; standard does');
});

test("the classes of the evidence settle it without an event", () => {
  const finding = findingIn(volumeClaims, claim("storageClassName: fast"), storageClass("slow"));
  expect(finding.title).toContain('"fast" does not exist');
});

test.each([
  [
    "FailedBinding",
    "no persistent volumes available for this claim and no storage class is set",
    "no default one",
    "configuration",
  ],
  [
    "ProvisioningFailed",
    'failed to provision volume with StorageClass "standard": rpc error: code = ResourceExhausted desc = volume limit exceeded',
    "volume limit exceeded",
    "capacity",
  ],
])("%s is explained", (...[reason, message, words, causeKind]) => {
  const finding = findingIn(volumeClaims, claim(""), told(reason, message));
  expect(finding).toMatchObject({ verdict: "violated", causeKind });
  expect(finding.title).toContain(words);
});

test("a claim that waits for its first pod holds", () => {
  const waits = told(
    "WaitForFirstConsumer",
    "waiting for first consumer to be created before binding",
  );
  expect(findingIn(volumeClaims, claim("storageClassName: standard"), waits).verdict).toBe("holds");
  const mode = storageClass("standard", "volumeBindingMode: WaitForFirstConsumer");
  expect(findingIn(volumeClaims, claim("storageClassName: standard"), mode).verdict).toBe("holds");
});

test("a provisioner that does not answer is accused after some time only", () => {
  const waiting = (count: number): string =>
    told(
      "ExternalProvisioning",
      "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator.",
    ).replace("count: 5", `count: ${count}`);
  expect(findingIn(volumeClaims, claim("storageClassName: standard"), waiting(30)).title).toContain(
    "ebs.csi.aws.com, which does not answer",
  );
  expect(findingIn(volumeClaims, claim("storageClassName: standard"), waiting(2)).verdict).toBe(
    "inconclusive",
  );
});

test("where no class makes volumes, the nearest volume and its difference are named", () => {
  const volume = `---\napiVersion: v1\nkind: PersistentVolume\nmetadata: { name: disk-1 }\nspec: { capacity: { storage: 1Gi }, accessModes: [ReadWriteOnce], storageClassName: manual }\nstatus: { phase: Available }\n`;
  const manual = storageClass("manual").replace("ebs.csi.aws.com", "kubernetes.io/no-provisioner");
  const finding = findingIn(volumeClaims, claim("storageClassName: manual"), `${manual}${volume}`);
  expect(finding.title).toContain("disk-1, does not fit");
  const fits = volume.replace("1Gi", "10Gi");
  expect(
    findingIn(volumeClaims, claim("storageClassName: manual"), `${manual}${fits}`).verdict,
  ).toBe("inconclusive");
});

test("bound holds, lost does not, and a bound claim that cannot grow does not", () => {
  expect(findingIn(volumeClaims, claim("volumeName: v", "Bound")).verdict).toBe("holds");
  expect(findingIn(volumeClaims, claim("volumeName: v", "Lost")).title).toContain("v is gone");
  const small = claim(
    "storageClassName: standard, volumeName: v",
    "Bound, capacity: { storage: 1Gi }",
  );
  expect(findingIn(volumeClaims, small, storageClass("standard")).title).toContain("cannot grow");
  expect(
    findingIn(volumeClaims, small, storageClass("standard", "allowVolumeExpansion: true")).verdict,
  ).toBe("holds");
});

const creating = podYaml({
  status:
    "phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: ContainerCreating } } }]",
});

test.each([
  [
    "FailedAttachVolume",
    'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-old',
    "still attached to another node, used by web-old",
  ],
  [
    "FailedMount",
    'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name nfs.csi.k8s.io not found in the list of registered CSI drivers',
    "the CSI driver nfs.csi.k8s.io does not run",
  ],
  [
    "FailedMount",
    'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /srv/x is not a directory',
    "the hostPath /srv/x is not directory",
  ],
])("%s is explained", (reason, message, words) => {
  const finding = findingIn(
    volumeClaims,
    creating,
    told(reason, message, "Pod/web-5d4f8c7b9-abcde"),
  );
  expect(finding).toMatchObject({ verdict: "violated", subject: { name: "shop/web" } });
  expect(finding.title).toContain(words);
});

test("a mount that failed before the pod started is past, a missing secret is another contract's", () => {
  const running = podYaml({
    status: "phase: Running, containerStatuses: [{ name: main, state: { running: {} } }]",
  });
  const failed = told(
    "FailedMount",
    "Unable to attach or mount volumes: timed out",
    "Pod/web-5d4f8c7b9-abcde",
  );
  expect(findingsIn(volumeClaims, running, failed)).toEqual([]);
  const secret = told(
    "FailedMount",
    'MountVolume.SetUp failed for volume "s" : secret "s" not found',
    "Pod/web-5d4f8c7b9-abcde",
  );
  expect(findingsIn(volumeClaims, creating, secret)).toEqual([]);
});
