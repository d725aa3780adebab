/** Every way in which a provider fails, as its caller sees it. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, type RawReply } from "./raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  simulatedProvider,
  type TestGateway,
  type TestServer,
  testSecret,
} from "./test-gateway.ts";

/** One gateway hurries its providers, the other one gives a call little time in all; a third is patient. */
const hurried = { firstTokenMs: 1_500, stallMs: 700 };
const brief = { totalMs: 1_200 };
const delta = (content: string): string =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
const messages = [{ role: "user" as const, content: "x" }];

describe("a failing provider", () => {
  let world: TestGateway;
  let hurriedWorld: TestGateway;
  let briefWorld: TestGateway;
  let upstream: TestServer;
  let answer: (response: ServerResponse) => void;
  let closedPort = 0;

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      request.resume();
      request.on("end", () => answer(response));
    });
    closedPort = await findClosedPort();
    const providers = [
      simulatedProvider,
      providerAt(upstream.port),
      providerAt(closedPort, { name: "away" }),
    ];
    world = await openTestGateway({ providers });
    hurriedWorld = await openTestGateway({ providers, settings: hurried });
    briefWorld = await openTestGateway({ providers, settings: brief });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await hurriedWorld[Symbol.asyncDispose]();
    await briefWorld[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function call(
    fields: object,
    { simulate = "", through = world }: { simulate?: string; through?: TestGateway } = {},
  ): Promise<RawReply> {
    return exchange(
      through.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${testSecret}`,
        `x-faultline-simulate: ${simulate}`,
      ],
      JSON.stringify({ messages, ...fields }),
    );
  }

  const codeOf = (reply: RawReply): unknown =>
    (JSON.parse(reply.body.toString()) as { error: { code: unknown } }).error.code;

  function answerStream(write: (response: ServerResponse) => void): void {
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      write(response);
    };
  }

  /** The stream ended in an error event of this code, without `[DONE]` and without the end of the transfer. */
  function expectInBandError(reply: RawReply, code: string, before: string): void {
    const text = reply.body.toString();
    expect(reply.status).toBe(200);
    expect(text.startsWith(before)).toBe(true);
    const event = text.slice(before.length);
    expect(event).toMatch(/^data: \{"error":\{.*\}\}\n\n$/);
    expect((JSON.parse(event.slice(6)) as { error: { code: string } }).error.code).toBe(code);
    expect(text).not.toContain("[DONE]");
    expect(reply.whole).toBe(false);
  }

  describe.each([false, true])("before its reply, stream: %s", (stream) => {
    it("that cannot be reached is a 502", async () => {
      const reply = await call({ model: "away/model-a", stream });
      expect([reply.status, codeOf(reply), reply.whole]).toEqual([
        502,
        "provider_unreachable",
        true,
      ]);
      expect(reply.body.toString()).not.toContain(String(closedPort));
    });

    it("that resets the connection is a 502", async () => {
      const reply = await call({ model: "simulated", stream }, { simulate: "reset" });
      expect([reply.status, codeOf(reply)]).toEqual([502, "provider_unreachable"]);
    });

    it("that stays silent is a 504", async () => {
      answer = () => {};
      const reply = await call({ model: "model-a", stream }, { through: briefWorld });
      expect([reply.status, codeOf(reply)]).toEqual([504, "provider_timeout"]);
    });

    it("that answers with another content type is a 502", async () => {
      answer = (response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.end("<html></html>");
      };
      const reply = await call({ model: "model-a", stream });
      expect([reply.status, codeOf(reply)]).toEqual([502, "provider_response_invalid"]);
    });

    it("that redirects is a 502", async () => {
      answer = (response) => {
        response.writeHead(302, { location: "http://127.0.0.1/" });
        response.end();
      };
      const reply = await call({ model: "model-a", stream });
      expect([reply.status, codeOf(reply)]).toEqual([502, "provider_response_invalid"]);
    });
  });

  it("that does not speak HTTP is a 502", async () => {
    const server = createServer((socket: Socket) => {
      socket.once("data", () => socket.end("SSH-2.0-nothing\r\n\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await using garbled = await openTestGateway({ providers: [providerAt(port)] });
    const reply = await exchange(
      garbled.gateway.port,
      ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`],
      '{"model":"model-a"}',
    );
    expect([reply.status, codeOf(reply)]).toEqual([502, "provider_response_invalid"]);
    server.close();
  });

  describe("in the middle of a stream", () => {
    it("that cuts the connection ends in an error event after the last whole event", async () => {
      answerStream((response) => {
        response.write(`${delta("a")}${delta("b")}data: {"id":"c","cho`, () => response.destroy());
      });
      expectInBandError(
        await call({ model: "model-a", stream: true }),
        "provider_stream_cut",
        delta("a") + delta("b"),
      );
    });

    it("that ends without [DONE] ends in an error event", async () => {
      answerStream((response) => response.end(delta("a")));
      expectInBandError(
        await call({ model: "model-a", stream: true }),
        "provider_stream_cut",
        delta("a"),
      );
    });

    it("that stalls ends in an error event, and its connection is closed", async () => {
      const closed = Promise.withResolvers<void>();
      answerStream((response) => {
        response.write(delta("a"));
        response.on("close", () => closed.resolve());
      });
      expectInBandError(
        await call({ model: "model-a", stream: true }, { through: hurriedWorld }),
        "provider_timeout",
        delta("a"),
      );
      await closed.promise;
    });

    it("that sends comments instead of tokens stalls too", async () => {
      answerStream((response) => {
        response.write(delta("a"));
        const timer = setInterval(() => response.write(": still here\n\n"), 50);
        response.on("close", () => clearInterval(timer));
      });
      const text = (
        await call({ model: "model-a", stream: true }, { through: hurriedWorld })
      ).body.toString();
      expect(text).toContain("stall deadline of 700 ms");
    });

    it("that trickles an event byte by byte stalls too", async () => {
      answerStream((response) => {
        response.write(delta("a"));
        const timer = setInterval(() => response.write(" "), 50);
        response.on("close", () => clearInterval(timer));
      });
      expectInBandError(
        await call({ model: "model-a", stream: true }, { through: hurriedWorld }),
        "provider_timeout",
        delta("a"),
      );
    });

    it("that never comes to its first token misses that deadline", async () => {
      const role = 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n';
      answerStream((response) => {
        response.write(role);
        const timer = setInterval(() => response.write(role), 50);
        response.on("close", () => clearInterval(timer));
      });
      const text = (
        await call({ model: "model-a", stream: true }, { through: hurriedWorld })
      ).body.toString();
      expect(text).toContain("first token deadline of 1500 ms");
    });

    it("that goes on and on misses the total deadline", async () => {
      answerStream((response) => {
        response.write(delta("a"));
        const timer = setInterval(() => response.write(delta("a")), 50);
        response.on("close", () => clearInterval(timer));
      });
      const text = (
        await call({ model: "model-a", stream: true }, { through: briefWorld })
      ).body.toString();
      expect(text).toContain("total deadline of 1200 ms");
    });

    it("that sends garbage ends in an error event, without the garbage", async () => {
      answerStream((response) => response.end(`${delta("a")}data: <html>\n\ndata: [DONE]\n\n`));
      const reply = await call({ model: "model-a", stream: true });
      const text = reply.body.toString();
      expect(text).toContain("provider_response_invalid");
      expect(text).not.toContain("[DONE]");
      expect(reply.whole).toBe(false);
    });

    it("that reports an error in band has it passed on once, and no clean end", async () => {
      const error = 'data: {"error":{"message":"overloaded","code":"busy"}}\n\n';
      answerStream((response) => response.end(delta("a") + error));
      const reply = await call({ model: "model-a", stream: true });
      expect(reply.body.toString()).toBe(delta("a") + error);
      expect(reply.whole).toBe(false);
      const span = await world.spanWhere(
        ({ attributes, name }) =>
          name === "chat model-a" && attributes["error.type"] === "provider_stream_cut",
      );
      expect(span.status.code).toBe("error");
      // What a provider says may quote the prompt.
      expect(JSON.stringify(world.spans)).not.toContain("overloaded");
    });

    it("that breaks after [DONE] has said everything", async () => {
      const text = `${delta("a")}data: [DONE]\n\n`;
      answerStream((response) => response.write(text, () => response.destroy()));
      const reply = await call({ model: "model-a", stream: true });
      expect([reply.body.toString(), reply.whole]).toEqual([text, true]);
    });

    it("that lingers after [DONE] does not keep the caller", async () => {
      const text = `${delta("a")}data: [DONE]\n\n`;
      answerStream((response) => response.write(text));
      const reply = await call({ model: "model-a", stream: true });
      expect([reply.body.toString(), reply.whole]).toEqual([text, true]);
    });

    it.each([
      ["cut-after=4", 4],
      ["error-after=4", 4],
      ["garbage-after=4", 4],
      ["no-done", 11],
      ["stall-after=4", 4],
    ])("makes the official client fail: %s", async (simulate, countMax) => {
      const client = new OpenAI({
        apiKey: testSecret,
        baseURL: `${simulate.startsWith("stall") ? hurriedWorld.url : world.url}/v1`,
        maxRetries: 0,
        defaultHeaders: { "x-faultline-simulate": `tokens=9,${simulate}` },
      });
      const stream = await client.chat.completions.create({
        model: "simulated",
        messages,
        stream: true,
      });
      let count = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of stream) count += chunk.choices.length;
      };
      await expect(read()).rejects.toBeInstanceOf(APIError);
      expect(count).toBeLessThanOrEqual(countMax);
    });
  });

  describe("in the middle of a plain reply", () => {
    it("that cuts a small one is a clean 502", async () => {
      answer = (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
        response.write('{"id":"c"', () => response.destroy());
      };
      const reply = await call({ model: "model-a" });
      expect([reply.status, codeOf(reply), reply.whole]).toEqual([
        502,
        "provider_stream_cut",
        true,
      ]);
    });

    it("that stalls in a small one is a clean 504", async () => {
      answer = (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"id":"c"');
      };
      const reply = await call({ model: "model-a" }, { through: hurriedWorld });
      expect([reply.status, codeOf(reply)]).toEqual([504, "provider_timeout"]);
    });

    it.each(['{"id":"c"', "nonsense", '{"id":"c"} trailing', "[]"])(
      "that is no JSON object is a 502: %s",
      async (body) => {
        answer = (response) => {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(body);
        };
        const reply = await call({ model: "model-a" });
        expect([reply.status, codeOf(reply)]).toEqual([502, "provider_response_invalid"]);
      },
    );

    it.each(["with a length", "in chunks"])(
      "that cuts a large one %s breaks the caller's connection",
      async (framing) => {
        const text = JSON.stringify({ text: "z".repeat(2_000_000) });
        answer = (response) => {
          response.writeHead(200, {
            "content-type": "application/json",
            ...(framing === "in chunks" ? {} : { "content-length": text.length }),
          });
          response.write(text.slice(0, 1_500_000), () => response.destroy());
        };
        const reply = await call({ model: "model-a" });
        expect(reply.status).toBe(200);
        expect(reply.whole).toBe(false);
      },
    );
  });

  it("leaves a record of every failure, with its class and never a cost", async () => {
    const span = await world.spanWhere(
      (candidate) => candidate.attributes["error.type"] === "provider_unreachable",
    );
    expect(span.status.code).toBe("error");
    expect(span.attributes["http.response.status_code"]).toBe(502);
    expect(span.attributes["faultline.cost.micros"]).toBeUndefined();
    expect([...world.logs, ...hurriedWorld.logs, ...briefWorld.logs]).toEqual([]);
  });
});

async function findClosedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
