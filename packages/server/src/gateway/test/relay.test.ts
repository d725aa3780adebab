/** What passes between caller and provider, compared byte for byte, through a real worker process. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, openSocket, type RawReply } from "./raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
} from "./test-gateway.ts";

interface Arrived {
  readonly request: IncomingMessage;
  readonly body: string;
}

const usageFrame =
  'data: {"id":"c","choices":[],"usage":{"prompt_tokens":1000000,"completion_tokens":2}}\n\n';
const done = "data: [DONE]\n\n";
const oddFrames = [
  ": keep-alive\n\n",
  'data: {"id":"c","model":"m-2026","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null,"x":1.0e2}\n\n',
  'data:{"choices":[{"delta":{"content":"h\\u00e9 — 😀"}}] , "unknown" : [ ]}\r\n\r\n',
  'event: x\nid: 3\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
].join("");

describe("the relay", () => {
  let world: TestGateway;
  let upstream: TestServer;
  let answer: (response: ServerResponse) => void;
  let arrived: Arrived[] = [];

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        arrived.push({ request, body: Buffer.concat(parts).toString() });
        answer(response);
      });
    });
    world = await openTestGateway({
      providers: [providerAt(upstream.port, { apiKey: "provider-secret" })],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function call(body: string, headers: readonly string[] = []): Promise<RawReply> {
    arrived = [];
    return exchange(
      world.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${testSecret}`,
        "content-type: application/json",
        ...headers,
      ],
      body,
    );
  }

  function answerWith(type: string, parts: readonly (string | Buffer)[]): void {
    answer = (response) => {
      response.writeHead(200, { "content-type": type });
      const next = (index: number): void => {
        const part = parts[index];
        // Each part leaves in a turn of its own, so that it arrives as one.
        if (part === undefined) response.end();
        else response.write(part, () => next(index + 1));
      };
      next(0);
    };
  }

  it("changes a request at the model and at include_usage only", async () => {
    answerWith("text/event-stream", [usageFrame, done]);
    await call(
      ' { "a\\u0062" : 1.0e+0, "model" :\t"upstream/model-a" ,"stream":true , "messages":[ ] } ',
    );
    expect(arrived[0]?.body).toBe(
      ' {"stream_options":{"include_usage":true}, "a\\u0062" : 1.0e+0, "model" :\t"vendor/model-a-2026" ,"stream":true , "messages":[ ] } ',
    );
  });

  it("sends a provider its own key and the trace, and nothing else of the caller", async () => {
    answerWith("application/json", ["{}"]);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await call('{"model":"model-a"}', [
      `traceparent: 00-${traceId}-b7ad6b7169203331-01`,
      "tracestate: vendor=1",
      "cookie: session=1",
      "x-forwarded-for: 1.2.3.4",
      "x-faultline-simulate: error=500",
      "user-agent: test",
    ]);
    const headers = arrived[0]?.request.headers;
    expect(headers?.authorization).toBe("Bearer provider-secret");
    expect(headers?.["traceparent"]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(headers?.["tracestate"]).toBe("vendor=1");
    expect(Object.keys(headers ?? {}).toSorted()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "traceparent",
      "tracestate",
      "user-agent",
    ]);
    const span = await world.spanWhere((candidate) => candidate.traceId === traceId);
    expect(span.parentSpanId).toBe("b7ad6b7169203331");
    expect(headers?.["traceparent"]).toContain(span.spanId);
  });

  it("relays a plain reply byte for byte", async () => {
    const reply =
      ' {"id":"r","choices":[{"message":{"content":"h\\u00e9"},"finish_reason":"stop"}] ,"x":1.0e2}\n';
    answerWith("application/json; charset=utf-8", [reply.slice(0, 10), reply.slice(10)]);
    const { body, whole, head } = await call('{"model":"model-a"}');
    expect(body.toString()).toBe(reply);
    expect(whole).toBe(true);
    expect(head).toContain("content-type: application/json; charset=utf-8");
  });

  it("relays a large plain reply with back-pressure, byte for byte", async () => {
    const reply = Buffer.from(JSON.stringify({ text: "0123456789".repeat(800_000) }));
    answerWith("application/json", [reply]);
    const { body, whole } = await call('{"model":"model-a"}');
    expect(whole).toBe(true);
    expect(body.equals(reply)).toBe(true);
  });

  it("relays a stream byte for byte when the caller asked for usage", async () => {
    answerWith("text/event-stream; charset=utf-8", [oddFrames, usageFrame, done]);
    const { body, whole } = await call(
      '{"model":"model-a","stream":true,"stream_options":{"include_usage":true}}',
    );
    expect(body.toString()).toBe(oddFrames + usageFrame + done);
    expect(whole).toBe(true);
  });

  it("takes out the usage frame that the caller did not ask for, and nothing else", async () => {
    answerWith("text/event-stream", [oddFrames, usageFrame, done]);
    const { body } = await call('{"model":"model-a","stream":true}');
    expect(body.toString()).toBe(oddFrames + done);
    const crlf = `${oddFrames}${usageFrame.replaceAll("\n", "\r\n")}${done}`;
    answerWith("text/event-stream", [crlf]);
    expect((await call('{"model":"model-a","stream":true}')).body.toString()).toBe(
      oddFrames + done,
    );
  });

  it("relays the same wherever the provider's parts are cut", async () => {
    const stream = Buffer.from(oddFrames + usageFrame.replaceAll("\n", "\r\n") + done);
    for (let cut = 1; cut < stream.length; cut += 7) {
      answerWith("text/event-stream", [stream.subarray(0, cut), stream.subarray(cut)]);
      const { body, whole } = await call('{"model":"model-a","stream":true}');
      expect([cut, body.toString(), whole]).toEqual([cut, oddFrames + done, true]);
    }
  });

  it("waits for a caller that reads slowly, and gives it everything", async () => {
    const frame = `data: {"choices":[{"delta":{"content":"${"y".repeat(60_000)}"}}]}\n\n`;
    const count = 400;
    let written = 0;
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const next = (): void => {
        while (written < count) {
          written += 1;
          if (!response.write(frame)) {
            response.once("drain", next);
            return;
          }
        }
        response.end(done);
      };
      next();
    };
    const socket = await openSocket(world.gateway.port);
    const body = '{"model":"model-a","stream":true}';
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testSecret}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    socket.pause();
    // The buffers on the way fill up; then the provider's count of frames stands still, far from the end.
    const standsStill = async (seen: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (written === 0 || written !== seen) await standsStill(written);
    };
    await standsStill(-1);
    expect(written).toBeLessThan(count);
    let bytes = 0;
    socket.on("data", (part: Buffer) => {
      bytes += part.length;
    });
    socket.resume();
    await new Promise((resolve) => socket.on("close", resolve));
    expect(written).toBe(count);
    expect(bytes).toBeGreaterThan(frame.length * count);
  });

  it("records usage, price, finish reason and first token, and never the prompt", async () => {
    answerWith("text/event-stream", [oddFrames, usageFrame, done]);
    const before = world.spans.length;
    await call(
      '{"model":"model-a","stream":true,"temperature":0.5,"messages":[{"role":"user","content":"a secret"}]}',
    );
    const span = await world.spanWhere(
      (candidate) =>
        world.spans.indexOf(candidate) >= before &&
        candidate.attributes["gen_ai.request.temperature"] === 0.5,
    );
    expect(span).toMatchObject({
      name: "chat model-a",
      kind: "client",
      service: "faultline-gateway",
      status: { code: "ok" },
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "upstream",
        "gen_ai.request.model": "model-a",
        "gen_ai.request.stream": true,
        "gen_ai.response.id": "c",
        "gen_ai.response.model": "m-2026",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.server.time_to_first_token": expect.any(Number),
        "faultline.cost.micros": 2_000_016,
        "faultline.operation.outcome": "completed",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": upstream.port,
      },
    });
    expect(JSON.stringify(span)).not.toContain("secret");
  });
});

describe("a tenant whose content is captured", () => {
  it("has in its spans what a provider says of an error", async () => {
    await using world = await openTestGateway({ capture: "content" });
    await exchange(
      world.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${testSecret}`,
        "x-faultline-simulate: error=500",
      ],
      '{"model":"simulated","messages":[{"role":"user","content":"x"}]}',
    );
    const span = await world.spanWhere(() => true);
    expect(span.status.message).toBe("The simulated provider was asked to fail with status 500.");
  });

  it("has prompt and answer in its spans", async () => {
    await using world = await openTestGateway({ capture: "content" });
    const reply = await exchange(
      world.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${testSecret}`,
        "x-faultline-simulate: tokens=4",
      ],
      '{"model":"simulated","stream":true,"messages":[{"role":"user","content":"What is \\"it\\"?"}]}',
    );
    expect(reply.whole).toBe(true);
    const span = await world.spanWhere(() => true);
    expect(JSON.parse(span.attributes["gen_ai.input.messages"] as string)).toEqual([
      { role: "user", parts: [{ type: "text", content: 'What is "it"?' }] },
    ]);
    expect(JSON.parse(span.attributes["gen_ai.output.messages"] as string)).toEqual([
      {
        role: "assistant",
        parts: [{ type: "text", content: expect.stringMatching(/^\[simulated\] /) }],
        finish_reason: "stop",
      },
    ]);
  });
});
