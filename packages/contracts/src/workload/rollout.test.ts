import { expect, test } from "vitest";

import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { rollout } from "./rollout.ts";

const deployment = (status: string, spec = "replicas: 2"): string =>
  `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { ${spec} }\nstatus: { observedGeneration: 1, ${status} }\n`;
const late =
  'conditions: [{ type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: "ReplicaSet web has timed out progressing." }]';
const pulling = podYaml({
  status:
    "phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: ImagePullBackOff } } }]",
});

test("a deployment past its deadline says what its pods say", () => {
  const finding = findingIn(rollout, deployment(late), pulling);
  expect(finding).toMatchObject({
    verdict: "violated",
    subject: { kind: "deployment", name: "shop/web" },
  });
  expect(finding.title).toContain("container main is in ImagePullBackOff");
  expect(findingIn(rollout, deployment(late)).missing).not.toEqual([]);
});

test("wanted and ready are compared; without a pod that tells why it is open", () => {
  expect(findingIn(rollout, deployment("availableReplicas: 2")).verdict).toBe("holds");
  expect(findingIn(rollout, deployment("availableReplicas: 1")).verdict).toBe("inconclusive");
  expect(findingIn(rollout, deployment("availableReplicas: 1"), pulling).verdict).toBe("violated");
  expect(findingIn(rollout, deployment("replicas: 2")).measures["readyCount"]).toBe(0);
});

test("a young workload in a table is still rolling out", () => {
  const table = (age: string): string =>
    `NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/2     2            0           ${age}\n`;
  expect(findingsIn(rollout, table("14s"))).toEqual([]);
  expect(findingIn(rollout, table("3h")).verdict).toBe("inconclusive");
  expect(findingsIn(rollout.with({ settleSecondsMax: 20_000 }), table("3h"))).toEqual([]);
});

test("a paused deployment with old pods is open", () => {
  expect(
    findingIn(
      rollout,
      deployment("updatedReplicas: 0, availableReplicas: 2", "replicas: 2, paused: true"),
    ).title,
  ).toContain("is paused");
});

test("a selector that its template does not match and a strategy that cannot move are refused", () => {
  const mismatch =
    "selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: webb } }, spec: {} }";
  const manifest = (spec: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { ${spec} }`;
  expect(findingIn(rollout, manifest(mismatch)).title).toContain(
    "app is webb in the template, not web",
  );
  expect(findingsIn(rollout, manifest(mismatch.replace("webb", "web")))).toEqual([]);
  expect(
    findingIn(rollout, manifest("strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0% } }"))
      .title,
  ).toContain("both 0");
});

test.each([
  [
    'pods "web-x" is forbidden: exceeded quota: team, requested: cpu=2, used: cpu=3, limited: cpu=4',
    "exceed the quota team",
    "capacity",
  ],
  [
    'pods "web-x" is forbidden: failed quota: team: must specify limits.cpu for: main',
    "values that they do not set",
    "configuration",
  ],
  [
    'Pod "web-x" is invalid: spec.containers[0].image: Required value',
    "Required value",
    "configuration",
  ],
])("a maker that is refused: %s", (message, words, causeKind) => {
  const finding = findingIn(
    rollout,
    eventYaml("ReplicaSet/web-5d4f8c7b9", "FailedCreate", `Error creating: ${message}`),
  );
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind,
    subject: { kind: "deployment", name: "shop/web" },
  });
  expect(finding.title).toContain(words);
});

const cronJob = (spec: string): string =>
  `apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: nightly, namespace: shop }\nspec: { ${spec} }`;

test.each([
  ['schedule: "0 25 * * *"', "its hour 25 is none"],
  ['schedule: "0 1 * *"', "it has 4 fields, not 5"],
  ['schedule: "*/0 * * * *"', "its minute */0 is none"],
  ['schedule: "0 1 * * *", startingDeadlineSeconds: 5', "startingDeadlineSeconds is 5"],
])("a cron job with %s cannot start", (spec, words) => {
  expect(findingIn(rollout, cronJob(spec)).title).toContain(words);
});

test.each([
  "0 1 * * *",
  "*/5 0-6,22 1,15 JAN-MAR MON-FRI",
  "@daily",
  "CRON_TZ=Europe/Berlin 30 4 * * 7",
  "@every 1h30m",
])("the schedule %s can be read", (schedule) => {
  expect(findingsIn(rollout, cronJob(`schedule: "${schedule}"`))).toEqual([]);
});

test("a workload that is looked for in the wrong namespace is found by its manifest, unless it runs", () => {
  const asked =
    '{"tool_name":"kubectl_get_by_name","match_params":{"kind":"deployment","name":"web"}}\n{"invocation": "kubectl get deployment web -n shopp"}\nError from server (NotFound): deployments.apps "web" not found\n';
  const manifest =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: {}";
  expect(findingIn(rollout, asked, manifest).title).toContain(
    "not in namespace shopp, where it was looked for: it belongs to namespace shop",
  );
  const running = podYaml({
    status: "phase: Running, containerStatuses: [{ name: main, state: { running: {} } }]",
  });
  expect(findingsIn(rollout, asked, manifest, running)).toEqual([]);
});

test("a request above its limit is refused", () => {
  const pod = (limit: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { containers: [{ name: main, image: a, resources: { requests: { cpu: 500m }, limits: { cpu: ${limit} } } }] }`;
  expect(findingIn(rollout, pod("100m")).title).toContain(
    "requests cpu 500m, and its limit is 100m",
  );
  expect(findingsIn(rollout, pod("0.5"))).toEqual([]);
});

test("a variable that is set twice to different values contradicts itself", () => {
  const pod = (env: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { containers: [{ name: main, image: a, env: [${env}] }] }`;
  expect(
    findingIn(rollout, pod('{ name: PORT, value: "1" }, { name: PORT, value: "2" }')).title,
  ).toContain("sets PORT 2 times (1, 2), and the last counts");
  const same = '{ name: PORT, value: "1" }, { name: PORT, value: "1" }';
  expect(findingsIn(rollout, pod(same))).toEqual([]);
  const extended = '{ name: PATH, value: /bin }, { name: PATH, value: "$(PATH):/opt/bin" }';
  expect(findingsIn(rollout, pod(extended))).toEqual([]);
});

test("a restart policy that the kind does not take is refused", () => {
  const maker = (kind: string, policy: string): string =>
    `apiVersion: batch/v1\nkind: ${kind}\nmetadata: { name: a, namespace: shop }\nspec: { template: { spec: { ${policy} containers: [{ name: main, image: a }] } } }`;
  expect(findingIn(rollout, maker("Job", "restartPolicy: Always,")).title).toContain(
    "its pods have restartPolicy Always, and a Job takes OnFailure or Never",
  );
  expect(findingIn(rollout, maker("Deployment", "restartPolicy: Never,")).verdict).toBe("violated");
  expect(findingsIn(rollout, maker("Job", "restartPolicy: Never,"))).toEqual([]);
  expect(findingsIn(rollout, maker("Job", ""))).toEqual([]);
  expect(findingsIn(rollout, maker("Deployment", "restartPolicy: Always,"))).toEqual([]);
});

test("a container that must not run as root and is told to cannot start", () => {
  const pod = (own: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { securityContext: { runAsNonRoot: true, runAsUser: 0 }, containers: [{ name: main, image: a, securityContext: { ${own} } }] }`;
  expect(findingIn(rollout, pod("")).title).toContain("runAsNonRoot: true and runAsUser: 0");
  expect(findingsIn(rollout, pod("runAsUser: 1000"))).toEqual([]);
  expect(findingsIn(rollout, pod("runAsNonRoot: false"))).toEqual([]);
});

test("a refusal is past once the maker has its pods", () => {
  const refused = eventYaml(
    "ReplicaSet/web-5d4f8c7b9",
    "FailedCreate",
    "Error creating: exceeded quota: team",
  );
  const set = (replicas: number): string =>
    `apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: { name: web-5d4f8c7b9, namespace: shop, labels: { pod-template-hash: 5d4f8c7b9 } }\nspec: { replicas: 2 }\nstatus: { replicas: ${replicas} }`;
  expect(findingIn(rollout, refused, set(1)).verdict).toBe("violated");
  expect(findingsIn(rollout, refused, set(2))).toEqual([]);
});
