/** The AI SDK over a connection that breaks: its stream goes on by the id of the last event. */

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { type LanguageModel, streamText } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openSampleProvider, type SampleProvider } from "../test/sample-provider.ts";
import { openTestGateway, providerAt, type TestGateway, testSecret } from "../test/test-gateway.ts";
import { readEvents } from "./test-client.ts";

describe.each([1, 3])("the AI SDK, with %i workers", (count) => {
  let world: TestGateway;
  let provider: SampleProvider;
  let resumeCount = 0;

  beforeAll(async () => {
    provider = await openSampleProvider();
    const at = (kind: "openai" | "anthropic", root: string) => ({
      ...providerAt(provider.port, { name: root }),
      kind,
      baseUrl: `http://127.0.0.1:${provider.port}/${root}/v1`,
    });
    world = await openTestGateway({
      count,
      providers: [
        { ...at("openai", "chat"), surfaces: ["chat"] },
        { ...at("openai", "responses"), surfaces: ["responses"] },
        { ...at("anthropic", "messages"), surfaces: ["messages"] },
      ],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  /** Loses its connection after every event, in the middle of the next one, and asks for the rest. */
  const resumingFetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("x-faultline-stream", "durable");
    const first = await fetch(input, { ...init, headers });
    const id = first.headers.get("x-faultline-stream-id");
    const whole: Buffer[] = [];
    let response = first;
    while (response.status === 200) {
      const bytes = Buffer.from(await response.arrayBuffer());
      const [event] = readEvents(bytes);
      if (event === undefined) break;
      whole.push(bytes.subarray(0, event.end));
      resumeCount += 1;
      response = await fetch(`${world.url}/v1/streams/${id}`, {
        headers: { authorization: `Bearer ${testSecret}`, "last-event-id": event.id },
      });
    }
    expect(response.status).toBe(204);
    return new Response(Buffer.concat(whole), { headers: first.headers });
  };

  const settings = (fetchOrNot: typeof fetch) => ({
    baseURL: `${world.url}/v1`,
    apiKey: testSecret,
    fetch: fetchOrNot,
  });
  const models: Readonly<Record<string, (own: typeof fetch) => LanguageModel>> = {
    chat: (own) => createOpenAI(settings(own)).chat("chat/model-a"),
    responses: (own) => createOpenAI(settings(own)).responses("responses/model-a"),
    messages: (own) => createAnthropic(settings(own))("messages/model-a"),
  };

  it.each(Object.keys(models))("reads %s to its end", async (surface) => {
    const read = async (own: typeof fetch): Promise<unknown> => {
      const model = models[surface]?.(own);
      if (model === undefined) throw new Error("The surface has a model.");
      const result = streamText({ model, prompt: "x", maxRetries: 0, maxOutputTokens: 99 });
      const text = await result.text;
      return [text, await result.finishReason, (await result.usage).outputTokens];
    };
    const before = resumeCount;
    const broken = await read(resumingFetch);
    expect(broken).toEqual(await read(fetch));
    expect(resumeCount - before).toBeGreaterThan(4);
  });
});
