/** The targets of a route, one after another: each is counted against its own limits, and each attempt costs what it used. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  defaultDispatch,
  defaultLimits,
  type DispatchConfig,
  type LimitsConfig,
  notLimited,
} from "#config/index.ts";
import type { Span } from "@faultline/contracts/model";
import type { BundleDocument } from "@faultline/protocol";

import {
  answer,
  frame,
  inBandError,
  ScriptedUpstream,
  spoken,
  type Step,
  stream,
  whole,
} from "./scripted-upstream.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testSecret,
  testTenant,
} from "./test-gateway.ts";

const dispatch: DispatchConfig = {
  ...defaultDispatch,
  retries: {
    ...defaultDispatch.retries,
    attemptCountMax: 3,
    sameTargetCountMax: 1,
    backoffMsMin: 1,
  },
  breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
};
const able = { contextTokens: 100_000, tools: true, vision: true, jsonSchema: true };
const names = ["first", "second", "third", "other"] as const;
/** `other` speaks another dialect. */
const routes = {
  all: ["first", "second", "third"],
  "other-first": ["other", "second"],
  "other-second": ["first", "other", "third"],
  "other-only": ["other"],
  "second-twice": ["first", "second", "second"],
} as const;

const upstreams = new Map(names.map((name) => [name as string, new ScriptedUpstream()]));
const resources = new AsyncDisposableStack();
let world: TestGateway;
let version = 1;

beforeAll(async () => {
  const providers = [];
  for (const name of names) {
    const { port } = resources.use(await openTestServer(upstreamOf(name).listener));
    const provider = providerAt(port, { name });
    providers.push(
      name === "other"
        ? { ...provider, kind: "anthropic" as const, surfaces: ["messages" as const] }
        : provider,
    );
  }
  world = resources.use(await openTestGateway({ count: 3, providers, settings: { dispatch } }));
});
afterAll(async () => await resources.disposeAsync());
beforeEach(async () => {
  for (const upstream of upstreams.values()) upstream.plan(whole);
  await use({});
});

function upstreamOf(name: string): ScriptedUpstream {
  return upstreams.get(name) ?? new ScriptedUpstream();
}

async function use(limits: Partial<LimitsConfig>): Promise<void> {
  version += 1;
  const bundles = Object.entries(routes).map(([name, route], index) => {
    const document: BundleDocument = {
      targets: route.map((target, order) => ({
        model: `${target}/model-a`,
        order,
        supports: able,
      })),
    };
    const hash = `sha256:${String(index).padStart(64, "0")}`;
    return { tenantId: testTenant, name, version: 1, hash, isNewest: true, document };
  });
  await world.gateway.updateSnapshot(
    world.snapshot({
      version,
      limits: { ...defaultLimits, ...limits },
      bundles: { bundles, aliases: [], kills: [] },
    }),
  );
}

/** A call on a connection of its own, so that any of the workers may get it. */
async function call(route: keyof typeof routes, overrides: object = {}): Promise<Response> {
  return await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${testSecret}`,
      "content-type": "application/json",
      connection: "close",
    },
    body: JSON.stringify({
      model: `bundle/${route}`,
      max_tokens: 10,
      messages: [{ role: "user", content: "Say something" }],
      ...overrides,
    }),
  });
}

async function spanOf(reply: Response): Promise<Span> {
  const id = reply.headers.get("x-faultline-operation-id");
  return await world.spanWhere((span) => span.attributes["faultline.operation.id"] === id);
}

function servedBy(reply: Response): string {
  return `${reply.status} ${reply.headers.get("x-faultline-target")}`;
}

const limitOf = (name: string, limit: Partial<typeof notLimited>) => ({
  name,
  limits: { ...notLimited, ...limit },
});

describe("limits of the targets of a route", () => {
  it("count the target that is turned to, and skip it once they are used up", async () => {
    await use({ models: [limitOf("second/model-a", { requestsPerMinute: 2 })] });
    upstreamOf("first").plan(answer(500));
    const replies = [await call("all"), await call("all"), await call("all")];
    expect(replies.map((reply) => servedBy(reply))).toEqual([
      "200 second/model-a",
      "200 second/model-a",
      "200 third/model-a",
    ]);
    expect(upstreamOf("second").hits).toHaveLength(2);
    const { attributes, events } = await spanOf(replies[2]!);
    expect(attributes["faultline.attempts"]).toEqual([
      "first/model-a: server-error",
      "second/model-a: limit-reached",
    ]);
    // Nothing refused the call, and the one that was skipped was not asked.
    expect(attributes["faultline.limit"]).toBeUndefined();
    expect(attributes["faultline.attempt.count"]).toBe(2);
    expect(events.map(({ attributes: of }) => of["faultline.attempt.next"])).toEqual([
      "fallback",
      "fallback",
      undefined,
    ]);
  });

  it("hold for a target that stands in the route once more", async () => {
    await use({ models: [limitOf("second/model-a", { requestsPerMinute: 1 })] });
    upstreamOf("first").plan(answer(500));
    const replies = [await call("second-twice"), await call("second-twice")];
    expect(replies.map(({ status }) => status)).toEqual([200, 500]);
    expect(upstreamOf("second").hits).toHaveLength(1);
  });

  it("of the first target lead to the next one, and refuse only when all are used up", async () => {
    await use({
      models: [limitOf("first/model-a", { requestsPerMinute: 1 })],
      providers: [
        limitOf("second", { requestsPerMinute: 1 }),
        limitOf("third", { requestsPerMinute: 1 }),
      ],
    });
    const served = [];
    for (let count = 0; count < 3; count += 1) served.push(servedBy(await call("all")));
    expect(served).toEqual(["200 first/model-a", "200 second/model-a", "200 third/model-a"]);
    const refused = await call("all");
    expect([refused.status, await refused.text()]).toEqual([
      429,
      expect.stringContaining('provider \\"third\\"'),
    ]);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await spanOf(refused)).attributes["faultline.limit"]).toBe("provider requests");
  });

  it("give back the place of a target once the call has turned from it", async () => {
    await use({
      models: [
        limitOf("first/model-a", { concurrencyMax: 1 }),
        limitOf("second/model-a", { concurrencyMax: 1 }),
      ],
    });
    const open = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const waits: Step = async (request, response) => {
      held.resolve();
      await open.promise;
      whole(request, response);
    };
    upstreamOf("first").plan(answer(500), whole);
    upstreamOf("second").plan(waits);
    const turned = call("all");
    await held.promise;
    // The first target is free again, and the second is not.
    expect(servedBy(await call("all"))).toBe("200 first/model-a");
    upstreamOf("first").plan(answer(500));
    expect(servedBy(await call("all"))).toBe("200 third/model-a");
    open.resolve();
    expect(servedBy(await turned)).toBe("200 second/model-a");
    upstreamOf("second").plan(whole);
    expect(servedBy(await call("all"))).toBe("200 second/model-a");
  });

  it("charge each target with the tokens that were used there", async () => {
    await use({
      models: [
        limitOf("first/model-a", { tokensPerMinute: 1_000 }),
        limitOf("second/model-a", { tokensPerMinute: 1_000 }),
      ],
    });
    upstreamOf("first").plan(answer(500));
    // Each reports 5 tokens; what was reserved for each call comes back.
    for (let count = 0; count < 20; count += 1) {
      expect(servedBy(await call("all"))).toBe("200 second/model-a");
    }
    upstreamOf("first").plan(whole);
    const reply = await call("all", { max_tokens: 800 });
    expect(servedBy(reply)).toBe("200 first/model-a");
  });
});

describe("a target that cannot be asked what the request says", () => {
  it("is skipped for one that can, first in the route or not", async () => {
    const untranslatable = { n: 2 };
    const first = await call("other-first", untranslatable);
    expect(servedBy(first)).toBe("200 second/model-a");
    expect(first.headers.get("x-faultline-attempts")).toBe("1");
    expect((await spanOf(first)).attributes).toMatchObject({
      "faultline.attempts": ["other/model-a: untranslatable"],
      "faultline.operation.outcome": "completed",
    });
    upstreamOf("first").plan(answer(500));
    expect(servedBy(await call("other-second", untranslatable))).toBe("200 third/model-a");
    expect(upstreamOf("other").hits).toHaveLength(0);
  });

  it("is the caller's error only when no other can be asked", async () => {
    const reply = await call("other-only", { n: 2 });
    expect([reply.status, await reply.text()]).toEqual([
      400,
      expect.stringContaining("translation_unsupported"),
    ]);
  });

  it("leaves no trace of its translation on who serves after it", async () => {
    upstreamOf("other").plan(answer(500));
    const reply = await call("other-first");
    expect(servedBy(reply)).toBe("200 second/model-a");
    expect((await spanOf(reply)).attributes["faultline.translation"]).toBeUndefined();
  });
});

describe("what a failed attempt used", () => {
  it("is priced by itself, and counted with what answered", async () => {
    upstreamOf("first").plan(stream(frame({ role: "assistant" }), inBandError));
    upstreamOf("second").plan(spoken);
    const reply = await call("all", { stream: true });
    expect(await reply.text()).toContain("The sea");
    const { attributes, events } = await spanOf(reply);
    const used = events.map((event) => ({
      target: event.attributes["faultline.attempt.target"],
      input: Number(event.attributes["gen_ai.usage.input_tokens"]),
      output: Number(event.attributes["gen_ai.usage.output_tokens"]),
      cost: Number(event.attributes["faultline.cost.micros"]),
    }));
    expect(used).toMatchObject([
      { target: "first/model-a", output: 0 },
      { target: "second/model-a", output: 2 },
    ]);
    for (const { input, output, cost } of used) {
      expect(input).toBeGreaterThanOrEqual(3);
      expect(cost).toBe(input * 2 + output * 8);
    }
    const sum = (name: "input" | "output" | "cost"): number =>
      used.reduce((total, one) => total + one[name], 0);
    expect(attributes).toMatchObject({
      "gen_ai.usage.input_tokens": sum("input"),
      "gen_ai.usage.output_tokens": sum("output"),
      "faultline.cost.micros": sum("cost"),
      "faultline.usage.source": "observed",
    });
    const metrics = await world.gateway.metrics();
    expect(metrics).toMatch(
      /tokens_total\{provider="first",model="first\/model-a",direction="input"\} [1-9]/,
    );
  });

  it("is nothing when the target refused it or broke off before it answered", async () => {
    const reset: Step = (request) => request.socket.destroy();
    upstreamOf("first").plan(reset);
    upstreamOf("second").plan(answer(500));
    const reply = await call("all");
    expect(servedBy(reply)).toBe("200 third/model-a");
    const { attributes, events } = await spanOf(reply);
    expect([
      attributes["gen_ai.usage.input_tokens"],
      attributes["gen_ai.usage.output_tokens"],
      attributes["faultline.usage.source"],
    ]).toEqual([3, 2, undefined]);
    const inputs = events.map((event) => event.attributes["gen_ai.usage.input_tokens"]);
    expect(inputs).toEqual([undefined, undefined, 3]);
  });

  it("is its input when it was too slow and let go", async () => {
    upstreamOf("first").plan(() => {});
    upstreamOf("second").plan(spoken);
    const reply = await fetch(`${world.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${testSecret}`,
        "x-faultline-timeout-first-token": "200ms",
      },
      body: JSON.stringify({
        model: "bundle/all",
        stream: true,
        messages: [{ role: "user", content: "Say something" }],
      }),
    });
    // The other one may be as slow in the little time that is left; its input counts either way.
    await reply.text().catch(() => "cut");
    const { attributes, events } = await spanOf(reply);
    expect(Number(events[0]?.attributes["gen_ai.usage.input_tokens"])).toBeGreaterThanOrEqual(4);
    expect(Number(attributes["gen_ai.usage.input_tokens"])).toBeGreaterThanOrEqual(8);
  });
});
