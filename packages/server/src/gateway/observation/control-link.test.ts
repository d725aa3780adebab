/** A worker whose control process does not answer any more, and comes back. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { until } from "@faultline/testkit";
import { expect, it } from "vitest";

import { exchange } from "../test/raw-client.ts";
import { testSecret } from "../test/test-gateway.ts";

it("serves from its latest snapshot, and says since when it is alone", async () => {
  const script = fileURLToPath(new URL("../test/test-supervisor.ts", import.meta.url));
  const supervisor = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(supervisor.stdout, "data")) as [Buffer];
    const { port } = JSON.parse(line.toString()) as { port: number };
    const get = async (path: string) => {
      const reply = await exchange(port, [`GET ${path} HTTP/1.1`]);
      return { status: reply.status, text: reply.body.toString() };
    };
    const says = async (control: string): Promise<boolean> =>
      (await get("/readyz/gateway")).text.includes(`"control":"${control}"`);
    expect(await says("connected")).toBe(true);

    supervisor.kill("SIGSTOP");
    await until(async () => await says("lost"));
    // Each of the two workers notices by itself, and any of them may answer.
    await until(async () => (await get("/readyz")).status === 200);
    const readiness = await get("/readyz/gateway");
    expect(readiness.status).toBe(200);
    expect(JSON.parse(readiness.text)).toMatchObject({ ready: true, snapshotVersion: 1 });
    const call = await exchange(
      port,
      ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`],
      '{"model":"simulated","messages":[{"role":"user","content":"x"}]}',
    );
    expect(call.status).toBe(200);
    const alone = "faultline_gateway_control_lost_workers 1\n";
    await until(async () => (await get("/metrics")).text.includes(alone));

    supervisor.kill("SIGCONT");
    await until(async () => await says("connected"));
  } finally {
    supervisor.kill("SIGKILL");
  }
});
