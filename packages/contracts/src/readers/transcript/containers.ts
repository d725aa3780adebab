/** Where requests, responses, runs and records of corpora keep their messages and what goes with them. */

import { type Fields, isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";
import { eventsOf, looksLikeEventStream, messageOfEvents } from "./event-stream.ts";
import { looksLikeMessage } from "./message.ts";
import { toolListOf } from "./tools.ts";
import { parsedJson } from "../../text/json-text.ts";

/** A list of messages and where in its container it stands. */
export interface MessagePart {
  readonly messages: readonly unknown[];
  readonly pointer: string;
  /** The pointer is that of the one message itself. */
  readonly isSingle: boolean;
}

/** Fields of containers that hold a list of messages, in the order in which they are looked for. */
const listNames = [
  "messages",
  "input",
  "output",
  "contents",
  "conversations",
  "conversation",
  "traj",
  "trajectory",
  "history",
  "turns",
  "items",
] as const;
const systemNames = [
  "system",
  "instructions",
  "systemInstruction",
  "system_instruction",
  "system_prompt",
] as const;
/** Where the first event of a stream stands that tells whose it is. */
const streamHeadLengthMax = 4_096;
const toolNames = ["tools", "functions", "toolConfig", "tool_config", "available_tools"] as const;

/** Whether a value is a request with its response, or one of both in a wrapper of its own. */
export function isExchange(value: unknown): value is Fields {
  if (!isFields(value)) return false;
  const { request, response } = exchangeOf(value);
  return (
    partOf(request) !== undefined ||
    ((isFields(request) || isWrapped(value)) && partOf(response) !== undefined)
  );
}

/** The request and the response of an exchange, without the envelopes of proxies, batches and runs. */
export function exchangeOf(value: Fields): {
  readonly request: unknown;
  readonly response: unknown;
  readonly requestPointer: string;
  readonly responsePointer: string;
} {
  if (isFields(value["inputs"]) && value["run_type"] !== "tool") {
    return {
      request: withTools(value["inputs"], value),
      response: generationOf(value["outputs"]),
      requestPointer: "/inputs",
      responsePointer: "/outputs",
    };
  }
  const request = bodyOf(value["request"] ?? value["body"]);
  const response = bodyOf(value["response"]);
  return {
    request: request.body,
    response: response.body,
    requestPointer: `/${value["request"] === undefined ? "body" : "request"}${request.pointer}`,
    responsePointer: `/response${response.pointer}`,
  };
}

/** Where a container keeps its messages. */
export function partOf(value: unknown): MessagePart | undefined {
  if (Array.isArray(value)) {
    return value.length > 0 && value.every(looksLikeMessage)
      ? { messages: value, pointer: "", isSingle: false }
      : undefined;
  }
  if (!isFields(value)) return undefined;
  for (const name of listNames) {
    const list = value[name];
    if (!Array.isArray(list)) continue;
    // Runs keep a list of lists, one for each prompt of a batch.
    const [only] = list;
    if (list.length === 1 && Array.isArray(only) && only.some(looksLikeMessage)) {
      return { messages: only, pointer: `/${name}/0`, isSingle: false };
    }
    if (list.some(looksLikeMessage)) {
      return { messages: list, pointer: `/${name}`, isSingle: false };
    }
  }
  return answerOf(value);
}

function answerOf(value: Fields): MessagePart | undefined {
  const { choices, candidates, message, content, output } = value;
  const [choice] = Array.isArray(choices) ? choices : [];
  if (isFields(choice) && looksLikeMessage(choice["message"])) {
    return { messages: [choice["message"]], pointer: "/choices/0/message", isSingle: true };
  }
  const [candidate] = Array.isArray(candidates) ? candidates : [];
  if (isFields(candidate) && looksLikeMessage(candidate["content"])) {
    return { messages: [candidate["content"]], pointer: "/candidates/0/content", isSingle: true };
  }
  if (isFields(output) && looksLikeMessage(output["message"])) {
    return { messages: [output["message"]], pointer: "/output/message", isSingle: true };
  }
  if (isFields(message) && textField(value, "role") === undefined && looksLikeMessage(message)) {
    return { messages: [message], pointer: "/message", isSingle: true };
  }
  const isAnswer = value["role"] === "assistant" && Array.isArray(content);
  return isAnswer ? { messages: [value], pointer: "", isSingle: true } : undefined;
}

/** The list of tools that a container advertises. */
export function toolListIn(value: Fields): readonly unknown[] | undefined {
  for (const name of toolNames) {
    const list = toolListOf(value[name]);
    if (list !== undefined) return list;
  }
  // A record of a corpus or a session may keep its request's settings one level down.
  for (const name of ["request", "body", "config", "metadata", "info"]) {
    const inner = value[name];
    if (!isFields(inner)) continue;
    const list = toolListOf(inner["tools"]);
    if (list !== undefined && !Array.isArray(value[name])) return list;
  }
  return undefined;
}

/** What the model was told beside the messages. */
export function instructionsIn(value: Fields): string | undefined {
  const texts = systemNames.flatMap((name) => textsOf(value[name], 0));
  return texts.length === 0 ? undefined : texts.join("\n");
}

/** The tools that a policy allows, whatever is advertised. */
export function allowedToolsIn(value: Fields): readonly string[] | undefined {
  for (const holder of [
    value,
    value["policy"],
    value["principal"],
    value["agent"],
    value["metadata"],
  ]) {
    if (!isFields(holder)) continue;
    const list = holder["allowed_tools"] ?? holder["allowedTools"] ?? holder["permitted_tools"];
    if (Array.isArray(list)) return list.flatMap((item) => nameOf(item) ?? []);
  }
  return undefined;
}

/** The tools to which the choice of a request restricts its answer. */
export function chosenToolsIn(value: Fields): readonly string[] | undefined {
  const choice = value["tool_choice"] ?? value["toolChoice"];
  if (choice === "none") return [];
  const gemini = value["toolConfig"] ?? value["tool_config"];
  const calling = isFields(gemini)
    ? (gemini["functionCallingConfig"] ?? gemini["function_calling_config"])
    : undefined;
  if (isFields(calling)) {
    const names = calling["allowedFunctionNames"] ?? calling["allowed_function_names"];
    if (calling["mode"] === "NONE") return [];
    return Array.isArray(names) ? names.flatMap((item) => nameOf(item) ?? []) : undefined;
  }
  if (!isFields(choice)) return undefined;
  const inner = isFields(choice["allowed_tools"]) ? choice["allowed_tools"] : choice;
  if (Array.isArray(inner["tools"])) return inner["tools"].flatMap((item) => nameOf(item) ?? []);
  if (choice["type"] === "none") return [];
  const name = nameOf(choice);
  return name === undefined ? undefined : [name];
}

/** Whether the conversation goes on from what is stored elsewhere. */
export function isContinuation(value: Fields): boolean {
  return (
    textField(value, "previous_response_id") !== undefined ||
    (value["conversation"] !== undefined &&
      value["conversation"] !== null &&
      !Array.isArray(value["conversation"]) &&
      Array.isArray(value["input"]))
  );
}

function nameOf(item: unknown): string | undefined {
  if (typeof item === "string") return item;
  if (!isFields(item)) return undefined;
  return textField(item, "name") ?? textField(item["function"], "name");
}

function textsOf(value: unknown, depth: number): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (depth > 3) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(item, depth + 1));
  if (!isFields(value)) return [];
  return [...textsOf(value["text"], depth + 1), ...textsOf(value["parts"], depth + 1)];
}

function isWrapped(value: Fields): boolean {
  return value["custom_id"] !== undefined || isFields(value["inputs"]);
}

/** A body may stand in an envelope, and as text. */
function bodyOf(value: unknown): { readonly body: unknown; readonly pointer: string } {
  if (!isFields(value) || value["body"] === undefined) return { body: value, pointer: "" };
  const { body } = value;
  return { body: typeof body === "string" ? bodyOfText(body) : body, pointer: "/body" };
}

/** A body as text: JSON, or the events of an answer that was streamed. */
function bodyOfText(text: string): unknown {
  const value = parsedJson(text);
  if (value !== undefined) return value;
  if (!looksLikeEventStream(text.slice(0, streamHeadLengthMax))) return text;
  const message = messageOfEvents(eventsOf(text));
  return looksLikeMessage(message) ? { message } : (message ?? text);
}

/** A run keeps the tools among the parameters of its invocation. */
function withTools(inputs: Fields, run: Fields): Fields {
  if (toolListIn(inputs) !== undefined) return inputs;
  const { extra } = run;
  const parameters = isFields(extra) ? extra["invocation_params"] : undefined;
  const tools = isFields(parameters) ? toolListOf(parameters["tools"]) : undefined;
  return tools === undefined ? inputs : { ...inputs, tools };
}

/** The answer in the outputs of a run; the outputs themselves where they are none of LangChain's. */
export function generationOf(outputs: unknown): unknown {
  if (!isFields(outputs)) return outputs;
  const { generations } = outputs;
  const outer: unknown = Array.isArray(generations) ? generations[0] : undefined;
  const first: unknown = Array.isArray(outer) ? outer[0] : outer;
  return isFields(first) && isFields(first["message"]) ? { message: first["message"] } : outputs;
}
