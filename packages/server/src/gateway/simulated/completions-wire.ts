/** The wire format of the simulated provider: OpenAI's older completions. */

import type { Answer } from "./answer.ts";
import { readCompletionRequest } from "./chat-request.ts";
import { chatUsage, doneEvent, openaiError, openaiErrorEvent } from "./chat-wire.ts";
import {
  type SimulatedEvent,
  simulatedFingerprint,
  textSurface,
  type WireContext,
} from "./simulated-surface.ts";

export const completionsSurface = textSurface({
  read: readCompletionRequest,
  whole: (answer, context) =>
    JSON.stringify({
      ...envelope(answer, context),
      choices: [choice(answer.tokens.join(""), answer.finishReason)],
      usage: chatUsage(answer),
    }),
  events: formatEvents,
  terminator: doneEvent,
  errorBody: openaiError,
  errorEvent: openaiErrorEvent,
});

function* formatEvents(answer: Answer, context: WireContext): Generator<SimulatedEvent> {
  const event = (choices: readonly object[], usage: object | null): string => {
    const counts = context.includeUsage ? { usage } : {};
    return `data: ${JSON.stringify({ ...envelope(answer, context), choices, ...counts })}\n\n`;
  };
  for (const token of answer.tokens) {
    yield { bytes: event([choice(token, null)], null), isToken: true };
  }
  yield { bytes: event([choice("", answer.finishReason)], null), isToken: false };
  if (context.includeUsage) yield { bytes: event([], chatUsage(answer)), isToken: false };
}

function choice(text: string, finishReason: string | null): object {
  return { text, index: 0, logprobs: null, finish_reason: finishReason };
}

function envelope({ id }: Answer, context: WireContext): object {
  return {
    id: `cmpl-simulated-${id}`,
    object: "text_completion",
    created: context.createdSeconds,
    model: context.model,
    system_fingerprint: simulatedFingerprint,
  };
}
