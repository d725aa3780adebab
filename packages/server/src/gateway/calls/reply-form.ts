/** Where the facts of a reply stand in each wire format: a watch tree for each. */

import { type JsonWatch, watchJson } from "../wire/json-watch.ts";

/** Places that mean the same in every format. */
export const replyIds = {
  ignored: 0,
  responseId: 1,
  model: 2,
  usage: 3,
  inputTokens: 4,
  outputTokens: 5,
  cachedTokens: 6,
  cacheWriteTokens: 7,
  reasoningTokens: 8,
  choices: 9,
  finishReason: 10,
  status: 11,
  /** Text that the model says and that captures keep; other text; calls of tools. */
  content: 12,
  saidText: 13,
  saidParts: 14,
  error: 15,
  errorMessage: 16,
  errorCode: 17,
  errorType: 18,
  root: 19,
  type: 20,
  sequence: 21,
} as const;

export interface ReplyForm {
  readonly watch: JsonWatch;
  readonly capturingWatch: JsonWatch;
  /** Values of `type` that announce the end of a stream, and that report an error. */
  readonly endTypes: ReadonlySet<string>;
  readonly errorTypes: ReadonlySet<string>;
  /** Whether the input tokens that are reported leave out what the cache gave and took. */
  readonly inputExcludesCache: boolean;
}

const none: ReadonlySet<string> = new Set();
const scalar = (id: number): JsonWatch => watchJson(id, { capture: true });
const group = (fields: Readonly<Record<string, JsonWatch>>): JsonWatch =>
  watchJson(replyIds.ignored, { fields });
const said = watchJson(replyIds.saidText);
const calls = watchJson(replyIds.saidParts);

const errorWatch = watchJson(replyIds.error, {
  // Some servers report an error as a text.
  capture: true,
  fields: {
    message: scalar(replyIds.errorMessage),
    code: scalar(replyIds.errorCode),
    type: scalar(replyIds.errorType),
  },
});

/** What a cache gave of the input, and took of it, in OpenAI's dialect. */
const inputDetails = group({
  cached_tokens: scalar(replyIds.cachedTokens),
  cache_write_tokens: scalar(replyIds.cacheWriteTokens),
});

/** Usage as OpenAI's chat completions, completions and embeddings report it. */
const chatUsage = watchJson(replyIds.usage, {
  fields: {
    prompt_tokens: scalar(replyIds.inputTokens),
    completion_tokens: scalar(replyIds.outputTokens),
    prompt_tokens_details: inputDetails,
    completion_tokens_details: group({ reasoning_tokens: scalar(replyIds.reasoningTokens) }),
  },
});

/** OpenAI's chat completions, and with them completions and embeddings, which share all but what is said. */
export const chatReply = replyForm((content) => {
  // Some servers give a list of parts, of which thoughts are lists again.
  const thoughts = watchJson(replyIds.ignored, { items: group({ text: said }) });
  const message = group({
    content: { ...content, items: group({ text: content, thinking: thoughts }) },
    refusal: said,
    reasoning_content: said,
    reasoning: said,
    tool_calls: calls,
    function_call: calls,
  });
  return watchJson(replyIds.root, {
    fields: {
      id: scalar(replyIds.responseId),
      model: scalar(replyIds.model),
      usage: chatUsage,
      choices: watchJson(replyIds.choices, {
        resumes: true,
        items: group({
          finish_reason: scalar(replyIds.finishReason),
          delta: message,
          message,
          text: content,
        }),
      }),
      data: calls,
      error: errorWatch,
    },
  });
}, {});

/** OpenAI's responses: a whole one stands at the root, and in some events of a stream. */
export const responsesReply = replyForm(
  (content) => {
    const usage = watchJson(replyIds.usage, {
      fields: {
        input_tokens: scalar(replyIds.inputTokens),
        output_tokens: scalar(replyIds.outputTokens),
        input_tokens_details: inputDetails,
        output_tokens_details: group({ reasoning_tokens: scalar(replyIds.reasoningTokens) }),
      },
    });
    const response = {
      id: scalar(replyIds.responseId),
      model: scalar(replyIds.model),
      status: scalar(replyIds.status),
      usage,
      error: errorWatch,
    };
    return watchJson(replyIds.root, {
      fields: {
        ...response,
        type: scalar(replyIds.type),
        sequence_number: scalar(replyIds.sequence),
        response: group(response),
        delta: content,
        // The beginning of a tool call.
        item: group({ name: said }),
        output: watchJson(replyIds.ignored, {
          items: group({
            name: said,
            content: watchJson(replyIds.ignored, {
              items: group({ text: content, refusal: said }),
            }),
          }),
        }),
        message: scalar(replyIds.errorMessage),
        code: scalar(replyIds.errorCode),
      },
    });
  },
  {
    endTypes: ["response.completed", "response.incomplete"],
    errorTypes: ["error", "response.failed"],
  },
);

/** Anthropic's messages, and the counting of their tokens. */
export const messagesReply = replyForm(
  (content) => {
    const usage = watchJson(replyIds.usage, {
      fields: {
        input_tokens: scalar(replyIds.inputTokens),
        output_tokens: scalar(replyIds.outputTokens),
        cache_read_input_tokens: scalar(replyIds.cachedTokens),
        cache_creation_input_tokens: scalar(replyIds.cacheWriteTokens),
        output_tokens_details: group({ thinking_tokens: scalar(replyIds.reasoningTokens) }),
      },
    });
    const block = group({ text: content, thinking: said, name: said, partial_json: said });
    return watchJson(replyIds.root, {
      fields: {
        id: scalar(replyIds.responseId),
        model: scalar(replyIds.model),
        type: scalar(replyIds.type),
        usage,
        stop_reason: scalar(replyIds.finishReason),
        content: watchJson(replyIds.ignored, { items: block }),
        message: group({ id: scalar(replyIds.responseId), model: scalar(replyIds.model), usage }),
        content_block: block,
        delta: group({
          text: content,
          thinking: said,
          partial_json: said,
          stop_reason: scalar(replyIds.finishReason),
        }),
        error: errorWatch,
      },
    });
  },
  { endTypes: ["message_stop"], errorTypes: ["error"], inputExcludesCache: true },
);

interface FormOptions {
  readonly endTypes?: readonly string[];
  readonly errorTypes?: readonly string[];
  readonly inputExcludesCache?: boolean;
}

/** `tree` is given the watch of what the model says: captured or not. */
function replyForm(tree: (content: JsonWatch) => JsonWatch, options: FormOptions = {}): ReplyForm {
  return {
    watch: tree(watchJson(replyIds.content, { resumes: true })),
    capturingWatch: tree(scalar(replyIds.content)),
    endTypes: options.endTypes === undefined ? none : new Set(options.endTypes),
    errorTypes: options.errorTypes === undefined ? none : new Set(options.errorTypes),
    inputExcludesCache: options.inputExcludesCache ?? false,
  };
}
