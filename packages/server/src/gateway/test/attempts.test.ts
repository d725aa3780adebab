import { once } from "node:events";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { defaultDispatch, type DispatchConfig } from "#config/index.ts";
import type { Span } from "@faultline/contracts/model";
import { formatKey, type KeyId } from "@faultline/protocol";
import { seededRandom } from "@faultline/testkit";

import { openSocket } from "./raw-client.ts";
import {
  answer,
  frame,
  inBandError,
  role,
  ScriptedUpstream,
  spoken,
  type Step,
  stream,
  whole,
} from "./scripted-upstream.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  testSecret,
  testSettings,
  testTenant,
  type TestGateway,
} from "./test-gateway.ts";

const retries: DispatchConfig = {
  ...defaultDispatch,
  retries: { ...defaultDispatch.retries, backoffMsMin: 1, budgetPerSecondMin: 1_000 },
  breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
};

const random = seededRandom("attempts");
/** A key whose calls must begin to answer soon. */
const hastySecret = formatKey(testTenant, (bound) => random.integer(bound));
const upstream = new ScriptedUpstream();
const resources = new AsyncDisposableStack();
const names = ["upstream", "budget", "breaker", "places"];
let version = 1;
let world: TestGateway;

beforeAll(async () => {
  const server = resources.use(await openTestServer(upstream.listener));
  world = resources.use(
    await openTestGateway({
      // One process for all: to start one takes longer than most of what is tried, above all on a busy machine.
      providers: names.map((name) => providerAt(server.port, { name })),
      settings: { ...testSettings, dispatch: retries },
      keys: [
        keyRow(testSecret),
        keyRow(hastySecret, {
          id: "00000000-0000-7000-8000-000000000002" as KeyId,
          terms: { deadlines: { firstTokenMs: 100 } },
        }),
      ],
    }),
  );
});
afterEach(async () => {
  if (version > 1) await use(retries);
});

afterAll(async () => await resources.disposeAsync());

/** Puts these settings in force. Budgets and breakers belong to a provider, of which each test of them has its own. */
async function use(dispatch: DispatchConfig): Promise<void> {
  version += 1;
  const settings = { ...testSettings, dispatch };
  await world.gateway.updateSnapshot(world.snapshot({ version, settings }));
}

/** The span of the call that this reply answers. */
async function spanOf(reply: Response): Promise<Span> {
  const id = reply.headers.get("x-faultline-operation-id");
  return await world.spanWhere((span) => span.attributes["faultline.operation.id"] === id);
}

interface CallOptions {
  readonly stream?: boolean;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly provider?: string;
}

async function call(options: CallOptions = {}): Promise<Response> {
  return await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${testSecret}`,
      "content-type": "application/json",
      ...options.headers,
    },
    body: JSON.stringify({
      model: `${options.provider ?? "upstream"}/model-a`,
      stream: options.stream ?? false,
      messages: [{ role: "user", content: "Say something" }],
    }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

describe("attempts before commit", () => {
  it.each([500, 503, 529, 429, 408, 409])(
    "tries again after a status of %i, and says so",
    async (status) => {
      upstream.plan(answer(status), whole);
      const reply = await call();
      expect(reply.status).toBe(200);
      expect(await reply.text()).toContain("The sea");
      expect(reply.headers.get("x-faultline-attempts")).toBe("2");
      expect(reply.headers.get("x-faultline-target")).toBe("upstream/model-a");
      expect(upstream.hits).toHaveLength(2);
      const span = await spanOf(reply);
      expect(span.attributes).toMatchObject({
        "faultline.attempt.count": 2,
        "faultline.operation.outcome": "completed",
        "gen_ai.usage.input_tokens": 3,
      });
      expect(span.events).toMatchObject([
        { name: "faultline.attempt", attributes: { "faultline.attempt.next": "retry" } },
        // The one that answered.
        {
          name: "faultline.attempt",
          attributes: { "faultline.attempt.target": "upstream/model-a" },
        },
      ]);
    },
  );

  it.each([
    ["a refused request", answer(400)],
    ["an account without credit", answer(429, {}, { code: "insufficient_quota" })],
    ["a target that says not to", answer(500, { "x-should-retry": "false" })],
  ])("does not ask the same target again after %s", async (_name, step) => {
    upstream.plan(step, whole);
    const reply = await call();
    expect(reply.ok).toBe(false);
    expect(reply.headers.get("x-faultline-attempts")).toBe("1");
    expect(upstream.hits).toHaveLength(1);
  });

  it("tries again when the connection breaks before the reply, and after its head", async () => {
    const reset: Step = (request) => request.socket.destroy();
    const cut: Step = (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(role, () => response.destroy());
    };
    for (const step of [reset, cut]) {
      upstream.plan(step, spoken);
      const reply = await call({ stream: true });
      expect(await reply.text()).toContain("[DONE]");
      expect(reply.headers.get("x-faultline-attempts")).toBe("2");
    }
  });

  it("tries again after an error in the stream that comes before the first word", async () => {
    upstream.plan(stream(role, inBandError), spoken);
    const reply = await call({ stream: true });
    const text = await reply.text();
    expect(text).toContain("The sea");
    expect(text).not.toContain("busy");
    // The role of the first attempt was thrown away with it.
    expect(text.split(role)).toHaveLength(2);
    expect(upstream.hits).toHaveLength(2);
  });

  it("tries again after a plain reply of status 200 that is an error", async () => {
    const disguised: Step = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"error":{"message":"Provider disconnected","code":502}}');
    };
    upstream.plan(disguised, whole);
    const reply = await call();
    expect([reply.status, reply.headers.get("x-faultline-attempts")]).toEqual([200, "2"]);
    upstream.plan(disguised);
    const failed = await call();
    expect([failed.status, await failed.text()]).toEqual([
      502,
      expect.stringContaining("Provider disconnected"),
    ]);
    const { attributes } = await spanOf(failed);
    expect(attributes["faultline.attempts"]).toEqual([
      "upstream/model-a: unavailable",
      "upstream/model-a: unavailable",
    ]);
  });

  it("never tries again after the first word", async () => {
    for (const end of [inBandError, ""]) {
      upstream.plan(stream(role, frame({ content: "The" }), end), spoken);
      const reply = await call({ stream: true });
      const text = await reply.text().catch(() => "cut");
      expect(text).not.toContain("sea");
      expect(upstream.hits).toHaveLength(1);
    }
  });

  it("gives up after the attempts it has, and passes on what the target said last", async () => {
    upstream.plan(answer(503, {}, { message: "still down" }));
    const reply = await call();
    expect([reply.status, await reply.text()]).toEqual([
      503,
      expect.stringContaining("still down"),
    ]);
    expect(reply.headers.get("x-faultline-attempts")).toBe("2");
    expect(upstream.hits).toHaveLength(2);
    const span = await spanOf(reply);
    expect(span.attributes["faultline.attempts"]).toEqual([
      "upstream/model-a: unavailable",
      "upstream/model-a: unavailable",
    ]);
    expect(span.events.map(({ attributes }) => attributes["faultline.attempt.next"])).toEqual([
      "retry",
      "attempts-exhausted",
    ]);
  });
});

describe("Retry-After", () => {
  it.each([
    ["seconds", () => ({ "retry-after": "1" }), 1_000],
    ["milliseconds", () => ({ "retry-after-ms": "300" }), 300],
    [
      "a date",
      // A date has whole seconds: between one and two of them are left.
      () => ({ "retry-after": new Date(Date.now() + 2_000).toUTCString() }),
      1_000,
    ],
  ])("in %s is waited for", async (_name, headers, waitedMs) => {
    upstream.plan((request, response) => answer(429, headers())(request, response), whole);
    expect((await call()).status).toBe(200);
    const [first = 0, second = 0] = upstream.hits;
    expect(second - first).toBeGreaterThanOrEqual(waitedMs - 5);
  });

  it("that ends after the deadline is passed on at once", async () => {
    upstream.plan(answer(429, { "retry-after": "30" }), whole);
    const reply = await call({ headers: { "x-faultline-timeout-total": "20s" } });
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(upstream.hits).toHaveLength(1);
    const { events } = await spanOf(reply);
    expect(events[0]?.attributes["faultline.attempt.next"]).toBe("deadline-too-near");
  });
});

describe("a caller", () => {
  it("that leaves during the back-off ends the call at once", async () => {
    upstream.plan(answer(503, { "retry-after": "60" }), whole);
    const leaving = new AbortController();
    const reply = call({ signal: leaving.signal });
    await upstream.whenHit(1);
    leaving.abort();
    await expect(reply).rejects.toThrow(/abort/);
    const span = await world.spanWhere(
      ({ attributes }) => attributes["faultline.operation.outcome"] === "cancelled",
    );
    expect(span.durationNanos).toBeLessThan(30e9);
    expect(upstream.hits).toHaveLength(1);
  });

  it("has the deadlines of its key", async () => {
    upstream.plan(() => {});
    const authorization = `Bearer ${hastySecret}`;
    const late = await call({ stream: true, headers: { authorization } });
    expect([late.status, await late.text()]).toEqual([
      504,
      expect.stringContaining("first token deadline of 100 ms"),
    ]);
  });

  it("that does not send its body is told so at the total deadline, and holds no place any more", async () => {
    const socket = await openSocket(world.gateway.port);
    const head = [
      "POST /v1/chat/completions HTTP/1.1",
      "host: gateway",
      `authorization: Bearer ${testSecret}`,
      "x-faultline-timeout-total: 100ms",
      "content-length: 100000",
      "connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n{"model":`);
    const [said] = (await once(socket, "data")) as [Buffer];
    expect(said.toString()).toMatch(/^HTTP\/1\.1 408 [^]*"request_timeout"/);
    socket.destroy();
    const openCount = async (): Promise<unknown> =>
      await (await fetch(`${world.url}/readyz/gateway`)).json();
    while (!JSON.stringify(await openCount()).includes('"openOperations":0')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("shortens deadlines by headers, and is told of bad ones", async () => {
    upstream.plan(() => {});
    const late = await call({
      stream: true,
      headers: { "x-faultline-timeout-first-token": "100ms" },
    });
    expect(late.status).toBe(504);
    const bad = await call({ headers: { "x-faultline-timeout-total": "soon" } });
    expect([bad.status, await bad.text()]).toEqual([
      400,
      expect.stringContaining("a duration such as 1500ms, 30s or 2m"),
    ]);
  });
});

describe("the retry budget", () => {
  it("stops a storm of retries", async () => {
    upstream.plan(answer(503));
    const budget = { budgetPercent: 10, budgetPerSecondMin: 1, backoffMsMin: 1 };
    await use({ ...retries, retries: { ...retries.retries, ...budget } });
    const provider = "budget";
    const replies = await Promise.all(Array.from({ length: 100 }, () => call({ provider })));
    expect(replies.every(({ status }) => status === 503)).toBe(true);
    // A tenth of the calls, and one a second for as long as it took.
    const secondsMax = (performance.now() - (upstream.hits[0] ?? 0)) / 1_000 + 1;
    expect(upstream.hits.length).toBeLessThanOrEqual(100 + 10 + Math.ceil(secondsMax));
  });
});

describe("the circuit breaker", () => {
  it("opens after failures in a row, answers at once, and closes after a probe", async () => {
    upstream.plan(answer(500), answer(500), answer(500), whole);
    const breaker = { ...retries.breaker, failureCountMax: 3, openMsMin: 400, openMsMax: 400 };
    await use({ ...retries, retries: { ...retries.retries, attemptCountMax: 1 }, breaker });
    const provider = "breaker";
    for (let count = 0; count < 3; count += 1) {
      expect((await call({ provider })).status).toBe(500);
    }
    const shut = await call({ provider });
    expect([shut.status, shut.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await shut.text()).toContain("target_unavailable");
    expect(upstream.hits).toHaveLength(3);
    let probe = await call({ provider });
    while (probe.status === 503) probe = await call({ provider });
    expect(probe.status).toBe(200);
    const openedFor = (upstream.hits[3] ?? 0) - (upstream.hits[2] ?? 0);
    expect(openedFor).toBeGreaterThanOrEqual(195);
  });
});

describe("places with a target", () => {
  it("are as many as it may have, and who waits too long is told which target is full", async () => {
    const open = Promise.withResolvers<void>();
    let underWay = 0;
    let underWayMax = 0;
    upstream.plan(async (request, response) => {
      underWay += 1;
      underWayMax = Math.max(underWayMax, underWay);
      await open.promise;
      underWay -= 1;
      whole(request, response);
    });
    const concurrency = { ...retries.concurrency, targetMin: 1, targetMax: 2 };
    await use({ ...retries, concurrency });
    const provider = "places";
    const calls = Array.from({ length: 6 }, () => call({ provider }));
    await upstream.whenHit(2);
    const hasty = await call({ provider, headers: { "x-faultline-timeout-queue": "50ms" } });
    expect([hasty.status, await hasty.text()]).toEqual([
      429,
      expect.stringContaining(
        'The target \\"places/model-a\\" has as many calls as it carries (2)',
      ),
    ]);
    open.resolve();
    const statuses = await Promise.all(calls.map(async (reply) => (await reply).status));
    expect([new Set(statuses), underWayMax]).toEqual([new Set([200]), 2]);
  });
});
