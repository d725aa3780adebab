/** The wire format of the simulated provider: OpenAI chat completions, whole and in chunks. */

import { openaiTypeOf } from "../calls/dialect.ts";
import { type Answer, outputTokensOf, type SimulatedCall } from "./answer.ts";
import { readChatRequest } from "./chat-request.ts";
import {
  type SimulatedEvent,
  simulatedFingerprint,
  simulatedMessage,
  textSurface,
  type WireContext,
} from "./simulated-surface.ts";

/** The end of a stream of chunks. */
export const doneEvent = "data: [DONE]\n\n";

export const chatSurface = textSurface({
  read: readChatRequest,
  whole: formatCompletion,
  events: formatChunks,
  terminator: doneEvent,
  errorBody: openaiError,
  errorEvent: openaiErrorEvent,
});

/** The error that was asked for, as OpenAI's surfaces say it. */
export function openaiError(status: number): object {
  return {
    error: {
      message: simulatedMessage(status),
      type: openaiTypeOf(status),
      param: null,
      code: "simulated_error",
    },
  };
}

/** The same in the middle of a stream of chunks. */
export function openaiErrorEvent(status: number): string {
  return `data: ${JSON.stringify(openaiError(status))}\n\n`;
}

function formatCompletion(answer: Answer, context: WireContext): string {
  const message = {
    role: "assistant",
    content: answer.calls.length === 0 ? answer.tokens.join("") : null,
    refusal: null,
    ...(answer.reasoning.length === 0 ? {} : { reasoning_content: answer.reasoning.join("") }),
    ...(answer.calls.length === 0
      ? {}
      : { tool_calls: answer.calls.map((call) => formatCall(call, call.tokens.join(""))) }),
  };
  return JSON.stringify({
    id: chatId(answer),
    object: "chat.completion",
    created: context.createdSeconds,
    model: context.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage: chatUsage(answer),
    service_tier: "default",
    system_fingerprint: simulatedFingerprint,
  });
}

/** The role, one event for each token, the finish reason, the usage. */
function* formatChunks(answer: Answer, context: WireContext): Generator<SimulatedEvent> {
  const event = (choices: readonly unknown[], usage: unknown): string =>
    `data: ${JSON.stringify({
      id: chatId(answer),
      object: "chat.completion.chunk",
      created: context.createdSeconds,
      model: context.model,
      service_tier: "default",
      system_fingerprint: simulatedFingerprint,
      choices,
      ...(context.includeUsage ? { usage } : {}),
    })}\n\n`;
  const delta = (
    content: object,
    finishReason: string | null,
    isToken: boolean,
  ): SimulatedEvent => ({
    bytes: event([{ index: 0, delta: content, logprobs: null, finish_reason: finishReason }], null),
    isToken,
  });

  yield delta(openingDelta(answer), null, false);
  for (const token of answer.reasoning) yield delta({ reasoning_content: token }, null, true);
  for (const token of answer.tokens) yield delta({ content: token }, null, true);
  for (const [index, call] of answer.calls.entries()) {
    // The first call came with the role, unless reasoning stood before it.
    if (index > 0 || answer.reasoning.length > 0) {
      yield delta({ tool_calls: [{ index, ...formatCall(call, "") }] }, null, false);
    }
    for (const token of call.tokens) {
      yield delta({ tool_calls: [{ index, function: { arguments: token } }] }, null, true);
    }
  }
  yield delta({}, answer.finishReason, false);
  if (context.includeUsage) yield { bytes: event([], chatUsage(answer)), isToken: false };
}

function openingDelta({ calls, reasoning }: Answer): object {
  const [first] = calls;
  if (first === undefined) return { role: "assistant", content: "", refusal: null };
  if (reasoning.length > 0) return { role: "assistant", content: null };
  return { role: "assistant", content: null, tool_calls: [{ index: 0, ...formatCall(first, "") }] };
}

function formatCall({ id, name }: SimulatedCall, text: string): object {
  return { id: `call_${id}`, type: "function", function: { name, arguments: text } };
}

function chatId({ id }: Answer): string {
  return `chatcmpl-simulated-${id}`;
}

/** Usage as completions of both kinds report it. */
export function chatUsage(answer: Answer): object {
  const outputTokens = outputTokensOf(answer);
  return {
    prompt_tokens: answer.inputTokens,
    completion_tokens: outputTokens,
    total_tokens: answer.inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: answer.reasoning.length,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
