/** The fields of a chat completion request, and what becomes of them. */

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

const same = (name: string): FieldRow => row({ responses: carried(name), messages: carried(name) });
const both = (fate: Fate, ...neutral: readonly unknown[]): FieldRow =>
  row({ responses: fate, messages: fate }, ...neutral);
const openaiOnly = (name: string, ...neutral: readonly unknown[]): FieldRow =>
  row({ responses: carried(name), messages: lost(noParameter) }, ...neutral);

const noParameter = "messages has no such parameter";
const noneHas = "the other surfaces have no such parameter";
const oldFunctions = refused("functions are spelled as tools there");
const oneAnswer = refused("one answer to a request is all that can be carried");
const textOnly = refused("only text answers can be carried");

function table(place: string, fields: Readonly<Record<string, FieldRow>>): FieldTable {
  return { surface: "chat", place, fields };
}

/** The tables of the chat surface. */
export const chatFields = {
  request: table("", {
    model: both(carried("model, as the provider names it")),
    messages: row({
      responses: carried("instructions and input"),
      messages: carried("system and messages"),
    }),
    max_completion_tokens: row({
      responses: carried("max_output_tokens"),
      messages: carried("max_tokens"),
    }),
    max_tokens: row({ responses: carried("max_output_tokens"), messages: carried("max_tokens") }),
    temperature: row({
      responses: carried("temperature"),
      messages: carried("temperature, at most 1"),
    }),
    top_p: same("top_p"),
    stop: row(
      {
        responses: refused("responses has no stop sequences"),
        messages: carried("stop_sequences"),
      },
      [],
    ),
    stream: same("stream"),
    stream_options: both(carried("whether the stream ends with its usage")),
    tools: both(carried("tools")),
    tool_choice: both(carried("tool_choice")),
    parallel_tool_calls: row({
      responses: carried("parallel_tool_calls"),
      messages: carried("tool_choice.disable_parallel_tool_use"),
    }),
    response_format: row(
      { responses: carried("text.format"), messages: carried("output_config.format") },
      { type: "text" },
    ),
    reasoning_effort: row({
      responses: carried("reasoning.effort"),
      messages: carried("output_config.effort; thinking when none"),
    }),
    verbosity: row({ responses: carried("text.verbosity"), messages: lost(noParameter) }),
    user: row({ responses: carried("user"), messages: carried("metadata.user_id") }),
    safety_identifier: row({
      responses: carried("safety_identifier"),
      messages: carried("metadata.user_id"),
    }),
    metadata: openaiOnly("metadata", {}),
    store: openaiOnly("store", false),
    service_tier: openaiOnly("service_tier", "auto", "default"),
    prompt_cache_key: openaiOnly("prompt_cache_key"),
    prompt_cache_retention: openaiOnly("prompt_cache_retention"),
    prompt_cache_options: openaiOnly("prompt_cache_options"),
    moderation: row({
      responses: carried("moderation"),
      messages: refused("messages has no moderation of its own"),
    }),
    n: both(oneAnswer, 1),
    frequency_penalty: both(lost(noneHas), 0),
    presence_penalty: both(lost(noneHas), 0),
    logit_bias: both(lost(noneHas), {}),
    seed: both(lost(noneHas)),
    logprobs: both(lost("log probabilities are not carried"), false),
    top_logprobs: both(lost("log probabilities are not carried"), 0),
    prediction: both(lost(noneHas)),
    modalities: both(textOnly, ["text"]),
    audio: both(textOnly),
    web_search_options: both(refused("hosted tools do not exist there under this name")),
    functions: both(oldFunctions, []),
    function_call: both(oldFunctions, "none"),
  }),
  streamOptions: table("stream_options", {
    include_usage: both(carried("whether the stream ends with its usage"), false),
    include_obfuscation: both(lost("translated streams are not padded"), false),
  }),
  systemMessage: table("messages[system, developer]", {
    role: same("role"),
    content: both(carried("text")),
    name: both(lost("messages have no names there")),
  }),
  userMessage: table("messages[user]", {
    role: same("role"),
    content: both(carried("content")),
    name: both(lost("messages have no names there")),
  }),
  assistantMessage: table("messages[assistant]", {
    role: same("role"),
    content: both(carried("content")),
    refusal: row({ responses: carried("refusal"), messages: carried("text") }),
    tool_calls: row({ responses: carried("function_call"), messages: carried("tool_use") }),
    reasoning_content: row({
      responses: carried("reasoning"),
      messages: carried("thinking, when its signature came with it"),
    }),
    reasoning: row({
      responses: carried("reasoning"),
      messages: carried("thinking, when its signature came with it"),
    }),
    reasoning_details: row({ responses: carried("reasoning"), messages: carried("thinking") }),
    name: both(lost("messages have no names there")),
    annotations: both(lost("citations are not carried"), []),
    audio: both(textOnly),
    function_call: both(oldFunctions),
  }),
  toolMessage: table("messages[tool]", {
    role: same("role"),
    content: row({ responses: carried("function_call_output"), messages: carried("tool_result") }),
    tool_call_id: row({ responses: carried("call_id"), messages: carried("tool_use_id") }),
    name: both(lost("the result is bound to its call by the id")),
  }),
  textPart: table("content[text]", {
    type: same("type"),
    text: same("text"),
    prompt_cache_breakpoint: both(lost("marks of the prompt cache are not carried")),
    cache_control: both(lost("marks of the prompt cache are not carried")),
  }),
  refusalPart: table("content[refusal]", { type: same("type"), refusal: same("text") }),
  imagePart: table("content[image_url]", {
    type: same("type"),
    image_url: row({ responses: carried("input_image"), messages: carried("image") }),
    prompt_cache_breakpoint: both(lost("marks of the prompt cache are not carried")),
    cache_control: both(lost("marks of the prompt cache are not carried")),
  }),
  imageUrl: table("content[image_url].image_url", {
    url: both(carried("URL or base64 data")),
    detail: row(
      { responses: carried("detail"), messages: lost("messages has no detail of images") },
      "auto",
    ),
  }),
  filePart: table("content[file]", {
    type: same("type"),
    file: row({ responses: carried("input_file"), messages: carried("document") }),
    prompt_cache_breakpoint: both(lost("marks of the prompt cache are not carried")),
  }),
  file: table("content[file].file", {
    file_data: row({ responses: carried("file_data"), messages: carried("source") }),
    filename: row({ responses: carried("filename"), messages: carried("title") }),
    file_id: both(refused("an uploaded file is known to one provider only")),
  }),
  toolCall: table("tool_calls", {
    id: row({ responses: carried("call_id"), messages: carried("id") }),
    type: same("type"),
    function: row({
      responses: carried("name and arguments"),
      messages: carried("name and input"),
    }),
    custom: row({
      responses: carried("custom_tool_call"),
      messages: refused("messages has no tools of free text"),
    }),
    index: both(lost("the order says it")),
  }),
  toolCallFunction: table("tool_calls[].function", {
    name: same("name"),
    arguments: row({ responses: carried("arguments"), messages: carried("input") }),
  }),
  toolCallCustom: table("tool_calls[].custom", {
    name: row({ responses: carried("name") }),
    input: row({ responses: carried("input") }),
  }),
  tool: table("tools", {
    type: same("type"),
    function: both(carried("tool")),
    custom: row({
      responses: carried("tool"),
      messages: refused("messages has no tools of free text"),
    }),
    cache_control: both(lost("marks of the prompt cache are not carried")),
  }),
  function: table("tools[].function", {
    name: same("name"),
    description: same("description"),
    parameters: row({ responses: carried("parameters"), messages: carried("input_schema") }),
    strict: row({ responses: carried("strict"), messages: carried("strict") }),
  }),
  custom: table("tools[].custom", {
    name: row({ responses: carried("name") }),
    description: row({ responses: carried("description") }),
    format: row({ responses: carried("format") }),
  }),
  responseFormat: table("response_format", {
    type: both(carried("type")),
    json_schema: both(carried("schema")),
  }),
  jsonSchema: table("response_format.json_schema", {
    name: row({ responses: carried("name"), messages: lost("messages gives schemas no name") }),
    description: row({
      responses: carried("description"),
      messages: lost("messages gives schemas no description"),
    }),
    schema: both(carried("schema")),
    strict: row({
      responses: carried("strict"),
      messages: lostUnless(true, "messages always keeps to the schema"),
    }),
  }),
} as const satisfies Readonly<Record<string, FieldTable>>;
