import { describe, expect, it } from "vitest";

import { translateError, translateReply } from "./index.ts";
import { contextOf, type Loose, reply, request } from "./test/exchange.ts";
import { chatReply, messagesReply } from "./test/fixtures.ts";

const hi = { role: "user", content: "Hi." };
const toMessages = contextOf("messages", "chat", { max_tokens: 9 });
const toChat = contextOf("chat", "messages");

const chatOf = (message: object, finish_reason = "stop"): object => ({
  ...chatReply,
  choices: [{ index: 0, message: { role: "assistant", content: null, ...message }, finish_reason }],
});
const messagesOf = (fields: object): object => ({ ...messagesReply, ...fields });

describe("chat replies for messages", () => {
  it("carries text, parallel calls and usage, whose input leaves out the cache", () => {
    expect(reply(toMessages, chatReply)).toEqual({
      id: "chatcmpl-1",
      type: "message",
      role: "assistant",
      model: "gpt-x",
      content: [
        { type: "text", text: "Looking." },
        { type: "tool_use", id: "call_1", name: "look", input: { at: "sky" } },
        { type: "tool_use", id: "call_2", name: "look", input: { at: "sea" } },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      usage: {
        input_tokens: 15,
        cache_creation_input_tokens: 5,
        cache_read_input_tokens: 30,
        output_tokens: 20,
        output_tokens_details: { thinking_tokens: 7 },
      },
    });
  });

  it("says why the model stopped", () => {
    const stopOf = (fields: object): unknown =>
      reply(toMessages, { ...chatReply, choices: [fields] }).stop_reason;
    const message = { role: "assistant", content: "a" };
    const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
    expect(stopOf({ message, finish_reason: "stop" })).toBe("end_turn");
    expect(stopOf({ message, finish_reason: "length" })).toBe("max_tokens");
    expect(stopOf({ message, finish_reason: "content_filter" })).toBe("refusal");
    expect(stopOf({ message, finish_reason: "stop", stop_reason: "END" })).toBe("stop_sequence");
    // A forced call ends with "stop" there.
    expect(stopOf({ message: { ...message, tool_calls: [call] }, finish_reason: "stop" })).toBe(
      "tool_use",
    );
    expect(stopOf({ message: { ...message, refusal: "No." }, finish_reason: "stop" })).toBe(
      "refusal",
    );
  });

  it("leaves out the call in whose arguments the token limit stopped the model", () => {
    const call = (id: string, text: string): object => ({
      id,
      type: "function",
      function: { name: "f", arguments: text },
    });
    const calls = [call("whole", '{"a":1}'), call("cut", '{"a":')];
    const message = { role: "assistant", content: null, tool_calls: calls };
    const said = (finish: string): Loose =>
      reply(toMessages, { ...chatReply, choices: [{ message, finish_reason: finish }] });
    expect(said("length")).toMatchObject({
      content: [{ type: "tool_use", id: "whole", name: "f", input: { a: 1 } }],
      stop_reason: "max_tokens",
    });
    // Who ends by itself has no reason for half of a call.
    expect(() => said("tool_calls")).toThrow("arguments of a tool call");
  });

  it("seals reasoning, so that it comes back to the same provider", () => {
    const { content } = reply(toMessages, chatOf({ content: "A", reasoning_content: "Hm." }));
    expect(content).toEqual([
      {
        type: "thinking",
        thinking: "Hm.",
        signature: expect.stringMatching(/^faultline-reasoning\./),
      },
      { type: "text", text: "A" },
    ]);
    const turns = [hi, { role: "assistant", content }, hi];
    const { body, losses } = request("messages", "chat", {
      model: "m",
      max_tokens: 9,
      messages: turns,
    });
    expect(body.messages[1]).toEqual({ role: "assistant", content: "A", reasoning_content: "Hm." });
    expect(losses).toEqual([]);
  });

  it("keeps the digits of arguments and the names of the caller's tools", () => {
    const name = "look".repeat(20);
    const tools = [{ name, input_schema: { type: "object" } }];
    const context = contextOf("messages", "chat", { max_tokens: 9, tools });
    const fitting = [...context.toolNames.keys()][0];
    const call = {
      id: "c",
      type: "function",
      function: { name: fitting, arguments: '{"id":12345678901234567890}' },
    };
    const body = Buffer.from(JSON.stringify(chatOf({ tool_calls: [call] }, "tool_calls")));
    const text = translateReply(context, body).toString();
    expect(text).toContain('"input":{"id":12345678901234567890}');
    expect(text).toContain(`"name":"${name}"`);
  });

  it("refuses replies that are not in the wire format", () => {
    const call = (args: unknown): object => ({ id: "c", function: { name: "f", arguments: args } });
    const broken: readonly unknown[] = [
      [],
      {},
      { choices: [] },
      { choices: [{ message: { content: "a" } }] },
      { choices: [{ message: { content: 7 }, finish_reason: "stop" }] },
      { choices: [{ index: 1, message: { content: "a" }, finish_reason: "stop" }] },
      { choices: [{}, {}] },
      { error: { message: "no" } },
      chatOf({ tool_calls: {} }),
      chatOf({ tool_calls: [null] }),
      chatOf({ tool_calls: [call('{"a":')] }),
      chatOf({ tool_calls: [call("[1]")] }),
      chatOf({ tool_calls: [{ id: "c".repeat(2_000), function: { name: "f", arguments: "" } }] }),
    ];
    for (const body of broken) {
      expect(() => reply(toMessages, body)).toThrow(
        expect.objectContaining({ code: "provider_response_invalid" }),
      );
    }
    expect(() => translateReply(toMessages, Buffer.from("<html>"))).toThrow(
      expect.objectContaining({ code: "provider_response_invalid" }),
    );
  });
});

describe("messages replies for chat", () => {
  it("carries thinking with its state, text, calls and usage, whose input includes the cache", () => {
    expect(reply(toChat, messagesReply)).toEqual({
      id: "msg_1",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "claude-x",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "Looking.",
            refusal: null,
            reasoning_content: "Where to look?",
            reasoning_details: [
              {
                type: "reasoning.text",
                text: "Where to look?",
                signature: "EqQBCkYIARgC",
                format: "anthropic-claude-v1",
                index: 0,
              },
              {
                type: "reasoning.encrypted",
                data: "EmwKAhgBEgy3",
                format: "anthropic-claude-v1",
                index: 1,
              },
            ],
            tool_calls: [
              {
                id: "toolu_1",
                type: "function",
                function: { name: "look", arguments: '{"at":"sky"}' },
              },
              { id: "toolu_2", type: "function", function: { name: "look", arguments: "{}" } },
            ],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: chatReply.usage,
      service_tier: "default",
    });
  });

  it("says why the model stopped", () => {
    const stopOf = (fields: object): unknown => {
      const { finish_reason, message } = reply(toChat, messagesOf({ content: [], ...fields }))
        .choices[0];
      return [finish_reason, message.refusal];
    };
    expect(stopOf({ stop_reason: "end_turn" })).toEqual(["stop", null]);
    expect(stopOf({ stop_reason: "stop_sequence", stop_sequence: "END" })).toEqual(["stop", null]);
    expect(stopOf({ stop_reason: "max_tokens" })).toEqual(["length", null]);
    expect(stopOf({ stop_reason: "model_context_window_exceeded" })).toEqual(["length", null]);
    const stop_details = { type: "refusal", category: "bio", explanation: "Not this." };
    expect(stopOf({ stop_reason: "refusal", stop_details })).toEqual([
      "content_filter",
      "Not this.",
    ]);
  });

  it("gives back reasoning that the same provider reads", () => {
    const { message } = reply(toChat, messagesReply).choices[0];
    const results = ["toolu_1", "toolu_2"].map((tool_call_id) => ({
      role: "tool",
      tool_call_id,
      content: "x",
    }));
    const { body, losses } = request("chat", "messages", {
      model: "m",
      messages: [hi, message, ...results],
    });
    expect(losses).toEqual([]);
    expect(body.messages[1].content).toEqual(messagesReply.content);
  });

  it("refuses replies that are not in the wire format", () => {
    const block = (content: object): object => messagesOf({ content: [content] });
    const broken: readonly unknown[] = [
      {},
      messagesOf({ content: "text" }),
      messagesOf({ stop_reason: null }),
      messagesOf({ stop_reason: "pause_turn" }),
      block({ type: "server_tool_use", id: "a", name: "web_search", input: {} }),
      block({ type: "tool_use", id: "a", name: "f", input: "{}" }),
      block({ type: "tool_use", name: "f", input: {} }),
      block({ type: "text", text: 1 }),
      { type: "error", error: { type: "api_error", message: "no" } },
    ];
    for (const body of broken) {
      expect(() => reply(toChat, body)).toThrow(
        expect.objectContaining({ code: "provider_response_invalid" }),
      );
    }
  });
});

describe("errors of providers", () => {
  const errorOf = (
    from: "chat" | "messages" | "responses",
    status: number,
    body: unknown,
  ): unknown =>
    JSON.parse(translateError({ from }, status, Buffer.from(JSON.stringify(body))).toString());

  it("stand in the words of the caller's surface", () => {
    const anthropic = { type: "error", error: { type: "overloaded_error", message: "Busy." } };
    expect(errorOf("chat", 529, anthropic)).toEqual({
      error: { message: "Busy.", type: "server_error", param: null, code: "overloaded_error" },
    });
    const openai = {
      error: { message: "Slow down.", type: "requests", param: null, code: "rate_limit_exceeded" },
    };
    expect(errorOf("messages", 429, openai)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "Slow down." },
    });
    expect(errorOf("responses", 400, openai)).toEqual({
      error: {
        message: "Slow down.",
        type: "invalid_request_error",
        param: null,
        code: "rate_limit_exceeded",
      },
    });
  });

  it("are read in the forms of other servers too", () => {
    const vllm = { object: "error", message: "Too long.", type: "BadRequestError", code: 400 };
    expect(errorOf("chat", 400, vllm)).toMatchObject({
      error: { message: "Too long.", code: "400" },
    });
    for (const body of [{ detail: "Too long." }, { error: "Too long." }, vllm]) {
      expect(errorOf("messages", 400, body)).toEqual({
        type: "error",
        error: { type: "invalid_request_error", message: "Too long." },
      });
    }
  });

  it("keep their status when the body says nothing", () => {
    const said = translateError({ from: "chat" }, 502, Buffer.from("<html>Bad gateway</html>"));
    expect(JSON.parse(said.toString())).toEqual({
      error: {
        message: "The provider answered with status 502.",
        type: "server_error",
        param: null,
        code: null,
      },
    });
  });
});
