import { describe, expect, it } from "vitest";

import { gatewayLimits } from "../limits.ts";
import { expectedInputTokens, expectedTokens } from "./expected-tokens.ts";
import { RequestReader } from "./request-reader.ts";
import { type Surface, surfaces } from "./surface.ts";

function expected(surface: Surface, request: object): number {
  const body = Buffer.from(JSON.stringify({ model: "m", ...request }));
  return expectedTokens(surface, new RequestReader(surface.request).read(body));
}

const said = "x".repeat(4_000);
const { imageTokensExpected, outputTokensExpected } = gatewayLimits;

describe("the tokens that a call is expected to take", () => {
  it("are those of its text at four bytes each, and of the output that it allows", () => {
    const tokens = expected(surfaces.chat, {
      messages: [{ role: "user", content: said }],
      max_tokens: 50,
    });
    expect(tokens).toBeGreaterThanOrEqual(1_050);
    expect(tokens).toBeLessThan(1_100);
    const unbounded = expected(surfaces.chat, { messages: [{ role: "user", content: said }] });
    expect(unbounded - tokens).toBe(outputTokensExpected - 50);
  });

  it("have the output of each choice that is made for it in them", () => {
    const messages = [{ role: "user", content: "hi" }];
    const one = expected(surfaces.chat, { messages, max_tokens: 100 });
    expect(expected(surfaces.chat, { messages, max_tokens: 100, n: 8 })).toBe(one + 700);
    expect(expected(surfaces.chat, { messages, max_tokens: 100, n: -8 })).toBe(one);
    const best = { prompt: "hi", max_tokens: 100, best_of: 8 };
    expect(expected(surfaces.completions, best)).toBe(
      expected(surfaces.completions, { ...best, best_of: 1 }) + 700,
    );
  });

  it("have the schemas of its tools and its system prompt in them", () => {
    const messages = [{ role: "user", content: "hi" }];
    const bare = expected(surfaces.messages, { messages, max_tokens: 1 });
    const tools = [{ name: "t", input_schema: { type: "object", description: said } }];
    expect(expected(surfaces.messages, { messages, tools, max_tokens: 1 })).toBeGreaterThan(
      bare + 1_000,
    );
    expect(expected(surfaces.messages, { messages, system: said, max_tokens: 1 })).toBeGreaterThan(
      bare + 999,
    );
  });

  it("count an image by what models make of it, not by its bytes", () => {
    const url = `data:image/png;base64,${"A".repeat(400_000)}`;
    const content = [{ type: "image_url", image_url: { url } }];
    const body = Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content }] }));
    const tokens = expectedInputTokens(new RequestReader(surfaces.chat.request).read(body));
    expect(tokens).toBeGreaterThanOrEqual(imageTokensExpected);
    expect(tokens).toBeLessThan(imageTokensExpected + 100);
  });

  it("count an image that a tool gave", () => {
    const parts = [{ type: "input_image", image_url: "https://e.example/i.png" }];
    const [screenshot] = parts;
    for (const output of [parts, screenshot]) {
      const tokens = expected(surfaces.responses, { input: [{ output }], max_output_tokens: 1 });
      expect(tokens).toBeGreaterThanOrEqual(imageTokensExpected);
    }
  });

  it("are none where tokens are only counted, and no output where there is none", () => {
    const messages = [{ role: "user", content: said }];
    expect(expected(surfaces["count-tokens"], { messages })).toBe(0);
    expect(expected(surfaces.embeddings, { input: said })).toBeLessThan(1_010);
  });
});
