import { expect, test } from "vitest";

import { containerStaysUp } from "./container-stays-up.ts";
import {
  eventYaml,
  findingIn,
  findingsIn,
  podYaml,
  snapshotOfTexts,
} from "./fixtures/check-texts.ts";

const crashed = (code: number, more = ""): string =>
  podYaml({
    status: `phase: Running, containerStatuses: [{ name: main, restartCount: 4, ready: false, state: { waiting: { reason: CrashLoopBackOff } }, lastState: { terminated: { exitCode: ${code}, reason: Error${more} } } }]`,
  });
const running = podYaml({
  status:
    "phase: Running, containerStatuses: [{ name: main, restartCount: 0, ready: true, state: { running: {} } }]",
});

function logOf(
  lines: readonly string[],
  command = "kubectl logs web-5d4f8c7b9-abcde -n shop",
): string {
  return `{"toolset_name":"kubernetes/logs","tool_name":"fetch_pod_logs","match_params":{"pod_name":"web-5d4f8c7b9-abcde","namespace":"shop"}}\n{"schema_version":"v1","status":"success","invocation":"${command}","params":{"pod_name":"web-5d4f8c7b9-abcde","namespace":"shop"}}\n${lines.join("\n")}\n`;
}

test.each([
  [
    "Environment variable API_KEY is required",
    "the environment variable API_KEY is not set",
    "configuration",
  ],
  ["KeyError: 'DATABASE_URL'", "the environment variable DATABASE_URL is not set", "configuration"],
  [
    "dial tcp: lookup orders on 10.96.0.10:53: no such host",
    "the host name orders could not be resolved",
    "dependency",
  ],
  ["Error: connect ECONNREFUSED 10.1.2.3:6379", "10.1.2.3:6379 (connection refused)", "dependency"],
  [
    'FATAL: password authentication failed for user "app"',
    "the credentials of user app are refused",
    "configuration",
  ],
  ["Error: listen EADDRINUSE: address already in use :::3000", "the port 3000", "configuration"],
  ["Error: Cannot find module '/app/server.js'", "/app/server.js", "configuration"],
  ["exec /entrypoint.sh: exec format error", "another processor architecture", "configuration"],
  [
    'nginx: [emerg] unknown directive "serverr" in /etc/nginx/nginx.conf:12',
    'unknown directive "serverr"',
    "configuration",
  ],
  ['/bin/sh: syntax error: unexpected "fi"', "syntax error", "configuration"],
  ["java.lang.OutOfMemoryError: Java heap space", "Java heap space", "capacity"],
  ["mkdir: cannot create directory '/data/x': Read-only file system", "/data/x", "configuration"],
  ['ERROR: relation "users" does not exist', "its schema is behind", "data"],
])("the log line %j explains a crash loop", (line, because, causeKind) => {
  const finding = findingIn(containerStaysUp, crashed(1), logOf(["starting", line]));
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind,
    subject: { kind: "container", name: "shop/web/main" },
  });
  expect(finding.title).toContain(because);
  expect(finding.evidence.some(({ quote }) => quote === line)).toBe(true);
});

test("the surest line wins over a general error that follows it", () => {
  const finding = findingIn(
    containerStaysUp,
    crashed(1),
    logOf(["KeyError: 'TOKEN'", "ERROR worker stopped", "fatal: shutting down"]),
  );
  expect(finding.title).toContain("TOKEN is not set");
});

test.each([
  [0, "completes (exit code 0)", "configuration"],
  [126, "may not be executed", "configuration"],
  [127, "was not found in the image", "configuration"],
  [139, "signal 11 (SIGSEGV)", "none"],
  [143, "signal 15 (SIGTERM)", "none"],
])("exit code %i is put into words where no log explains it", (code, words, causeKind) => {
  const finding = findingIn(containerStaysUp, crashed(code));
  expect(finding).toMatchObject({ verdict: "violated", causeKind, measures: { exitCode: code } });
  expect(`${finding.title} ${finding.actual}`).toContain(words);
  expect(finding.nextChecks.join()).toContain("--previous");
});

test("the termination message explains as a log does", () => {
  const finding = findingIn(
    containerStaysUp,
    crashed(2, ', message: "panic: required env var \\"PORT_NAME\\" not set"'),
  );
  expect(finding.title).toContain("PORT_NAME is not set");
});

test("a container that cannot be started is named with the runtime's reason", () => {
  const status = `phase: Pending, containerStatuses: [{ name: main, restartCount: 3, state: { waiting: { reason: RunContainerError, message: 'exec: "wge": executable file not found in $PATH: unknown' } } }]`;
  const finding = findingIn(containerStaysUp, podYaml({ status }));
  expect(finding.title).toContain("its command wge does not exist in the image");
  expect(finding.title).toContain("wget may be meant");
});

test("an image that runs as root under runAsNonRoot is a fault of the settings", () => {
  const status = `phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: CreateContainerConfigError, message: "container has runAsNonRoot and image will run as root (pod: \\"web\\")" } } }]`;
  expect(findingIn(containerStaysUp, podYaml({ status })).title).toContain(
    "the image runs as root",
  );
});

test("what other contracts explain is left to them", () => {
  const waiting = (reason: string, message = ""): string =>
    podYaml({
      status: `phase: Pending, containerStatuses: [{ name: main, state: { waiting: { reason: ${reason}, message: '${message}' } } }]`,
    });
  expect(findingsIn(containerStaysUp, waiting("ImagePullBackOff"))).toEqual([]);
  expect(findingsIn(containerStaysUp, waiting("ContainerCreating"))).toEqual([]);
  expect(
    findingsIn(containerStaysUp, waiting("CreateContainerConfigError", 'configmap "x" not found')),
  ).toEqual([]);
  expect(
    findingsIn(
      containerStaysUp,
      crashed(137),
      eventYaml(
        "Pod/web-5d4f8c7b9-abcde",
        "Killing",
        "Container main failed liveness probe, will be restarted",
      ),
    ),
  ).toEqual([]);
});

test("a running container holds; after many restarts it is not held to be well", () => {
  expect(findingIn(containerStaysUp, running).verdict).toBe("holds");
  const restarted = podYaml({
    status:
      "phase: Running, containerStatuses: [{ name: main, restartCount: 9, ready: true, state: { running: {} }, lastState: { terminated: { exitCode: 1, reason: Error } } }]",
  });
  expect(findingIn(containerStaysUp, restarted).verdict).toBe("inconclusive");
  const patient = containerStaysUp.with({ restartCountMin: 10 });
  expect(findingIn(patient, restarted).verdict).toBe("holds");
});

const refused = "ERROR could not connect to redis:6379: connection refused";

test("a running container whose log ends with one failed connection again and again does not get on", () => {
  const finding = findingIn(containerStaysUp, running, logOf([refused, refused, refused]));
  expect(finding).toMatchObject({ verdict: "violated", causeKind: "dependency" });
  expect(finding.title).toContain("redis:6379");
});

test("a running container that complained at its start and went on is not accused", () => {
  const started = logOf([refused, refused, "INFO connected", "INFO ready"]);
  expect(findingIn(containerStaysUp, running, started).verdict).toBe("holds");
  const longer = logOf([refused, refused, refused, "INFO connected"]);
  expect(findingIn(containerStaysUp, running, longer).verdict).toBe("inconclusive");
});

test("a log without any object counts only when it is of a container that ended, or never gets on", () => {
  expect(findingsIn(containerStaysUp, logOf(["KeyError: 'TOKEN'"]))).toEqual([]);
  expect(findingIn(containerStaysUp, logOf([refused, refused, refused])).verdict).toBe("violated");
});

test("a table alone shows a crash loop and no cause", () => {
  const table =
    "NAMESPACE   NAME                  READY   STATUS             RESTARTS      AGE\nshop        web-5d4f8c7b9-abcde   0/1     CrashLoopBackOff   7 (2m ago)    1h\nshop        api-0                 1/1     Running            0             1h\n";
  const findings = findingsIn(containerStaysUp, table);
  expect(findings.map(({ verdict }) => verdict).sort()).toEqual(["holds", "violated"]);
  expect(findings.find(({ verdict }) => verdict === "violated")).toMatchObject({
    causeKind: "none",
    measures: { restartCount: 7 },
  });
});

test("a job that ran too long names its deadline, one that failed its limit", () => {
  const job = (reason: string): string =>
    `apiVersion: batch/v1\nkind: Job\nmetadata: { name: import, namespace: shop }\nspec: { backoffLimit: 2, activeDeadlineSeconds: 60 }\nstatus: { conditions: [{ type: Failed, status: "True", reason: ${reason}, message: "it failed" }] }`;
  expect(findingIn(containerStaysUp, job("DeadlineExceeded")).title).toContain(
    "activeDeadlineSeconds of 60 s",
  );
  expect(findingIn(containerStaysUp, job("BackoffLimitExceeded")).title).toContain(
    "backoffLimit of 2",
  );
});

test("several pods of one workload give one finding", () => {
  const other = crashed(1).replaceAll("abcde", "fghij");
  const finding = findingIn(containerStaysUp, crashed(1), other);
  expect(finding.evidence).toHaveLength(2);
  expect(snapshotOfTexts(crashed(1), other).evidence).toHaveLength(1);
});

test.each([
  ['["sh", "-c", "exit 1"]', true],
  ['["/bin/bash", "-c", "echo starting; sleep 5 && exit 3"]', true],
  ['["sh", "-c", "exit 0"]', false],
  ['["sh", "-c", "test -f /ok || exit 1"]', false],
  ['["sh", "-c", "if true; then exit 1; fi"]', false],
  ['["app", "-c", "exit 1"]', false],
])("a manifest with the command %s fails whatever happens: %s", (command, fails) => {
  const manifest = `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop }\nspec: { containers: [{ name: main, image: a, command: ${command} }] }`;
  expect(findingsIn(containerStaysUp, manifest).map(({ verdict }) => verdict)).toEqual(
    fails ? ["violated"] : [],
  );
});

test("a log that names no container is that of the only workload that fails", () => {
  const plain =
    "2026-01-01T10:00:00Z INFO starting\n2026-01-01T10:00:01Z ERROR Environment variable API_KEY is required\n";
  expect(findingIn(containerStaysUp, crashed(1), plain).title).toContain("API_KEY is not set");
  const other = crashed(1)
    .replaceAll("web-5d4f8c7b9", "api-5d4f8c7b9")
    .replaceAll("name: web", "name: api");
  const titles = findingsIn(containerStaysUp, crashed(1), other, plain).map(({ title }) => title);
  expect(titles.join()).not.toContain("API_KEY");
});
