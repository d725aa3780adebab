import { expect, test } from "vitest";

import { findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { memoryLimit } from "./memory-limit.ts";

const limited = (more: string): string =>
  `containers: [{ name: main, image: "web:1", resources: { limits: { memory: 512Mi } }${more} }]`;
const killed =
  "phase: Running, containerStatuses: [{ name: main, restartCount: 3, state: { waiting: { reason: CrashLoopBackOff } }, lastState: { terminated: { exitCode: 137, reason: OOMKilled } } }]";
const running =
  "phase: Running, containerStatuses: [{ name: main, restartCount: 0, ready: true, state: { running: {} } }]";
const usage = (memory: string): string =>
  `NAMESPACE   POD                   NAME   CPU(cores)   MEMORY(bytes)\nshop        web-5d4f8c7b9-abcde   main   12m          ${memory}\n`;

test("a kill is told with the limit that it happened at", () => {
  const finding = findingIn(memoryLimit, podYaml({ spec: limited(""), status: killed }));
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind: "capacity",
    subject: { name: "shop/web/main" },
    measures: { memoryLimitBytes: 536_870_912, restartCount: 3 },
  });
  expect(finding.title).toContain("memory limit of 512Mi");
});

test("a kill without a limit is one of the node", () => {
  const finding = findingIn(
    memoryLimit,
    podYaml({
      spec: 'containers: [{ name: main, image: "web:1", resources: {} }]',
      status: killed,
    }),
  );
  expect(finding.actual).toContain("the node ran out of memory");
});

test.each([
  [', env: [{ name: JAVA_OPTS, value: "-Xms128m -Xmx1g" }]', "-Xmx1g"],
  [", command: [java, -Xmx768m, -jar, app.jar]", "-Xmx768m"],
  [
    ', env: [{ name: NODE_OPTIONS, value: "--max-old-space-size=1024" }]',
    "--max-old-space-size=1024",
  ],
  [", env: [{ name: GOMEMLIMIT, value: 600MiB }]", "GOMEMLIMIT=600MiB"],
])("the heap in %s does not fit the limit, killed or not", (more, setting) => {
  for (const status of [killed, running]) {
    const finding = findingIn(memoryLimit, podYaml({ spec: limited(more), status }));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding.title).toContain(setting);
  }
});

test("a heap as large as the limit is a matter of whether it fills, until it was killed", () => {
  const spec = limited(", command: [java, -Xmx512m, -jar, app.jar]");
  expect(findingIn(memoryLimit, podYaml({ spec, status: running }))).toMatchObject({
    verdict: "inconclusive",
    missing: ["the memory that the container uses at its peak"],
  });
  expect(findingIn(memoryLimit, podYaml({ spec, status: killed }))).toMatchObject({
    verdict: "violated",
    causeKind: "configuration",
  });
});

test("a heap with room holds", () => {
  const spec = limited(', env: [{ name: JAVA_OPTS, value: "-Xmx384m" }]');
  expect(findingIn(memoryLimit, podYaml({ spec, status: running })).verdict).toBe("holds");
});

test("measured usage is compared with the limit, and its absence is said", () => {
  const pod = podYaml({ spec: limited(""), status: running });
  expect(findingIn(memoryLimit, pod, usage("500Mi"))).toMatchObject({
    verdict: "inconclusive",
    measures: { memoryUsageBytes: 524_288_000 },
  });
  expect(findingIn(memoryLimit, pod, usage("100Mi")).verdict).toBe("holds");
  expect(findingIn(memoryLimit, pod).actual).toContain("its usage is not in the evidence");
});

test("an eviction for memory names what the container used", () => {
  const message =
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 900Mi, request is 64Mi, has larger consumption of memory. ";
  const finding = findingIn(
    memoryLimit,
    podYaml({ status: `phase: Failed, reason: Evicted, message: "${message}"` }),
  );
  expect(finding.title).toContain("container main was using 900Mi with a request of 64Mi");
});

test("a request above the limit is refused, a container without limits is no fault", () => {
  const manifest = (resources: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { containers: [{ name: main, image: a, resources: ${resources} }] }`;
  expect(
    findingIn(memoryLimit, manifest("{ requests: { memory: 2Gi }, limits: { memory: 1Gi } }"))
      .title,
  ).toContain("requests more memory (2Gi) than its limit allows (1Gi)");
  expect(findingsIn(memoryLimit, manifest("{}"))).toEqual([]);
});
