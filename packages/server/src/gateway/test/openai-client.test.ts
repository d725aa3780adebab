/** The official client of the dialect, through a real worker process. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";

import { formatKey, parseTenantId, refuseEndedKey } from "@faultline/protocol";
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  PermissionDeniedError,
  NotFoundError,
  BadRequestError,
  UnprocessableEntityError,
  RateLimitError,
  InternalServerError,
} from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  simulatedProvider,
  type TestGateway,
  type TestServer,
  testSecret,
  testTenant,
} from "./test-gateway.ts";

const messages = [{ role: "user" as const, content: "Say something." }];
const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather of a place",
    parameters: {
      type: "object",
      properties: { place: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 7 } },
      required: ["place", "days"],
    },
  },
};

describe("the official client", () => {
  let world: TestGateway;
  /** An upstream that answers as each test wants. */
  let upstream: TestServer;
  let answer: (response: ServerResponse, body: string) => void;
  const expiredSecret = secretOf(1);
  const revokedSecret = secretOf(2);
  const viewerSecret = secretOf(3);

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => answer(response, Buffer.concat(parts).toString()));
    });
    const unpriced = { name: "mystery", upstreamName: "mystery", price: undefined };
    const provider = providerAt(upstream.port, { apiKey: "provider-secret-1" });
    world = await openTestGateway({
      providers: [simulatedProvider, { ...provider, models: [...provider.models, unpriced] }],
      keys: [
        keyRow(testSecret),
        keyRow(expiredSecret, { expiresAtMs: 1_000 }),
        keyRow(revokedSecret, { revokedAtMs: 1_000 }),
        keyRow(viewerSecret, { role: "viewer" }),
      ],
      settings: { bodyBytesMax: 1_000_000 },
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  function client(options: { simulate?: string; apiKey?: string } = {}): OpenAI {
    return new OpenAI({
      apiKey: options.apiKey ?? testSecret,
      baseURL: `${world.url}/v1`,
      maxRetries: 0,
      defaultHeaders:
        options.simulate === undefined ? {} : { "x-faultline-simulate": options.simulate },
    });
  }

  async function refusal(work: Promise<unknown>): Promise<APIError> {
    try {
      await work;
    } catch (error) {
      if (error instanceof APIError) return error;
      throw error;
    }
    throw new Error("It was not refused.");
  }

  async function ask(
    options: { simulate?: string; apiKey?: string; model?: string } = {},
  ): Promise<OpenAI.ChatCompletion> {
    return client(options).chat.completions.create({
      model: options.model ?? "simulated",
      messages,
    });
  }

  it("gets a plain answer with usage, labelled as simulated", async () => {
    const completion = await ask({ simulate: "tokens=12" });
    expect(completion.choices[0]?.message.content).toMatch(/^\[simulated\] /);
    expect(completion.choices[0]?.finish_reason).toBe("stop");
    expect(completion.usage?.completion_tokens).toBe(12);
    expect(completion.system_fingerprint).toBe("fp_simulated_no_language_model");
    const { response } = await client()
      .chat.completions.create({ model: "simulated", messages })
      .withResponse();
    expect(response.headers.get("x-faultline-simulated")).toBe("no language model");
    expect(response.headers.get("x-faultline-target")).toBe("simulated/simulated");
  });

  it("gets the same answer for the same request and seed, and another for another seed", async () => {
    const text = async (simulate: string): Promise<unknown> =>
      (await ask({ simulate })).choices[0]?.message.content;
    expect(await text("seed=one")).toBe(await text("seed=one"));
    expect(await text("seed=one")).not.toBe(await text("seed=two"));
  });

  it("gets a stream whose pieces are the plain answer, without usage that it did not ask for", async () => {
    const stream = await client({ simulate: "tokens=12" }).chat.completions.create({
      model: "simulated/simulated",
      messages,
      stream: true,
    });
    const texts: string[] = [];
    let usageCount = 0;
    for await (const chunk of stream) {
      texts.push(chunk.choices[0]?.delta.content ?? "");
      expect(chunk.choices).toHaveLength(1);
      if (chunk.usage) usageCount += 1;
    }
    expect(usageCount).toBe(0);
    const plain = await ask({ simulate: "tokens=12" });
    expect(texts.join("")).toBe(plain.choices[0]?.message.content);
  });

  it("gets usage in a stream when it asks for it", async () => {
    const stream = await client({ simulate: "tokens=7" }).chat.completions.create({
      model: "simulated",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(7);
  });

  it("gets tool calls, plain and streamed, and an answer after the tool's result", async () => {
    const plain = await client().chat.completions.create({
      model: "simulated",
      messages,
      tools: [weather],
    });
    const call = plain.choices[0]?.message.tool_calls?.[0];
    if (call?.type !== "function") throw new Error("No function was called.");
    expect(plain.choices[0]?.finish_reason).toBe("tool_calls");
    expect(call.function.name).toBe("get_weather");
    const values = JSON.parse(call.function.arguments) as { place: unknown; days: number };
    expect(typeof values.place).toBe("string");
    expect([1, 2, 3, 4, 5, 6, 7]).toContain(values.days);

    const final = await client()
      .chat.completions.stream({ model: "simulated", messages, tools: [weather] })
      .finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls).toMatchObject([
      { id: call.id, function: { name: "get_weather", arguments: call.function.arguments } },
    ]);

    const after = await client().chat.completions.create({
      model: "simulated",
      messages: [
        ...messages,
        { role: "assistant", tool_calls: [call] },
        { role: "tool", tool_call_id: call.id, content: "sunny" },
      ],
      tools: [weather],
    });
    expect(after.choices[0]?.message.content).toMatch(/^\[simulated\]/);
  });

  it("gets structured output that fits the schema it asks for", async () => {
    const completion = await client().chat.completions.create({
      model: "simulated",
      messages,
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "verdict",
          schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
        },
      },
    });
    const value = JSON.parse(completion.choices[0]?.message.content ?? "") as { ok: unknown };
    expect(typeof value.ok).toBe("boolean");
  });

  it("aborts a stream, and the upstream sees its connection close at once", async () => {
    const closed = Promise.withResolvers<number>();
    let eventCount = 0;
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${chunkOf("first")}\n\n`);
      eventCount += 1;
      response.on("close", () => closed.resolve(eventCount));
    };
    const stream = await client().chat.completions.create({
      model: "model-a",
      messages,
      stream: true,
    });
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.delta.content).toBe("first");
      break;
    }
    expect(await closed.promise).toBe(1);
    const span = await world.spanWhere(
      (candidate) => candidate.attributes["faultline.operation.outcome"] === "cancelled",
    );
    expect(span.status.code).toBe("unset");
  });

  it("aborts a plain request before its answer, and the upstream sees it", async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    answer = (response) => arrived.resolve(response);
    const aborter = new AbortController();
    const asked = client().chat.completions.create(
      { model: "model-a", messages },
      { signal: aborter.signal },
    );
    const response = await arrived.promise;
    aborter.abort();
    await expect(asked).rejects.toBeInstanceOf(APIUserAbortError);
    if (!response.destroyed) await once(response, "close");
  });

  it("maps refusals of the key to the client's classes", async () => {
    const missing = await fetch(`${world.url}/v1/chat/completions`, { method: "POST", body: "{}" });
    expect(missing.status).toBe(401);
    expect(await missing.json()).toMatchObject({
      error: { code: "key_missing", type: "authentication_error" },
    });
    const mistyped = `${testSecret.slice(0, -1)}${testSecret.endsWith("0") ? "1" : "0"}`;
    const cases = [
      [mistyped, AuthenticationError, "key_malformed"],
      [secretOf(99), AuthenticationError, "key_unknown"],
      [expiredSecret, AuthenticationError, "key_expired"],
      [revokedSecret, AuthenticationError, "key_revoked"],
      [viewerSecret, PermissionDeniedError, "permission_denied"],
    ] as const;
    for (const [apiKey, kind, code] of cases) {
      const error = await refusal(ask({ apiKey }));
      expect(error).toBeInstanceOf(kind);
      expect(error.code).toBe(code);
    }
  });

  it("says of a key that ended which one it was and when, as the control API does", async () => {
    for (const [apiKey, ended] of [
      [expiredSecret, { expiresAtMs: 1_000 }],
      [revokedSecret, { revokedAtMs: 1_000 }],
    ] as const) {
      const words = refuseEndedKey(keyRow(apiKey, ended), 2_000)?.message ?? "";
      expect(words).toMatch(/^The key `test` .* on 1970-01-01T00:00:01.000Z\.$/);
      expect((await refusal(ask({ apiKey }))).message).toContain(words);
    }
  });

  it("maps refusals of the request to the client's classes", async () => {
    const unknown = await refusal(ask({ model: "model-b" }));
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect([unknown.code, unknown.param]).toEqual(["model_not_found", "model"]);
    expect(unknown.message).toContain('Did you mean "model-a"?');
    expect((await refusal(ask({ model: "upstream/mystery" }))).code).toBe("price_unknown");
    const malformed = await refusal(client().post("/chat/completions", { body: { model: 1 } }));
    expect(malformed).toBeInstanceOf(BadRequestError);
    const large = await refusal(
      client().chat.completions.create({
        model: "simulated",
        messages: [{ role: "user", content: "x".repeat(1_100_000) }],
      }),
    );
    expect([large.status, large.code]).toEqual([413, "request_too_large"]);
  });

  it.each([
    [400, BadRequestError],
    [404, NotFoundError],
    [422, UnprocessableEntityError],
    [429, RateLimitError],
    [500, InternalServerError],
    [529, InternalServerError],
  ])("passes on the provider's status %i with its body", async (status, kind) => {
    const error = await refusal(ask({ simulate: `error=${status}` }));
    expect(error).toBeInstanceOf(kind);
    expect([error.status, error.code]).toEqual([status, "simulated_error"]);
    if (status === 429) expect(error.headers?.get("retry-after")).toBe("1");
  });

  it.each([401, 403])(
    "hides the provider's %i: the caller's key is not at fault",
    async (status) => {
      answer = (response) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end('{"error":{"message":"Incorrect API key provided: provider-secret-1"}}');
      };
      const error = await refusal(ask({ model: "model-a" }));
      expect([error.status, error.code]).toEqual([502, "provider_unauthorized"]);
      expect(error.message).not.toContain("provider-secret-1");
    },
  );

  it("never passes on an error body that quotes the provider's key", async () => {
    answer = (response) => {
      response.writeHead(500, { "content-type": "application/json" });
      response.end('{"error":{"message":"crash while using provider-secret-1"}}');
    };
    const error = await refusal(ask({ model: "model-a" }));
    expect(error.status).toBe(500);
    expect(JSON.stringify(error.error)).not.toContain("provider-secret-1");
  });

  it("gives an error that is not in the dialect's shape that shape", async () => {
    answer = (response) => {
      response.writeHead(503, { "content-type": "text/html", "retry-after": "7" });
      response.end("<h1>Over\u0000 capacity</h1>");
    };
    const error = await refusal(ask({ model: "model-a" }));
    expect(error.status).toBe(503);
    expect(error.message).toContain(
      'Provider "upstream" answered with status 503: <h1>Over capacity</h1>',
    );
    expect(error.headers?.get("retry-after")).toBe("7");
  });

  it("lists and finds models; the simulated one says that it is none", async () => {
    const list = await client().models.list();
    expect(list.data.map(({ id }) => id)).toEqual([
      "simulated/simulated",
      "upstream/model-a",
      "upstream/mystery",
    ]);
    expect(list.data[0]?.owned_by).toBe("faultline-simulated");
    expect(list.data[0]).toMatchObject({
      faultline: { simulated: true, note: expect.stringContaining("no language model") },
    });
    const one = await client().models.retrieve("upstream/model-a");
    expect(one.id).toBe("upstream/model-a");
    const none = await refusal(client().models.retrieve("nothing"));
    expect(none).toBeInstanceOf(NotFoundError);
    expect((await refusal(client({ apiKey: "nonsense" }).models.list())).code).toBe(
      "key_malformed",
    );
  });
});

function secretOf(seed: number): string {
  let state = seed;
  return formatKey(parseTenantId(testTenant) ?? testTenant, (bound) => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return state % bound;
  });
}

function chunkOf(content: string): string {
  return JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  });
}
