import { describe, expect, it } from "vitest";

import { RequestReader } from "../calls/request-reader.ts";
import { surfaces } from "../calls/surface.ts";
import { applySplices } from "../wire/splice.ts";
import { outputLimitSplices, tokenBounds } from "./output-limit.ts";

function boundsOf(name: keyof typeof surfaces, request: object) {
  return boundsOfBody(name, JSON.stringify({ model: "m", ...request }));
}

function boundsOfBody(name: keyof typeof surfaces, text: string) {
  const surface = surfaces[name];
  const body = Buffer.from(text);
  const facts = new RequestReader(surface.request).read(body);
  const limited = (limit: number): unknown => {
    const splices = outputLimitSplices(facts, limit, { surface, field: "max_completion_tokens" });
    return JSON.parse(applySplices(body, splices).toString());
  };
  return { bounds: tokenBounds(surface, body, facts), length: body.length, limited };
}

const messages = [{ role: "user", content: "x" }];

describe("the bounds of a call", () => {
  it("are a token for each byte, and the limit for each reply", () => {
    const { bounds, length } = boundsOf("chat", { messages, max_tokens: 7, n: 3 });
    expect(bounds).toEqual({
      inputTokens: length,
      outputTokens: 21,
      replyCount: 3,
      missingLimit: undefined,
    });
  });

  it("take the larger of two limits, and none below zero for one", () => {
    const both = boundsOf("chat", { messages, max_tokens: 7, max_completion_tokens: 9 });
    expect(both.bounds.outputTokens).toBe(9);
    const endless = boundsOf("chat", { messages, max_tokens: -1 });
    expect(endless.bounds).toMatchObject({ outputTokens: 4_096, missingLimit: 4_096 });
    expect(endless.limited(4_096)).toMatchObject({ max_tokens: 4_096 });
  });

  it("count every prompt of completions, and what is made beside the best of them", () => {
    const two = { prompt: ["a", "b"], max_tokens: 5 };
    expect(boundsOf("completions", two).bounds.outputTokens).toBe(10);
    expect(boundsOf("completions", { ...two, best_of: 4 }).bounds.outputTokens).toBe(40);
    const spelled = String.raw`{"model":"m","prompt":"a","max_tokens":5,"\u0062est\u005fof":4}`;
    expect(boundsOfBody("completions", spelled).bounds.outputTokens).toBe(20);
    expect(() => boundsOf("completions", { ...two, best_of: "4" })).toThrow(/"best_of"/);
    expect(() => boundsOfBody("completions", '{"model":"m","best_of":1,"best_of":4}')).toThrow();
    const tokens = { prompt: [1, 2, 3], max_tokens: 5 };
    expect(boundsOf("completions", tokens).bounds.outputTokens).toBe(5);
  });

  it("are of the input alone for embeddings", () => {
    const { bounds } = boundsOf("embeddings", { input: "words" });
    expect(bounds).toMatchObject({ outputTokens: 0, missingLimit: undefined });
  });

  it("hold for images that are only named", () => {
    const content = [{ type: "image_url", image_url: { url: "https://e.example/i.png" } }];
    const request = { messages: [{ role: "user", content }], max_tokens: 1 };
    const { bounds, length } = boundsOf("chat", request);
    expect(bounds.inputTokens).toBe(length + 50_000);
  });
});

describe("the limit of a request", () => {
  it("is written where its surface has it, once", () => {
    expect(boundsOf("chat", { messages }).limited(5)).toEqual({
      max_completion_tokens: 5,
      model: "m",
      messages,
    });
    expect(boundsOf("responses", { input: "x" }).limited(5)).toMatchObject({
      max_output_tokens: 5,
    });
    expect(boundsOf("messages", { messages, max_tokens: 50 }).limited(5)).toEqual({
      model: "m",
      messages,
      max_tokens: 5,
    });
  });
});
