/** `faultline snapshot create` on live systems. */

import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSnapshotFile } from "@faultline/contracts";
import { openTemporaryFolder, type TemporaryFolder } from "@faultline/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OptionValues } from "../src/command.ts";
import { command as snapshot } from "../src/commands/snapshot.ts";
import { cluster, jaeger, openLiveSystem, pprof, prometheus, tempo } from "./live-system.ts";
import { runIn } from "./run-command.ts";

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await openTemporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

async function create(options: OptionValues) {
  const out = join(folder.path, "live.faultline");
  const run = runIn(() => folder.path);
  const outcome = await run(snapshot, ["create"], { options: { out, ...options } });
  return { ...outcome, read: async () => decodeSnapshotFile(await readFile(out)) };
}

describe("a snapshot of live systems", () => {
  it("freezes metrics and traces of the window, without what is secret, and counts it", async () => {
    await using metrics = await openLiveSystem(prometheus);
    await using traces = await openLiveSystem(tempo);
    await using others = await openLiveSystem(jaeger);
    const made = await create({
      prometheus: metrics.url,
      tempo: traces.url,
      jaeger: others.url,
      since: "15m",
    });
    expect(made.code).toBe(0);
    const { evidence } = await made.read();
    expect(evidence.map(({ content }) => content.kind)).toEqual(["metrics", "trace", "trace"]);
    expect(JSON.stringify(evidence)).not.toMatch(/hunter2|corp\.example/);
    expect(made.output).toMatch(/email +1[\s\S]*places redacted/);
    const asked = new URL(metrics.requests[0] ?? "", metrics.url).searchParams;
    expect(Number(asked.get("end")) - Number(asked.get("start"))).toBeCloseTo(900);
  });

  it("keeps what was read when the rest may not be, says why, and exits with 2", async () => {
    await using process = await openLiveSystem(pprof);
    const made = await create({ pprof: [process.url] });
    expect(made.code).toBe(2);
    expect(made.notes).toContain("heap: It answered 403: not for you");
    expect((await made.read()).evidence.map(({ content }) => content.kind)).toEqual(["goroutines"]);
  });

  it("gives up on a system at its deadline and keeps the others", async () => {
    await using slow = await openLiveSystem(() => "never");
    await using traces = await openLiveSystem(tempo);
    const options = {
      prometheus: slow.url,
      tempo: traces.url,
      "source-timeout": "300ms",
      json: true,
    };
    const made = await create(options);
    expect(made.code).toBe(2);
    expect(JSON.parse(made.output)).toMatchObject({
      evidenceCount: 1,
      isRedacted: true,
      sources: [
        { missed: [{ what: "everything", why: "It took longer than 0.3 s." }] },
        { missed: [] },
      ],
    });
  });

  it("logs in with what the address carries, and shows none of it", async () => {
    const seen: (string | undefined)[] = [];
    await using metrics = await openLiveSystem((url, request) => {
      seen.push(request.headers.authorization);
      return prometheus(url, request);
    });
    const made = await create({ prometheus: metrics.url.replace("//", "//ann:hunter2@") });
    expect(seen[0]).toBe(`Basic ${Buffer.from("ann:hunter2").toString("base64")}`);
    expect(made.output + made.notes).not.toContain("hunter2");
  });

  it.runIf(hasKubectl)(
    "reads a cluster kind by kind, without the data of its Secrets",
    async () => {
      await using api = await openLiveSystem(cluster);
      const kubeconfig = join(folder.path, "kubeconfig.json");
      const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: { server: api.url } }],
        users: [{ name: "u", user: {} }],
        contexts: [{ name: "staging", context: { cluster: "c", user: "u" } }],
      };
      await writeFile(kubeconfig, JSON.stringify(config));
      const made = await create({ "kube-context": "staging", kubeconfig });
      expect(made.code).toBe(2);
      expect(made.notes).toMatch(/kubernetes context staging, nodes: .*forbidden/);
      const { evidence } = await made.read();
      const text = JSON.stringify(evidence);
      expect(text).toContain('"DB_PASSWORD"');
      expect(text).toContain('"password"');
      expect(text).not.toMatch(/hunter2|aHVudGVy/);
    },
  );
});
