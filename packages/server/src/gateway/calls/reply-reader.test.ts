/** What is read of replies that real servers send, beside what the formats promise. */

import { describe, expect, it } from "vitest";

import { ReplyReader } from "./reply-reader.ts";
import { surfaces } from "./surface.ts";

/** Reads the documents of one reply. */
function read(
  surface: "chat" | "responses" | "messages",
  ...documents: readonly object[]
): ReplyReader {
  const reader = new ReplyReader(surfaces[surface].reply);
  for (const document of documents) {
    const bytes = Buffer.from(JSON.stringify(document));
    reader.startDocument(true);
    reader.write(bytes, 0, bytes.length);
    expect(reader.endDocument()).toBe(true);
  }
  return reader;
}

describe("the usage of a reply", () => {
  it("has what went into a cache, and the tokens of reasoning, in every dialect", () => {
    const prompt = { cached_tokens: 3, cache_write_tokens: 2 };
    const output = { reasoning_tokens: 4 };
    const all = {
      inputTokens: 20,
      cachedInputTokens: 3,
      cacheWriteInputTokens: 2,
      outputTokens: 9,
      reasoningTokens: 4,
    };
    const chat = {
      prompt_tokens: 20,
      completion_tokens: 9,
      prompt_tokens_details: prompt,
      completion_tokens_details: output,
    };
    expect(read("chat", { usage: chat }).usage).toEqual(all);
    const responses = {
      input_tokens: 20,
      output_tokens: 9,
      input_tokens_details: prompt,
      output_tokens_details: output,
    };
    expect(read("responses", { usage: responses }).usage).toEqual(all);
    const messages = {
      input_tokens: 15,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 2,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    };
    expect(read("messages", { usage: messages }).usage).toEqual(all);
  });

  it("keeps the input that the start of a stream reports when its end says 0 or null", () => {
    const counts = { input_tokens: 15, cache_read_input_tokens: 3, cache_creation_input_tokens: 2 };
    const start = { type: "message_start", message: { usage: { ...counts, output_tokens: 1 } } };
    const zeros = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
    const end = { type: "message_delta", usage: { ...zeros, output_tokens: 9 } };
    expect(read("messages", start, end).usage).toMatchObject({ inputTokens: 20, outputTokens: 9 });
    const silent = { type: "message_delta", usage: null };
    expect(read("messages", start, silent).usage).toMatchObject({
      inputTokens: 20,
      outputTokens: 1,
    });
  });
});

describe("a reply", () => {
  it("may be as deep as the schemas and arguments that it repeats", () => {
    let input: object = {};
    for (let depth = 0; depth < 120; depth += 1) input = { deeper: input };
    read("messages", { content: [{ type: "tool_use", id: "t", name: "f", input }] });
    read("responses", { response: { tools: [{ type: "function", parameters: input }] } });
  });

  it("may report an error as a text", () => {
    const reader = read("chat", { error: "model not found" });
    expect([reader.hasError, reader.errorMessage]).toEqual([true, "model not found"]);
  });

  it("has one reason for its end where the server says an empty one before", () => {
    const goesOn = { choices: [{ delta: { content: "a" }, finish_reason: "" }] };
    const ends = { choices: [{ delta: {}, finish_reason: "length" }] };
    const chunks = Array.from({ length: 40 }, () => goesOn);
    expect(read("chat", ...chunks, ends).finishReasons).toEqual(["length"]);
  });
});

describe("what a reply says", () => {
  it("may stand in parts of its content, as thoughts do", () => {
    const thinking = [{ type: "text", text: "Hm" }];
    const thought = { delta: { content: [{ type: "thinking", thinking }] } };
    const part = { delta: { content: [{ type: "text", text: "Yes." }] } };
    const reader = read("chat", ...[thought, part, part].map((choice) => ({ choices: [choice] })));
    expect([reader.deltaCount, reader.saidBytes]).toEqual([3, 10]);
    expect(read("chat", { choices: [{ message: { content: [] } }] }).deltaCount).toBe(0);
  });
});
