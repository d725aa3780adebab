/** Each surface in its own dialect through a real worker: what changes on the way, and nothing else. */

import type { IncomingHttpHeaders } from "node:http";

import type { SurfaceName } from "#config/index.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { surfaces } from "../calls/surface.ts";
import { exchange } from "./raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
} from "./test-gateway.ts";
import { textSamples, type WireSample } from "./wire-samples.ts";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const streamed = Object.entries(textSamples) as [SurfaceName, WireSample][];
/** A request of each surface, with white space and an unknown field that must pass. */
const request = (surface: SurfaceName, stream: boolean): string => {
  const fields: Record<string, string> = {
    chat: '"messages":[{"role":"user","content":"Say something."}]',
    responses: '"input":"Say something."',
    completions: '"prompt":"Say something."',
    embeddings: '"input":["a","b"]',
    messages: '"max_tokens":64,"messages":[{"role":"user","content":"Say something."}]',
    "count-tokens": '"messages":[{"role":"user","content":"Say something."}]',
  };
  return `{ "x_unknown": [1, 2.50, "\\u00e9"],\n "model" : "upstream/model-a",${stream ? '"stream":true,' : ""}${fields[surface] ?? ""} }`;
};

describe("a surface in its own dialect", () => {
  let world: TestGateway;
  let upstream: TestServer;
  let received: Received[] = [];
  let reply: { status: number; type: string; body: string };

  beforeAll(async () => {
    upstream = await openTestServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => {
        const body = Buffer.concat(parts).toString();
        received.push({ path: incoming.url ?? "", headers: incoming.headers, body });
        response.writeHead(reply.status, { "content-type": reply.type });
        response.end(reply.body);
      });
    });
    const openai = providerAt(upstream.port, { apiKey: "provider-secret-1" });
    world = await openTestGateway({
      providers: [
        {
          ...openai,
          surfaces: ["chat", "responses", "completions", "embeddings", "messages", "count-tokens"],
        },
        { ...openai, kind: "anthropic", name: "anthropic" },
        {
          ...openai,
          name: "azure",
          baseUrl: `http://127.0.0.1:${upstream.port}/openai`,
          pathTemplate: "/deployments/{model}{path}?api-version=2024-10-21",
          keyHeader: "api-key",
        },
      ],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function call(surface: SurfaceName, body: string, headers: readonly string[] = []) {
    received = [];
    return await exchange(
      world.gateway.port,
      [
        `POST /v1${surfaces[surface].path} HTTP/1.1`,
        `authorization: Bearer ${testSecret}`,
        "content-type: application/json",
        ...headers,
      ],
      body,
    );
  }

  async function spanOf(head: string) {
    const id = /x-faultline-operation-id: (\S+)/i.exec(head)?.[1];
    const span = await world.spanWhere((one) => one.attributes["faultline.operation.id"] === id);
    return span.attributes;
  }

  it.each(streamed)(
    "passes a stream of %s byte for byte, and reads its usage",
    async (surface, sample) => {
      reply = { status: 200, type: "text/event-stream", body: sample.events.join("") };
      const answer = await call(surface, request(surface, true));
      const asked = surfaces[surface].request.asksForUsage;
      const passed = asked
        ? sample.events.filter((event) => !event.includes('"choices":[]'))
        : sample.events;
      expect(answer.body.toString()).toBe(passed.join(""));
      expect(answer.whole).toBe(true);
      const [got] = received;
      expect(got?.path).toBe(`/v1${surfaces[surface].path}`);
      const sent = request(surface, true).replace("upstream/model-a", "vendor/model-a-2026");
      expect(got?.body).toBe(
        asked ? sent.replace("{", '{"stream_options":{"include_usage":true},') : sent,
      );
      expect(await spanOf(answer.head)).toMatchObject({
        "gen_ai.usage.input_tokens": sample.usage.input,
        "gen_ai.usage.cache_read.input_tokens": sample.usage.cached,
        "gen_ai.usage.output_tokens": sample.usage.output,
        "gen_ai.operation.name": surfaces[surface].operation,
        // 5 uncached tokens at 2, 16 cached at 0.5, 9 output at 8 dollars per million.
        "faultline.cost.micros": 90,
      });
    },
  );

  it.each(streamed)("passes a plain reply of %s byte for byte", async (surface, sample) => {
    const body = `${JSON.stringify(sample.plain, undefined, 1)}\n`;
    reply = { status: 200, type: "application/json", body };
    const answer = await call(surface, request(surface, false));
    expect(answer.body.toString()).toBe(body);
    expect(await spanOf(answer.head)).toMatchObject({
      "gen_ai.usage.input_tokens": sample.usage.input,
      "gen_ai.usage.output_tokens": sample.usage.output,
      "faultline.operation.outcome": "completed",
    });
  });

  it("passes embeddings, which report input alone", async () => {
    const body =
      '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}';
    reply = { status: 200, type: "application/json", body };
    const answer = await call("embeddings", request("embeddings", false));
    expect(answer.body.toString()).toBe(body);
    expect(await spanOf(answer.head)).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.usage.input_tokens": 4,
      "gen_ai.usage.output_tokens": 0,
    });
  });

  it("counts tokens, which costs nothing", async () => {
    const body = '{"input_tokens":12}';
    reply = { status: 200, type: "application/json", body };
    const answer = await call("count-tokens", request("count-tokens", false));
    expect(answer.body.toString()).toBe(body);
    const attributes = await spanOf(answer.head);
    expect(attributes["faultline.cost.micros"]).toBeUndefined();
    expect(attributes["gen_ai.operation.name"]).toBe("count_tokens");
  });

  it.each(streamed)(
    "ends %s with the dialect's error event where the stream is cut, without a clean end",
    async (surface, sample) => {
      const cut = sample.events.slice(0, sample.firstDelta + 1).join("");
      reply = { status: 200, type: "text/event-stream", body: cut };
      const answer = await call(surface, request(surface, true));
      expect(answer.whole).toBe(false);
      const rest = answer.body.toString().slice(cut.length);
      expect(answer.body.toString().startsWith(cut)).toBe(true);
      const value: unknown = JSON.parse(/^data: (.*)$/m.exec(rest)?.[1] ?? "");
      expect(value).toMatchObject(
        surface === "responses"
          ? { type: "error", code: "provider_stream_cut", sequence_number: sample.firstDelta + 1 }
          : { error: { code: "provider_stream_cut" } },
      );
      if (surface === "messages") expect(rest).toMatch(/^event: error\n/);
      expect(rest).not.toContain("[DONE]");
      expect(await spanOf(answer.head)).toMatchObject({
        "faultline.usage.source": "observed",
        // "The sea": seven bytes, at four bytes a token.
        "gen_ai.usage.output_tokens": 2,
        // Only messages report their input at the start; elsewhere the bytes that were sent stand for it.
        "gen_ai.usage.input_tokens": { chat: 11, completions: 4, responses: 4, messages: 21 }[
          surface as "chat"
        ],
      });
    },
  );

  it.each(streamed)(
    "answers %s with a status where the stream ends before it said anything",
    async (surface, sample) => {
      const early = sample.events.slice(0, sample.firstDelta).join("");
      reply = { status: 200, type: "text/event-stream", body: early };
      const answer = await call(surface, request(surface, true));
      expect([answer.status, answer.whole]).toEqual([502, true]);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { code: "provider_stream_cut" },
      });
    },
  );

  it.each([
    ["chat", 'data: {"error":{"message":"Overloaded.","type":"server_error","code":null}}\n\n'],
    [
      "responses",
      'event: error\ndata: {"type":"error","code":"server_error","message":"Overloaded.","sequence_number":1}\n\n',
    ],
    [
      "messages",
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded."}}\n\n',
    ],
  ] as const)(
    "answers %s with a status where the first event is an error",
    async (surface, event) => {
      const sample = textSamples[surface];
      const body = [...(sample?.events.slice(0, sample.firstDelta) ?? []), event].join("");
      reply = { status: 200, type: "text/event-stream", body };
      const answer = await call(surface, request(surface, true));
      expect([answer.status, answer.whole]).toEqual([502, true]);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { code: "provider_failed", message: expect.stringContaining("Overloaded.") },
      });
    },
  );

  it("speaks to Anthropic with its own headers, and takes its clients' key", async () => {
    reply = {
      status: 200,
      type: "application/json",
      body: JSON.stringify(textSamples.messages?.plain),
    };
    const body = request("messages", false).replace("upstream/", "anthropic/");
    received = [];
    const answer = await exchange(
      world.gateway.port,
      [
        "POST /v1/messages?beta=true HTTP/1.1",
        `x-api-key: ${testSecret}`,
        "anthropic-beta: tools-2026-01-01",
      ],
      body,
    );
    expect(answer.status).toBe(200);
    expect(received[0]?.headers).toMatchObject({
      "x-api-key": "provider-secret-1",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "tools-2026-01-01",
    });
    expect(received[0]?.headers.authorization).toBeUndefined();
  });

  it("puts the deployment into the path and the key into the header that the configuration names", async () => {
    reply = {
      status: 200,
      type: "application/json",
      body: JSON.stringify(textSamples.chat?.plain),
    };
    await call("chat", request("chat", false).replace("upstream/", "azure/"));
    expect(received[0]?.path).toBe(
      "/openai/deployments/vendor%2Fmodel-a-2026/chat/completions?api-version=2024-10-21",
    );
    expect(received[0]?.headers["api-key"]).toBe("provider-secret-1");
  });

  it.each([
    ["messages", "authorization: Bearer wrong", "authentication_error"],
    ["messages", `authorization: Bearer ${testSecret}`, "invalid_request_error"],
    ["chat", "authorization: Bearer wrong", "authentication_error"],
  ] as const)("refuses %s in its dialect (%s)", async (surface, header, type) => {
    const answer = await exchange(
      world.gateway.port,
      [`POST /v1${surfaces[surface].path} HTTP/1.1`, header],
      "{}",
    );
    const body: unknown = JSON.parse(answer.body.toString());
    expect(body).toMatchObject({ error: { type } });
    if (surface === "messages") expect(body).toMatchObject({ type: "error" });
  });
});
