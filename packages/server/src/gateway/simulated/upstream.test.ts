import { seededRandom, systemClock } from "#kernel/index.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, openSocket, type RawReply } from "../test/raw-client.ts";
import {
  openaiSchemas,
  openaiSchemasExist,
  type Validate,
} from "../translation/test/openai-schemas.ts";
import { SimulatedUpstream } from "./upstream.ts";

const messages = [{ role: "user", content: "Say something." }];
const tools = [
  {
    type: "function",
    function: {
      name: "look",
      parameters: { type: "object", properties: { at: { enum: ["sky", "sea"] } } },
    },
  },
];

describe("the simulated provider", () => {
  let upstream: SimulatedUpstream;
  beforeAll(async () => {
    upstream = await SimulatedUpstream.open(
      { port: 0 },
      { clock: systemClock, random: seededRandom("simulated"), simulationOf: () => undefined },
    );
  });
  afterAll(async () => {
    await upstream[Symbol.asyncDispose]();
  });

  async function call(fields: object, simulate = ""): Promise<RawReply> {
    return exchange(
      upstream.port ?? 0,
      ["POST /v1/chat/completions HTTP/1.1", `x-faultline-simulate: ${simulate}`],
      JSON.stringify({ model: "m", messages, ...fields }),
    );
  }

  const chunksOf = (reply: RawReply): unknown[] =>
    reply.body
      .toString()
      .split("\n\n")
      .filter((frame) => frame !== "" && frame !== "data: [DONE]")
      .map((frame): unknown => JSON.parse(frame.slice("data: ".length)));

  describe.skipIf(!openaiSchemasExist)(
    "in the wire format that OpenAI publishes (skipped without ../shared/data/openai-openapi)",
    () => {
      let validate: Validate;
      beforeAll(() => {
        validate = openaiSchemas();
      });

      function expectValid(schema: string, value: unknown): void {
        expect(validate(schema, value)).toEqual([]);
      }

      it.each([
        ["text", {}],
        ["a tool call", { tools }],
        ["structured output", { response_format: { type: "json_object" } }],
        ["cut at its limit", { max_completion_tokens: 3 }],
      ])("answers plain and streamed: %s", async (_, fields) => {
        expectValid(
          "CreateChatCompletionResponse",
          JSON.parse((await call(fields)).body.toString()),
        );
        const streamed = await call({
          ...fields,
          stream: true,
          stream_options: { include_usage: true },
        });
        const chunks = chunksOf(streamed);
        expect(chunks.length).toBeGreaterThan(3);
        for (const one of chunks) expectValid("CreateChatCompletionStreamResponse", one);
        expect(streamed.body.toString().endsWith("data: [DONE]\n\n")).toBe(true);
      });

      it("reports errors", async () => {
        for (const reply of [
          await call({}, "error=429"),
          await call({ messages: [] }),
          await call({ n: 2 }),
        ]) {
          expectValid("ErrorResponse", JSON.parse(reply.body.toString()));
        }
      });
    },
  );

  it("says in head and body that it is no language model", async () => {
    const reply = await call({});
    expect(reply.head).toContain("x-faultline-simulated: no language model");
    expect(JSON.parse(reply.body.toString())).toMatchObject({
      system_fingerprint: "fp_simulated_no_language_model",
      choices: [{ message: { content: expect.stringMatching(/^\[simulated\]/) } }],
    });
  });

  it("does what the directives say", async () => {
    const streamed = async (simulate: string): Promise<RawReply> =>
      call({ stream: true }, simulate);
    const usageOf = async (simulate: string): Promise<unknown> =>
      JSON.parse((await call({}, simulate)).body.toString());
    expect(await usageOf("tokens=5, latency=1ms")).toMatchObject({
      usage: { completion_tokens: 5 },
    });
    expect((await call({}, "error=418")).status).toBe(418);
    expect((await streamed("error=500")).status).toBe(500);
    expect((await call({}, "reset")).status).toBe(0);
    const cut = await streamed("tokens=9,cut-after=4");
    expect([cut.body.toString().split("\n\n").length - 1, cut.whole]).toEqual([4, false]);
    expect((await streamed("no-done")).body.toString()).not.toContain("[DONE]");
    expect((await streamed("garbage-after=2")).body.toString()).toContain("data: <html>");
    expect((await streamed("error-after=2")).body.toString()).toContain('"code":"simulated_error"');
    expect((await call({}, "cut-after=10")).whole).toBe(false);
  });

  it("ends every header in a behaviour or a typed refusal", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom(
            "tokens",
            "error",
            "=",
            "=1",
            "=5",
            ",",
            "seed",
            "pace=1ms",
            "x",
            "-",
            " ",
          ),
          { maxLength: 8 },
        ),
        async (pieces) => {
          const reply = await call({ max_tokens: 2 }, pieces.join(""));
          expect([200, 400]).toContain(reply.status);
        },
      ),
      { numRuns: 40 },
    );
    expect((await call({}, "tokens=0")).body.toString()).toContain(
      "a whole number from 1 to 100000 was expected",
    );
    expect((await call({}, "first-token=soon")).body.toString()).toContain(
      "a duration such as 200ms",
    );
  });

  it("notices a caller that leaves, and after how many events", async () => {
    const before = upstream.observed.closedEarlyCount;
    const socket = await openSocket(upstream.port ?? 0);
    const body = JSON.stringify({ model: "m", messages, stream: true });
    socket.write(
      `POST / HTTP/1.1\r\nhost: h\r\nx-faultline-simulate: stall-after=3\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    let text = "";
    for await (const part of socket) {
      text += String(part);
      if (text.split("\n\n").length > 3) break;
    }
    while (upstream.observed.closedEarlyCount === before)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(upstream.observed.eventsBeforeEarlyClose).toBe(3);
  });
});
