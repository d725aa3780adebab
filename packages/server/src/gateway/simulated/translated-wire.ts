/**
 * The wire formats of the simulated provider for responses and messages: the answer as events of a reply, said by the
 * writers of the translation.
 */

import { anthropicDialect } from "../calls/dialect.ts";
import { writeMessagesReply } from "../translation/replies/messages-reply-writer.ts";
import { MessagesStreamWriter } from "../translation/replies/messages-stream-writer.ts";
import type { StreamWriter, TranslationContext } from "../translation/replies/reply-context.ts";
import type { ReplyBlock, ReplyEvent, ReplyStop } from "../translation/replies/reply-event.ts";
import { writeResponsesReply } from "../translation/replies/responses-reply-writer.ts";
import { ResponsesStreamWriter } from "../translation/replies/responses-stream-writer.ts";
import { joinEvents, type WholeReply } from "../translation/replies/whole-reply.ts";
import type { ReasoningState } from "../translation/reasoning-state.ts";
import { type Answer, composeAnswer, countTokens, outputTokensOf } from "./answer.ts";
import { openaiError } from "./chat-wire.ts";
import { readCountRequest, readMessagesRequest } from "./messages-request.ts";
import { parseBody, type SimulatedRequest } from "./request.ts";
import { readResponsesRequest } from "./responses-request.ts";
import {
  type SimulatedEvent,
  type SimulatedReply,
  simulatedMessage,
  type SimulatedSurface,
} from "./simulated-surface.ts";

export const responsesSurface: SimulatedSurface = {
  reply: (body, { behaviour, createdSeconds }) => {
    const request = readResponsesRequest(body);
    const answer = composeAnswer(request, behaviour);
    const context = { ...contextOf("responses", createdSeconds), echo: parseBody(body) };
    const state = (index: number): ReasoningState => ({
      origin: "responses",
      fields: { id: `rs_simulated_${answer.id}_${index}`, encrypted: `simulated.${answer.id}` },
    });
    return replyOf(request, eventsOf(request, answer, { idPrefix: "resp_simulated_", state }), {
      whole: (reply) => writeResponsesReply(reply, context),
      writer: () => new ResponsesStreamWriter(context),
    });
  },
  errorBody: openaiError,
  errorEvent: (status) => {
    const error = { type: "error", code: "simulated_error", message: simulatedMessage(status) };
    const event = { ...error, param: null, sequence_number: 0, ...openaiError(status) };
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
  },
};

export const messagesSurface: SimulatedSurface = {
  reply: (body, { behaviour, createdSeconds }) => {
    const request = readMessagesRequest(body);
    const answer = composeAnswer(request, behaviour);
    const context = contextOf("messages", createdSeconds);
    const fields = { signature: Buffer.from(`simulated ${answer.id}`).toString("base64") };
    const state = (): ReasoningState => ({ origin: "messages", fields });
    return replyOf(request, eventsOf(request, answer, { idPrefix: "msg_simulated_", state }), {
      whole: (reply) => writeMessagesReply(reply, context),
      writer: () => new MessagesStreamWriter(context),
    });
  },
  errorBody: anthropicError,
  errorEvent: (status) => `event: error\ndata: ${JSON.stringify(anthropicError(status))}\n\n`,
};

export const countTokensSurface: SimulatedSurface = {
  reply: (body) => {
    const { prompt } = readCountRequest(body);
    return {
      stream: false,
      tokenCount: 0,
      whole: () => JSON.stringify({ input_tokens: countTokens(prompt) }),
      events: () => [],
      terminator: () => "",
    };
  },
  errorBody: anthropicError,
  errorEvent: (status) => `event: error\ndata: ${JSON.stringify(anthropicError(status))}\n\n`,
};

function anthropicError(status: number): object {
  return anthropicDialect.foreignErrorBody(status, simulatedMessage(status));
}

function contextOf(surface: "responses" | "messages", createdSeconds: number): TranslationContext {
  return {
    from: surface,
    to: "chat",
    stream: true,
    asksForUsage: true,
    toolNames: new Map(),
    createdSeconds,
    echo: {},
  };
}

interface Spelling {
  readonly idPrefix: string;
  /** The state of the reasoning at this place of the reply. */
  readonly state: (index: number) => ReasoningState;
}

function* eventsOf(
  request: SimulatedRequest,
  answer: Answer,
  { idPrefix, state }: Spelling,
): Generator<ReplyEvent> {
  const { model } = request;
  const inputUsage = usageOf(answer, 0);
  yield { kind: "start", id: `${idPrefix}${answer.id}`, model, usage: inputUsage };
  if (answer.reasoning.length > 0)
    yield* blockOf({ kind: "reasoning" }, answer.reasoning, state(0));
  if (answer.calls.length === 0) yield* blockOf({ kind: "text" }, answer.tokens);
  for (const { id, name, tokens } of answer.calls) {
    yield* blockOf({ kind: "tool-call", id: `call_${id}`, name, custom: false }, tokens);
  }
  const usage = usageOf(answer, outputTokensOf(answer));
  yield { kind: "end", stop: stops[answer.finishReason], usage, serviceTier: "default" };
}

const stops: Readonly<Record<Answer["finishReason"], ReplyStop>> = {
  stop: { kind: "done" },
  length: { kind: "length" },
  tool_calls: { kind: "tool-calls" },
};

function* blockOf(
  block: ReplyBlock,
  tokens: readonly string[],
  state?: ReasoningState,
): Generator<ReplyEvent> {
  yield { kind: "block-start", block };
  for (const text of tokens) yield { kind: "delta", text };
  yield { kind: "block-end", state };
}

function usageOf({ inputTokens, reasoning }: Answer, outputTokens: number) {
  return {
    inputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens,
    reasoningTokens: Math.min(reasoning.length, outputTokens),
  };
}

interface Writers {
  readonly whole: (reply: WholeReply) => object;
  readonly writer: () => StreamWriter<ReplyEvent>;
}

/** The last event of a stream is its terminator. */
function replyOf(
  { stream }: SimulatedRequest,
  generated: Iterable<ReplyEvent>,
  { whole, writer }: Writers,
): SimulatedReply {
  const events = [...generated];
  let terminator = "";
  return {
    stream,
    tokenCount: events.filter(({ kind }) => kind === "delta").length,
    whole: () => JSON.stringify(whole(joinEvents(events))),
    *events(): Generator<SimulatedEvent> {
      const said = writer();
      for (const event of events) {
        const frames = said.write(event).split(/(?<=\n\n)/);
        if (event.kind === "end") terminator = frames.pop() ?? "";
        for (const bytes of frames) {
          if (bytes !== "") yield { bytes, isToken: event.kind === "delta" };
        }
      }
    },
    terminator: () => terminator,
  };
}
