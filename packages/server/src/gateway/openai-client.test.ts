/** The official client of the dialect, through a real worker process. */

import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestGateway, type TestGateway, testSecret } from "./test-gateway.ts";

const messages = [{ role: "user" as const, content: "Say something." }];

describe("the official client", () => {
  let world: TestGateway;
  beforeAll(async () => {
    world = await openTestGateway();
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  function client(simulate?: string, apiKey = testSecret): OpenAI {
    return new OpenAI({
      apiKey,
      baseURL: `${world.url}/v1`,
      maxRetries: 0,
      defaultHeaders: simulate === undefined ? {} : { "x-faultline-simulate": simulate },
    });
  }

  it("gets a plain answer with usage", async () => {
    const completion = await client("tokens=12").chat.completions.create({
      model: "simulated",
      messages,
    });
    expect(completion.choices[0]?.message.content).toMatch(/^\[simulated\] /);
    expect(completion.usage?.completion_tokens).toBe(12);
    expect(completion.system_fingerprint).toBe("fp_simulated_no_language_model");
  });

  it("gets a stream that ends", async () => {
    const stream = await client("tokens=12").chat.completions.create({
      model: "simulated/simulated",
      messages,
      stream: true,
    });
    const texts: string[] = [];
    for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content ?? "");
    expect(texts.join("")).toMatch(/^\[simulated\] .*\.$/);
  });
});
