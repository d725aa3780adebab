import { seededRandom, systemClock } from "#kernel/index.ts";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, type RawReply } from "../test/raw-client.ts";
import { type Loose, parseEvents } from "../translation/test/exchange.ts";
import {
  openaiSchemas,
  openaiSchemasExist,
  type Validate,
} from "../translation/test/openai-schemas.ts";
import { SimulatedUpstream } from "./upstream.ts";

const parameters = { type: "object" as const, properties: { at: { enum: ["sky", "sea"] } } };
const user = { role: "user" as const, content: "Say something." };
const openaiTools = [{ type: "function", name: "look", parameters }];
const messagesTools = [{ name: "look", input_schema: parameters }];

describe("the simulated provider speaks every surface", () => {
  let upstream: SimulatedUpstream;
  let openai: OpenAI;
  let anthropic: Anthropic;
  beforeAll(async () => {
    upstream = await SimulatedUpstream.open(
      { port: 0 },
      { clock: systemClock, random: seededRandom("surfaces"), simulationOf: () => undefined },
    );
    const url = `http://127.0.0.1:${upstream.port}`;
    openai = new OpenAI({ apiKey: "x", baseURL: `${url}/v1`, maxRetries: 0 });
    anthropic = new Anthropic({ apiKey: "x", baseURL: url, maxRetries: 0 });
  });
  afterAll(async () => {
    await upstream[Symbol.asyncDispose]();
  });

  const simulate = (directives: string): { headers: Record<string, string> } => ({
    headers: { "x-faultline-simulate": directives },
  });
  const post = async (path: string, body: object, directives = ""): Promise<RawReply> =>
    exchange(
      upstream.port ?? 0,
      [`POST ${path} HTTP/1.1`, `x-faultline-simulate: ${directives}`],
      JSON.stringify({ model: "m", ...body }),
    );

  it("messages: the same in a stream, with thinking and parallel calls", async () => {
    const asked = {
      model: "m",
      max_tokens: 100,
      messages: [user],
      tools: messagesTools,
      thinking: { type: "adaptive" as const },
    };
    const whole = await anthropic.messages.create(asked, simulate("calls=2"));
    expect(whole).toMatchObject({
      content: [
        { type: "thinking", thinking: expect.stringMatching(/^\[simulated\]/) },
        { type: "tool_use", name: "look", input: { at: expect.any(String) } },
        { type: "tool_use", name: "look", input: { at: expect.any(String) } },
      ],
      stop_reason: "tool_use",
      usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
    });
    const streamed = await anthropic.messages.stream(asked, simulate("calls=2")).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    const results = whole.content.flatMap((block) =>
      block.type === "tool_use"
        ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "x" }]
        : [],
    );
    const after = await anthropic.messages.create({
      ...asked,
      messages: [
        user,
        { role: "assistant", content: whole.content },
        { role: "user", content: results },
      ],
    });
    expect(after.content.at(-1)).toMatchObject({ type: "text" });
  });

  it("messages: counts tokens, keeps to limits and schemas, and refuses what has no limit", async () => {
    const counted = await anthropic.messages.countTokens({ model: "m", messages: [user] });
    const answered = await anthropic.messages.create({
      model: "m",
      max_tokens: 3,
      messages: [user],
    });
    expect(answered.usage.input_tokens).toBe(counted.input_tokens);
    expect(answered).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 3 } });
    const refused = await post("/v1/messages", { messages: [user] });
    expect(JSON.parse(refused.body.toString())).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("max_tokens") },
    });
    await expect(
      anthropic.messages.create(
        { model: "m", max_tokens: 9, messages: [user] },
        simulate("error=529"),
      ),
    ).rejects.toMatchObject({ status: 529, error: { error: { type: "overloaded_error" } } });
  });

  it("responses: the same in a stream, with reasoning and calls", async () => {
    const asked = {
      model: "m",
      input: "Say something.",
      reasoning: { effort: "low" as const },
      tools: [
        { ...openaiTools[0], type: "function" as const, name: "look", parameters, strict: false },
      ],
    };
    const whole = await openai.responses.create(asked, simulate("calls=2"));
    expect(whole.output.map(({ type }) => type)).toEqual([
      "reasoning",
      "function_call",
      "function_call",
    ]);
    const streamed = await openai.responses.stream(asked, simulate("calls=2")).finalResponse();
    expect(streamed.output.map(({ type }) => type)).toEqual([
      "reasoning",
      "function_call",
      "function_call",
    ]);
    expect(streamed.usage).toEqual(whole.usage);
    expect(streamed.output[2]).toMatchObject({ ...whole.output[2] });
    const cut = await openai.responses.create({ model: "m", input: "a", max_output_tokens: 3 });
    expect(cut).toMatchObject({ status: "incomplete", usage: { output_tokens: 3 } });
    expect(cut.output_text.startsWith("[simulated]")).toBe(true);
  });

  it("chat: reasoning and parallel calls when they are asked for", async () => {
    const whole = await openai.chat.completions.create(
      {
        model: "m",
        messages: [user],
        tools: [{ type: "function", function: { name: "look", parameters } }],
      },
      simulate("calls=3, reasoning=4"),
    );
    const message: Loose = whole.choices[0]?.message;
    expect(message.tool_calls).toHaveLength(3);
    expect(new Set(message.tool_calls.map(({ id }: { id: string }) => id)).size).toBe(3);
    expect(message.reasoning_content).toMatch(/^\[simulated\]/);
    expect(whole.usage?.completion_tokens_details?.reasoning_tokens).toBe(4);
  });

  it("completions and embeddings", async () => {
    const asked = { model: "m", prompt: "Once", max_tokens: 5 };
    const whole = await openai.completions.create(asked);
    let text = "";
    for await (const chunk of await openai.completions.create({ ...asked, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    expect(text).toBe(whole.choices[0]?.text);
    const vectors = async (encoding_format: "float" | "base64"): Promise<readonly number[][]> => {
      const input = ["a", "b", "a"];
      const reply = await openai.embeddings.create({
        model: "m",
        input,
        dimensions: 16,
        encoding_format,
      });
      return reply.data.map(({ embedding }) => embedding);
    };
    const floats = await vectors("float");
    expect(floats[0]).toEqual(floats[2]);
    expect(floats[0]).not.toEqual(floats[1]);
    expect(Math.hypot(...(floats[0] ?? []))).toBeCloseTo(1, 5);
    const raw = await post("/v1/embeddings", {
      input: "a",
      dimensions: 16,
      encoding_format: "base64",
    });
    const bytes = Buffer.from(JSON.parse(raw.body.toString()).data[0].embedding, "base64");
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual(floats[0]);
    await expect(openai.embeddings.create({ model: "m", input: [] })).rejects.toThrow("1 to 2048");
  });

  it.each([
    ["/v1/messages", { max_tokens: 50, messages: [user] }, "event: message_stop"],
    ["/v1/responses", { input: "a" }, "event: response.completed"],
    ["/v1/completions", { prompt: "a" }, "data: [DONE]"],
  ])("misbehaves as asked on %s", async (path, body, terminator) => {
    const streamed = async (directives: string): Promise<string> =>
      (await post(path, { ...body, stream: true }, `tokens=6, ${directives}`)).body.toString();
    expect(await streamed("pace=0ms")).toContain(terminator);
    expect(await streamed("no-done")).not.toContain(terminator);
    expect(await streamed("garbage-after=3")).toContain("data: <html>");
    const failed = await streamed("error-after=4");
    expect(failed).toContain("asked to fail with status 500");
    expect(failed).not.toContain(terminator);
    expect(parseEvents(failed)).toHaveLength(5);
    const cut = await post(path, { ...body, stream: true }, "tokens=6, cut-after=4");
    expect([cut.body.toString().split("\n\n").length - 1, cut.whole]).toEqual([4, false]);
    expect((await post(path, body, "error=429")).head).toContain("retry-after: 1");
  });

  describe.skipIf(!openaiSchemasExist)(
    "in the wire format that OpenAI publishes (skipped without ../shared/data/openai-openapi)",
    () => {
      let validate: Validate;
      beforeAll(() => {
        validate = openaiSchemas();
      });
      const valid = (schema: string, value: unknown): void => {
        expect(validate(schema, value), JSON.stringify(value)).toEqual([]);
      };

      it.each([
        ["text", {}, ""],
        ["calls", { tools: openaiTools }, "calls=2, reasoning=2"],
        ["cut at its limit", { max_output_tokens: 3 }, ""],
        ["structured output", { text: { format: { type: "json_object" } } }, ""],
      ])("responses: %s", async (_, fields, directives) => {
        const whole = await post("/v1/responses", { input: "a", ...fields }, directives);
        valid("Response", JSON.parse(whole.body.toString()));
        const body = { input: "a", stream: true, ...fields };
        const streamed = await post("/v1/responses", body, directives);
        for (const { data } of parseEvents(streamed.body.toString()))
          valid("ResponseStreamEvent", data);
      });

      it("completions and embeddings", async () => {
        const whole = await post("/v1/completions", { prompt: "a" });
        valid("CreateCompletionResponse", JSON.parse(whole.body.toString()));
        const vectors = await post("/v1/embeddings", { input: ["a"] });
        valid("CreateEmbeddingResponse", JSON.parse(vectors.body.toString()));
        const failed = await post("/v1/responses", { input: "a" }, "error=500");
        valid("ErrorResponse", JSON.parse(failed.body.toString()));
      });
    },
  );
});
