/** The wire format of the simulated provider: OpenAI chat completions, whole and in chunks. */

import type { Answer } from "./answer.ts";

export interface WireContext {
  readonly model: string;
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
}

/** Says in every reply that no language model is behind it. */
export const simulatedFingerprint = "fp_simulated_no_language_model";

/** A plain reply. */
export function formatCompletion(answer: Answer, context: WireContext): string {
  const text = answer.tokens.join("");
  const message =
    answer.toolCall === undefined
      ? { role: "assistant", content: text, refusal: null }
      : {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: answer.toolCall.id,
              type: "function",
              function: { name: answer.toolCall.name, arguments: text },
            },
          ],
        };
  return JSON.stringify({
    id: answer.id,
    object: "chat.completion",
    created: context.createdSeconds,
    model: context.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage: usageOf(answer),
    service_tier: "default",
    system_fingerprint: simulatedFingerprint,
  });
}

/** The events of a stream in order, without `[DONE]`: the role, one for each token, the finish reason, the usage. */
export function* formatChunks(answer: Answer, context: WireContext): Generator<string> {
  const event = (choices: readonly unknown[], usage: unknown): string =>
    `data: ${JSON.stringify({
      id: answer.id,
      object: "chat.completion.chunk",
      created: context.createdSeconds,
      model: context.model,
      service_tier: "default",
      system_fingerprint: simulatedFingerprint,
      choices,
      ...(context.includeUsage ? { usage } : {}),
    })}\n\n`;
  const delta = (content: unknown, finishReason: string | null): string =>
    event([{ index: 0, delta: content, logprobs: null, finish_reason: finishReason }], null);

  yield delta(openingDelta(answer), null);
  for (const token of answer.tokens) {
    yield delta(
      answer.toolCall === undefined
        ? { content: token }
        : { tool_calls: [{ index: 0, function: { arguments: token } }] },
      null,
    );
  }
  yield delta({}, answer.finishReason);
  if (context.includeUsage) yield event([], usageOf(answer));
}

function openingDelta({ toolCall }: Answer): unknown {
  if (toolCall === undefined) return { role: "assistant", content: "", refusal: null };
  return {
    role: "assistant",
    content: null,
    tool_calls: [
      {
        index: 0,
        id: toolCall.id,
        type: "function",
        function: { name: toolCall.name, arguments: "" },
      },
    ],
  };
}

function usageOf(answer: Answer): unknown {
  const outputTokens = answer.tokens.length;
  return {
    prompt_tokens: answer.inputTokens,
    completion_tokens: outputTokens,
    total_tokens: answer.inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
