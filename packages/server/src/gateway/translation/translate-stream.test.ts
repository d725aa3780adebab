import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { translateStream } from "./index.ts";
import {
  contextOf,
  type Loose,
  parseEvents,
  reply,
  type SeenEvent,
  stream,
} from "./test/exchange.ts";
import { chatReply, chatStream, messagesReply, messagesStream } from "./test/fixtures.ts";
import { joinChat, joinMessages } from "./test/join-stream.ts";

const toMessages = contextOf("messages", "chat", { max_tokens: 9, stream: true });
const toChat = contextOf("chat", "messages", {
  stream: true,
  stream_options: { include_usage: true },
});

const deltas = (events: readonly SeenEvent[]): Loose[] =>
  events.flatMap(({ data }) => data?.choices?.[0]?.delta ?? []);
const chunk = (delta: object, finish_reason: string | null = null): object => ({
  id: "c",
  model: "m",
  choices: [{ index: 0, delta, finish_reason }],
});
const call = (index: number, fields: object): object =>
  chunk({ tool_calls: [{ index, ...fields }] });
const begin = (index: number, id: string): object =>
  call(index, { id, type: "function", function: { name: `f_${id}`, arguments: "" } });
const go = (index: number, text: string): object => call(index, { function: { arguments: text } });

describe("chat streams for messages", () => {
  it("says what the whole reply says", () => {
    const events = stream(toMessages, chatStream);
    expect(events.map(({ event, data }) => event === data.type && event)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(joinMessages(events)).toEqual(reply(toMessages, chatReply));
  });

  it("reports usage, which the provider gives at the end, in the last event but one", () => {
    const events = stream(toMessages, chatStream);
    expect(events.at(-2)?.data.usage).toMatchObject({ input_tokens: 15, output_tokens: 20 });
  });

  it("takes id and model from the first chunk with a choice, for one before it may know neither", () => {
    const azure = { id: "", model: "", object: "", choices: [], prompt_filter_results: [] };
    const events = stream(toMessages, [azure, ...chatStream]);
    expect(events[0]?.data.message).toMatchObject({ id: "chatcmpl-1", model: "gpt-x" });
  });

  it("keeps interleaved parallel calls apart, each block whole before the next", () => {
    const events = stream(toMessages, [
      begin(0, "a"),
      begin(1, "b"),
      go(1, '{"x":'),
      go(0, '{"y":"}"'),
      go(1, "1}"),
      go(0, "}"),
      chunk({}, "tool_calls"),
      "[DONE]",
    ]);
    expect(joinMessages(events).content).toEqual([
      { type: "tool_use", id: "a", name: "f_a", input: { y: "}" } },
      { type: "tool_use", id: "b", name: "f_b", input: { x: 1 } },
    ]);
  });

  it("tells calls apart that a server puts all at index 0, or at none", () => {
    for (const index of [0, undefined]) {
      const one = (id: string, args: string): object =>
        chunk({ tool_calls: [{ index, id, function: { name: `f_${id}`, arguments: args } }] });
      const events = stream(toMessages, [
        one("a", '{"x":1}'),
        one("b", '{"x":2}'),
        chunk({}, "tool_calls"),
        "[DONE]",
      ]);
      expect(joinMessages(events).content).toEqual([
        { type: "tool_use", id: "a", name: "f_a", input: { x: 1 } },
        { type: "tool_use", id: "b", name: "f_b", input: { x: 2 } },
      ]);
    }
  });

  it("carries reasoning, text behind it and a refusal as blocks of their own", () => {
    const events = stream(toMessages, [
      chunk({ role: "assistant", content: "" }),
      chunk({ reasoning_content: "Hm" }),
      chunk({ reasoning: "." }),
      chunk({ content: "No" }),
      chunk({ refusal: "Not this." }),
      chunk({}, "stop"),
      "[DONE]",
    ]);
    expect(joinMessages(events)).toMatchObject({
      content: [
        {
          type: "thinking",
          thinking: "Hm.",
          signature: expect.stringContaining("faultline-reasoning."),
        },
        { type: "text", text: "No" },
        { type: "text", text: "Not this." },
      ],
      stop_reason: "refusal",
    });
  });

  it("takes reasoning in details, in pieces or whole, each block with its own state", () => {
    const format = "anthropic-claude-v1";
    const details = (...reasoning_details: object[]): object => chunk({ reasoning_details });
    const events = stream(toMessages, [
      details({ type: "reasoning.text", text: "ha", format }),
      details({ type: "reasoning.text", text: "ha", format }),
      details(
        { type: "reasoning.text", signature: "sig", format },
        { type: "reasoning.encrypted", data: "red", format },
      ),
      chunk({ reasoning_content: "Hm." }),
      details({ type: "reasoning.text", text: "Hm.", signature: "sig2", format }),
      chunk({ content: "A" }),
      chunk({}, "stop"),
      "[DONE]",
    ]);
    expect(joinMessages(events).content).toEqual([
      { type: "thinking", thinking: "haha", signature: "sig" },
      { type: "redacted_thinking", data: "red" },
      { type: "thinking", thinking: "Hm.", signature: "sig2" },
      { type: "text", text: "A" },
    ]);
  });

  it("ends with the caller's error event when the provider reports one, and says no more", () => {
    const translation = translateStream(toMessages);
    translation.write(undefined, JSON.stringify(chunk({ content: "a" })));
    const error = { message: "Too much.", type: "rate_limit_error", code: null };
    const events = parseEvents(translation.write(undefined, JSON.stringify({ error })));
    expect(events).toEqual([
      {
        event: "error",
        data: { type: "error", error: { type: "rate_limit_error", message: "Too much." } },
      },
    ]);
    expect(translation).toMatchObject({ finished: true, error: { type: "rate_limit_error" } });
    expect(translation.write(undefined, "[DONE]")).toBe("");
  });
});

describe("messages streams for chat", () => {
  it("says what the whole reply says", () => {
    const events = stream(toChat, messagesStream);
    expect(events.at(-1)?.data).toBe("[DONE]");
    expect(joinChat(events)).toEqual(reply(toChat, messagesReply));
  });

  it("counts calls from 0, each at an index of its own", () => {
    const calls = deltas(stream(toChat, messagesStream)).flatMap((delta) => delta.tool_calls ?? []);
    expect(calls.map(({ index }) => index)).toEqual([0, 0, 0, 1, 1]);
    expect(calls.map((one) => one.function.arguments)).toEqual(["", '{"at":', '"sky"}', "", "{}"]);
  });

  it("takes the arguments that come with the start of a call", () => {
    const events = stream(toChat, [
      messagesStream[0],
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
      },
      { type: "content_block_stop", index: 0 },
      ...messagesStream.slice(-2),
    ]);
    expect(joinChat(events).choices[0].message.tool_calls).toEqual([
      { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    ]);
  });

  it("keeps the input tokens of the start where the end says 0", () => {
    const zero = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
    const zeroed = messagesStream.map((event: Loose) =>
      event.type === "message_delta" ? { ...event, usage: { ...zero, output_tokens: 20 } } : event,
    );
    expect(stream(toChat, zeroed).at(-2)?.data.usage).toMatchObject({
      prompt_tokens: chatReply.usage.prompt_tokens,
      prompt_tokens_details: chatReply.usage.prompt_tokens_details,
    });
  });

  it("sends usage only when it is asked for", () => {
    const asked = stream(toChat, messagesStream);
    expect(asked.at(-2)?.data).toMatchObject({ choices: [], usage: chatReply.usage });
    expect(asked[0]?.data.usage).toBeNull();
    const unasked = stream(contextOf("chat", "messages", { stream: true }), messagesStream);
    expect(unasked.some(({ data }) => data.usage !== undefined)).toBe(false);
  });

  it("ends with the caller's error event when the provider reports one", () => {
    const translation = translateStream(toChat);
    translation.write(undefined, JSON.stringify(messagesStream[0]));
    const error = { type: "error", error: { type: "overloaded_error", message: "Busy." } };
    expect(parseEvents(translation.write("error", JSON.stringify(error)))).toEqual([
      {
        event: undefined,
        data: {
          error: { message: "Busy.", type: "server_error", param: null, code: "overloaded_error" },
        },
      },
    ]);
    expect(translation.finished).toBe(true);
  });
});

describe.each([
  ["messages from chat", toMessages, chatStream],
  ["chat from messages", toChat, messagesStream],
])("a stream of %s", (_, context, events) => {
  it("that ends before its terminator is cut, wherever it ends", () => {
    for (let count = 0; count < events.length; count += 1) {
      expect(() => stream(context, events.slice(0, count))).toThrow(
        expect.objectContaining({ code: "provider_stream_cut" }),
      );
    }
  });

  it("fails in the caller's dialect, without its terminator", () => {
    const translation = translateStream(context);
    const error = new PlatformError("provider_stream_cut", "It broke.");
    const [event] = parseEvents(translation.fail(error));
    expect(event?.data.error.message).toBe("It broke.");
    expect(translation.write(undefined, "[DONE]")).toBe("");
  });
});
