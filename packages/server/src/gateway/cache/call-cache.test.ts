/** The response cache through a real worker process. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { loadCatalog } from "#catalog/index.ts";
import { seededRandom } from "#kernel/index.ts";
import { formatKey, type TenantId } from "@faultline/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { exchange, type RawReply } from "../test/raw-client.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
} from "../test/test-gateway.ts";

const random = seededRandom("cached calls");
const otherTenant = "other" as TenantId;
const otherSecret = formatKey(otherTenant, (bound) => random.integer(bound));
const usage = { prompt_tokens: 1_000_000, completion_tokens: 2 };

const plainReply = (finish: string): string =>
  JSON.stringify({
    id: "c",
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: finish }],
    usage,
  });
const frame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const streamReply = [
  frame({ id: "c", choices: [{ index: 0, delta: { content: "a" } }] }),
  frame({ id: "c", choices: [{ index: 0, delta: { content: "b" }, finish_reason: "stop" }] }),
  frame({ id: "c", choices: [], usage }),
  "data: [DONE]\n\n",
];

interface Call {
  readonly content: string;
  readonly cache?: string;
  readonly stream?: boolean;
  readonly secret?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

describe("the response cache", () => {
  let upstream: TestServer;
  let world: TestGateway;
  let callCount = 0;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      request.resume();
      request.on("end", () => {
        callCount += 1;
        answer(response, request);
      });
    });
    world = await openTestGateway({
      providers: [
        providerAt(upstream.port),
        { ...providerAt(upstream.port, { name: "answering" }), surfaces: ["responses"] },
      ],
      keys: [keyRow(testSecret), keyRow(otherSecret, { tenantId: otherTenant })],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    callCount = 0;
    answer = answerWith("stop");
  });

  const answerWith = (finish: string) => (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/json", "x-request-id": "up-1" });
    response.end(plainReply(finish));
  };

  async function send(call: Call): Promise<RawReply> {
    const { content, cache = "use", stream = false, secret = testSecret, headers = [] } = call;
    const body = { model: "model-a", stream, messages: [{ role: "user", content }] };
    return exchange(
      world.gateway.port,
      [
        "POST /v1/chat/completions HTTP/1.1",
        `authorization: Bearer ${secret}`,
        ...(cache === "" ? [] : [`x-faultline-cache: ${cache}`]),
        ...headers,
      ],
      call.body ?? JSON.stringify(body),
    );
  }

  const wordOf = ({ head }: RawReply): string | undefined =>
    /^x-faultline-cache: (\w+)$/im.exec(head)?.[1];

  it("answers the same question again, for nothing", async () => {
    const first = await send({ content: "same" });
    const body =
      '{ "messages":[{"content":"same","role":"user"}], "stream":false,"model":"model-a" }';
    const again = await send({ content: "", body });
    expect([wordOf(first), wordOf(again), callCount]).toEqual(["miss", "hit", 1]);
    expect([again.status, again.whole, again.body.toString()]).toEqual([
      200,
      true,
      plainReply("stop"),
    ]);
    expect(again.head).toMatch(/^age: \d+$/im);
    expect(again.head).not.toMatch(/^x-request-id/im);
    const operation = /^x-faultline-operation-id: (\S+)$/im.exec(again.head)?.[1];
    const span = await world.spanWhere(
      ({ attributes }) => attributes["faultline.operation.id"] === operation,
    );
    expect(span.attributes).toMatchObject({
      "faultline.cache": "hit",
      "faultline.cost.micros": 0,
      "faultline.operation.outcome": "completed",
      "gen_ai.provider.name": "upstream",
      "gen_ai.usage.input_tokens": 0,
      "gen_ai.usage.output_tokens": 0,
    });
  });

  it("gives a stream as a stream, with ids when it is durable, and without usage that was not asked for", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(streamReply.join(""));
    };
    const first = await send({ content: "stream", stream: true });
    const again = await send({ content: "stream", stream: true });
    const shown = streamReply.toSpliced(2, 1).join("");
    expect([wordOf(again), again.whole, again.body.toString()]).toEqual(["hit", true, shown]);
    expect(first.body.equals(again.body)).toBe(true);
    const durable = await send({
      content: "stream",
      stream: true,
      headers: ["x-faultline-stream: durable"],
    });
    expect([wordOf(durable), callCount]).toEqual(["hit", 1]);
    expect(durable.body.toString().replaceAll(/id: 1-\d\n/g, "")).toBe(shown);
    expect(durable.body.toString()).toContain("\nid: 1-3\n\n");
  });

  it("tells tenants, bodies and beta headers apart, and is asked only by those who want it", async () => {
    const words = [
      await send({ content: "apart" }),
      await send({ content: "apart", secret: otherSecret }),
      await send({ content: "apart", headers: ["openai-beta: x"] }),
      await send({ content: "apart " }),
      await send({ content: "apart", stream: false, cache: "" }),
      await send({ content: "apart", cache: "off" }),
      await send({ content: "apart", cache: "max-age=60" }),
      await send({ content: "apart", cache: "max-age=0" }),
    ].map(wordOf);
    expect(words).toEqual(["miss", "miss", "miss", "miss", undefined, undefined, "hit", "miss"]);
    const wrong = await send({ content: "apart", cache: "always" });
    expect(wrong.status).toBe(400);
  });

  it("keeps no response that the provider is still making", async () => {
    for (const status of ["queued", "in_progress", "completed", "completed"]) {
      answer = (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ id: "r", object: "response", status, output: [] }));
      };
      await exchange(
        world.gateway.port,
        [
          "POST /v1/responses HTTP/1.1",
          `authorization: Bearer ${testSecret}`,
          "x-faultline-cache: use",
        ],
        JSON.stringify({ model: "answering/model-a", input: "later", background: true }),
      );
    }
    expect(callCount).toBe(3);
  });

  it("never keeps errors, nor what was cut off", async () => {
    const failures: ((response: ServerResponse) => void)[] = [
      (response) => {
        response.writeHead(400, { "content-type": "application/json" });
        response.end('{"error":{"message":"no"}}');
      },
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(streamReply[0] ?? "", () => response.destroy());
      },
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(`${streamReply[0]}${frame({ error: { message: "no" } })}data: [DONE]\n\n`);
      },
      answerWith("length"),
      answerWith("model_context_window_exceeded"),
    ];
    for (const [index, fail] of failures.entries()) {
      const call = { content: `failure ${index}`, stream: index === 1 || index === 2 };
      answer = fail;
      await send(call);
      await send(call);
      expect(callCount).toBe(2 * (index + 1));
    }
  });

  it("does not answer with what another model said under the same name", async () => {
    await send({ content: "repointed" });
    const provider = providerAt(upstream.port);
    const models = provider.models.map((model) => ({ ...model, upstreamName: "vendor/newer" }));
    const catalog = loadCatalog([{ ...provider, models }]).snapshot;
    await world.gateway.updateSnapshot(world.snapshot({ version: 2, catalog }));
    expect(wordOf(await send({ content: "repointed" }))).toBe("miss");
  });
});
