/**
 * The official clients of both dialects and the AI SDK, against providers of each wire format: what comes out is the same
 * whatever the provider speaks.
 */

import Anthropic, { AuthenticationError, NotFoundError } from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, type LanguageModel, streamText, tool, type ToolSet } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openSampleProvider, type SampleProvider } from "./sample-provider.ts";
import { openTestGateway, providerAt, type TestGateway, testSecret } from "./test-gateway.ts";

const text = "The sea is calm — today.";
const prompt = "How is the sea?";
const place = {
  type: "object" as const,
  properties: { place: { type: "string" }, days: { type: "integer" } },
  required: ["place", "days"],
};
const calls = [
  { name: "get_weather", input: { place: "Oslo", days: 3 } },
  { name: "get_weather", input: { place: "Oslo", days: 3 } },
];

/** What every client gets to see of an answer. */
interface Seen {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  readonly stop: string | null | undefined;
  readonly usage: { readonly input: number; readonly output: number };
}

const providers = ["chat", "messages", "responses"] as const;
let world: TestGateway;
let upstream: SampleProvider;

beforeAll(async () => {
  upstream = await openSampleProvider();
  const base = (name: string) => ({
    ...providerAt(upstream.port, { name, apiKey: "provider-secret-1" }),
    baseUrl: `http://127.0.0.1:${upstream.port}/${name}/v1`,
  });
  world = await openTestGateway({
    providers: [
      { ...base("chat"), surfaces: ["chat", "completions", "embeddings"] },
      { ...base("responses"), surfaces: ["responses"] },
      { ...base("messages"), kind: "anthropic", surfaces: ["messages", "count-tokens"] },
    ],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const openai = (): OpenAI =>
  new OpenAI({ apiKey: testSecret, baseURL: `${world.url}/v1`, maxRetries: 0 });
const anthropic = (): Anthropic =>
  new Anthropic({ apiKey: testSecret, baseURL: world.url, maxRetries: 0 });

type Ask = (model: string, stream: boolean, withTools: boolean) => Promise<Seen>;

/** Each client, asked in the same way. */
const clients: Readonly<Record<string, Ask>> = {
  "openai chat": async (model, stream, withTools) => {
    const params = {
      model,
      messages: [{ role: "user" as const, content: prompt }],
      ...(withTools
        ? {
            tools: [
              { type: "function" as const, function: { name: "get_weather", parameters: place } },
            ],
          }
        : {}),
    };
    const options = { stream_options: { include_usage: true } };
    const completion = stream
      ? await openai()
          .chat.completions.stream({ ...params, ...options })
          .finalChatCompletion()
      : await openai().chat.completions.create(params);
    const [choice] = completion.choices;
    return {
      text: choice?.message.content ?? "",
      calls: (choice?.message.tool_calls ?? []).flatMap((call) =>
        call.type === "function" ? [callOf(call.function.name, call.function.arguments)] : [],
      ),
      stop: choice?.finish_reason,
      usage: {
        input: completion.usage?.prompt_tokens ?? 0,
        output: completion.usage?.completion_tokens ?? 0,
      },
    };
  },
  "openai responses": async (model, stream, withTools) => {
    const params = {
      model,
      input: prompt,
      store: false,
      ...(withTools
        ? {
            tools: [
              {
                type: "function" as const,
                name: "get_weather",
                parameters: place,
                strict: false,
              },
            ],
          }
        : {}),
    };
    const response = stream
      ? await openai().responses.stream(params).finalResponse()
      : await openai().responses.create(params);
    return {
      text: response.output_text,
      calls: response.output.flatMap((item) =>
        item.type === "function_call" ? [callOf(item.name, item.arguments)] : [],
      ),
      stop: response.status,
      usage: {
        input: response.usage?.input_tokens ?? 0,
        output: response.usage?.output_tokens ?? 0,
      },
    };
  },
  "anthropic messages": async (model, stream, withTools) => {
    const params = {
      model,
      max_tokens: 64,
      messages: [{ role: "user" as const, content: prompt }],
      ...(withTools ? { tools: [{ name: "get_weather", input_schema: place }] } : {}),
    };
    const message = stream
      ? await anthropic().messages.stream(params).finalMessage()
      : await anthropic().messages.create(params);
    const { usage } = message;
    return {
      text: message.content
        .flatMap((block) => (block.type === "text" ? [block.text] : []))
        .join(""),
      calls: message.content.flatMap((block) =>
        block.type === "tool_use" ? [{ name: block.name, input: block.input }] : [],
      ),
      stop: message.stop_reason,
      usage: {
        input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
        output: usage.output_tokens,
      },
    };
  },
  "ai with openai chat": askWithAi((model) => aiOpenai().chat(model)),
  "ai with openai responses": askWithAi((model) => aiOpenai().responses(model)),
  "ai with anthropic": askWithAi((model) =>
    createAnthropic({ apiKey: testSecret, baseURL: `${world.url}/v1` })(model),
  ),
};

function aiOpenai() {
  return createOpenAI({ apiKey: testSecret, baseURL: `${world.url}/v1` });
}

function callOf(name: string, input: string): Seen["calls"][number] {
  return { name, input: JSON.parse(input) };
}

function askWithAi(modelOf: (model: string) => LanguageModel): Ask {
  return async (model, stream, withTools) => {
    const params = {
      model: modelOf(model),
      prompt,
      maxRetries: 0,
      maxOutputTokens: 64,
    };
    const tools: ToolSet = withTools
      ? { get_weather: tool({ inputSchema: jsonSchema(place) }) }
      : {};
    const result = stream
      ? streamText({ ...params, tools })
      : await generateText({ ...params, tools });
    const [said, toolCalls, stop, usage] = await Promise.all([
      result.text,
      result.toolCalls,
      result.finishReason,
      result.usage,
    ]);
    return {
      text: said,
      calls: toolCalls.map((call) => ({ name: call.toolName, input: call.input })),
      stop,
      usage: { input: usage.inputTokens ?? 0, output: usage.outputTokens ?? 0 },
    };
  };
}

/** How each client names the end of an answer, of text and of tools. */
const stops: Readonly<Record<string, readonly [string, string]>> = {
  "openai chat": ["stop", "tool_calls"],
  "openai responses": ["completed", "completed"],
  "anthropic messages": ["end_turn", "tool_use"],
  "ai with openai chat": ["stop", "tool-calls"],
  "ai with openai responses": ["stop", "tool-calls"],
  "ai with anthropic": ["stop", "tool-calls"],
};

describe.each(Object.entries(clients))("%s", (client, ask) => {
  const [textStop, toolStop] = stops[client] ?? [];
  describe.each(providers)("with a provider that speaks %s", (provider) => {
    it.each([false, true])("gets text (streamed: %s)", async (stream) => {
      expect(await ask(`${provider}/model-a`, stream, false)).toEqual({
        text,
        calls: [],
        stop: textStop,
        usage: { input: 21, output: 9 },
      });
    });

    it.each([false, true])("gets two calls of tools at once (streamed: %s)", async (stream) => {
      expect(await ask(`${provider}/model-a`, stream, true)).toEqual({
        text: "",
        calls,
        stop: toolStop,
        usage: { input: 21, output: 9 },
      });
    });
  });
});

describe("the official client of Anthropic", () => {
  it("lists models, and counts tokens", async () => {
    const ids: string[] = [];
    for await (const model of anthropic().models.list()) ids.push(model.id);
    expect(ids).toContain("messages/model-a");
    const counted = await anthropic().messages.countTokens({
      model: "messages/model-a",
      messages: [{ role: "user", content: prompt }],
    });
    expect(counted.input_tokens).toBe(12);
  });

  it("maps refusals to its own errors", async () => {
    const params = { max_tokens: 8, messages: [{ role: "user" as const, content: prompt }] };
    const wrongKey = new Anthropic({ apiKey: "fl_wrong", baseURL: world.url, maxRetries: 0 });
    await expect(
      wrongKey.messages.create({ model: "messages/model-a", ...params }),
    ).rejects.toThrow(AuthenticationError);
    await expect(anthropic().messages.create({ model: "nothing", ...params })).rejects.toThrow(
      NotFoundError,
    );
  });
});

describe("the official client of OpenAI", () => {
  it("gets embeddings and legacy completions", async () => {
    const embedded = await openai().embeddings.create({
      model: "chat/model-a",
      input: "sea",
      encoding_format: "float",
    });
    expect(embedded.data[0]?.embedding).toEqual([0.5, -0.25]);
    const completion = await openai().completions.create({ model: "chat/model-a", prompt });
    expect(completion.choices[0]?.text).toBe("The sea is calm.");
  });
});
