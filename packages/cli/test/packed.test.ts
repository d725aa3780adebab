import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startPlatform } from "./platform.ts";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("../../../", import.meta.url));

const pendingPod = `
apiVersion: v1
kind: Node
metadata: { name: small }
status: { allocatable: { cpu: "1", memory: 1Gi, pods: "110" }, conditions: [{ type: Ready, status: "True" }] }
---
apiVersion: v1
kind: Pod
metadata: { name: large }
spec: { containers: [{ name: main, image: busybox, resources: { requests: { cpu: "2" } } }] }
`;

/** A provider of models on this machine. */
async function openProvider(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What users get from the registry: JavaScript in an empty folder, installed without running any script. */
describe("the packed package", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "faultline-packed-"));
    await execute(process.execPath, ["scripts/pack.js", join(folder, "tarballs")], {
      cwd: repository,
    });
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
    const tarballs = (await readdir(join(folder, "tarballs"))).filter((name) =>
      name.endsWith(".tgz"),
    );
    await execute(
      "npm",
      [
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        ...tarballs.map((name) => join(folder, "tarballs", name)),
      ],
      { cwd: folder },
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("checks files through npx", async () => {
    await writeFile(join(folder, "pod.yaml"), pendingPod);
    const failure = await execute("npx", ["faultline", "check", "pod.yaml"], { cwd: folder }).then(
      () => undefined,
      (error: { code: number; stdout: string }) => error,
    );
    expect(failure?.stdout).toContain("Insufficient cpu");
    expect(failure?.code).toBe(1);
  });

  it("checks files with nothing but the bundle, which is what makes it start fast", async () => {
    const cli = join(folder, "node_modules", "faultline", "packages", "cli");
    const alone = join(folder, "alone");
    await cp(join(cli, "bin"), join(alone, "bin"), { recursive: true });
    await cp(join(cli, "check"), join(alone, "check"), { recursive: true });
    await writeFile(join(alone, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(alone, "pod.yaml"), pendingPod);
    const words = [join(alone, "bin", "faultline.js"), "check", join(alone, "pod.yaml")];
    const failure = await execute(process.execPath, words).then(
      () => undefined,
      (error: { code: number; stdout: string }) => error,
    );
    expect(failure?.stdout).toContain("Insufficient cpu");
    expect(failure?.code).toBe(1);
  });

  it("explains contracts, and runs those of one's own that ship as examples", async () => {
    const run = async (...words: string[]) =>
      await execute("npx", ["faultline", ...words], { cwd: folder });
    expect((await run("contract", "explain", "fan-out/repeated-query")).stdout).toContain(
      "## When it is inconclusive",
    );
    const examples = join(folder, "node_modules/faultline/packages/contracts/examples");
    const files = (await readdir(examples)).map((name) => join(examples, name));
    expect((await run("contract", "test", ...files)).stdout).toMatch(/ 0 failed\n$/);
    await writeFile(
      join(folder, "bare.yaml"),
      "apiVersion: v1\nkind: Pod\nmetadata: { name: bare }\n",
    );
    const words = ["bare.yaml", "--contracts", join(examples, "kubernetes.yaml")];
    expect((await run("check", ...words, "--fail-on", "never")).stdout).toContain(
      "contracts on 1 piece",
    );
  });

  it("runs the platform with its own PostgreSQL and the console, and waits as long as a provider asks", async () => {
    const asked: number[] = [];
    await using provider = await openProvider((response) => {
      asked.push(performance.now());
      const isFirst = asked.length === 1;
      response.writeHead(isFirst ? 429 : 200, {
        "content-type": "application/json",
        ...(isFirst ? { "retry-after": "1" } : {}),
      });
      response.end(isFirst ? '{"error":{"message":"busy"}}' : '{"choices":[]}');
    });
    await writeFile(
      join(folder, "faultline.yaml"),
      `providers:\n  - { name: simulated, kind: simulated, models: [{ name: simulated }] }\n  - { name: local, kind: openai, baseUrl: "${provider.url}", local: true, models: [{ name: m }] }\n`,
    );
    await using platform = await startPlatform({ folder, command: ["npx", "faultline", "up"] });
    const answer = await fetch(`${platform.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.key}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "simulated",
        messages: [{ role: "user", content: "hello" }],
      }),
    });
    expect(answer.status).toBe(200);
    const waited = await fetch(`${platform.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.key}` },
      body: JSON.stringify({ model: "local/m", messages: [{ role: "user", content: "hello" }] }),
    });
    expect(waited.status).toBe(200);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(995);
    const page = await fetch(platform.url);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain('<script type="module"');
  });

  it("gives the contracts to programs, with their types", async () => {
    await writeFile(
      join(folder, "use.mts"),
      [
        'import { checkSnapshot, createSnapshot, type Finding } from "@faultline/contracts";',
        'import { readOwnContracts } from "@faultline/contracts/own";',
        "const findings: Finding[] = checkSnapshot(createSnapshot([]));",
        'console.log(findings.length, readOwnContracts("contracts: []").problems.length);',
      ].join("\n"),
    );
    const { stdout } = await execute(process.execPath, ["use.mts"], { cwd: folder });
    expect(stdout.trim()).toBe("0 1");
    await execute(
      join(repository, "node_modules", ".bin", "tsc"),
      [
        "--noEmit",
        "--strict",
        "--module",
        "nodenext",
        "--target",
        "es2024",
        "--types",
        "",
        "--lib",
        "es2024,esnext,dom",
        "use.mts",
      ],
      { cwd: folder },
    );
  });
});
