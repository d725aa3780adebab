import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { defaultDispatch, type DispatchConfig } from "#config/index.ts";
import { type BundleDocument, formatKey, type KeyId, type TenantId } from "@faultline/protocol";
import { seededRandom } from "@faultline/testkit";

import {
  answer,
  frame,
  inBandError,
  role,
  ScriptedUpstream,
  spoken,
  stream,
  whole,
} from "./scripted-upstream.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testSecret,
  testSettings,
  testTenant,
} from "./test-gateway.ts";

const dispatch: DispatchConfig = {
  ...defaultDispatch,
  retries: { ...defaultDispatch.retries, sameTargetCountMax: 1, backoffMsMin: 1 },
  breaker: { ...defaultDispatch.breaker, failureCountMax: 3, openMsMin: 60_000 },
};

const able = { contextTokens: 100_000, tools: true, vision: true, jsonSchema: true };

const documents: Record<string, BundleDocument> = {
  pair: {
    targets: [
      { model: "first/model-a", order: 0, supports: able },
      { model: "second/model-a", order: 1, supports: able },
    ],
  },
  toolless: {
    targets: [
      { model: "first/model-a", order: 0, supports: able },
      { model: "second/model-a", order: 1, supports: { ...able, tools: false } },
      { model: "third/model-a", order: 2, supports: able },
    ],
  },
  growing: {
    targets: [
      { model: "first/model-a", order: 0, supports: able },
      { model: "second/model-a", order: 1, supports: able },
      { model: "third/model-a", order: 2, supports: { ...able, contextTokens: 1_000_000 } },
    ],
  },
};

const upstreams = {
  first: new ScriptedUpstream(),
  second: new ScriptedUpstream(),
  third: new ScriptedUpstream(),
};
const resources = new AsyncDisposableStack();
let world: TestGateway;
let version = 1;

beforeAll(async () => {
  const providers = [];
  for (const [name, upstream] of Object.entries(upstreams)) {
    const { port } = resources.use(await openTestServer(upstream.listener));
    providers.push(providerAt(port, { name }));
  }
  world = resources.use(
    await openTestGateway({ providers, settings: { ...testSettings, dispatch } }),
  );
  version += 1;
  const bundles = Object.entries(documents).map(([name, document], index) => ({
    tenantId: testTenant,
    name,
    version: 1,
    hash: `sha256:${String(index).padStart(64, "0")}`,
    isNewest: true,
    document,
  }));
  const snapshot = { version, bundles: { bundles, aliases: [], kills: [] } };
  await world.gateway.updateSnapshot(world.snapshot(snapshot));
});

afterAll(async () => await resources.disposeAsync());

beforeEach(() => {
  for (const upstream of Object.values(upstreams)) upstream.plan(whole);
});

async function call(bundle: string, overrides: object = {}): Promise<Response> {
  return await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${testSecret}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: `bundle/${bundle}`,
      messages: [{ role: "user", content: "Say something" }],
      ...overrides,
    }),
  });
}

const tool = { type: "function", function: { name: "look", parameters: { type: "object" } } };

describe("fallback", () => {
  it("goes to the next target, and says which one served", async () => {
    upstreams.first.plan(answer(401));
    const reply = await call("pair");
    expect(reply.status).toBe(200);
    expect(reply.headers.get("x-faultline-target")).toBe("second/model-a");
    expect(reply.headers.get("x-faultline-attempts")).toBe("2");
    const id = reply.headers.get("x-faultline-operation-id");
    const span = await world.spanWhere((one) => one.attributes["faultline.operation.id"] === id);
    expect(span.attributes).toMatchObject({
      "gen_ai.provider.name": "second",
      "faultline.attempts": ["first/model-a: credential-refused"],
    });
    expect(await world.gateway.metrics()).toContain(
      'faultline_gateway_fallbacks_total{provider="second",model="second/model-a"} 1',
    );
  });

  it("goes only to a target that can do what the request needs", async () => {
    upstreams.first.plan(answer(500));
    const reply = await call("toolless", { tools: [tool] });
    expect(reply.headers.get("x-faultline-target")).toBe("third/model-a");
    expect(upstreams.second.hits).toHaveLength(0);
  });

  it("goes only to a longer context when the prompt was too long", async () => {
    upstreams.first.plan(answer(400, {}, { code: "context_length_exceeded" }));
    const reply = await call("growing");
    expect([reply.status, reply.headers.get("x-faultline-target")]).toEqual([200, "third/model-a"]);
    expect(upstreams.second.hits).toHaveLength(0);
    const pair = await call("pair");
    expect([pair.status, await pair.text()]).toEqual([
      400,
      expect.stringContaining("context_length_exceeded"),
    ]);
  });

  it("does not go on with a request that the first target refuses", async () => {
    upstreams.first.plan(answer(400, {}, { message: "temperature must be a number" }));
    const reply = await call("pair");
    expect([reply.status, await reply.text()]).toEqual([
      400,
      expect.stringContaining("temperature must be a number"),
    ]);
    expect(upstreams.second.hits).toHaveLength(0);
  });

  it("goes on before the first word of a stream, and never after it", async () => {
    upstreams.first.plan(stream(role, inBandError));
    upstreams.second.plan(spoken);
    const early = await call("pair", { stream: true });
    expect(await early.text()).toContain("The sea");
    expect(early.headers.get("x-faultline-target")).toBe("second/model-a");

    upstreams.first.plan(stream(role, frame({ content: "The" }), inBandError));
    upstreams.second.plan(spoken);
    const late = await call("pair", { stream: true });
    expect(await late.text().catch(() => "cut")).not.toContain("sea");
    expect(late.headers.get("x-faultline-target")).toBe("first/model-a");
    expect(upstreams.second.hits).toHaveLength(0);
  });

  it("passes on what the last target said when none is left", async () => {
    upstreams.first.plan(answer(402, {}, { message: "first" }));
    upstreams.second.plan(answer(429, { "retry-after": "7" }, { message: "second" }));
    const reply = await call("pair");
    expect([reply.status, reply.headers.get("retry-after"), await reply.text()]).toEqual([
      429,
      "7",
      expect.stringContaining("second"),
    ]);
    expect(reply.headers.get("x-faultline-attempts")).toBe("2");
  });

  it("asks no more of a target whose breaker is open", async () => {
    upstreams.first.plan(answer(500));
    for (let count = 0; count < 3; count += 1) await (await call("pair")).text();
    upstreams.first.plan(answer(500));
    const reply = await call("pair");
    expect(reply.headers.get("x-faultline-attempts")).toBe("1");
    expect(reply.headers.get("x-faultline-target")).toBe("second/model-a");
    expect(upstreams.first.hits).toHaveLength(0);
  });
});

describe("fair sharing", () => {
  it("keeps the share of a tenant while another bursts", async () => {
    const random = seededRandom("fair");
    const tenants = ["burst", "quiet"].map((name, index) => {
      const secret = formatKey(name as TenantId, (bound) => random.integer(bound));
      const id = `00000000-0000-7000-8000-00000000000${index + 2}` as KeyId;
      return { name, secret, row: keyRow(secret, { id, tenantId: name as TenantId }) };
    });
    const asked: string[] = [];
    const opened = Promise.withResolvers<void>();
    await using server = await openTestServer((request, response) => {
      void Array.fromAsync(request).then(async (parts) => {
        asked.push(Buffer.concat(parts).includes("quiet") ? "quiet" : "burst");
        await opened.promise;
        whole(request, response);
      });
    });
    await using gateway = await openTestGateway({
      providers: [providerAt(server.port)],
      settings: { concurrencyMax: 4, queueMs: 60_000 },
      keys: tenants.map(({ row }) => row),
    });
    const ask = async ({ name, secret }: { name: string; secret: string }): Promise<number> => {
      const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "model-a", messages: [{ role: "user", content: name }] }),
      });
      await reply.arrayBuffer();
      return reply.status;
    };
    const [burst, quiet] = tenants;
    const askTimes = (tenant: typeof burst, count: number) =>
      Array.from({ length: count }, async () => await ask(tenant!));
    const waiting = async (count: number): Promise<void> => {
      const line = `faultline_gateway_waiting_operations ${count}\n`;
      while (!(await gateway.gateway.metrics()).includes(line));
    };
    const calls = askTimes(burst, 804);
    await waiting(800);
    calls.push(...askTimes(quiet, 8));
    await waiting(808);
    opened.resolve();
    const statuses = await Promise.all(calls);
    expect(new Set(statuses)).toEqual(new Set([200]));
    // Half of the next places are for who asks for a hundredth, until it has all it wants. How soon the provider sees who
    // was let through is up to its connections, so that not every place is counted.
    expect(asked.slice(0, 100).filter((name) => name === "quiet")).toHaveLength(8);
  });
});
