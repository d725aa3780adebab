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

/** The conversation of `chatConversation`, as responses spells it. */
export const responsesConversation = {
  model: "gpt-x",
  instructions: "Be brief.",
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "auto" },
        { type: "input_image", image_url: "https://example.test/cat.png", detail: "auto" },
        {
          type: "input_file",
          file_data: "data:application/pdf;base64,JVBERi0=",
          filename: "a.pdf",
        },
      ],
    },
    { role: "assistant", content: "Let me look." },
    {
      type: "function_call",
      call_id: "call_1",
      name: "look",
      arguments: '{"at":"sky","id":12345678901234567890}',
    },
    { type: "function_call", call_id: "call_2", name: "look", arguments: '{"at":"sea"}' },
    { type: "function_call_output", call_id: "call_1", output: "blue" },
    { type: "function_call_output", call_id: "call_2", output: "green" },
    { role: "user", content: "And now?" },
  ],
  max_output_tokens: 100,
  temperature: 0.5,
  top_p: 0.9,
  stream: true,
  tools: [
    {
      type: "function",
      name: "look",
      description: "Looks somewhere.",
      parameters: { type: "object", properties: { at: { type: "string" } }, required: ["at"] },
      strict: true,
    },
  ],
  tool_choice: "required",
  parallel_tool_calls: false,
  reasoning: { effort: "low" },
  user: "user-7",
  store: false,
};

const responsesOutput = [
  {
    type: "reasoning",
    id: "rs_1",
    summary: [
      { type: "summary_text", text: "Where to look?" },
      { type: "summary_text", text: "Up." },
    ],
    encrypted_content: "gAAAAABo",
  },
  {
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: "Looking.", annotations: [], logprobs: [] }],
  },
  {
    type: "function_call",
    id: "fc_1",
    call_id: "call_1",
    name: "look",
    arguments: '{"at":"sky"}',
    status: "completed",
  },
  {
    type: "function_call",
    id: "fc_2",
    call_id: "call_2",
    name: "look",
    arguments: '{"at":"sea"}',
    status: "completed",
  },
];

/** A whole reply of responses with reasoning, a text and two calls. */
export const responsesReply = {
  id: "resp_1",
  object: "response",
  created_at: 1_700_000_000,
  status: "completed",
  error: null,
  incomplete_details: null,
  instructions: null,
  model: "gpt-x",
  output: responsesOutput,
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  metadata: {},
  usage: {
    input_tokens: 50,
    input_tokens_details: { cached_tokens: 30, cache_write_tokens: 5 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 7 },
    total_tokens: 70,
  },
};

const opened = { ...responsesReply, status: "in_progress", output: [], usage: null };
const item = (type: string, output_index: number, fields: object): object => ({
  type: `response.${type}`,
  output_index,
  ...fields,
});
const summary = (summary_index: number, delta: string): object =>
  item("reasoning_summary_text.delta", 0, { item_id: "rs_1", summary_index, delta });
const callItem = (index: number, parts: readonly string[]): object[] => [
  item("output_item.added", index, {
    item: { ...responsesOutput[index], arguments: "", status: "in_progress" },
  }),
  ...parts.map((delta) => item("function_call_arguments.delta", index, { delta })),
  item("function_call_arguments.done", index, { arguments: parts.join("") }),
  item("output_item.done", index, { item: responsesOutput[index] }),
];

/** The same reply as a stream. */
export const responsesStream: readonly unknown[] = [
  { type: "response.created", response: opened },
  { type: "response.in_progress", response: opened },
  item("output_item.added", 0, { item: { type: "reasoning", id: "rs_1", summary: [] } }),
  item("reasoning_summary_part.added", 0, { summary_index: 0 }),
  summary(0, "Where to "),
  summary(0, "look?"),
  item("reasoning_summary_text.done", 0, { summary_index: 0, text: "Where to look?" }),
  item("reasoning_summary_part.added", 0, { summary_index: 1 }),
  summary(1, "Up."),
  item("output_item.done", 0, { item: responsesOutput[0] }),
  item("output_item.added", 1, { item: { ...responsesOutput[1], content: [] } }),
  item("content_part.added", 1, { content_index: 0, part: { type: "output_text", text: "" } }),
  item("output_text.delta", 1, { content_index: 0, delta: "Look", logprobs: [] }),
  item("output_text.delta", 1, { content_index: 0, delta: "ing.", logprobs: [] }),
  item("output_text.done", 1, { content_index: 0, text: "Looking." }),
  item("content_part.done", 1, {
    content_index: 0,
    part: { type: "output_text", text: "Looking.", annotations: [], logprobs: [] },
  }),
  item("output_item.done", 1, { item: responsesOutput[1] }),
  ...callItem(2, ['{"at":', '"sky"}']),
  ...callItem(3, ['{"at":"sea"}']),
  { type: "response.completed", response: responsesReply },
];
