import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { type Surface, translateRequest, translateStream } from "./index.ts";
import { contextOf, parseEvents, reply, request, stream } from "./test/exchange.ts";
import {
  chatConversation,
  chatReply,
  chatStream,
  messagesConversation,
  messagesReply,
  messagesStream,
  responsesConversation,
  responsesReply,
  responsesStream,
} from "./test/fixtures.ts";
import { joinChat, joinMessages, joinResponses } from "./test/join-stream.ts";

const longId = ',\\"id\\":12345678901234567890';
const withoutLongId = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replace(longId, ""));

function refusal(from: Surface, to: Surface, body: object): PlatformError {
  try {
    request(from, to, { model: "m", ...body });
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error("the request was translated");
}

describe("requests of and for responses", () => {
  it("become chat requests", () => {
    const { body, losses } = request("responses", "chat", responsesConversation);
    expect(body).toEqual({ ...chatConversation, model: "upstream" });
    expect(losses).toEqual([]);
  });

  it("come from chat requests, and keep nothing with the provider", () => {
    const { body, losses } = request("chat", "responses", chatConversation);
    const { include, ...rest } = body;
    expect(rest).toEqual({ ...responsesConversation, model: "upstream" });
    expect(include).toEqual(["reasoning.encrypted_content"]);
    expect(losses).toEqual([]);
  });

  it("become messages requests, with all digits of arguments", () => {
    const { body, losses } = request("responses", "messages", withoutLongId(responsesConversation));
    expect(body).toEqual({ ...messagesConversation, model: "upstream" });
    expect(losses).toEqual([]);
    const plan = {
      from: "responses",
      to: "messages",
      model: "u",
      maxTokensDefault: 1,
      tokenLimitField: "max_completion_tokens",
      nowSeconds: 0,
    } as const;
    const sent = translateRequest(plan, Buffer.from(JSON.stringify(responsesConversation)));
    expect(sent.body.toString()).toContain('"id":12345678901234567890');
  });

  it("come from messages requests", () => {
    const { body, losses } = request("messages", "responses", messagesConversation);
    const { include: _, ...rest } = body;
    expect(rest).toEqual({
      ...(withoutLongId(responsesConversation) as object),
      model: "upstream",
    });
    expect(losses).toEqual([]);
  });

  it("show thinking as a summary where it was asked for", () => {
    const { body } = request("messages", "responses", {
      model: "m",
      max_tokens: 9,
      messages: [{ role: "user", content: "Hi." }],
      thinking: { type: "adaptive" },
    });
    expect(body).toMatchObject({
      reasoning: { summary: "auto" },
      include: ["reasoning.encrypted_content"],
    });
  });

  it("carry images in results, files by URL, refusals and tools of free text where both know them", () => {
    const image = { type: "image", source: { type: "url", url: "https://example.test/a.png" } };
    const { body } = request("messages", "responses", {
      model: "m",
      max_tokens: 9,
      messages: [
        {
          role: "user",
          content: [
            { type: "document", source: { type: "url", url: "https://example.test/a.pdf" } },
          ],
        },
        { role: "assistant", content: [{ type: "tool_use", id: "a", name: "look", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: [image] }] },
      ],
    });
    expect(body.input).toEqual([
      { role: "user", content: [{ type: "input_file", file_url: "https://example.test/a.pdf" }] },
      { type: "function_call", call_id: "a", name: "look", arguments: "{}" },
      {
        type: "function_call_output",
        call_id: "a",
        output: [{ type: "input_image", image_url: "https://example.test/a.png", detail: "auto" }],
      },
    ]);
    const grammar = { syntax: "lark", definition: "start: WORD" };
    const chat = {
      model: "m",
      messages: [
        { role: "user", content: "Hi." },
        { role: "assistant", content: null, refusal: "No." },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "custom", custom: { name: "run", input: "ls" } }],
        },
        { role: "tool", tool_call_id: "c", content: "a.txt" },
      ],
      tools: [{ type: "custom", custom: { name: "run", format: { type: "grammar", grammar } } }],
      tool_choice: { type: "custom", custom: { name: "run" } },
    };
    const there = request("chat", "responses", chat).body;
    expect(there.tools).toEqual([
      { type: "custom", name: "run", format: { type: "grammar", ...grammar } },
    ]);
    const back = request("responses", "chat", there).body;
    expect(back.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: null,
        refusal: "No.",
        tool_calls: [{ id: "c", type: "custom", custom: { name: "run", input: "ls" } }],
      },
      { role: "tool", tool_call_id: "c", content: "a.txt" },
    ]);
    expect(back.tools).toEqual(chat.tools);
    expect(back.tool_choice).toEqual(chat.tool_choice);
  });

  it("are refused where they count on state, hosted tools or stop sequences", () => {
    const cases: readonly [object, string][] = [
      [{ input: "Hi.", previous_response_id: "resp_0" }, "/previous_response_id"],
      [{ input: "Hi.", conversation: "conv_0" }, "/conversation"],
      [{ input: "Hi.", background: true }, "/background"],
      [{ input: "Hi.", prompt: { id: "p" } }, "/prompt"],
      [{ input: "Hi.", tools: [{ type: "web_search" }] }, "/tools/0"],
      [{ input: "Hi.", tools: [{ type: "code_interpreter", container: {} }] }, "/tools/0"],
      [{ input: "Hi.", tools: [{ type: "computer" }] }, "/tools/0"],
      [{ input: "Hi.", tool_choice: { type: "file_search" } }, "/tool_choice"],
      [{ input: [{ type: "item_reference", id: "msg_0" }] }, "/input/0"],
      [{ input: [{ type: "web_search_call", id: "ws_0" }] }, "/input/0"],
      [
        { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
        "/input/0/content/0/file_id",
      ],
    ];
    for (const [body, where] of cases) {
      for (const to of ["chat", "messages"] as const) {
        expect(refusal("responses", to, body)).toMatchObject({
          code: "translation_unsupported",
          where,
        });
      }
    }
    const messages = [{ role: "user", content: "Hi." }];
    expect(refusal("chat", "responses", { messages, stop: "END" }).where).toBe("/stop");
    expect(refusal("messages", "responses", { messages, stop_sequences: ["END"] }).where).toBe(
      "/stop_sequences",
    );
  });

  it("put results before what a user said between call and result, as messages demands", () => {
    const input = [
      { role: "user", content: "Look." },
      { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
      { role: "user", content: "Hurry." },
      { type: "function_call_output", call_id: "a", output: "Done." },
    ];
    expect(request("responses", "messages", { model: "m", input }).body.messages[2]).toEqual({
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a", content: "Done." },
        { type: "text", text: "Hurry." },
      ],
    });
  });

  it("leave no empty message where all of a turn was left out", () => {
    const hi = { role: "user", content: "Hi." };
    const reasoning = { type: "reasoning", id: "rs_0", summary: [], encrypted_content: "gAAA" };
    for (const to of ["chat", "messages"] as const) {
      const { body, losses } = request("responses", to, { model: "m", input: [hi, reasoning, hi] });
      expect(body.messages.every(({ role }: { role: string }) => role === "user")).toBe(true);
      expect(losses).toHaveLength(1);
    }
  });

  it("name what they leave out", () => {
    const { losses } = request("responses", "messages", {
      model: "m",
      input: "Hi.",
      store: true,
      truncation: "auto",
      include: ["message.output_text.logprobs"],
      reasoning: { effort: "minimal", summary: "auto" },
      text: { verbosity: "low" },
    });
    expect(losses).toEqual([
      "/store: nothing is stored: a later request cannot name this one",
      "/truncation: a conversation that is too long is refused there, not cut",
      "/include/0: cannot be included",
      "/reasoning/summary: the provider decides how reasoning is shown",
      "/text/verbosity: messages has no such parameter",
      "/reasoning/effort: sent as low, the lowest of messages",
    ]);
  });
});

const contexts = {
  chatFromResponses: contextOf("chat", "responses", {
    stream: true,
    stream_options: { include_usage: true },
  }),
  messagesFromResponses: contextOf("messages", "responses", { max_tokens: 9, stream: true }),
  responsesFromChat: contextOf("responses", "chat", { stream: true }),
  responsesFromMessages: contextOf("responses", "messages", { stream: true }),
};

describe("replies of and for responses", () => {
  it("say in a stream what the whole reply says", () => {
    const { chatFromResponses, messagesFromResponses, responsesFromChat, responsesFromMessages } =
      contexts;
    expect(joinChat(stream(chatFromResponses, responsesStream))).toEqual(
      reply(chatFromResponses, responsesReply),
    );
    expect(joinMessages(stream(messagesFromResponses, responsesStream))).toEqual(
      reply(messagesFromResponses, responsesReply),
    );
    expect(joinResponses(stream(responsesFromChat, chatStream))).toEqual(
      reply(responsesFromChat, chatReply),
    );
    expect(joinResponses(stream(responsesFromMessages, messagesStream))).toEqual(
      reply(responsesFromMessages, messagesReply),
    );
  });

  it("carry text, parallel calls, reasoning and usage to chat", () => {
    const { choices, usage } = reply(contexts.chatFromResponses, responsesReply);
    expect(choices[0]).toMatchObject({
      message: {
        content: "Looking.",
        reasoning_content: "Where to look?\n\nUp.",
        tool_calls: chatReply.choices[0]?.message.tool_calls,
      },
      finish_reason: "tool_calls",
    });
    expect(usage).toEqual(chatReply.usage);
  });

  it("carry thinking, calls and usage from messages", () => {
    const { output, usage, status } = reply(contexts.responsesFromMessages, messagesReply);
    expect(output.map(({ type }: { type: string }) => type)).toEqual([
      "reasoning",
      "reasoning",
      "message",
      "function_call",
      "function_call",
    ]);
    expect(output[0].summary).toEqual([{ type: "summary_text", text: "Where to look?" }]);
    expect(output[4]).toMatchObject({ call_id: "toolu_2", name: "look", arguments: "{}" });
    expect(usage).toEqual(responsesReply.usage);
    expect(status).toBe("completed");
  });

  it("give back reasoning that the same provider reads, whatever the caller's surface", () => {
    const hi = { role: "user", content: "Hi." };
    const outputs = ["toolu_1", "toolu_2"].map((call_id) => ({
      type: "function_call_output",
      call_id,
      output: "x",
    }));
    const { output } = reply(contexts.responsesFromMessages, messagesReply);
    const again = request("responses", "messages", {
      model: "m",
      input: [hi, ...output, ...outputs],
    });
    expect(again.losses).toEqual([]);
    expect(again.body.messages[1].content).toEqual(messagesReply.content);

    const results = (name: string): object[] =>
      ["call_1", "call_2"].map((id) => ({ [name]: id, content: "x" }));
    const reasoning = {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "Where to look?\n\nUp." }],
      encrypted_content: "gAAAAABo",
    };
    const { message } = reply(contexts.chatFromResponses, responsesReply).choices[0];
    const tools = results("tool_call_id").map((result) => ({ role: "tool", ...result }));
    const fromChat = request("chat", "responses", {
      model: "m",
      messages: [hi, message, ...tools],
    });
    expect(fromChat.losses).toEqual([]);
    expect(fromChat.body.input[1]).toEqual(reasoning);
    const { content } = reply(contexts.messagesFromResponses, responsesReply);
    const blocks = results("tool_use_id").map((result) => ({ type: "tool_result", ...result }));
    const fromMessages = request("messages", "responses", {
      model: "m",
      max_tokens: 9,
      messages: [hi, { role: "assistant", content }, { role: "user", content: blocks }],
    });
    expect(fromMessages.losses).toEqual([]);
    expect(fromMessages.body.input[1]).toEqual(reasoning);
  });

  it("say that they are incomplete, and why", () => {
    const incomplete = (reason: string): object => ({
      ...responsesReply,
      status: "incomplete",
      incomplete_details: { reason },
    });
    const { chatFromResponses, messagesFromResponses, responsesFromMessages } = contexts;
    expect(reply(chatFromResponses, incomplete("max_output_tokens")).choices[0].finish_reason).toBe(
      "length",
    );
    expect(reply(chatFromResponses, incomplete("content_filter")).choices[0].finish_reason).toBe(
      "content_filter",
    );
    expect(reply(messagesFromResponses, incomplete("max_output_tokens")).stop_reason).toBe(
      "max_tokens",
    );
    const stop_details = { type: "refusal", category: "bio", explanation: "Not this." };
    const refused = { ...messagesReply, content: [], stop_reason: "refusal", stop_details };
    expect(reply(responsesFromMessages, refused)).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: [{ type: "message", content: [{ type: "refusal", refusal: "Not this." }] }],
    });
  });

  it("number their events without a gap", () => {
    const events = stream(contexts.responsesFromMessages, messagesStream);
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.every(({ event, data }) => event === data.type)).toBe(true);
    expect(events.at(-1)?.event).toBe("response.completed");
  });

  it("end with an error event in its place, without a terminator", () => {
    const translation = translateStream(contexts.responsesFromMessages);
    translation.write(undefined, JSON.stringify(messagesStream[0]));
    const error = { type: "error", error: { type: "overloaded_error", message: "Busy." } };
    expect(parseEvents(translation.write("error", JSON.stringify(error)))).toEqual([
      {
        event: "error",
        data: {
          type: "error",
          sequence_number: 2,
          code: null,
          message: "Busy.",
          param: null,
          error: { message: "Busy.", type: "server_error", param: null, code: "overloaded_error" },
        },
      },
    ]);
  });

  it("report the provider's failure in the caller's dialect", () => {
    const failed = {
      type: "response.failed",
      response: { status: "failed", error: { code: "rate_limit_exceeded", message: "Slow." } },
    };
    const flat = { type: "error", code: "rate_limit_exceeded", message: "Slow.", param: null };
    const nested = { type: "error", error: { code: "rate_limit_exceeded", message: "Slow." } };
    for (const event of [failed, flat, nested]) {
      const translation = translateStream(contexts.messagesFromResponses);
      expect(parseEvents(translation.write(undefined, JSON.stringify(event)))[0]?.data).toEqual({
        type: "error",
        error: { type: "rate_limit_error", message: "Slow." },
      });
      expect(translation.finished).toBe(true);
    }
  });

  it("that end before their terminator are cut, wherever they end", () => {
    for (let count = 0; count < responsesStream.length; count += 1) {
      expect(() => stream(contexts.chatFromResponses, responsesStream.slice(0, count))).toThrow(
        expect.objectContaining({ code: "provider_stream_cut" }),
      );
    }
  });
});
