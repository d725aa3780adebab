/** The fields of an Anthropic messages request, and what becomes of them. */

import {
  carried,
  type Fate,
  type FieldRow,
  type FieldTable,
  lost,
  refused,
  row,
} from "./field-table.ts";

const both = (fate: Fate, ...neutral: readonly unknown[]): FieldRow =>
  row({ chat: fate, responses: fate }, ...neutral);
const same = (name: string): FieldRow => both(carried(name));

const noneHas = "the OpenAI surfaces have no such parameter";
const cacheMark = both(lost("the OpenAI surfaces cache prompts by themselves"));
const hosted = refused("code that the provider runs does not exist there");

function table(place: string, fields: Readonly<Record<string, FieldRow>>): FieldTable {
  return { surface: "messages", place, fields };
}

/** The tables of the messages surface. */
export const messagesFields = {
  request: table("", {
    model: both(carried("model, as the provider names it")),
    messages: row({ chat: carried("messages"), responses: carried("input") }),
    system: row({ chat: carried("a system message"), responses: carried("instructions") }, "", []),
    max_tokens: row({
      chat: carried("max_completion_tokens"),
      responses: carried("max_output_tokens"),
    }),
    temperature: same("temperature"),
    top_p: same("top_p"),
    top_k: both(lost(noneHas)),
    stop_sequences: row(
      { chat: carried("stop"), responses: refused("responses has no stop sequences") },
      [],
    ),
    stream: same("stream"),
    tools: same("tools"),
    tool_choice: both(carried("tool_choice and parallel_tool_calls")),
    thinking: row({ chat: carried("reasoning_effort"), responses: carried("reasoning") }),
    output_config: row({
      chat: carried("reasoning_effort and response_format"),
      responses: carried("reasoning.effort and text.format"),
    }),
    metadata: both(carried("user"), {}),
    service_tier: both(lost("its tiers are not those of the OpenAI surfaces"), "auto"),
    speed: both(lost(noneHas), "standard"),
    cache_control: cacheMark,
    inference_geo: both(refused("the OpenAI surfaces cannot promise where a model runs")),
    container: both(hosted),
    mcp_servers: both(refused("the provider would have to call these servers"), []),
    context_management: both(lost("the conversation is sent as it stands")),
    diagnostics: both(lost(noneHas), {}),
    user_profile_id: both(lost(noneHas)),
    workspace_id: both(lost(noneHas)),
  }),
  metadata: table("metadata", { user_id: both(carried("user")) }),
  thinking: table("thinking", {
    type: both(carried("effort")),
    budget_tokens: both(carried("effort, the nearest")),
    display: row({
      chat: lost("chat completions cannot say how reasoning is shown"),
      responses: carried("reasoning.summary"),
    }),
  }),
  outputConfig: table("output_config", {
    effort: both(carried("effort")),
    format: both(carried("JSON schema")),
  }),
  format: table("output_config.format", {
    type: both(carried("type")),
    schema: both(carried("schema")),
  }),
  message: table("messages", { role: same("role"), content: both(carried("content")) }),
  textBlock: table("content[text]", {
    type: same("type"),
    text: same("text"),
    cache_control: cacheMark,
    citations: both(lost("citations are not carried"), []),
  }),
  imageBlock: table("content[image]", {
    type: same("type"),
    source: row({ chat: carried("image_url"), responses: carried("input_image") }),
    cache_control: cacheMark,
    transformations: both(lost(noneHas)),
  }),
  documentBlock: table("content[document]", {
    type: same("type"),
    source: row({ chat: carried("file"), responses: carried("input_file") }),
    title: both(carried("filename")),
    cache_control: cacheMark,
    citations: both(lost("citations are not carried"), { enabled: false }),
    context: both(lost("files have no context there")),
  }),
  source: table("source", {
    type: same("type"),
    media_type: both(carried("part of the data URL")),
    data: both(carried("part of the data URL")),
    url: both(carried("URL")),
    file_id: both(refused("an uploaded file is known to one provider only")),
    content: both(refused("documents of blocks do not exist there")),
  }),
  thinkingBlock: table("content[thinking]", {
    type: same("type"),
    thinking: both(carried("reasoning, when it came from such a provider")),
    signature: both(carried("the provider's own state, when it is")),
  }),
  redactedBlock: table("content[redacted_thinking]", {
    type: same("type"),
    data: both(carried("the provider's own state, when it is")),
  }),
  toolUseBlock: table("content[tool_use]", {
    type: same("type"),
    id: row({ chat: carried("id"), responses: carried("call_id") }),
    name: same("name"),
    input: both(carried("arguments")),
    cache_control: cacheMark,
    caller: both(hosted, { type: "direct" }),
    toolset_name: both(refused("toolsets do not exist there")),
  }),
  toolResultBlock: table("content[tool_result]", {
    type: same("type"),
    tool_use_id: row({ chat: carried("tool_call_id"), responses: carried("call_id") }),
    content: both(carried("content; images behind it in chat completions")),
    is_error: both(lost("results have no mark of failure there"), false),
    cache_control: cacheMark,
    toolset_name: both(refused("toolsets do not exist there")),
  }),
  tool: table("tools", {
    type: both(refused("hosted tools do not exist there under this name"), "custom"),
    name: same("name"),
    description: same("description"),
    input_schema: both(carried("parameters")),
    strict: same("strict"),
    cache_control: cacheMark,
    input_examples: both(lost("tools have no examples there"), []),
    defer_loading: both(lost("tools are loaded at once there"), false),
    eager_input_streaming: both(lost(noneHas), false),
    allowed_callers: both(hosted, ["direct"], []),
  }),
  toolChoice: table("tool_choice", {
    type: same("type"),
    name: same("name"),
    disable_parallel_tool_use: both(carried("parallel_tool_calls"), false),
  }),
} as const satisfies Readonly<Record<string, FieldTable>>;
