import { once } from "node:events";
import { type IncomingHttpHeaders, request as startRequest } from "node:http";

import { formatKey, type KeyId, type KeyTerms, type TenantId } from "@faultline/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { defaultLimits, type LimitsConfig, notLimited } from "#config/index.ts";
import { seededRandom } from "#kernel/index.ts";

import type { GatewaySettings, SnapshotKey } from "../snapshot.ts";
import { type HeldProvider, openHeldProvider } from "./held-provider.ts";
import {
  keyRow,
  openTestGateway,
  providerAt,
  type TestGateway,
  testSettings,
} from "./test-gateway.ts";

const workerCount = 3;
const random = seededRandom("limits");
const failedKeys = { countMax: 10, windowMs: 60_000 };
const settings: GatewaySettings = { ...testSettings, proxyCount: 1, headerBytesMax: 8_192 };

let provider: HeldProvider;
let world: TestGateway;
let version = 1;

beforeAll(async () => {
  provider = await openHeldProvider();
  world = await openTestGateway({
    count: workerCount,
    providers: [providerAt(provider.server.port)],
    settings,
    limits: { failedKeys },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.release();
});

interface Holder {
  readonly secret: string;
  readonly row: SnapshotKey;
}

let holderCount = 0;

/** A key of its own, and of a tenant of its own when none is named: what other tests used is none of its business. */
function newKey(terms: KeyTerms = {}, tenant?: TenantId): Holder {
  holderCount += 1;
  const tenantId = tenant ?? (`acme-${holderCount}` as TenantId);
  const secret = formatKey(tenantId, (bound) => random.integer(bound));
  const id = `00000000-0000-7000-8000-${String(holderCount).padStart(12, "0")}` as KeyId;
  return { secret, row: keyRow(secret, { id, tenantId, terms }) };
}

/** Puts keys, limits and settings in force on every worker. */
async function use(
  holders: readonly Holder[],
  limits: Partial<LimitsConfig> = {},
  own: Partial<GatewaySettings> = {},
): Promise<void> {
  version += 1;
  await world.gateway.updateSnapshot(
    world.snapshot({
      version,
      keys: holders.map(({ row }) => row),
      limits: { ...defaultLimits, failedKeys, ...limits },
      settings: { ...settings, ...own },
    }),
  );
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: { error?: { code?: string; type?: string; message?: string }; usage?: object };
}

interface CallOptions {
  readonly secret: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

/** A call on a connection of its own, so that any of the workers may get it. */
async function call(options: CallOptions): Promise<Answer> {
  const request = startRequest({
    host: "127.0.0.1",
    port: world.gateway.port,
    path: options.path ?? "/v1/chat/completions",
    method: "POST",
    agent: false,
    headers: {
      authorization: `Bearer ${options.secret}`,
      "content-type": "application/json",
      ...options.headers,
    },
  });
  request.end(JSON.stringify({ ...plain, ...options.body }));
  const [response] = await once(request, "response");
  let text = "";
  for await (const part of response) text += String(part);
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
}

const plain = { model: "model-a", messages: [{ role: "user", content: "hello" }], max_tokens: 10 };

async function callMany(count: number, options: CallOptions): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, async () => await call(options)));
}

/** The first so many answers that come. */
async function firstOf(calls: readonly Promise<Answer>[], count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  const enough = Promise.withResolvers<void>();
  for (const one of calls) {
    one.then((answer) => {
      answers.push(answer);
      if (answers.length === count) enough.resolve();
    }, enough.reject);
  }
  await enough.promise;
  return answers.slice(0, count);
}

function countOf(answers: readonly Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

describe("limits over three workers", () => {
  it("admit exactly as many calls at once as are allowed, and as many again when those have ended", async () => {
    const { secret, row } = newKey();
    await use([{ secret, row }], { tenant: { ...notLimited, concurrencyMax: 10 } });
    for (let round = 0; round < 3; round += 1) {
      provider.hold();
      const calls = Array.from({ length: 40 }, async () => await call({ secret }));
      // Those that are refused are answered while the others are held.
      const refused = await firstOf(calls, 30);
      expect(countOf(refused, 429)).toBe(30);
      await provider.whenHeld(10);
      provider.release();
      expect(countOf(await Promise.all(calls), 200)).toBe(10);
    }
  });

  it("refuse beyond a rate, with what is left, when to come back, and headers of the dialect", async () => {
    const holder = newKey({ requestsPerMinute: 30 });
    await use([holder]);
    const startMs = performance.now();
    const answers = await callMany(60, holder);
    const inflow = Math.ceil(((performance.now() - startMs) / 60_000) * 30);
    expect(countOf(answers, 200)).toBeGreaterThanOrEqual(30);
    expect(countOf(answers, 200)).toBeLessThanOrEqual(30 + inflow);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body.error).toMatchObject({ code: "limit_exceeded", type: "rate_limit_error" });
    expect(refused?.body.error?.message).toMatch(
      /^The key ".*" is limited to 30 requests per minute\. Left: 0;/,
    );
    expect(refused?.headers).toMatchObject({
      "x-ratelimit-limit-requests": "30",
      "x-ratelimit-remaining-requests": "0",
    });
    expect(Number(refused?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const admitted = answers.find(({ status }) => status === 200);
    expect(admitted?.headers["x-ratelimit-limit-requests"]).toBe("30");
    expect(admitted?.headers["x-ratelimit-reset-requests"]).toMatch(/^(\d+m)?[\d.]+m?s$/);
    const metrics = await world.gateway.metrics();
    expect(metrics).toMatch(/limit_refusals_total\{scope="key",dimension="requests"\} \d+/);
  });

  it("follow the demand from worker to worker: who goes on alone is never refused below the limit", async () => {
    const holder = newKey({ requestsPerMinute: 100_000, concurrencyMax: 1 });
    await use([holder]);
    // Each call may go to another worker than the one before, which held the only place.
    for (let index = 0; index < 60; index += 1) {
      const answer = await call(holder);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    }
  });

  it("count a call in all of its layers or in none", async () => {
    const one = newKey({ concurrencyMax: 2 });
    const { tenantId } = one.row;
    const other = newKey({ concurrencyMax: 2 }, tenantId);
    await use([one, other], {
      tenant: { ...notLimited, concurrencyMax: 3 },
      user: { ...notLimited, concurrencyMax: 1 },
    });
    provider.hold();
    const first = call({ ...one, body: { user: "ann" } });
    await provider.whenHeld(1);
    const byUser = await call({ ...one, headers: { "x-faultline-user": "ann" } });
    expect(byUser.body.error?.message).toContain(
      `The user "${tenantId}/ann" is limited to 1 calls at once`,
    );
    const second = call({ ...one, body: { user: "bob" } });
    await provider.whenHeld(2);
    const byKey = await call({ ...one, body: { user: "eve" } });
    expect(byKey.body.error?.message).toContain("The key ");
    // What was refused by its key has left nothing behind in the layers of the tenant and of the user.
    const third = call({ ...other, body: { user: "eve" } });
    await provider.whenHeld(3);
    const byTenant = await call(other);
    expect(byTenant.body.error?.message).toContain(
      `The tenant "${tenantId}" is limited to 3 calls at once`,
    );
    expect(byTenant.headers["retry-after"]).toBe("1");
    provider.release();
    for (const { status } of await Promise.all([first, second, third])) expect(status).toBe(200);
  });

  it("charge tokens by what is expected, and give back what was not used", async () => {
    const holder = newKey();
    await use([holder], { tenant: { ...notLimited, tokensPerMinute: 1_000 } });
    // Each is charged about 500, and uses 10.
    for (let index = 0; index < 10; index += 1) {
      const answer = await call({ ...holder, body: { max_tokens: 490 } });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    }
    const tooLarge = await call({ ...holder, body: { max_tokens: 5_000 } });
    expect(tooLarge.status).toBe(413);
    expect(tooLarge.body.error?.message).toContain("this call alone may use");
  });

  it("say in Anthropic's form where the rates stand", async () => {
    const { secret, row } = newKey({ requestsPerMinute: 2 });
    await use([{ secret, row }]);
    const asked = { secret, path: "/v1/messages", headers: { "anthropic-version": "2023-06-01" } };
    const answers = [await call(asked), await call(asked), await call(asked)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]?.headers["anthropic-ratelimit-requests-limit"]).toBe("2");
    expect(answers[2]?.headers["anthropic-ratelimit-requests-remaining"]).toBe("0");
    expect(answers[0]?.headers["anthropic-ratelimit-requests-reset"]).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    );
    expect(answers[2]?.body.error?.type).toBe("rate_limit_error");
  });

  it("change with the snapshot, without a restart", async () => {
    const holder = newKey();
    await use([holder], { tenant: { ...notLimited, concurrencyMax: 30 } });
    // Leaves slices with every worker.
    await callMany(30, holder);
    await use([holder], { tenant: { ...notLimited, concurrencyMax: 1 } });
    provider.hold();
    const held = call(holder);
    await provider.whenHeld(1);
    expect(countOf(await callMany(9, holder), 429)).toBe(9);
    await use([holder], { tenant: { ...notLimited, concurrencyMax: 10 } });
    const more = callMany(9, holder);
    await provider.whenHeld(10);
    provider.release();
    expect((await held).status).toBe(200);
    expect(countOf(await more, 200)).toBe(9);
  });

  it("keep a key to the models of its terms", async () => {
    const free = newKey();
    const bound = newKey({ models: ["other/*"] });
    await use([free, bound]);
    const refused = await call(bound);
    expect(refused.status).toBe(403);
    expect(refused.body.error?.code).toBe("permission_denied");
    expect((await call(free)).status).toBe(200);
    const list = await fetch(`${world.url}/v1/models`, {
      headers: { authorization: `Bearer ${bound.secret}` },
    });
    expect(await list.json()).toMatchObject({ data: [] });
  });

  it("free the places of workers that are killed", async () => {
    const holder = newKey({ concurrencyMax: 6 });
    await use([holder]);
    const { gateway } = world;
    provider.hold();
    const lost: Promise<unknown>[] = [];
    for (let index = 0; index < 6; index += 1) {
      lost.push(call(holder).catch((error: unknown) => error));
      await provider.whenHeld(index + 1);
    }
    expect((await call(holder)).status).toBe(429);
    for (const pid of gateway.workerIds) process.kill(pid, "SIGKILL");
    await Promise.all(lost);
    await provider.whenHeld(0);
    const answers: Promise<Answer>[] = [];
    while (answers.length < 6) {
      const answer = call(holder);
      // A call that no worker took, because none listens yet, counts for nothing.
      const taken = await Promise.race([
        provider.whenHeld(answers.length + 1).then(() => true),
        answer.then(
          () => true,
          () => false,
        ),
      ]);
      if (taken) answers.push(answer);
    }
    expect((await call(holder)).status).toBe(429);
    provider.release();
    expect(countOf(await Promise.all(answers), 200)).toBe(6);
  });
});

describe("keys that fail", () => {
  it("shut out their client address on all workers, also for good keys, and nobody else", async () => {
    const good = newKey();
    await use([good]);
    const { secret } = newKey();
    const from = (address: string) => ({ "x-forwarded-for": `spoofed, ${address}` });
    const statuses: number[] = [];
    for (let index = 0; index < 30; index += 1) {
      statuses.push((await call({ secret, headers: from("192.0.2.7") })).status);
    }
    // News of the last failures may be under way while the next call comes in.
    const failed = statuses.filter((status) => status === 401).length;
    expect(failed).toBeGreaterThanOrEqual(failedKeys.countMax);
    expect(failed).toBeLessThanOrEqual(failedKeys.countMax + workerCount);
    const refused = await callMany(6, { ...good, headers: from("192.0.2.7") });
    expect(countOf(refused, 429)).toBe(6);
    expect(refused[0]?.body.error?.message).toContain(
      'The client address "192.0.2.7" presented 10 API keys',
    );
    expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(1);
    expect(countOf(await callMany(6, { ...good, headers: from("192.0.2.8") }), 200)).toBe(6);
  });
});

describe("the bounds of a call", () => {
  const message = { role: "user", content: "x" };
  const tool = { type: "function", function: { name: "f", parameters: {} } };
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
  const deep: unknown = JSON.parse(`${"[".repeat(30)}${"]".repeat(30)}`);

  it.each<[string, number, Omit<CallOptions, "secret">]>([
    ["messages_too_many", 413, { body: { messages: [message, message, message, message] } }],
    ["tools_too_many", 413, { body: { tools: [tool, tool, tool] } }],
    ["images_too_many", 413, { body: { messages: [{ ...message, content: [image, image] }] } }],
    ["nesting_too_deep", 413, { body: { metadata: deep } }],
    ["headers_too_large", 431, { headers: { "x-large": "x".repeat(10_000) } }],
  ])("refuse with %s what is beyond", async (code, status, options) => {
    const holder = newKey();
    const bounds = { messageCountMax: 3, toolCountMax: 2, imageCountMax: 1, depthMax: 20 };
    await use([holder], {}, bounds);
    const answer = await call({ secret: holder.secret, ...options });
    expect({ code: answer.body.error?.code, status: answer.status }).toEqual({ code, status });
  });
});
