/** The span of an operation: parameters, times and attempts by OpenTelemetry's names, and content only as far as it may be kept. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange } from "../test/raw-client.ts";
import {
  openTestGateway,
  type TestGateway,
  testSecret,
  testSettings,
} from "../test/test-gateway.ts";
import { ContentRedaction, isSampled } from "./captured-content.ts";

async function post(
  world: TestGateway,
  { path, more = [] }: { readonly path: string; readonly more?: readonly string[] },
  body: object,
) {
  const head = [`POST ${path} HTTP/1.1`, `authorization: Bearer ${testSecret}`, ...more];
  return await exchange(world.gateway.port, head, JSON.stringify(body));
}

describe("the capture of content", () => {
  it("is decided by the trace alone, in the share that was asked for", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) =>
      Math.imul(index, 0x9e3779b1).toString(16).replace("-", "").padStart(32, "0"),
    );
    expect(ids.filter((id) => isSampled(id, 1))).toHaveLength(1_000);
    expect(ids.filter((id) => isSampled(id, 0))).toHaveLength(0);
    expect(isSampled("0".repeat(24) + "7fffffff", 0.5)).toBe(true);
    expect(isSampled("0".repeat(24) + "80000000", 0.5)).toBe(false);
  });

  it("leaves secrets and personal data out, in whole messages and in cut ones", () => {
    const redaction = new ContentRedaction();
    const secret = "sk-abcdefghijklmnopqrstuvwx";
    const messages = JSON.stringify([
      {
        role: "user",
        parts: [{ type: "text", content: `My key is ${secret}, mail a@b.example.com` }],
      },
    ]);
    for (const captured of [messages, `${messages.slice(0, -4)}…`]) {
      const redacted = redaction.redact(captured);
      expect(redacted).toContain("My key is [redacted], mail [redacted]");
      expect(redacted).not.toContain(secret);
    }
  });
});

describe("a span", () => {
  let world: TestGateway;
  beforeAll(async () => {
    world = await openTestGateway({ capture: "content", settings: { ...testSettings } });
  });
  afterAll(async () => await world[Symbol.asyncDispose]());

  const messages = [{ role: "user", content: "call 4111 1111 1111 1111" }];

  it("has what the request asks for, the times on the way, and redacted content", async () => {
    const body = {
      model: "simulated",
      messages,
      seed: 7,
      n: 1,
      stop: ["a", "b"],
      frequency_penalty: 0.5,
      presence_penalty: -0.5,
      response_format: { type: "json_object" },
      stream: true,
    };
    const more = ["x-faultline-stream: durable", "x-faultline-simulate: pace=2ms, tokens=5"];
    await post(world, { path: "/v1/chat/completions", more }, body);
    const span = await world.spanWhere(({ name }) => name === "chat simulated");
    expect(span.attributes).toMatchObject({
      "gen_ai.request.seed": 7,
      "gen_ai.request.choice.count": 1,
      "gen_ai.request.stop_sequences": ["a", "b"],
      "gen_ai.request.frequency_penalty": 0.5,
      "gen_ai.request.presence_penalty": -0.5,
      "gen_ai.output.type": "json",
      "gen_ai.request.stream": true,
      "faultline.target": "simulated/simulated",
    });
    expect(span.attributes["faultline.stream.id"]).toBeTypeOf("string");
    for (const name of ["queue", "connect", "inter_token", "loop_wait"]) {
      expect(span.attributes[`faultline.${name}.seconds`]).toBeTypeOf("number");
    }
    expect(span.attributes["gen_ai.input.messages"]).toContain("call [redacted]");
    expect(span.events.map(({ name }) => name)).toEqual(["faultline.attempt"]);
  });

  it("has the parameters of messages and embeddings under the same names", async () => {
    const asked = { model: "simulated", max_tokens: 9, top_k: 40, stop_sequences: ["x"] };
    await post(world, { path: "/v1/messages" }, { ...asked, system: "Be short.", messages });
    await post(
      world,
      { path: "/v1/embeddings" },
      {
        model: "simulated",
        input: "x",
        encoding_format: "float",
        dimensions: 8,
      },
    );
    const message = await world.spanWhere(
      ({ attributes }) => attributes["gen_ai.request.top_k"] === 40,
    );
    expect(message.attributes).toMatchObject({
      "gen_ai.request.stop_sequences": ["x"],
      "gen_ai.request.max_tokens": 9,
      "gen_ai.system_instructions": '[{"type":"text","content":"Be short."}]',
    });
    const embedding = await world.spanWhere(({ name }) => name === "embeddings simulated");
    expect(embedding.attributes).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.request.encoding_formats": ["float"],
      "gen_ai.embeddings.dimension.count": 8,
    });
  });

  it("has no content of calls outside the share that is captured", async () => {
    await world.gateway.updateSnapshot(
      world.snapshot({ version: 2, settings: { ...testSettings, captureRatios: { acme: 0 } } }),
    );
    await post(world, { path: "/v1/chat/completions" }, { model: "simulated", messages, seed: 99 });
    const span = await world.spanWhere(
      ({ attributes }) => attributes["gen_ai.request.seed"] === 99,
    );
    expect(span.attributes["gen_ai.input.messages"]).toBeUndefined();
    expect(span.attributes["gen_ai.output.messages"]).toBeUndefined();
  });
});
