import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { Evidence, LogsContent } from "../../model/evidence.ts";
import { readEvidence } from "../read-evidence.ts";

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const cases = fileURLToPath(
  new URL("../../../../../../shared/data/holmes-cases/", import.meta.url),
);

function read(name: string, text: string | Uint8Array): Evidence[] {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const { evidence, unreadable } = readEvidence([{ name, bytes }]);
  expect(unreadable).toEqual([]);
  return evidence;
}

function logOf(name: string, text: string | Uint8Array): LogsContent {
  const [evidence] = read(name, text);
  if (evidence?.content.kind !== "logs") throw new Error("it is a log");
  return evidence.content;
}

const header = (invocation: string, tool = "fetch_pod_logs"): string =>
  `{"toolset_name":"kubernetes/logs","tool_name":"${tool}","match_params":{"pod_name":"web-1","namespace":"shop"}}\n` +
  `{"schema_version":"v1","status":"success","return_code":0,"invocation":"${invocation}","params":{}}\n`;

describe("recorded logs of a container", () => {
  it.each([
    ["kubectl logs web-1 -n shop", { pod: "web-1", namespace: "shop", isPrevious: false }],
    [
      "kubectl logs web-1 -n shop --previous",
      { pod: "web-1", namespace: "shop", isPrevious: true },
    ],
    [
      "kubectl -n shop logs pod/web-1 -c app -p",
      { pod: "web-1", container: "app", isPrevious: true },
    ],
    ["kubectl logs --tail=100 web-1 app --namespace=shop", { pod: "web-1", container: "app" }],
  ])("knows the container from the call %j", (call, about) => {
    expect(logOf("x.txt", `${header(call)}hello\n`)).toMatchObject({
      about,
      lines: [{ text: "hello" }],
    });
    expect(logOf("x.txt", `$ ${call}\nhello\n`)).toMatchObject({
      about,
      lines: [{ text: "hello" }],
    });
  });

  it("takes a call of a deployment for no pod of that name", () => {
    expect(logOf("x.txt", "$ kubectl logs deployment/web\nhello\n").about).toBeUndefined();
  });

  it.each([
    ["kubectl_logs_web-1_shop.txt", { pod: "web-1", namespace: "shop", isPrevious: false }],
    ["kubectl_previous_logs_web-1_shop.txt", { pod: "web-1", namespace: "shop", isPrevious: true }],
    [
      `web-1_shop_app-${"0a".repeat(32)}.log`,
      { pod: "web-1", namespace: "shop", container: "app", isPrevious: false },
    ],
  ])("knows the container from the name %s", (name, about) => {
    expect(logOf(name, "hello\n")).toEqual({ kind: "logs", about, lines: [{ text: "hello" }] });
  });

  it("knows the container from what kubectl says about its choice", () => {
    const text = `$ kubectl logs web-1\nDefaulted container "app" out of: app, proxy\nhello\n`;
    expect(logOf("x.txt", text)).toMatchObject({
      about: { pod: "web-1", container: "app" },
      lines: [{ text: "hello" }],
    });
  });

  it("keeps the containers of one pod apart", () => {
    const text = "[pod/web-1/app] one\n[pod/web-1/proxy] two\n[pod/web-1/app] three\n";
    const contents = read("logs.txt", text).map(({ content }) => content);
    expect(contents).toHaveLength(2);
    expect(contents).toContainEqual({
      kind: "logs",
      about: { pod: "web-1", container: "app", isPrevious: false },
      lines: [{ text: "one" }, { text: "three" }],
    });
  });

  it.each([
    'Error from server (BadRequest): previous terminated container "app" in pod "web-1" not found',
    'error: error from server (NotFound): pods "web-1" not found in namespace "shop"',
    "",
  ])("holds no line where kubectl printed no log: %j", (answer) => {
    const [evidence] = read("x.txt", `${header("kubectl logs web-1 -n shop")}${answer}\n`);
    expect(evidence?.content).toMatchObject({ about: { pod: "web-1" }, lines: [] });
    expect(evidence?.source.notes).toEqual([expect.stringMatching(/^No log was printed: /)]);
  });

  it("is not taken for Kubernetes objects that the program prints", () => {
    const text = `${header("kubectl logs web-1 -n shop")}apiVersion: v1\nkind: Pod\n`;
    expect(logOf("x.txt", text).lines.map((line) => line.text)).toEqual([
      "apiVersion: v1",
      "kind: Pod",
    ]);
  });
});

describe.skipIf(!existsSync(cases))(
  "recorded incidents (skipped where ../shared/data is absent)",
  () => {
    const file = (path: string): LogsContent => logOf(path, readFileSync(`${cases}${path}`));

    it("shows what a container wrote before it ended", () => {
      expect(file("09_crashpod/kubectl_logs.txt")).toEqual({
        kind: "logs",
        about: {
          namespace: "default",
          pod: "payment-processing-worker-747ccfb9db-78qds",
          isPrevious: false,
        },
        lines: [{ text: "Environment variable DEPLOY_ENV is undefined" }],
      });
      expect(file("12_job_crashing/kubectl_logs.txt").lines).toHaveLength(5);
    });

    it("keeps the failure that a progress meter ends in", () => {
      const folder = "21_job_fail_curl_no_svc_account";
      expect(file(`${folder}/kubectl_logs_get-data-mldtn_default.txt`).lines.at(-1)).toMatchObject({
        severity: "error",
        text: expect.stringContaining("curl: (6) Could not resolve host"),
      });
      expect(file(`${folder}/kubectl_previous_logs_get-data-mldtn_default.txt`)).toEqual({
        kind: "logs",
        about: { namespace: "default", pod: "get-data-mldtn", isPrevious: true },
        lines: [],
      });
    });
  },
);
