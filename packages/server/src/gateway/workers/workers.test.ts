/** Several workers on one port: snapshots, death, drain, records and metrics. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { until } from "@faultline/testkit";
import { describe, expect, it } from "vitest";

import { exchange, openSocket, type RawReply, readAll } from "../test/raw-client.ts";
import { keyRow, openTestGateway, type TestGateway, testSecret } from "../test/test-gateway.ts";

const body = '{"model":"simulated","messages":[{"role":"user","content":"x"}]}';
const streamBody = body.replace("{", '{"stream":true,');

async function call(world: TestGateway, simulate = "", text = body): Promise<RawReply> {
  return exchange(
    world.gateway.port,
    [
      "POST /v1/chat/completions HTTP/1.1",
      `authorization: Bearer ${testSecret}`,
      `x-faultline-simulate: ${simulate}`,
    ],
    text,
  );
}

/** Starts a stream that stays open; resolves when its first event has come. */
async function openStream(world: TestGateway, simulate: string) {
  const socket = await openSocket(world.gateway.port);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\nx-faultline-simulate: ${simulate}\r\ncontent-length: ${streamBody.length}\r\n\r\n${streamBody}`,
  );
  await once(socket, "readable");
  return socket;
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

describe("three workers on one port", () => {
  it("refuse a revoked key as soon as the snapshot is acknowledged, on every worker", async () => {
    await using world = await openTestGateway({ count: 3 });
    expect(world.gateway.workerIds).toHaveLength(3);
    // Connections are spread by the kernel, so that many reach all workers.
    const statuses = async (): Promise<Set<number>> =>
      new Set(
        await Promise.all(Array.from({ length: 30 }, async () => (await call(world)).status)),
      );
    expect(await statuses()).toEqual(new Set([200]));
    await world.gateway.updateSnapshot(
      world.snapshot({ version: 2, keys: [keyRow(testSecret, { revokedAtMs: 1 })] }),
    );
    expect(await statuses()).toEqual(new Set([401]));
    // A version that has been passed changes nothing.
    await world.gateway.updateSnapshot(world.snapshot({ version: 1 }));
    expect(await statuses()).toEqual(new Set([401]));
  });

  it("are restarted when one is killed, with the newest snapshot, while the others serve", async () => {
    await using world = await openTestGateway({ count: 3 });
    await world.gateway.updateSnapshot(world.snapshot({ version: 5 }));
    const [victim = 0] = world.gateway.workerIds;
    process.kill(victim, "SIGKILL");
    await until(() => hasEnded(victim));
    await until(
      () => world.gateway.workerIds.length === 3 && !world.gateway.workerIds.includes(victim),
    );
    await until(() => world.logs.some((line) => line.startsWith("gateway worker restarted")));
    const versions = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const reply = await exchange(world.gateway.port, ["GET /readyz/gateway HTTP/1.1"]);
        return (JSON.parse(reply.body.toString()) as { snapshotVersion: number }).snapshotVersion;
      }),
    );
    expect(new Set(versions)).toEqual(new Set([5]));
    expect(await world.gateway.metrics()).toContain("faultline_gateway_worker_restarts_total 1");
  });

  it("count together what each of them carried", async () => {
    await using world = await openTestGateway({ count: 3 });
    await Promise.all(Array.from({ length: 20 }, async () => await call(world, "tokens=5")));
    await Promise.all(Array.from({ length: 4 }, async () => await call(world, "error=503")));
    const metrics = await world.gateway.metrics();
    const labels = 'provider="simulated",model="simulated/simulated"';
    expect(metrics).toContain(`faultline_gateway_requests_total{${labels},outcome="completed"} 20`);
    expect(metrics).toContain(`faultline_gateway_requests_total{${labels},outcome="failed"} 4`);
    expect(metrics).toContain('faultline_gateway_failures_total{code="provider_status_5xx"} 4');
    expect(metrics).toContain(`faultline_gateway_tokens_total{${labels},direction="output"} 100`);
    expect(metrics).toContain(`faultline_gateway_request_duration_seconds_count{${labels}} 24`);
    expect(metrics).toContain("faultline_gateway_operation_queue_dropped_total 0");
    expect(metrics).toContain("faultline_gateway_workers 3");
    expect(metrics).toContain("faultline_gateway_event_loop_delay_p99_seconds ");
    expect(metrics).not.toContain("acme");
  });
});

describe("one worker", () => {
  it("keeps the records of operations while they cannot be stored, and delivers them later", async () => {
    let refusals = 0;
    const first = Promise.withResolvers<void>();
    await using world = await openTestGateway({
      onOperations: async () => {
        refusals += 1;
        if (refusals > 2) return;
        first.resolve();
        throw new Error("The database is away.");
      },
    });
    await call(world);
    await first.promise;
    const span = await world.spanWhere(() => true);
    expect(span.name).toBe("chat simulated");
    expect(refusals).toBe(3);
    expect(
      world.logs.filter((line) => line.startsWith("operations cannot be stored")),
    ).toHaveLength(1);
  });

  it("lets a call beyond its concurrency wait for a place, and refuses it when none becomes free", async () => {
    await using world = await openTestGateway({ settings: { concurrencyMax: 1, queueMs: 300 } });
    const held = await openStream(world, "stall-after=2");
    const refused = await call(world);
    expect(refused.status).toBe(429);
    expect(refused.body.toString()).toContain("none became free within 300 ms");
    const waiting = call(world);
    await until(async () => (await world.gateway.metrics()).includes("waiting_operations 1"));
    held.destroy();
    expect((await waiting).status).toBe(200);
    const again = await Promise.all([call(world), call(world), call(world)]);
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await world.gateway.metrics()).toContain("open_operations 0");
  });

  it("forgets a caller that leaves while it waits", async () => {
    await using world = await openTestGateway({ settings: { concurrencyMax: 1 } });
    const held = await openStream(world, "stall-after=2");
    const gone = await openSocket(world.gateway.port);
    gone.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await until(async () => (await world.gateway.metrics()).includes("waiting_operations 1"));
    gone.destroy();
    await until(async () => (await world.gateway.metrics()).includes("waiting_operations 0"));
    held.destroy();
    expect((await call(world)).status).toBe(200);
    await until(async () => (await world.gateway.metrics()).includes("open_operations 0"));
  });

  it("finishes an open stream when it drains, and takes no new connection", async () => {
    const world = await openTestGateway();
    const socket = await openStream(world, "tokens=30,pace=20ms");
    const rest = readAll(socket);
    await world[Symbol.asyncDispose]();
    expect((await rest).toString()).toContain("data: [DONE]");
    await expect(call(world)).rejects.toThrow(/ECONNREFUSED/);
    expect(world.spans).toHaveLength(1);
  });

  it("cuts what outlives the drain's deadline, with an error in band", async () => {
    const world = await openTestGateway({ drainMs: 100 });
    const socket = await openStream(world, "stall-after=3");
    const rest = readAll(socket);
    await world[Symbol.asyncDispose]();
    const text = (await rest).toString();
    expect(text).toContain('"code":"shutting_down"');
    expect(text).not.toContain("[DONE]");
    expect(world.spans[0]?.attributes["error.type"]).toBe("shutting_down");
  });

  it("is not started on a port that another process listens on", async () => {
    await using world = await openTestGateway({ count: 2 });
    await expect(openTestGateway({ port: world.gateway.port })).rejects.toMatchObject({
      code: "port_taken",
    });
  });

  it("ends when its supervisor is killed", async () => {
    const script = fileURLToPath(new URL("../test/test-supervisor.ts", import.meta.url));
    const supervisor = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(supervisor.stdout, "data")) as [Buffer];
    const { workers } = JSON.parse(line.toString()) as { workers: number[] };
    expect(workers).toHaveLength(2);
    expect(workers.some((pid) => hasEnded(pid))).toBe(false);
    supervisor.kill("SIGKILL");
    await until(() => workers.every((pid) => hasEnded(pid)));
  });
});

describe("the reading of requests", () => {
  it("refuses a body of 100 MB before it is sent", async () => {
    await using world = await openTestGateway();
    const socket = await openSocket(world.gateway.port);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\ncontent-length: 100000000\r\nexpect: 100-continue\r\n\r\n`,
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toString()).toContain("request_too_large");
    socket.destroy();
    expect((await call(world)).status).toBe(200);
  });

  it("answers a caller that sends a body of 100 MB all the same", async () => {
    await using world = await openTestGateway();
    const reply = await exchange(
      world.gateway.port,
      ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`],
      Buffer.alloc(100_000_000, " "),
    );
    expect([reply.status, reply.whole]).toEqual([413, true]);
  });

  it("refuses a body without a length at the bound", async () => {
    await using world = await openTestGateway({ settings: { bodyBytesMax: 10_000 } });
    const socket = await openSocket(world.gateway.port);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    for (let index = 0; index < 4; index += 1) socket.write(`1000\r\n${"x".repeat(4_096)}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it("refuses compressed bodies, large headers and what is not HTTP", async () => {
    await using world = await openTestGateway();
    const compressed = await exchange(
      world.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${testSecret}`,
        "content-encoding: gzip",
      ],
      "x",
    );
    expect(compressed.status).toBe(415);
    const large = await exchange(world.gateway.port, [
      "GET /livez HTTP/1.1",
      `x-large: ${"x".repeat(40_000)}`,
    ]);
    expect([large.status, large.body.toString().includes("headers_too_large")]).toEqual([
      431,
      true,
    ]);
    const garbage = await exchange(world.gateway.port, ["NONSENSE"]);
    expect([garbage.status, garbage.body.toString().includes("request_malformed")]).toEqual([
      400,
      true,
    ]);
  });
});
