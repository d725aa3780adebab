import { expect, test } from "vitest";

import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { probes } from "./probes.ts";

const spec = (probe: string, ports = "ports: [{ name: http, containerPort: 8080 }]"): string =>
  `containers: [{ name: main, image: "web:1", ${ports}, ${probe} }]`;
const status = (restarts: number, ready: boolean): string =>
  `phase: Running, containerStatuses: [{ name: main, restartCount: ${restarts}, ready: ${ready}, state: { running: {} } }]`;
const unhealthy = (message: string): string =>
  eventYaml("Pod/web-5d4f8c7b9-abcde", "Unhealthy", message);
const killing = eventYaml(
  "Pod/web-5d4f8c7b9-abcde",
  "Killing",
  "Container main failed liveness probe, will be restarted",
);
const liveness =
  "livenessProbe: { httpGet: { path: /healthz, port: 8080 }, initialDelaySeconds: 5 }";
const readiness = "readinessProbe: { httpGet: { path: /ready, port: 8080 } }";

test.each([
  [
    readiness,
    "Readiness probe failed: HTTP probe failed with statuscode: 404",
    "the path /ready does not exist",
    "configuration",
  ],
  [
    readiness,
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "says that it is not well",
    "dependency",
  ],
  [
    readiness,
    "Readiness probe failed: HTTP probe failed with statuscode: 401",
    "wants credentials",
    "configuration",
  ],
  [
    readiness,
    'Readiness probe failed: Get "http://10.1.1.1:8080/ready": dial tcp 10.1.1.1:8080: connect: connection refused',
    "nothing listens on port 8080",
    "configuration",
  ],
  [
    readiness,
    'Readiness probe failed: Get "http://10.1.1.1:8080/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    "not answered within 1 s",
    "configuration",
  ],
  [
    readiness.replace("8080", "9090"),
    'Readiness probe failed: Get "http://10.1.1.1:9090/ready": dial tcp 10.1.1.1:9090: connect: connection refused',
    "the probe asks port 9090, the container declares 8080",
    "configuration",
  ],
  [
    "readinessProbe: { exec: { command: [cat, /tmp/ok] } }",
    "Readiness probe failed: cat: can't open '/tmp/ok': No such file or directory",
    "/tmp/ok",
    "configuration",
  ],
  [
    readiness,
    'Readiness probe failed: Get "https://10.1.1.1:8080/ready": http: server gave HTTP response to HTTPS client',
    "HTTP and HTTPS",
    "configuration",
  ],
])("%s with %j is explained", (...[probe, message, because, causeKind]) => {
  const pod = podYaml({ spec: spec(probe), status: status(0, false) });
  const finding = findingIn(probes, pod, unhealthy(message));
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind,
    subject: { name: "shop/web/main" },
  });
  expect(finding.title).toContain(because);
});

test("a liveness probe that ends a slow start says how long it waited", () => {
  const pod = podYaml({ spec: spec(liveness), status: status(4, false) });
  const told = unhealthy(
    'Liveness probe failed: Get "http://10.1.1.1:8080/healthz": dial tcp 10.1.1.1:8080: connect: connection refused',
  );
  const finding = findingIn(probes, pod, `${told}${killing}`);
  expect(finding.title).toContain("without a startupProbe it has 25 s to start");
  expect(finding.fixes.map(({ description }) => description).join()).toContain("startupProbe");
});

test("a container that is ready now is well, whatever failed at its start", () => {
  const pod = podYaml({ spec: spec(readiness), status: status(0, true) });
  const told = unhealthy("Readiness probe failed: HTTP probe failed with statuscode: 503");
  expect(findingIn(probes, pod, told).verdict).toBe("holds");
});

test("a container that is ready and was ended by its probe often is not", () => {
  const pod = podYaml({ spec: spec(liveness), status: status(3, true) });
  const told = `${unhealthy("Liveness probe failed: HTTP probe failed with statuscode: 500")}${killing}`;
  expect(findingIn(probes, pod, told).verdict).toBe("violated");
  expect(findingIn(probes.with({ restartCountMin: 4 }), pod, told).verdict).toBe("holds");
});

test("without events a container that is not ready is open", () => {
  const finding = findingIn(probes, podYaml({ spec: spec(readiness), status: status(0, false) }));
  expect(finding.verdict).toBe("inconclusive");
  expect(finding.missing).not.toEqual([]);
});

const manifest = (probe: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec: { template: { spec: { ${spec(probe)} } } }`;

test("a manifest is violated by a name of a port that is none, and open for a port that is not declared", () => {
  const named = findingIn(probes, manifest("readinessProbe: { httpGet: { port: htpp } }"));
  expect(named.verdict).toBe("violated");
  expect(named.title).toContain("it has http");
  expect(findingIn(probes, manifest("readinessProbe: { tcpSocket: { port: 81 } }")).verdict).toBe(
    "inconclusive",
  );
  expect(findingsIn(probes, manifest(readiness))).toEqual([]);
});

test("a running pod settles what its manifest leaves open", () => {
  const probe = "readinessProbe: { tcpSocket: { port: 81 } }";
  const pod = podYaml({ spec: spec(probe), status: status(0, true) });
  expect(findingIn(probes, manifest(probe), pod).verdict).toBe("holds");
});

test("a probe that failed once while the process starts is open, a wrong path is not", () => {
  const pod = podYaml({ spec: spec(readiness), status: status(0, false) });
  const once = (message: string): string => unhealthy(message).replace("count: 5", "count: 1");
  const refused =
    'Readiness probe failed: Get "http://10.1.1.1:8080/ready": dial tcp 10.1.1.1:8080: connect: connection refused';
  expect(findingIn(probes, pod, once(refused)).verdict).toBe("inconclusive");
  expect(findingIn(probes.with({ failureCountMin: 1 }), pod, once(refused)).verdict).toBe(
    "violated",
  );
  expect(
    findingIn(probes, pod, once("Readiness probe failed: HTTP probe failed with statuscode: 404"))
      .verdict,
  ).toBe("violated");
});
