/** Reads what spans record of talks with models: OpenTelemetry's conventions of all ages, OpenInference, and frameworks. */

import { isFields } from "../../model/fields.ts";
import type { Attributes, AttributeValue, Span } from "../../model/span.ts";
import { unpacked } from "../../text/json-text.ts";
import { itemsOf, unflattened, unflattenedAt } from "./flattened.ts";
import { givenByRun, givenToRun } from "./run-values.ts";
import { toolListOf } from "./tools.ts";
import {
  answerIn,
  oneAnswer,
  requestIn,
  type WholeRequest,
  withKeptCalls,
} from "./whole-values.ts";

/** What went into a model and what came out of it, as messages that `readMessage` understands. */
export interface SpanMessages {
  readonly input: readonly unknown[];
  readonly output: readonly unknown[];
  readonly instructions?: string;
  readonly tools?: readonly unknown[];
}

/** A tool that ran, as its span records it. */
export interface SpanTool {
  readonly name: string;
  readonly callId?: string;
  readonly arguments?: AttributeValue;
  readonly result?: AttributeValue;
}

/** Whether a span may have to do with models or tools; a look at few attributes, for walks over many spans. */
export function concernsModels({ name, attributes }: Span): boolean {
  return (
    attributes["gen_ai.operation.name"] !== undefined ||
    attributes["openinference.span.kind"] !== undefined ||
    attributes["gen_ai.system"] !== undefined ||
    attributes["gen_ai.provider.name"] !== undefined ||
    attributes["traceloop.span.kind"] !== undefined ||
    attributes["ai.operationId"] !== undefined ||
    attributes["mcp.method.name"] !== undefined ||
    attributes["gen_ai.tool.name"] !== undefined ||
    attributes["gen_ai.tool.definitions"] !== undefined ||
    attributes["langfuse.observation.type"] !== undefined ||
    attributes["langsmith.span.kind"] !== undefined ||
    attributes["gen_ai.request.model"] !== undefined ||
    attributes["gen_ai.request.messages"] !== undefined ||
    name.startsWith("execute_tool ")
  );
}

/** The tool that a span says it ran, or `undefined` when it is about anything else. */
export function toolOfSpan(span: Span): SpanTool | undefined {
  const { attributes, name } = span;
  const operation = attributes["gen_ai.operation.name"];
  const kind = attributes["openinference.span.kind"];
  if (operation === "execute_tool" || name.startsWith("execute_tool ")) {
    const tool = textOf(attributes["gen_ai.tool.name"]) ?? name.replace(/^execute_tool\s*/, "");
    return tool === "" && operation !== "execute_tool" ? undefined : genAiTool(tool, attributes);
  }
  if (attributes["mcp.method.name"] === "tools/call") {
    const tool = textOf(attributes["gen_ai.tool.name"]) ?? name.replace(/^tools\/call\s*/, "");
    return tool === "" ? undefined : genAiTool(tool, attributes);
  }
  const aiName = textOf(attributes["ai.toolCall.name"]);
  if (aiName !== undefined) {
    return toolOf(aiName, {
      callId: attributes["ai.toolCall.id"],
      given: attributes["ai.toolCall.args"] ?? attributes["ai.toolCall.input"],
      result: attributes["ai.toolCall.result"] ?? attributes["ai.toolCall.output"],
    });
  }
  if (kind === "TOOL") {
    return toolOf(textOf(attributes["tool.name"]) ?? name, {
      callId: attributes["tool_call.id"] ?? attributes["tool.id"],
      given: attributes["input.value"] ?? attributes["tool_call.function.arguments"],
      result: attributes["output.value"],
    });
  }
  if (attributes["traceloop.span.kind"] === "tool") {
    return toolOf(textOf(attributes["traceloop.entity.name"]) ?? name, {
      callId: undefined,
      given: traceloopInput(attributes["traceloop.entity.input"]),
      result: attributes["traceloop.entity.output"],
    });
  }
  if (
    attributes["langfuse.observation.type"] === "tool" ||
    attributes["langsmith.span.kind"] === "tool"
  ) {
    return genAiTool(textOf(attributes["gen_ai.tool.name"]) ?? name, attributes);
  }
  return undefined;
}

/** The messages that a span records, or `undefined` when it records none. */
export function messagesOfSpan(span: Span): SpanMessages | undefined {
  const { attributes } = span;
  const events = messagesOfEvents(span);
  const request = wholeRequestOf(attributes);
  const input = firstWithItems([
    () => jsonList(attributes["gen_ai.input.messages"]),
    () => events.input,
    () => flatMessages(attributes, "gen_ai.prompt."),
    () => flatMessages(attributes, "llm.input_messages.").map(fromOpenInference),
    () => jsonList(attributes["llm.input_messages"]).map(fromOpenInference),
    () => jsonList(attributes["ai.prompt.messages"]),
    () => request.messages,
  ]);
  const output = firstWithItems([
    () => jsonList(attributes["gen_ai.output.messages"]),
    () => events.output,
    () => unflattened(attributes, "gen_ai.completion."),
    () => unflattened(attributes, "llm.output_messages.").map(fromOpenInference),
    () => jsonList(attributes["llm.output_messages"]).map(fromOpenInference),
    () => vercelAnswer(attributes),
    () => sentryAnswer(attributes),
    () => answerIn(attributes[wholeNamesOf(attributes).answer]),
  ]);
  const tools = advertisedBy(span) ?? request.tools;
  if (input.length === 0 && output.length === 0 && tools === undefined) return undefined;
  const instructions = instructionsOf(attributes["gen_ai.system_instructions"]);
  return {
    input: input.map((message) => withKeptCalls(message)),
    output: oneAnswer(output.map((message) => withRole(message, "assistant"))),
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools === undefined ? {} : { tools }),
  };
}

/** The definitions of tools on a span. */
export function advertisedBy({ attributes }: Span): readonly unknown[] | undefined {
  const direct =
    attributes["gen_ai.tool.definitions"] ??
    attributes["gen_ai.request.tools"] ??
    attributes["gen_ai.request.available_tools"] ??
    attributes["ai.prompt.tools"];
  if (direct !== undefined) return toolListOf(direct);
  const listed = [...unflattened(attributes, "llm.tools."), ...jsonList(attributes["llm.tools"])];
  const inference = listed.flatMap((entry) => {
    const schema =
      isFields(entry) && isFields(entry["tool"]) ? entry["tool"]["json_schema"] : undefined;
    return toolListOf(schema) ?? [];
  });
  if (inference.length > 0) return inference;
  const functions = unflattened(attributes, "llm.request.functions.");
  if (functions.length > 0) return functions;
  // The parameters of the request as the framework sent them.
  const parameters = unpacked(attributes["llm.invocation_parameters"]);
  return isFields(parameters) ? toolListOf(parameters["tools"]) : undefined;
}

function genAiTool(name: string, attributes: Attributes): SpanTool {
  return toolOf(name, {
    callId: attributes["gen_ai.tool.call.id"],
    given:
      first(attributes, givenNames) ??
      traceloopInput(attributes["traceloop.entity.input"]) ??
      givenToRun(attributes["gen_ai.prompt"]),
    result: first(attributes, resultNames) ?? givenByRun(attributes["gen_ai.completion"]),
  });
}

function toolOf(
  name: string,
  {
    callId,
    given,
    result,
  }: {
    callId: AttributeValue | undefined;
    given: AttributeValue | undefined;
    result: AttributeValue | undefined;
  },
): SpanTool {
  return {
    name,
    ...(typeof callId === "string" && callId !== "" ? { callId } : {}),
    ...(given === undefined ? {} : { arguments: given }),
    ...(result === undefined ? {} : { result }),
  };
}

/** Under what names SDKs record the arguments and the result of a tool, the conventions' own first. */
const givenNames = [
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.input",
  "gcp.vertex.agent.tool_call_args",
  "tool_arguments",
  "input.value",
  "langfuse.observation.input",
] as const;
const resultNames = [
  "gen_ai.tool.call.result",
  "gen_ai.tool.output",
  "gcp.vertex.agent.tool_response",
  "tool_response",
  "output.value",
  "traceloop.entity.output",
  "langfuse.observation.output",
] as const;

function first(attributes: Attributes, names: readonly string[]): AttributeValue | undefined {
  const name = names.find((item) => attributes[item] !== undefined && attributes[item] !== null);
  return name === undefined ? undefined : attributes[name];
}

/** Where an SDK records the request and the answer of a model's call, each in one value. */
function wholeNamesOf(attributes: Attributes): {
  readonly request: string;
  readonly answer: string;
} {
  if (attributes["langfuse.observation.type"] === "generation") {
    return { request: "langfuse.observation.input", answer: "langfuse.observation.output" };
  }
  if (attributes["openinference.span.kind"] === "LLM") {
    return { request: "input.value", answer: "output.value" };
  }
  if (attributes["gen_ai.request.messages"] !== undefined) {
    return { request: "gen_ai.request.messages", answer: "gen_ai.response.text" };
  }
  return { request: "gen_ai.prompt", answer: "gen_ai.completion" };
}

function wholeRequestOf(attributes: Attributes): WholeRequest {
  return requestIn(attributes[wholeNamesOf(attributes).request]);
}

/** Text and calls as Sentry's SDKs record them. */
function sentryAnswer(attributes: Attributes): readonly unknown[] {
  const calls = jsonList(attributes["gen_ai.response.tool_calls"]);
  const [text] = answerIn(attributes["gen_ai.response.text"]);
  if (calls.length === 0) return [];
  return [{ ...(isFields(text) ? text : { content: null }), role: "assistant", tool_calls: calls }];
}

/** `{"inputs": {…}}` or `{"args": [], "kwargs": {…}}` around the arguments. */
function traceloopInput(value: AttributeValue | undefined): AttributeValue | undefined {
  if (value === undefined) return undefined;
  const input = unpacked(value);
  if (!isFields(input)) return value;
  const inner = input["inputs"] ?? input["kwargs"] ?? undefined;
  // What was parsed from JSON text is what an attribute may hold.
  return (inner ?? input) as AttributeValue;
}

/** Events that carry a message each, and the one event that carries all. */
function messagesOfEvents({ events }: Span): { input: unknown[]; output: unknown[] } {
  const input: unknown[] = [];
  const output: unknown[] = [];
  for (const { name, attributes } of events) {
    if (name === "gen_ai.client.inference.operation.details") {
      input.push(...jsonList(attributes["gen_ai.input.messages"]));
      output.push(...jsonList(attributes["gen_ai.output.messages"]));
    } else if (name === "gen_ai.choice") output.push(messageOfEvent(attributes, "assistant"));
    else if (name === "gen_ai.content.prompt") input.push(...jsonList(attributes["gen_ai.prompt"]));
    else if (name === "gen_ai.content.completion") {
      output.push(...jsonList(attributes["gen_ai.completion"]));
    } else {
      const role = /^gen_ai\.(system|user|assistant|tool)\.message$/.exec(name)?.[1];
      if (role !== undefined) input.push(messageOfEvent(attributes, role));
    }
  }
  return { input, output };
}

function messageOfEvent(attributes: Attributes, role: string): unknown {
  const body = unpacked(attributes["message"] ?? attributes["gen_ai.event.content"]);
  const fields: Readonly<Record<string, unknown>> = isFields(body) ? body : attributes;
  const calls = unpacked(fields["tool_calls"]);
  const list = isFields(calls) ? [calls] : calls;
  const content = unpacked(fields["content"]) ?? null;
  return {
    role,
    content:
      isFields(content) && role !== "tool"
        ? (content["content"] ?? JSON.stringify(content))
        : content,
    ...(Array.isArray(list) ? { tool_calls: list.map(parsedItem) } : {}),
    ...(role === "tool" ? { tool_call_id: fields["id"] ?? fields["tool_call_id"] } : {}),
  };
}

function parsedItem(value: unknown): unknown {
  return typeof value === "string" ? unpacked(value) : value;
}

/** `message.content`, `message.tool_calls.0.tool_call.function.name` and the like, as a chat message. */
function fromOpenInference(entry: unknown): unknown {
  const message = isFields(entry) && isFields(entry["message"]) ? entry["message"] : entry;
  if (!isFields(message)) return message;
  const contents = itemsOf(message["contents"]).map((item) => {
    const inner =
      isFields(item) && isFields(item["message_content"]) ? item["message_content"] : item;
    return inner;
  });
  const calls = itemsOf(message["tool_calls"]).map((item) =>
    isFields(item) && isFields(item["tool_call"]) ? item["tool_call"] : item,
  );
  return {
    ...message,
    content: message["content"] ?? (contents.length > 0 ? contents : null),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function vercelAnswer(attributes: Attributes): readonly unknown[] {
  const text = textOf(attributes["ai.response.text"]);
  const calls = jsonList(attributes["ai.response.toolCalls"]);
  if (text === undefined && calls.length === 0) return [];
  const parts = calls.map((call) => (isFields(call) ? { ...call, type: "tool-call" } : call));
  return [
    {
      role: "assistant",
      content: [...(text === undefined ? [] : [{ type: "text", text }]), ...parts],
    },
  ];
}

function instructionsOf(value: AttributeValue | undefined): string | undefined {
  const list = jsonList(value);
  if (list.length === 0) return textOf(value);
  const texts = list.flatMap((part) => {
    const text = isFields(part) ? (part["content"] ?? part["text"]) : part;
    return typeof text === "string" ? [text] : [];
  });
  return texts.length === 0 ? undefined : texts.join("\n");
}

function withRole(message: unknown, role: string): unknown {
  if (!isFields(message)) return message;
  const calls = message["tool_calls"];
  return {
    content: null,
    ...message,
    role: typeof message["role"] === "string" ? message["role"] : role,
    ...(isFields(calls) ? { tool_calls: itemsOf(calls) } : {}),
  };
}

function firstWithItems(candidates: readonly (() => readonly unknown[])[]): readonly unknown[] {
  for (const candidate of candidates) {
    const list = candidate();
    if (list.length > 0) return list.map((message) => withListedCalls(message));
  }
  return [];
}

/** Stands where an SDK left a message out, as some do with those that hold nothing but calls. */
const unreadMessage = { role: "assistant", content: null, tool_calls: [null] } as const;

/** Flattened messages, with a stand-in for what is missing between two of them. */
function flatMessages(attributes: Attributes, prefix: string): readonly unknown[] {
  return unflattenedAt(attributes, prefix).flatMap(([index, item], at, all) => {
    const before = all[at - 1]?.[0] ?? index - 1;
    return index > before + 1 ? [unreadMessage, item] : [item];
  });
}

/** Lists that were flattened come back as fields with numbers for names. */
function withListedCalls(message: unknown): unknown {
  if (!isFields(message) || !isFields(message["tool_calls"])) return message;
  return { ...message, tool_calls: itemsOf(message["tool_calls"]) };
}

function jsonList(value: AttributeValue | undefined): readonly unknown[] {
  const list = unpacked(value);
  return Array.isArray(list) ? list.map(parsedItem) : [];
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
