/** The fields of an OpenAI responses request, and what becomes of them. */

import {
  carried,
  type Fate,
  type FieldRow,
  type FieldTable,
  lost,
  lostUnless,
  refused,
  row,
} from "./field-table.ts";

const both = (fate: Fate, ...neutral: readonly unknown[]): FieldRow =>
  row({ chat: fate, messages: fate }, ...neutral);
const same = (name: string): FieldRow => both(carried(name));
const openaiOnly = (name: string, ...neutral: readonly unknown[]): FieldRow =>
  row({ chat: carried(name), messages: lost("messages has no such parameter") }, ...neutral);

const noState = refused("the other surfaces keep no state between requests");
const freeText = refused("messages has no tools of free text");
const statusOfItem = both(lost("items have no status there"), "completed");
const itemId = both(carried("nothing: it only names the item"));
const cacheMark = both(lost("marks of the prompt cache are not carried"));
const programCaller = both(refused("code that the provider runs does not exist there"));

function table(place: string, fields: Readonly<Record<string, FieldRow>>): FieldTable {
  return { surface: "responses", place, fields };
}

/** The tables of the responses surface. */
export const responsesFields = {
  request: table("", {
    model: both(carried("model, as the provider names it")),
    input: both(carried("messages")),
    instructions: row({ chat: carried("a system message"), messages: carried("system") }, ""),
    max_output_tokens: row({
      chat: carried("max_completion_tokens"),
      messages: carried("max_tokens"),
    }),
    temperature: row({ chat: carried("temperature"), messages: carried("temperature, at most 1") }),
    top_p: same("top_p"),
    stream: same("stream"),
    stream_options: both(
      lost("translated streams are not padded"),
      {},
      {
        include_obfuscation: false,
      },
    ),
    tools: same("tools"),
    tool_choice: same("tool_choice"),
    parallel_tool_calls: row({
      chat: carried("parallel_tool_calls"),
      messages: carried("tool_choice.disable_parallel_tool_use"),
    }),
    text: row({
      chat: carried("response_format and verbosity"),
      messages: carried("output_config.format"),
    }),
    reasoning: row({
      chat: carried("reasoning_effort"),
      messages: carried("output_config.effort; thinking when none"),
    }),
    user: row({ chat: carried("user"), messages: carried("metadata.user_id") }),
    safety_identifier: row({
      chat: carried("safety_identifier"),
      messages: carried("metadata.user_id"),
    }),
    metadata: openaiOnly("metadata", {}),
    service_tier: openaiOnly("service_tier", "auto", "default"),
    prompt_cache_key: openaiOnly("prompt_cache_key"),
    prompt_cache_retention: openaiOnly("prompt_cache_retention"),
    prompt_cache_options: openaiOnly("prompt_cache_options"),
    moderation: row({
      chat: carried("moderation"),
      messages: refused("messages has no moderation of its own"),
    }),
    include: both(carried("what can be included is: the state of reasoning always is"), []),
    store: both(lost("nothing is stored: a later request cannot name this one"), false),
    truncation: both(lost("a conversation that is too long is refused there, not cut"), "disabled"),
    max_tool_calls: both(lost("it counts calls of hosted tools only, and there are none")),
    top_logprobs: both(lost("log probabilities are not carried"), 0),
    background: both(noState, false),
    previous_response_id: both(noState),
    conversation: both(noState),
    prompt: both(refused("prompts that are stored with the provider do not exist there")),
    context_management: both(refused("the other surfaces do not compact a conversation"), []),
  }),
  message: table("input[message]", {
    type: same("type"),
    role: same("role"),
    content: same("content"),
    id: itemId,
    status: statusOfItem,
    phase: both(lost("messages have no phase there")),
  }),
  textPart: table("content[input_text, output_text]", {
    type: same("type"),
    text: same("text"),
    annotations: both(lost("citations are not carried"), []),
    logprobs: both(lost("log probabilities are not carried"), []),
    prompt_cache_breakpoint: cacheMark,
  }),
  refusalPart: table("content[refusal]", {
    type: same("type"),
    refusal: row({ chat: carried("refusal"), messages: carried("text") }),
  }),
  imagePart: table("content[input_image]", {
    type: same("type"),
    image_url: row({ chat: carried("image_url"), messages: carried("image") }),
    detail: row(
      { chat: carried("detail"), messages: lost("messages has no detail of images") },
      "auto",
    ),
    file_id: both(refused("an uploaded file is known to one provider only")),
    prompt_cache_breakpoint: cacheMark,
  }),
  filePart: table("content[input_file]", {
    type: same("type"),
    file_data: row({ chat: carried("file_data"), messages: carried("source") }),
    file_url: row({
      chat: refused("chat completions takes no URLs of files"),
      messages: carried("source"),
    }),
    filename: row({ chat: carried("filename"), messages: carried("title") }),
    detail: both(lost("files have no detail there"), "auto"),
    file_id: both(refused("an uploaded file is known to one provider only")),
    prompt_cache_breakpoint: cacheMark,
  }),
  functionCall: table("input[function_call]", {
    type: same("type"),
    call_id: both(carried("id")),
    name: same("name"),
    arguments: row({ chat: carried("arguments"), messages: carried("input") }),
    id: itemId,
    status: statusOfItem,
    namespace: both(refused("namespaces of tools do not exist there")),
    caller: programCaller,
  }),
  customCall: table("input[custom_tool_call]", {
    type: row({ chat: carried("type"), messages: freeText }),
    call_id: row({ chat: carried("id") }),
    name: row({ chat: carried("name") }),
    input: row({ chat: carried("input") }),
    id: itemId,
    status: statusOfItem,
    namespace: both(refused("namespaces of tools do not exist there")),
    caller: programCaller,
  }),
  callOutput: table("input[function_call_output, custom_tool_call_output]", {
    type: same("type"),
    call_id: row({ chat: carried("tool_call_id"), messages: carried("tool_use_id") }),
    output: both(carried("content; images behind it in chat completions")),
    id: itemId,
    status: statusOfItem,
    name: both(lost("the result is bound to its call by the id")),
    namespace: both(refused("namespaces of tools do not exist there")),
    caller: programCaller,
  }),
  reasoning: table("input[reasoning]", {
    type: same("type"),
    id: both(carried("the provider's own state, when it is")),
    summary: both(carried("reasoning, when it came from such a provider")),
    content: both(carried("reasoning, when it came from such a provider")),
    encrypted_content: both(carried("the provider's own state, when it is")),
    status: statusOfItem,
  }),
  functionTool: table("tools[function]", {
    type: same("type"),
    name: same("name"),
    description: same("description"),
    parameters: row({ chat: carried("parameters"), messages: carried("input_schema") }),
    strict: same("strict"),
    output_schema: both(lost("tools do not describe their output there")),
    defer_loading: both(lost("tools are loaded at once there"), false),
    allowed_callers: both(
      refused("code that the provider runs does not exist there"),
      ["direct"],
      [],
    ),
  }),
  customTool: table("tools[custom]", {
    type: row({ chat: carried("type"), messages: freeText }),
    name: row({ chat: carried("name") }),
    description: row({ chat: carried("description") }),
    format: row({ chat: carried("format") }),
    defer_loading: both(lost("tools are loaded at once there"), false),
    allowed_callers: both(
      refused("code that the provider runs does not exist there"),
      ["direct"],
      [],
    ),
  }),
  text: table("text", {
    format: both(carried("the format of the answer"), { type: "text" }),
    verbosity: openaiOnly("verbosity"),
  }),
  format: table("text.format", {
    type: same("type"),
    name: row({ chat: carried("name"), messages: lost("messages gives schemas no name") }),
    description: row({
      chat: carried("description"),
      messages: lost("messages gives schemas no description"),
    }),
    schema: same("schema"),
    strict: row({
      chat: carried("strict"),
      messages: lostUnless(true, "messages always keeps to the schema"),
    }),
  }),
  reasoningSettings: table("reasoning", {
    effort: row({ chat: carried("reasoning_effort"), messages: carried("output_config.effort") }),
    summary: both(lost("the provider decides how reasoning is shown")),
    generate_summary: both(lost("the provider decides how reasoning is shown")),
    context: both(lost("all reasoning of the conversation is sent"), "auto", "all_turns"),
    mode: both(lost("there is one mode of reasoning there")),
  }),
} as const satisfies Readonly<Record<string, FieldTable>>;
