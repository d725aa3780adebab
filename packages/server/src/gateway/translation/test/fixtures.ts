/** Requests, replies and streams in the wire format of each surface, as their providers document it. */

/** A conversation with everything that all three surfaces can say, as chat completions spells it. */
export const chatConversation = {
  model: "gpt-x",
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
        { type: "image_url", image_url: { url: "https://example.test/cat.png" } },
        {
          type: "file",
          file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
        },
      ],
    },
    {
      role: "assistant",
      content: "Let me look.",
      tool_calls: [
        {
          id: "call_1",
          type: "function",
          function: { name: "look", arguments: '{"at":"sky","id":12345678901234567890}' },
        },
        { id: "call_2", type: "function", function: { name: "look", arguments: '{"at":"sea"}' } },
      ],
    },
    { role: "tool", tool_call_id: "call_1", content: "blue" },
    { role: "tool", tool_call_id: "call_2", content: "green" },
    { role: "user", content: "And now?" },
  ],
  max_completion_tokens: 100,
  temperature: 0.5,
  top_p: 0.9,
  stream: true,
  stream_options: { include_usage: true },
  tools: [
    {
      type: "function",
      function: {
        name: "look",
        description: "Looks somewhere.",
        parameters: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
        strict: true,
      },
    },
  ],
  tool_choice: "required",
  parallel_tool_calls: false,
  reasoning_effort: "low",
  user: "user-7",
};

/** The same, as messages spells it. */
export const messagesConversation = {
  model: "claude-x",
  max_tokens: 100,
  system: "Be brief.",
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        {
          type: "image",
          source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" },
        },
        { type: "image", source: { type: "url", url: "https://example.test/cat.png" } },
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
          title: "a.pdf",
        },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "call_1", name: "look", input: { at: "sky" } },
        { type: "tool_use", id: "call_2", name: "look", input: { at: "sea" } },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "call_1", content: "blue" },
        { type: "tool_result", tool_use_id: "call_2", content: "green" },
        { type: "text", text: "And now?" },
      ],
    },
  ],
  temperature: 0.5,
  top_p: 0.9,
  stream: true,
  tools: [
    {
      name: "look",
      description: "Looks somewhere.",
      input_schema: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
      strict: true,
    },
  ],
  tool_choice: { type: "any", disable_parallel_tool_use: true },
  output_config: { effort: "low" },
  metadata: { user_id: "user-7" },
};

/** A whole reply of chat completions with a text and two calls. */
export const chatReply = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "gpt-x",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "Looking.",
        refusal: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } },
          { id: "call_2", type: "function", function: { name: "look", arguments: '{"at":"sea"}' } },
        ],
      },
      logprobs: null,
      finish_reason: "tool_calls",
    },
  ],
  usage: {
    prompt_tokens: 50,
    completion_tokens: 20,
    total_tokens: 70,
    prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 7 },
  },
};

const chunk = (delta: object, finish_reason: string | null = null): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "gpt-x",
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  usage: null,
});
const call = (index: number, fields: object): object =>
  chunk({ tool_calls: [{ index, ...fields }] });

/** The same reply in chunks. */
export const chatStream: readonly unknown[] = [
  chunk({ role: "assistant", content: "", refusal: null }),
  chunk({ content: "Look" }),
  chunk({ content: "ing." }),
  call(0, { id: "call_1", type: "function", function: { name: "look", arguments: "" } }),
  call(0, { function: { arguments: '{"at"' } }),
  call(0, { function: { arguments: ':"sky"}' } }),
  call(1, { id: "call_2", type: "function", function: { name: "look", arguments: "" } }),
  call(1, { function: { arguments: '{"at":' } }),
  call(1, { function: { arguments: '"sea"}' } }),
  chunk({}, "tool_calls"),
  { ...chatReply, object: "chat.completion.chunk", choices: [] },
  "[DONE]",
];

/** A whole reply of messages with thinking, a text and two calls. */
export const messagesReply = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-x",
  content: [
    { type: "thinking", thinking: "Where to look?", signature: "EqQBCkYIARgC" },
    { type: "redacted_thinking", data: "EmwKAhgBEgy3" },
    { type: "text", text: "Looking." },
    { type: "tool_use", id: "toolu_1", name: "look", input: { at: "sky" } },
    { type: "tool_use", id: "toolu_2", name: "look", input: {} },
  ],
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: {
    input_tokens: 15,
    cache_creation_input_tokens: 5,
    cache_read_input_tokens: 30,
    output_tokens: 20,
    output_tokens_details: { thinking_tokens: 7 },
    service_tier: "standard",
  },
};

const start = (index: number, content_block: object): object => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, delta: object): object => ({
  type: "content_block_delta",
  index,
  delta,
});
const stop = (index: number): object => ({ type: "content_block_stop", index });

/** The same reply as a stream. */
export const messagesStream: readonly unknown[] = [
  {
    type: "message_start",
    message: {
      ...messagesReply,
      content: [],
      stop_reason: null,
      usage: { ...messagesReply.usage, output_tokens: 1, output_tokens_details: null },
    },
  },
  start(0, { type: "thinking", thinking: "", signature: "" }),
  { type: "ping" },
  delta(0, { type: "thinking_delta", thinking: "Where to " }),
  delta(0, { type: "thinking_delta", thinking: "look?" }),
  delta(0, { type: "signature_delta", signature: "EqQBCkYIARgC" }),
  stop(0),
  start(1, { type: "redacted_thinking", data: "EmwKAhgBEgy3" }),
  stop(1),
  start(2, { type: "text", text: "" }),
  delta(2, { type: "text_delta", text: "Look" }),
  delta(2, { type: "text_delta", text: "ing." }),
  stop(2),
  start(3, { type: "tool_use", id: "toolu_1", name: "look", input: {} }),
  delta(3, { type: "input_json_delta", partial_json: "" }),
  delta(3, { type: "input_json_delta", partial_json: '{"at":' }),
  delta(3, { type: "input_json_delta", partial_json: '"sky"}' }),
  stop(3),
  start(4, { type: "tool_use", id: "toolu_2", name: "look", input: {} }),
  stop(4),
  {
    type: "message_delta",
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 20, output_tokens_details: { thinking_tokens: 7 } },
  },
  { type: "message_stop" },
];
