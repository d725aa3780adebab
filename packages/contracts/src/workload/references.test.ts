import { expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { references } from "./references.ts";

const pod = "Pod/web-5d4f8c7b9-abcde";
const waits = (message: string): string =>
  podYaml({
    spec: "containers: [{ name: main, image: a }], volumes: [{ name: conf, configMap: { name: settings } }]",
    status: `phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: CreateContainerConfigError, message: '${message}' } } }]`,
  });
const creating = waits("").replace("CreateContainerConfigError", "ContainerCreating");
const configMap = (name: string, data: string, namespace = "shop"): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ${namespace} }\ndata: { ${data} }\n`;

test("a manifest of a secret without keys is a place for them, and lacks none", () => {
  const web =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { template: { spec: { containers: [{ name: main, image: a, env: [{ name: A, valueFrom: { secretKeyRef: { name: keys, key: a } } }] }] } } }\n";
  const secret = (data: string): string =>
    `---\napiVersion: v1\nkind: Secret\nmetadata: { name: keys, namespace: shop }\ndata: { ${data} }\n`;
  const verdictOf = (data: string): string => findingIn(references, web + secret(data)).verdict;
  expect([verdictOf(""), verdictOf("b: eA==")]).toEqual(["holds", "violated"]);
});

test.each([
  ['configmap "web-settings" not found', "ConfigMap web-settings does not exist in namespace shop"],
  ['secret "db" not found', "Secret db does not exist in namespace shop"],
  ["couldn''t find key PASSWORD in Secret shop/db", "Secret db has no key PASSWORD"],
])("a pod that waits says what is missing: %s", (message, words) => {
  const finding = findingIn(references, waits(message));
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind: "configuration",
    subject: { kind: "deployment", name: "shop/web" },
  });
  expect(finding.title).toContain(words);
});

test("the nearest name and the nearest key are named", () => {
  const name = findingIn(
    references,
    waits('configmap "web-setings" not found'),
    configMap("web-settings", "a: b"),
  );
  expect(name.title).toContain("there is web-settings");
  expect(name.fixes[0]?.description).toContain("Change the name web-setings to web-settings");
  const key = findingIn(
    references,
    waits("couldn''t find key db_host in ConfigMap shop/web"),
    configMap("web", "DB_HOST: x"),
  );
  expect(key.title).toContain("it has DB_HOST");
});

test("a name that manifests almost declare is a slip, unless something else names what they declare", () => {
  const web = (name: string, map: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name}, namespace: shop }\nspec: { template: { spec: { containers: [{ name: main, envFrom: [{ configMapRef: { name: ${map} } }] }] } } }`;
  const settings = configMap("web-settings", "a: b");
  const about = (...texts: string[]): Finding | undefined =>
    findingsIn(references, ...texts).find(({ subject }) => subject.name === "shop/web");
  expect(about(web("web", "web-setings"), settings)).toMatchObject({ verdict: "violated" });
  const other = web("other", "web-settings");
  expect(about(web("web", "web-setings"), other, settings)?.verdict).toBe("inconclusive");
  expect(about(web("web", "web-settings-2"), settings)?.verdict).toBe("inconclusive");
});

test("a mount that fails for a missing key of a volume names its object", () => {
  const told = eventYaml(
    pod,
    "FailedMount",
    'MountVolume.SetUp failed for volume "conf" : configmap references non-existent config key: app.yaml',
  );
  expect(findingIn(references, creating, told).title).toContain(
    "ConfigMap settings has no key app.yaml",
  );
});

test("an object of that name in another namespace is pointed at", () => {
  const finding = findingIn(
    references,
    waits('configmap "web" not found'),
    configMap("web", "a: b", "other"),
  );
  expect(finding.title).toContain("one of that name in namespace other");
});

test("a maker that was refused is accused until it succeeds", () => {
  const refused = eventYaml(
    "Job/import",
    "FailedCreate",
    'Error creating: pods "import-" is forbidden: error looking up service account shop/importer: serviceaccount "importer" not found',
  );
  const finding = findingIn(references, refused);
  expect(finding.title).toContain("ServiceAccount importer does not exist in namespace shop");
  const made = eventYaml("Job/import", "SuccessfulCreate", "Created pod: import-x").replace(
    "10:00:00",
    "10:05:00",
  );
  expect(findingsIn(references, `${refused}${made}`)).toEqual([]);
});

const manifest = (spec: string): string =>
  `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { template: { spec: { ${spec} } } }\n`;
const reads = (key: string, more = ""): string =>
  `containers: [{ name: main, image: a, env: [{ name: A, valueFrom: { configMapKeyRef: { name: web, key: ${key}${more} } } }] }]`;

test("a manifest holds with what it names, is violated by a key that is none, and open for what is not there", () => {
  expect(findingIn(references, manifest(reads("A")), configMap("web", "A: b")).verdict).toBe(
    "holds",
  );
  expect(findingIn(references, manifest(reads("a-key")), configMap("web", "A: b"))).toMatchObject({
    verdict: "violated",
  });
  const open = findingIn(references, manifest(reads("A")));
  expect(open.verdict).toBe("inconclusive");
  expect(open.missing).toEqual(["ConfigMap web of namespace shop"]);
});

test("the list of a whole namespace settles that an object is missing", () => {
  const list =
    "NAME               DATA   AGE\nkube-root-ca.crt   1      5d\nwebb               2      1d\n";
  const command = `{"tool_name":"kubectl_get_by_kind_in_namespace"}\n{"invocation": "kubectl get configmap -n shop"}\n${list}`;
  const finding = findingIn(references, manifest(reads("A")), command);
  expect(finding.verdict).toBe("violated");
  expect(finding.title).toContain("webb");
});

test("what is optional, built in or unused is not asked for", () => {
  expect(findingsIn(references, manifest(reads("A", ", optional: true")))).toEqual([]);
  expect(findingsIn(references, manifest("serviceAccountName: default, containers: []"))).toEqual(
    [],
  );
  expect(
    findingsIn(
      references,
      manifest(reads("A")).replace("spec: { template", "spec: { replicas: 0, template"),
    ),
  ).toEqual([]);
});

test("a volume that is mounted and not defined is refused", () => {
  const finding = findingIn(
    references,
    manifest(
      "containers: [{ name: main, image: a, volumeMounts: [{ name: data, mountPath: /d }] }]",
    ),
  );
  expect(finding.title).toContain("mounts volume data, which spec.volumes does not define");
  const claims = manifest(
    "containers: [{ name: main, image: a, volumeMounts: [{ name: data, mountPath: /d }] }]",
  )
    .replace("kind: Deployment", "kind: StatefulSet")
    .replace(
      "spec: { template",
      "spec: { volumeClaimTemplates: [{ metadata: { name: data } }], template",
    );
  expect(findingsIn(references, claims)).toEqual([]);
});
