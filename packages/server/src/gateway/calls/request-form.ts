/** Where the facts of a request stand in each wire format: a watch tree for each. */

import { type JsonWatch, watchJson } from "../wire/json-watch.ts";

/** Places that may stand once in a request, by what they mean. Their index is the id of their watch. */
export const requestPlaces = [
  "root",
  "model",
  "stream",
  "streamOptions",
  "includeUsage",
  "messages",
  "system",
  "tools",
  "toolChoice",
  "maxTokens",
  "maxCompletionTokens",
  "temperature",
  "topP",
  "user",
  "format",
  "metadata",
  "stop",
  "seed",
  "frequencyPenalty",
  "presencePenalty",
  "reasoning",
  "reasoningEffort",
  "parallelToolCalls",
  "topK",
  "choiceCount",
  "bestOf",
  "furtherText",
  "encodingFormat",
  "dimensions",
] as const;
export type RequestPlace = (typeof requestPlaces)[number];

/** What is counted. */
export const countedIds = { message: 40, tool: 41, image: 42 } as const;
/** A field that some providers take for one that the gateway reads: they do not look at the case of letters. */
export const likeFieldId = 62;
export const ignoredId = 63;

export interface RequestForm {
  readonly watch: JsonWatch;
  /** The name of each place that this format has, as a JSON pointer. */
  readonly pointers: Partial<Readonly<Record<RequestPlace, string>>>;
  /** Whether a stream reports usage only when it is asked to. */
  readonly asksForUsage: boolean;
  readonly canStream: boolean;
}

const likeFields = watchJson(likeFieldId);
const at = (place: RequestPlace, parts: Parameters<typeof watchJson>[1] = {}): JsonWatch =>
  watchJson(requestPlaces.indexOf(place), { ...parts, likeFields });
const scalar = (place: RequestPlace): JsonWatch => at(place, { capture: true });
const group = (fields: Readonly<Record<string, JsonWatch>>): JsonWatch =>
  watchJson(ignoredId, { fields });
const list = (items: JsonWatch): JsonWatch => watchJson(ignoredId, { items });
const image = watchJson(countedIds.image);
/** Parts, or a screenshot by itself. */
const toolOutput = watchJson(ignoredId, {
  fields: { image_url: image },
  items: group({ image_url: image }),
});
const tools = at("tools", { items: watchJson(countedIds.tool) });

const sampling = { temperature: scalar("temperature"), top_p: scalar("topP") };
/** What a bundle may set beside these, in chat and completions. */
const openaiSampling = {
  ...sampling,
  stop: at("stop"),
  seed: scalar("seed"),
  frequency_penalty: scalar("frequencyPenalty"),
  presence_penalty: scalar("presencePenalty"),
  n: scalar("choiceCount"),
};
const openaiStream = {
  stream: at("stream"),
  stream_options: at("streamOptions", { fields: { include_usage: at("includeUsage") } }),
};
const openaiPointers = {
  root: "",
  model: "/model",
  stream: "/stream",
  streamOptions: "/stream_options",
  includeUsage: "/stream_options/include_usage",
  maxTokens: "/max_tokens",
  temperature: "/temperature",
  topP: "/top_p",
  frequencyPenalty: "/frequency_penalty",
  presencePenalty: "/presence_penalty",
  choiceCount: "/n",
  user: "/user",
} as const;

export const chatForm: RequestForm = {
  watch: at("root", {
    fields: {
      model: scalar("model"),
      ...openaiStream,
      messages: at("messages", {
        items: watchJson(countedIds.message, {
          fields: { content: list(group({ image_url: image })) },
        }),
      }),
      tools,
      tool_choice: at("toolChoice"),
      max_tokens: scalar("maxTokens"),
      max_completion_tokens: scalar("maxCompletionTokens"),
      prediction: at("furtherText"),
      ...openaiSampling,
      reasoning_effort: at("reasoningEffort"),
      parallel_tool_calls: at("parallelToolCalls"),
      user: scalar("user"),
      metadata: at("metadata"),
      response_format: group({ type: scalar("format") }),
    },
  }),
  pointers: {
    ...openaiPointers,
    messages: "/messages",
    tools: "/tools",
    toolChoice: "/tool_choice",
    furtherText: "/prediction",
    maxCompletionTokens: "/max_completion_tokens",
    format: "/response_format/type",
  },
  asksForUsage: true,
  canStream: true,
};

export const responsesForm: RequestForm = {
  watch: at("root", {
    fields: {
      model: scalar("model"),
      stream: at("stream"),
      input: at("messages", {
        items: watchJson(countedIds.message, {
          fields: { content: list(group({ image_url: image })), output: toolOutput },
        }),
      }),
      instructions: at("system"),
      prompt: at("furtherText"),
      tools,
      tool_choice: at("toolChoice"),
      max_output_tokens: scalar("maxCompletionTokens"),
      ...sampling,
      reasoning: at("reasoning", { fields: { effort: at("reasoningEffort") } }),
      parallel_tool_calls: at("parallelToolCalls"),
      user: scalar("user"),
      metadata: at("metadata"),
      text: group({ format: group({ type: scalar("format") }) }),
    },
  }),
  pointers: {
    root: "",
    model: "/model",
    stream: "/stream",
    messages: "/input",
    system: "/instructions",
    tools: "/tools",
    toolChoice: "/tool_choice",
    furtherText: "/prompt",
    maxCompletionTokens: "/max_output_tokens",
    temperature: "/temperature",
    topP: "/top_p",
    user: "/user",
    format: "/text/format/type",
  },
  asksForUsage: false,
  canStream: true,
};

export const completionsForm: RequestForm = {
  watch: at("root", {
    fields: {
      model: scalar("model"),
      ...openaiStream,
      prompt: at("messages"),
      max_tokens: scalar("maxTokens"),
      ...openaiSampling,
      best_of: scalar("bestOf"),
      suffix: at("furtherText"),
      user: scalar("user"),
      metadata: at("metadata"),
    },
  }),
  pointers: { ...openaiPointers, messages: "/prompt", bestOf: "/best_of", furtherText: "/suffix" },
  asksForUsage: true,
  canStream: true,
};

export const embeddingsForm: RequestForm = {
  watch: at("root", {
    fields: {
      model: scalar("model"),
      input: at("messages"),
      encoding_format: scalar("encodingFormat"),
      dimensions: scalar("dimensions"),
      user: scalar("user"),
    },
  }),
  pointers: {
    root: "",
    model: "/model",
    messages: "/input",
    encodingFormat: "/encoding_format",
    user: "/user",
  },
  asksForUsage: false,
  canStream: false,
};

export const messagesForm: RequestForm = {
  watch: at("root", {
    fields: {
      model: scalar("model"),
      stream: at("stream"),
      messages: at("messages", {
        items: watchJson(countedIds.message, {
          // An image in a message, or in the result of a tool.
          fields: {
            content: list(group({ source: image, content: list(group({ source: image })) })),
          },
        }),
      }),
      system: at("system"),
      tools,
      tool_choice: at("toolChoice"),
      max_tokens: scalar("maxTokens"),
      ...sampling,
      top_k: scalar("topK"),
      stop_sequences: at("stop"),
      metadata: at("metadata", { fields: { user_id: scalar("user") } }),
      output_config: group({ format: group({ type: scalar("format") }) }),
    },
  }),
  pointers: {
    root: "",
    model: "/model",
    stream: "/stream",
    messages: "/messages",
    system: "/system",
    tools: "/tools",
    toolChoice: "/tool_choice",
    maxTokens: "/max_tokens",
    temperature: "/temperature",
    topP: "/top_p",
    topK: "/top_k",
    stop: "/stop_sequences",
    user: "/metadata/user_id",
    format: "/output_config/format/type",
  },
  asksForUsage: false,
  canStream: true,
};
