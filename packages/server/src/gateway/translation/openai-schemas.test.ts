import { beforeAll, describe, expect, it } from "vitest";

import { translateError } from "./index.ts";
import { contextOf, reply, request, type SeenEvent, stream } from "./test/exchange.ts";
import * as fixtures from "./test/fixtures.ts";
import { openaiSchemas, openaiSchemasExist, type Validate } from "./test/openai-schemas.ts";

const tools = [{ type: "function", name: "look" }];
const chat = { stream: true, stream_options: { include_usage: true } };

/** Replies of every surface with all kinds of blocks and ends. */
const variants = {
  chat: [
    ["calls", fixtures.chatReply],
    ["a refusal", chatWith({ content: null, refusal: "No." }, "stop")],
    ["reasoning", chatWith({ content: "A", reasoning_content: "Hm." }, "length")],
    ["nothing", chatWith({ content: null }, "content_filter")],
  ],
  messages: [
    ["calls", fixtures.messagesReply],
    ["a refusal", messagesWith([], "refusal")],
    ["text", messagesWith([{ type: "text", text: "A" }], "max_tokens")],
    ["nothing", messagesWith([], "end_turn")],
  ],
  responses: [
    ["calls", fixtures.responsesReply],
    ["incomplete", { ...fixtures.responsesReply, status: "incomplete" }],
  ],
} as const;

function chatWith(message: object, finish_reason: string): object {
  const choice = { index: 0, message: { role: "assistant", ...message }, finish_reason };
  return { ...fixtures.chatReply, choices: [choice] };
}

function messagesWith(content: readonly object[], stop_reason: string): object {
  return { ...fixtures.messagesReply, content, stop_reason };
}

describe.skipIf(!openaiSchemasExist)(
  "by the schemas that OpenAI publishes (skipped without ../shared/data/openai-openapi)",
  () => {
    let validate: Validate;
    beforeAll(() => {
      validate = openaiSchemas();
    });

    it.each(variants.messages)("a reply of messages is valid for both: %s", (_, body) => {
      const toChat = reply(contextOf("chat", "messages", chat), body);
      expect(validate("CreateChatCompletionResponse", toChat)).toEqual([]);
      const toResponses = reply(contextOf("responses", "messages", { tools }), body);
      expect(validate("Response", toResponses)).toEqual([]);
    });

    it.each(variants.chat)("a reply of chat is valid for responses: %s", (_, body) => {
      const whole = reply(contextOf("responses", "chat", { tools }), body);
      expect(validate("Response", whole)).toEqual([]);
    });

    it.each(variants.responses)("a reply of responses is valid for chat: %s", (_, body) => {
      const whole = reply(contextOf("chat", "responses"), body);
      expect(validate("CreateChatCompletionResponse", whole)).toEqual([]);
    });

    const valid = (schema: string, events: readonly SeenEvent[]): void => {
      expect(events.length).toBeGreaterThan(10);
      for (const { data } of events) {
        if (data !== "[DONE]") expect(validate(schema, data), JSON.stringify(data)).toEqual([]);
      }
    };

    it("each event of a stream is valid", () => {
      const { messagesStream, responsesStream, chatStream } = fixtures;
      const chunk = "CreateChatCompletionStreamResponse";
      valid(chunk, stream(contextOf("chat", "messages", chat), messagesStream));
      valid(chunk, stream(contextOf("chat", "responses", { stream: true }), responsesStream));
      valid("ResponseStreamEvent", stream(contextOf("responses", "messages"), messagesStream));
      valid("ResponseStreamEvent", stream(contextOf("responses", "chat", { tools }), chatStream));
    });

    it("requests and errors are valid", () => {
      const toChat = "CreateChatCompletionRequest";
      const { messagesConversation, responsesConversation, chatConversation } = fixtures;
      expect(validate(toChat, request("messages", "chat", messagesConversation).body)).toEqual([]);
      expect(validate(toChat, request("responses", "chat", responsesConversation).body)).toEqual(
        [],
      );
      for (const [from, body] of [
        ["chat", chatConversation],
        ["messages", messagesConversation],
      ] as const) {
        const translated = request(from, "responses", body).body;
        expect(validate("CreateResponse", translated)).toEqual([]);
      }
      const error = JSON.parse(
        translateError({ from: "chat" }, 500, Buffer.from('{"error":{"message":"a"}}')).toString(),
      );
      expect(validate("ErrorResponse", error)).toEqual([]);
    });
  },
);
