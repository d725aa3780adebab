/** What the simulated provider reads of a request, whatever its surface. */

import { parseForeignJson } from "@faultline/contracts/json";
import { PlatformError } from "@faultline/protocol";

import { type JsonObject, toObject } from "../wire/json-values.ts";

export interface SimulatedRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly maxTokens: number;
  /** The request's own seed, as text. */
  readonly seed: string;
  /** All that was said as text; what the answer is drawn from. */
  readonly prompt: string;
  /** The tool to call, when the request wants one called. */
  readonly tool: SimulatedTool | undefined;
  /** The schema that a structured answer must have. */
  readonly schema: unknown;
  /** Whether reasoning comes before the answer, unless the behaviour says how much. */
  readonly reasons: boolean;
}

export interface SimulatedTool {
  readonly name: string;
  readonly parameters: unknown;
}

/** The body as an object. Throws `request_malformed` or `request_invalid`, as a provider would refuse. */
export function parseBody(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = parseForeignJson(body.toString());
  } catch (error) {
    throw new PlatformError("request_malformed", "The body is not JSON.", { cause: error });
  }
  const object = toObject(value);
  if (object === undefined) throw invalid("The body must be a JSON object.", "");
  return object;
}

/** The fields that all surfaces spell alike. */
export function readCommon(value: JsonObject): Pick<SimulatedRequest, "model" | "stream" | "seed"> {
  return {
    model: typeof value["model"] === "string" ? value["model"] : "",
    stream: value["stream"] === true,
    seed: typeof value["seed"] === "number" ? String(value["seed"]) : "",
  };
}

/** The list in a field, which must have something in it. */
export function requireItems(value: JsonObject, name: string): readonly unknown[] {
  const items = value[name];
  if (!Array.isArray(items) || items.length === 0) {
    throw invalid(`"${name}" must be a list of at least one item.`, `/${name}`);
  }
  return items;
}

/** The token limit in a field; without one there is no limit. */
export function readLimit(limit: unknown, where: string): number {
  if (limit === undefined || limit === null) return Number.MAX_SAFE_INTEGER;
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1) {
    throw invalid("The token limit must be a whole number of at least 1.", where);
  }
  return limit;
}

export interface ToolsOffered {
  /** Each as its surface describes it, brought to the same two fields. */
  readonly tools: readonly { readonly name: unknown; readonly parameters: unknown }[];
  readonly choice: "none" | "auto" | "required" | { readonly name: unknown };
  /** Whether the last thing said is the result of a tool. */
  readonly answered: boolean;
}

/** Calls a tool whenever one is offered, unless it is forbidden or a tool has just answered. */
export function chooseTool({ tools, choice, answered }: ToolsOffered): SimulatedTool | undefined {
  if (tools.length === 0 || choice === "none") return undefined;
  if (answered && choice === "auto") return undefined;
  const wanted = typeof choice === "object" ? choice.name : undefined;
  const chosen = wanted === undefined ? tools[0] : tools.find(({ name }) => name === wanted);
  if (chosen === undefined || typeof chosen.name !== "string") {
    throw invalid("No function tool of this name is offered.", "/tools");
  }
  return { name: chosen.name, parameters: chosen.parameters };
}

/** A schema for answers that must be a JSON object of any kind. */
export const anyObject = { type: "object", properties: { simulated: { const: true } } };

/** A refusal such as a provider gives. */
export function invalid(message: string, where: string): PlatformError {
  return new PlatformError("request_invalid", message, { where });
}
