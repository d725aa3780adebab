import { parseForeignJson } from "@faultline/contracts/json";
import { PlatformError } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Surface, surfaces, translateStream } from "./index.ts";
import { ChatStreamWriter } from "./replies/chat-stream-writer.ts";
import { writeChatReply } from "./replies/chat-reply-writer.ts";
import { MessagesStreamWriter } from "./replies/messages-stream-writer.ts";
import { writeMessagesReply } from "./replies/messages-reply-writer.ts";
import type { ReplyEvent, ReplyStop } from "./replies/reply-event.ts";
import { ResponsesStreamWriter } from "./replies/responses-stream-writer.ts";
import { writeResponsesReply } from "./replies/responses-reply-writer.ts";
import { joinEvents, type WholeBlock } from "./replies/whole-reply.ts";
import {
  contextOf,
  type Loose,
  parseEvents,
  reply,
  type SeenEvent,
  stream,
} from "./test/exchange.ts";
import { joinChat, joinMessages, joinResponses } from "./test/join-stream.ts";
import { translationLimits } from "./translation-limits.ts";

const wholeWriters = {
  chat: writeChatReply,
  responses: writeResponsesReply,
  messages: writeMessagesReply,
};
const streamWriters = {
  chat: ChatStreamWriter,
  responses: ResponsesStreamWriter,
  messages: MessagesStreamWriter,
};
const joins: Readonly<Record<Surface, (events: readonly SeenEvent[]) => Loose>> = {
  chat: joinChat,
  responses: joinResponses,
  messages: joinMessages,
};
const pairs = surfaces.flatMap((from) =>
  surfaces.filter((to) => to !== from).map((to): [Surface, Surface] => [from, to]),
);
const settings = { stream: true, stream_options: { include_usage: true } };
const context = (from: Surface, to: Surface): ReturnType<typeof contextOf> =>
  contextOf(from, to, from === "chat" ? settings : { stream: true, max_tokens: undefined });

const text = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" });
const stateOf: Readonly<Record<Surface, WholeBlock["state"]>> = {
  chat: { origin: "chat", fields: {} },
  responses: { origin: "responses", fields: { id: "rs_1", encrypted: "gAAA" } },
  messages: { origin: "messages", fields: { signature: "EqQB" } },
};
const call = fc
  .tuple(
    fc.uuid(),
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  )
  .map(([id, name, input]): WholeBlock => ({
    block: { kind: "tool-call", id, name, custom: false },
    text: JSON.stringify(input),
    state: undefined,
  }));

/** The blocks of a reply as a provider of this surface gives them. */
function blocksOf(provider: Surface): fc.Arbitrary<WholeBlock[]> {
  // A chat provider may stand before one of another surface, and pass on its state.
  const origins = provider === "chat" ? surfaces : [provider];
  const reasoning = fc
    .tuple(text, fc.constantFrom(...origins))
    .map(([text, origin]): WholeBlock => ({
      block: { kind: "reasoning" },
      text,
      state: stateOf[origin],
    }));
  const spoken = text.map((text): WholeBlock => ({
    block: { kind: "text" },
    text,
    state: undefined,
  }));
  const calls = fc.uniqueArray(call, {
    maxLength: 4,
    selector: ({ block }) => "id" in block && block.id,
  });
  // Chat holds one text of each kind, in this order; the others any number, in any order.
  if (provider === "chat") {
    return fc
      .tuple(fc.array(reasoning, { maxLength: 1 }), fc.array(spoken, { maxLength: 1 }), calls)
      .map((parts) => parts.flat());
  }
  return fc
    .tuple(fc.array(fc.oneof(reasoning, spoken), { maxLength: 4 }), calls)
    .chain(([texts, calls]) =>
      fc.shuffledSubarray([...texts, ...calls], { minLength: texts.length + calls.length }),
    );
}

const stops = fc.constantFrom<ReplyStop>({ kind: "done" }, { kind: "length" });
const tokens = fc.nat(10_000);
const usage = fc
  .tuple(tokens, tokens, tokens, tokens, tokens)
  .map(([fresh, cacheReadTokens, cacheWriteTokens, output, reasoningTokens]) => ({
    inputTokens: fresh + cacheReadTokens + cacheWriteTokens,
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: output + reasoningTokens,
    reasoningTokens,
  }));

function eventsOf(
  blocks: readonly WholeBlock[],
  { stop, usage, cut }: { stop: ReplyStop; usage: Loose; cut: (text: string) => string[] },
): ReplyEvent[] {
  const calls = blocks.some(({ block }) => block.kind === "tool-call");
  return [
    { kind: "start", id: "reply-1", model: "m", usage: undefined },
    ...blocks.flatMap(({ block, text, state }): ReplyEvent[] => [
      { kind: "block-start", block },
      ...cut(text).map((text) => ({ kind: "delta" as const, text })),
      { kind: "block-end", state },
    ]),
    { kind: "end", stop: calls ? { kind: "tool-calls" } : stop, usage, serviceTier: undefined },
  ];
}

describe.each(pairs)("a stream for a caller of %s from a provider of %s", (from, to) => {
  const providerContext = context(to, from);
  const callerContext = context(from, to);

  it("says what the whole reply says, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.record({
          blocks: blocksOf(to),
          stop: stops,
          usage,
          sizes: fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        }),
        ({ blocks, stop, usage, sizes }) => {
          const cut = (text: string): string[] => {
            const pieces: string[] = [];
            for (let at = 0; at < text.length;) {
              const size = Number(sizes.next().value);
              pieces.push(text.slice(at, at + size));
              at += size;
            }
            return pieces;
          };
          const events = eventsOf(blocks, { stop, usage, cut });
          const writer = new streamWriters[to](providerContext);
          const sent = parseEvents(events.map((event) => writer.write(event)).join(""));
          const whole = wholeWriters[to](joinEvents(events), providerContext);
          const joined = joins[from](
            stream(
              callerContext,
              sent.map(({ data }) => data),
            ),
          );
          expect(joined).toEqual(reply(callerContext, whole));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("ends in a typed error for whatever a provider sends, never in a crash", () => {
    fc.assert(
      fc.property(fc.array(hostileEvent, { maxLength: 12 }), fc.boolean(), (hostile, opened) => {
        const translation = translateStream(callerContext);
        const opening = opened ? [openings[to]] : [];
        try {
          for (const event of [...opening, ...hostile]) {
            expect(typeof translation.write(undefined, event)).toBe("string");
          }
        } catch (error) {
          if (!(error instanceof PlatformError)) throw error;
          expect(error.code).toBe("provider_response_invalid");
          expect(translation.fail(error)).toContain("cannot be translated");
        }
      }),
      { numRuns: 400 },
    );
  });

  it("is bounded in blocks, in length and in what waits", () => {
    const { replyBlockCountMax, replyLengthMax } = translationLimits;
    const flood = (events: Iterable<string>): void => {
      const translation = translateStream(callerContext);
      translation.write(undefined, openings[to]);
      for (const event of events) translation.write(undefined, event);
    };
    const invalid = expect.objectContaining({ code: "provider_response_invalid" });
    const manyCalls = Array.from({ length: replyBlockCountMax + 1 }, (_, index) =>
      callStart(to, index),
    );
    expect(() => flood(manyCalls)).toThrow(invalid);
    const piece = "x".repeat(1_048_576);
    const long = Array.from({ length: replyLengthMax / piece.length + 1 }, () =>
      callDelta(to, 1, piece),
    );
    expect(() => flood([callStart(to, 0), callStart(to, 1), ...long])).toThrow(invalid);
  });
});

const openings: Readonly<Record<Surface, string>> = {
  chat: JSON.stringify({ id: "c", choices: [{ index: 0, delta: { role: "assistant" } }] }),
  messages: JSON.stringify({
    type: "message_start",
    message: { id: "m", usage: { input_tokens: 1 } },
  }),
  responses: JSON.stringify({ type: "response.created", response: { id: "r" } }),
};

function callStart(surface: Surface, index: number): string {
  const id = `call_${index}`;
  if (surface === "chat") {
    return JSON.stringify({
      choices: [{ delta: { tool_calls: [{ index, id, function: { name: "f" } }] } }],
    });
  }
  return JSON.stringify(
    surface === "messages"
      ? { type: "content_block_start", index, content_block: { type: "tool_use", id, name: "f" } }
      : {
          type: "response.output_item.added",
          output_index: index,
          item: { type: "function_call", call_id: id, name: "f", arguments: "" },
        },
  );
}

function callDelta(surface: Surface, index: number, text: string): string {
  if (surface === "chat") {
    return JSON.stringify({
      choices: [{ delta: { tool_calls: [{ index, function: { arguments: text } }] } }],
    });
  }
  return JSON.stringify(
    surface === "messages"
      ? {
          type: "content_block_delta",
          index,
          delta: { type: "input_json_delta", partial_json: text },
        }
      : { type: "response.function_call_arguments.delta", output_index: index, delta: text },
  );
}

const fields = fc.constantFrom(
  ..."type index delta choices content_block item part response output content message usage error".split(
    " ",
  ),
  ..."tool_calls function name arguments id call_id text thinking signature partial_json stop_reason".split(
    " ",
  ),
  ..."finish_reason output_index content_index summary_index refusal reasoning_content reasoning_details".split(
    " ",
  ),
);
const words = fc.constantFrom(
  ..."message_start content_block_start content_block_delta content_block_stop message_delta".split(
    " ",
  ),
  ..."message_stop text tool_use thinking text_delta input_json_delta thinking_delta signature_delta".split(
    " ",
  ),
  ..."response.created response.output_item.added response.output_item.done response.output_text.delta".split(
    " ",
  ),
  ..."response.function_call_arguments.delta response.completed response.incomplete response.failed".split(
    " ",
  ),
  ..."message function_call reasoning output_text refusal completed stop tool_calls error ping end_turn".split(
    " ",
  ),
);
const hostileNode = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    words,
    fc.constantFrom(null, true, 0, 1, -1, 2 ** 53, 1.5, "", "{", "}", "__proto__"),
    fc.array(tie("node"), { maxLength: 2 }),
    fc.dictionary(fields, tie("node"), { maxKeys: 6 }),
  ),
})).node;
const hostileEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fields, hostileNode, { maxKeys: 6 })
      .map((event) => JSON.stringify(event)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(words, fc.nat(2), hostileNode, hostileNode).map(([type, index, one, two]) =>
      JSON.stringify({
        type,
        index,
        output_index: index,
        delta: one,
        item: one,
        content_block: one,
        part: two,
        message: two,
        response: two,
      }),
    ),
  },
  { weight: 3, arbitrary: hostileNode.map((delta) => JSON.stringify({ choices: [{ delta }] })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("[DONE]", "", "{", "null", "[]", "7", "<html>", '"text"', "\u0000"),
  },
);

describe("interleaved calls of a chat stream", () => {
  it("each arrive whole, in whatever order their parts come", () => {
    const one = fc.tuple(
      fc.stringMatching(/^[a-z]{1,5}$/),
      fc.dictionary(text, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(3)),
        (calls, turns) => {
          const inputs = calls.map(([, input]) => JSON.stringify(input));
          const waiting = inputs.map((input, index) => ({
            index,
            parts: input.match(/[^]{1,4}/g) ?? [],
          }));
          const events = [openings.chat];
          for (const [index, [name]] of calls.entries()) {
            const call = { index, id: `id_${index}`, function: { name, arguments: "" } };
            events.push(JSON.stringify({ choices: [{ delta: { tool_calls: [call] } }] }));
          }
          for (
            let left = waiting;
            left.length > 0;
            left = left.filter(({ parts }) => parts.length > 0)
          ) {
            const next = left[Number(turns.next().value) % left.length];
            events.push(callDelta("chat", next?.index ?? 0, next?.parts.shift() ?? ""));
          }
          events.push(
            JSON.stringify({ choices: [{ delta: {}, finish_reason: "tool_calls" }] }),
            "[DONE]",
          );
          const { content } = joinMessages(stream(context("messages", "chat"), events));
          expect(content).toEqual(
            calls.map(([name], index) => ({
              type: "tool_use",
              id: `id_${index}`,
              name,
              input: parseForeignJson(inputs[index] ?? ""),
            })),
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
