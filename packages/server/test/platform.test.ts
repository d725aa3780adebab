import { once } from "node:events";
import { connect } from "node:net";

import { createClient, type PlatformError } from "@faultline/protocol";
import { afterEach, describe, expect, it } from "vitest";

import { createLogger, diagnose, loadConfig, startPlatform } from "../src/index.ts";
import {
  descendantsOf,
  killProcess,
  makePlace,
  type PlatformProcess,
  startProcess,
  stopProcess,
} from "./platform-process.ts";

const { signal } = new AbortController();
const running: PlatformProcess[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await killProcess(one, "everything").catch(() => {});
});

async function start(...parameters: Parameters<typeof startProcess>): Promise<PlatformProcess> {
  const started = await startProcess(...parameters);
  running.push(started);
  return started;
}

const traceId = "0af7651916cd43dd8448eb211c80319c";

/** Sends one span and resolves once it is acknowledged. */
async function sendSpan(url: string, key: string): Promise<void> {
  const startNanos = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId,
    spanId: "b7ad6b7169203331",
    name: "GET /orders",
    kind: 2,
    startTimeUnixNano: String(startNanos),
    endTimeUnixNano: String(startNanos + 5_000_000n),
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] };
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "test" }, spans: [span] }] }],
    }),
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({});
}

async function chat(url: string, key: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "simulated", messages: [{ role: "user", content: "hello" }] }),
  });
}

/** Asks until what is asked for is there: the gateway hands its spans over in batches. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the platform", () => {
  it("carries traffic, keeps what it acknowledged through kill -9 of everything, and stops cleanly", async () => {
    await using place = await makePlace();
    const first = await start(place);
    const key = first.adminKey ?? "";
    expect(key).toMatch(/^fl_default_/);
    const client = createClient({ baseUrl: first.url, key, fetch });

    const answer = await chat(first.url, key);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ object: "chat.completion", model: "simulated" });
    await sendSpan(first.url, key);
    const chatTrace = await until(async () => {
      const { traces } = await client.listTraces(
        { query: { operation: "chat simulated" } },
        { signal },
      );
      return traces[0];
    });
    const before = await client.readTrace({ params: { traceId } }, { signal });
    expect(before.spans).toMatchObject([{ name: "GET /orders", service: "orders" }]);

    const killed = await killProcess(first, "everything");
    expect(killed.length).toBeGreaterThanOrEqual(3);
    const second = await start(place);
    expect(second.adminKey).toBeUndefined();
    expect(await client.readTrace({ params: { traceId } }, { signal })).toEqual(before);
    expect(
      (await client.readTrace({ params: { traceId: chatTrace.traceId } }, { signal })).spans,
    ).toHaveLength(1);
    expect((await chat(second.url, key)).status).toBe(200);

    const below = await descendantsOf(second.child.pid ?? 0);
    expect(await stopProcess(second)).toBe(0);
    expect(below.filter((pid) => isAlive(pid))).toEqual([]);
  });

  it("takes its workers and its PostgreSQL along when it ends by a fault that nobody caught", async () => {
    await using place = await makePlace();
    const platform = await start(place);
    const below = await descendantsOf(platform.child.pid ?? 0);
    expect(below.length).toBeGreaterThanOrEqual(2);
    const ended = once(platform.child, "exit");
    platform.child.kill("SIGUSR2");
    await ended;
    expect(platform.log()).toContain("A fault that nobody catches.");
    await until(() => Promise.resolve(below.some((pid) => isAlive(pid)) ? undefined : true));
  });

  it("passes on every answer of the control process, whether the request was taken or refused", async () => {
    await using place = await makePlace();
    const platform = await start(place);
    const key = platform.adminKey ?? "";
    const statuses = new Map<string, number>();
    const post = async (path: string, body: string): Promise<void> => {
      const response = await fetch(platform.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body,
      });
      await response.arrayBuffer();
      const name = `${path} ${response.status}`;
      statuses.set(name, (statuses.get(name) ?? 0) + 1);
    };
    for (let round = 0; round < 300; round += 1) {
      await post("/v1/traces", '{"resourceSpans":[]}');
      await post("/api/cases", "{}");
    }
    expect(Object.fromEntries(statuses)).toEqual({ "/v1/traces 200": 300, "/api/cases 400": 300 });
  });

  it("starts again after its control process alone was killed, over what that left behind", async () => {
    await using place = await makePlace();
    const first = await start(place);
    const key = first.adminKey ?? "";
    await sendSpan(first.url, key);
    await killProcess(first, "control");
    const second = await start(place);
    const trace = await createClient({ baseUrl: second.url, key, fetch }).readTrace(
      { params: { traceId } },
      { signal },
    );
    expect(trace.spans).toHaveLength(1);
    expect(await stopProcess(second)).toBe(0);
  });

  it("refuses a second start on its folder and on its port, and says who holds them", async () => {
    await using place = await makePlace();
    const first = await start(place);
    await expect(startProcess(place)).rejects.toThrow(`is held by process ${first.child.pid}`);
    await using elsewhere = await makePlace();
    await expect(startProcess({ ...elsewhere, port: place.port })).rejects.toThrow(
      `Another process listens on port ${place.port}`,
    );
    expect(await stopProcess(first)).toBe(0);
  });

  it("lets a revoked key do nothing any more, in every process, once the revocation is answered", async () => {
    await using place = await makePlace();
    const platform = await start(place, { FAULTLINE_WORKERS: "2" });
    const client = createClient({ baseUrl: platform.url, key: platform.adminKey ?? "", fetch });
    const { key, secret } = await client.createKey(
      { body: { name: "brief", role: "service" } },
      { signal },
    );
    expect((await chat(platform.url, secret)).status).toBe(200);
    const used = await until(async () => {
      const { keys } = await client.listKeys({}, { signal });
      return keys.find(({ id, lastUsedAt }) => id === key.id && lastUsedAt !== undefined);
    });
    expect(Date.parse(used.lastUsedAt ?? "")).toBeGreaterThan(Date.parse(used.createdAt));
    await client.revokeKey({ params: { id: key.id } }, { signal });
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const refused = await chat(platform.url, secret);
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ error: { code: "key_revoked" } });
    }
    expect(await stopProcess(platform)).toBe(0);
  });

  it("refuses a body of 100 MB with 413 through the gateway's port, announced or not, and goes on", async () => {
    await using place = await makePlace();
    const platform = await start(place);
    const key = platform.adminKey ?? "";
    const chunk = new Uint8Array(1_000_000);
    const endless = (): ReadableStream<Uint8Array> => {
      let count = 0;
      return new ReadableStream({
        pull(controller) {
          count += 1;
          if (count > 100) controller.close();
          else controller.enqueue(chunk);
        },
      });
    };
    const post = async (body: BodyInit): Promise<number> => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/x-protobuf" };
      // Streams as bodies need a duplex that the type of fetch does not know yet.
      const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
      return (await fetch(`${platform.url}/v1/traces`, init)).status;
    };
    expect(await post(new Uint8Array(100_000_000))).toBe(413);
    expect(await post(endless())).toBe(413);
    expect(await postDeaf(place.port, key)).toMatch(/^HTTP\/1\.1 413 /);
    expect((await fetch(`${platform.url}/readyz`)).status).toBe(200);
    await sendSpan(platform.url, key);
    expect(await stopProcess(platform)).toBe(0);
  });
});

/** Sends 100 MB before it reads anything, as simple clients do; gives the answer. */
async function postDeaf(port: number, key: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.pause();
  const head = [
    "POST /v1/traces HTTP/1.1",
    "host: 127.0.0.1",
    `authorization: Bearer ${key}`,
    "content-type: application/x-protobuf",
    "content-length: 100000000",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const chunk = Buffer.alloc(1_000_000);
  for (let count = 0; count < 100; count += 1) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.resume();
  // The connection stays open for the next request: the first part of the answer has its head.
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("diagnose", () => {
  it("explains a machine before the first start, without making anything", async () => {
    await using place = await makePlace();
    const config = loadConfig({
      environment: {},
      workingFolder: place.folder,
      flags: { port: String(place.port) },
    });
    const logger = createLogger({ level: "error", format: "json" });
    const rows = await diagnose(config, { signal, logger, fetch });
    expect(rows.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(rows.find(({ name }) => name === "data folder")?.value).toContain(
      "made at the first start",
    );
    expect(rows.filter(({ name }) => name === "port")).toMatchObject([
      { value: expect.stringContaining("free") },
      { value: String(place.port), origin: "--port" },
    ]);
    const exposed = await diagnose({ ...config, host: "0.0.0.0" }, { signal, logger, fetch });
    expect(
      exposed.find(({ name, origin }) => name === "host" && origin !== undefined),
    ).toMatchObject({ verdict: "warn" });
  });
});

describe("startPlatform", () => {
  it("leaves nothing behind when it is stopped while it starts", async () => {
    await using place = await makePlace();
    const config = loadConfig({
      environment: {},
      workingFolder: place.folder,
      flags: { port: String(place.port) },
    });
    const logger = createLogger({ level: "error", format: "json" });
    const stopped = AbortSignal.abort(new Error("changed my mind"));
    const failure: unknown = await startPlatform(config, { logger, signal: stopped }).catch(
      (error: unknown) => error as PlatformError,
    );
    expect(failure).toBeInstanceOf(Error);
    const again = await start(place);
    expect(await stopProcess(again)).toBe(0);
  });
});
