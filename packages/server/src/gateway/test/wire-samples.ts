/** For tests: whole replies and streams of each surface, as providers send them. */

import type { SurfaceName } from "#config/index.ts";

/** One reply, whole and as the events of a stream; usage as the span must have it. */
export interface WireSample {
  readonly plain: object;
  /** Each with the blank line that ends it. */
  readonly events: readonly string[];
  /** Index of the first event that says something. */
  readonly firstDelta: number;
  readonly usage: { readonly input: number; readonly cached: number; readonly output: number };
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
/** An event whose name is its type. */
interface TypedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}
const named = (value: TypedEvent): string => `event: ${value.type}\n${data(value)}`;

const chatBase = { id: "chatcmpl-1", created: 1_764_000_000, model: "vendor/model-a-2026" };
const chatUsage = {
  prompt_tokens: 21,
  completion_tokens: 9,
  total_tokens: 30,
  prompt_tokens_details: { cached_tokens: 16 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const chatChunk = (delta: object, finish: string | null = null): string =>
  data({
    ...chatBase,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  });
const chatUsageChunk = data({
  ...chatBase,
  object: "chat.completion.chunk",
  choices: [],
  usage: chatUsage,
});
const toolArguments = ['{"place"', ': "Oslo"', ', "days": 3}'];

export const chatText: WireSample = {
  plain: {
    ...chatBase,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "The sea is calm — today.", refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: chatUsage,
  },
  events: [
    chatChunk({ role: "assistant", content: "", refusal: null }),
    chatChunk({ content: "The sea" }),
    chatChunk({ content: " is calm — " }),
    chatChunk({ content: "today." }),
    chatChunk({}, "stop"),
    chatUsageChunk,
    "data: [DONE]\n\n",
  ],
  firstDelta: 1,
  usage: { input: 21, cached: 16, output: 9 },
};

const chatCalls = ["call_a", "call_b"].map((id) => ({
  id,
  type: "function",
  function: { name: "get_weather", arguments: toolArguments.join("") },
}));

/** Two calls of tools at once. */
export const chatTools: WireSample = {
  plain: {
    ...chatBase,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, refusal: null, tool_calls: chatCalls },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: chatUsage,
  },
  events: [
    chatChunk({ role: "assistant", content: null, refusal: null }),
    ...["call_a", "call_b"].flatMap((id, index) => [
      chatChunk({
        tool_calls: [
          { index, id, type: "function", function: { name: "get_weather", arguments: "" } },
        ],
      }),
      ...toolArguments.map((part) =>
        chatChunk({ tool_calls: [{ index, function: { arguments: part } }] }),
      ),
    ]),
    chatChunk({}, "tool_calls"),
    chatUsageChunk,
    "data: [DONE]\n\n",
  ],
  firstDelta: 1,
  usage: { input: 21, cached: 16, output: 9 },
};

const messageBase = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "vendor/model-a-2026",
};
const messageUsage = {
  input_tokens: 5,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 16,
};

function messageEvents(
  blocks: readonly { start: object; deltas: readonly object[] }[],
  stop: string,
): string[] {
  return [
    named({
      type: "message_start",
      message: {
        ...messageBase,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...messageUsage, output_tokens: 1 },
      },
    }),
    named({ type: "ping" }),
    ...blocks.flatMap(({ start, deltas }, index) => [
      named({ type: "content_block_start", index, content_block: start }),
      ...deltas.map((delta) => named({ type: "content_block_delta", index, delta })),
      named({ type: "content_block_stop", index }),
    ]),
    named({
      type: "message_delta",
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 9 },
    }),
    named({ type: "message_stop" }),
  ];
}

export const messagesText: WireSample = {
  plain: {
    ...messageBase,
    content: [{ type: "text", text: "The sea is calm — today." }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { ...messageUsage, output_tokens: 9 },
  },
  events: messageEvents(
    [
      {
        start: { type: "text", text: "" },
        deltas: ["The sea", " is calm — ", "today."].map((text) => ({ type: "text_delta", text })),
      },
    ],
    "end_turn",
  ),
  firstDelta: 3,
  usage: { input: 21, cached: 16, output: 9 },
};

export const messagesTools: WireSample = {
  plain: {
    ...messageBase,
    content: ["toolu_a", "toolu_b"].map((id) => ({
      type: "tool_use",
      id,
      name: "get_weather",
      input: { place: "Oslo", days: 3 },
    })),
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { ...messageUsage, output_tokens: 9 },
  },
  events: messageEvents(
    ["toolu_a", "toolu_b"].map((id) => ({
      start: { type: "tool_use", id, name: "get_weather", input: {} },
      deltas: toolArguments.map((part) => ({ type: "input_json_delta", partial_json: part })),
    })),
    "tool_use",
  ),
  firstDelta: 2,
  usage: { input: 21, cached: 16, output: 9 },
};

const outputText = {
  type: "output_text",
  text: "The sea is calm — today.",
  annotations: [],
  logprobs: [],
};
const outputMessage = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [outputText],
};
const response = (status: string, output: readonly object[], usage: object | null): object => ({
  id: "resp_1",
  object: "response",
  created_at: 1_764_000_000,
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  model: "vendor/model-a-2026",
  output,
  parallel_tool_calls: true,
  previous_response_id: null,
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  metadata: {},
  usage,
});
const responseUsage = {
  input_tokens: 21,
  input_tokens_details: { cached_tokens: 16 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 30,
};

function numbered(events: readonly TypedEvent[]): string[] {
  return events.map((event, sequence) => named({ ...event, sequence_number: sequence }));
}

const place = { item_id: "msg_1", output_index: 0, content_index: 0 };

export const responsesText: WireSample = {
  plain: response("completed", [outputMessage], responseUsage),
  events: numbered([
    { type: "response.created", response: response("in_progress", [], null) },
    { type: "response.in_progress", response: response("in_progress", [], null) },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...outputMessage, status: "in_progress", content: [] },
    },
    {
      type: "response.content_part.added",
      ...place,
      part: { ...outputText, text: "" },
    },
    ...["The sea", " is calm — ", "today."].map((delta) => ({
      type: "response.output_text.delta",
      ...place,
      delta,
      logprobs: [],
    })),
    { type: "response.output_text.done", ...place, text: outputText.text, logprobs: [] },
    { type: "response.content_part.done", ...place, part: outputText },
    { type: "response.output_item.done", output_index: 0, item: outputMessage },
    {
      type: "response.completed",
      response: response("completed", [outputMessage], responseUsage),
    },
  ]),
  firstDelta: 4,
  usage: { input: 21, cached: 16, output: 9 },
};

const functionCalls = ["call_a", "call_b"].map((id) => ({
  id: `fc_${id}`,
  type: "function_call",
  status: "completed",
  call_id: id,
  name: "get_weather",
  arguments: toolArguments.join(""),
}));

export const responsesTools: WireSample = {
  plain: response("completed", functionCalls, responseUsage),
  events: numbered([
    { type: "response.created", response: response("in_progress", [], null) },
    { type: "response.in_progress", response: response("in_progress", [], null) },
    ...functionCalls.flatMap((item, index) => [
      {
        type: "response.output_item.added",
        output_index: index,
        item: { ...item, status: "in_progress", arguments: "" },
      },
      ...toolArguments.map((delta) => ({
        type: "response.function_call_arguments.delta",
        item_id: item.id,
        output_index: index,
        delta,
      })),
      {
        type: "response.function_call_arguments.done",
        item_id: item.id,
        output_index: index,
        name: item.name,
        arguments: item.arguments,
      },
      { type: "response.output_item.done", output_index: index, item },
    ]),
    {
      type: "response.completed",
      response: response("completed", functionCalls, responseUsage),
    },
  ]),
  firstDelta: 2,
  usage: { input: 21, cached: 16, output: 9 },
};

/** The legacy completions. */
export const completionsText: WireSample = {
  plain: {
    ...chatBase,
    id: "cmpl-1",
    object: "text_completion",
    choices: [{ index: 0, text: "The sea is calm.", logprobs: null, finish_reason: "stop" }],
    usage: chatUsage,
  },
  events: [
    ...["The sea", " is calm."].map((text) =>
      data({
        ...chatBase,
        id: "cmpl-1",
        object: "text_completion",
        choices: [{ index: 0, text, logprobs: null, finish_reason: null }],
      }),
    ),
    data({
      ...chatBase,
      id: "cmpl-1",
      object: "text_completion",
      choices: [{ index: 0, text: "", logprobs: null, finish_reason: "stop" }],
    }),
    data({ ...chatBase, id: "cmpl-1", object: "text_completion", choices: [], usage: chatUsage }),
    "data: [DONE]\n\n",
  ],
  firstDelta: 0,
  usage: { input: 21, cached: 16, output: 9 },
};

/** The sample of each surface that streams text. */
export const textSamples: Partial<Readonly<Record<SurfaceName, WireSample>>> = {
  chat: chatText,
  responses: responsesText,
  completions: completionsText,
  messages: messagesText,
};
