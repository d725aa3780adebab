/** What the simulated provider reads of a chat completion request. */

import { PlatformError } from "@faultline/protocol";

export interface SimulatedRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly maxTokens: number;
  /** The request's own seed, as text. */
  readonly seed: string;
  /** All messages as text; what the answer is drawn from. */
  readonly prompt: string;
  /** The tool to call, when the request wants one called. */
  readonly tool: { readonly name: string; readonly parameters: unknown } | undefined;
  /** The schema that a structured answer must have. */
  readonly schema: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** Throws `request_malformed` or `request_invalid`, as a provider would refuse. */
export function readSimulatedRequest(body: Buffer): SimulatedRequest {
  const value = toObject(parse(body));
  if (value === undefined) throw invalid("The body must be a JSON object.", "");
  const messages = value["messages"];
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('"messages" must be a list of at least one message.', "/messages");
  }
  const choiceCount = value["n"] ?? 1;
  if (choiceCount !== 1) throw invalid("The simulated provider gives one choice.", "/n");
  const format = toObject(value["response_format"]);
  return {
    model: typeof value["model"] === "string" ? value["model"] : "",
    stream: value["stream"] === true,
    includeUsage: toObject(value["stream_options"])?.["include_usage"] === true,
    maxTokens: readMaxTokens(value),
    seed: typeof value["seed"] === "number" ? String(value["seed"]) : "",
    prompt: JSON.stringify(messages),
    tool: chooseTool(value, messages),
    schema:
      format?.["type"] === "json_schema"
        ? toObject(format["json_schema"])?.["schema"]
        : format?.["type"] === "json_object"
          ? { type: "object", properties: { simulated: { const: true } } }
          : undefined,
  };
}

function readMaxTokens(value: Json): number {
  const limit = value["max_completion_tokens"] ?? value["max_tokens"];
  if (limit === undefined || limit === null) return Number.MAX_SAFE_INTEGER;
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1) {
    throw invalid(
      "The token limit must be a whole number of at least 1.",
      "/max_completion_tokens",
    );
  }
  return limit;
}

/** Calls a tool whenever one is offered, unless it is forbidden or a tool has just answered. */
function chooseTool(value: Json, messages: readonly unknown[]): SimulatedRequest["tool"] {
  const tools: unknown = value["tools"];
  const choice: unknown = value["tool_choice"];
  if (!Array.isArray(tools) || tools.length === 0 || choice === "none") return undefined;
  if (toObject(messages.at(-1))?.["role"] === "tool" && choice !== "required") return undefined;
  const wanted = toObject(toObject(choice)?.["function"])?.["name"];
  const offered = tools.map((tool: unknown) => toObject(toObject(tool)?.["function"]));
  const chosen =
    wanted === undefined ? offered[0] : offered.find((candidate) => candidate?.["name"] === wanted);
  const name = chosen?.["name"];
  if (typeof name !== "string")
    throw invalid("No function tool of this name is offered.", "/tools");
  return { name, parameters: chosen?.["parameters"] };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new PlatformError("request_malformed", "The body is not JSON.", { cause: error });
  }
}

function toObject(value: unknown): Json | undefined {
  // The checks make it a record of unknown values.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
}

function invalid(message: string, where: string): PlatformError {
  return new PlatformError("request_invalid", message, { where });
}
