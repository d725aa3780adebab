import { describe, expect, test } from "vitest";

import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { imagePulls } from "./image-pulls.ts";
import { parseImage } from "./image-reference.ts";

const pod = "Pod/web-5d4f8c7b9-abcde";
const waiting = podYaml({
  spec: 'imagePullSecrets: [{ name: registry-key }], containers: [{ name: main, image: "registry.example.com/team/web:1.2" }]',
  status:
    "phase: Pending, containerStatuses: [{ name: main, image: registry.example.com/team/web:1.2, state: { waiting: { reason: ImagePullBackOff, message: 'Back-off pulling image' } } }]",
});
const failed = (words: string): string =>
  eventYaml(pod, "Failed", `Failed to pull image "registry.example.com/team/web:1.2": ${words}`);

describe("the words of the registry tell the cause", () => {
  test.each([
    [
      'rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference "registry.example.com/team/web:1.2": registry.example.com/team/web:1.2: not found',
      "does not exist in its registry",
      "configuration",
    ],
    [
      "manifest for registry.example.com/team/web:1.2 not found: manifest unknown",
      "does not exist in its registry",
      "configuration",
    ],
    [
      "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
      "the repository does not exist, or it is private",
      "configuration",
    ],
    [
      "unexpected status from HEAD request: 401 Unauthorized",
      "refuses the credentials",
      "configuration",
    ],
    ["toomanyrequests: You have reached your pull rate limit", "pull rate limit", "capacity"],
    [
      'failed to do request: Head "https://registry.example.com/v2/": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host',
      "host name registry.example.com",
      "configuration",
    ],
    [
      "failed to do request: dial tcp 10.1.1.1:443: i/o timeout",
      "cannot be reached from the node",
      "dependency",
    ],
    [
      "x509: certificate signed by unknown authority",
      "does not accept the certificate",
      "configuration",
    ],
    [
      "no match for platform in manifest: not found",
      "for the platform of the node",
      "configuration",
    ],
  ])("%s", (words, because, causeKind) => {
    const finding = findingIn(imagePulls, waiting, failed(words));
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind,
      subject: { kind: "container", name: "shop/web/main" },
    });
    expect(finding.title).toContain(because);
    expect(finding.fixes).not.toEqual([]);
  });
});

test("without the registry's words the verdict stands and the cause is missing", () => {
  const finding = findingIn(imagePulls, waiting);
  expect(finding).toMatchObject({ verdict: "violated", causeKind: "none" });
  expect(finding.missing).not.toEqual([]);
});

test("a pull secret that the kubelet did not find is named", () => {
  const told = eventYaml(
    pod,
    "FailedToRetrieveImagePullSecret",
    "Unable to retrieve some image pull secrets (registry-key); attempting to pull the image may not succeed.",
  );
  const finding = findingIn(imagePulls, waiting, `${failed("401 Unauthorized")}${told}`);
  expect(finding.title).toContain("the pull secret registry-key does not exist in its namespace");
  expect(finding.fixes[0]?.description).toContain("registry-key");
});

test("a container that was started holds, one that is being made says nothing", () => {
  const started = podYaml({
    status: "phase: Running, containerStatuses: [{ name: main, state: { running: {} } }]",
  });
  expect(findingIn(imagePulls, started).verdict).toBe("holds");
  const creating = podYaml({
    status:
      "phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: ContainerCreating } } }]",
  });
  expect(findingsIn(imagePulls, creating)).toEqual([]);
});

test("a manifest is refused only where no runtime can parse its reference", () => {
  const manifest = (image: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { template: { spec: { containers: [{ name: main, image: ${JSON.stringify(image)} }] } } }`;
  expect(findingIn(imagePulls, manifest("Nginx:latest")).title).toContain("upper-case");
  expect(findingsIn(imagePulls, manifest("nginx:latest"))).toEqual([]);
  expect(findingsIn(imagePulls, manifest("{{ .Values.image }}"))).toEqual([]);
});

test.each([
  ["nginx", { registry: "docker.io", repository: "nginx" }],
  ["localhost:5000/a/b:1.0", { registry: "localhost:5000", repository: "a/b", tag: "1.0" }],
  [
    "ghcr.io/o/r@sha256:0123456789012345678901234567890123456789012345678901234567890123",
    { registry: "ghcr.io", repository: "o/r" },
  ],
  ["a__b/c.d-e:v1_2", { repository: "a__b/c.d-e", tag: "v1_2" }],
])("%s is a reference", (text, parts) => {
  expect(parseImage(text)).toMatchObject(parts);
});

test.each([
  "",
  "nginx:",
  "nginx:1:2",
  "nginx :1",
  "https://ghcr.io/a:1",
  "a//b",
  "nginx@sha256:12",
  "nginx:la test",
  "-a",
  "a@b@c",
])("%j is none", (text) => {
  expect(parseImage(text)).toHaveProperty("fault");
});
