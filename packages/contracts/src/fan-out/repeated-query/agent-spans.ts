/** What agents do, as spans of several conventions record it: runs of tools, embeddings, and who asked for them. */

import type { AttributeValue, Span } from "../../model/span.ts";
import { isFields } from "../../model/fields.ts";
import { parsedJson } from "../../text/json-text.ts";
import { textOf } from "../../traces/call.ts";
import { mark } from "../../traces/marks.ts";
import type { Trace } from "../../traces/trace.ts";
import { sentryOperationOf } from "../../traces/vendor-span.ts";

/** What a span of an agent does. */
export type AgentWork = "agent" | "tool" | "model" | "embeddings";

/** What a span does, or `undefined` when it is no work of an agent. */
export function agentWorkOf(span: Span, marks: number): AgentWork | undefined {
  if ((marks & (mark.genAi | mark.vendor)) === 0) return undefined;
  const { attributes } = span;
  const word =
    textOf(
      attributes,
      "gen_ai.operation.name",
      "openinference.span.kind",
      "traceloop.span.kind",
      "llm.request.type",
    ) ??
    sentryOperationOf(span, marks) ??
    textOf(attributes, "ai.operationId");
  if (word === undefined) return undefined;
  if (/^(?:gen_ai\.)?(?:invoke_agent|agent|workflow)$/i.test(word)) return "agent";
  if (/^(?:gen_ai\.)?execute_tool|^tool$|^ai\.toolcall$/i.test(word)) return "tool";
  if (/^(?:gen_ai\.)?embeddings?$|^ai\.embed/i.test(word)) return "embeddings";
  return /^(?:gen_ai\.)?(?:chat|text_completion|generate_content|completion|llm)$|^ai\.(?:generate|stream)\w+\.do\w+$/i.test(
    word,
  )
    ? "model"
    : undefined;
}

/** The name of the tool that a span runs. */
export function toolNameOf({ attributes, name }: Span): string {
  return (
    textOf(
      attributes,
      "gen_ai.tool.name",
      "tool.name",
      "ai.toolCall.name",
      "traceloop.entity.name",
    ) ?? name.replace(/^execute_tool\s+/, "")
  );
}

/** Characters of arguments that are read. */
const argumentsLengthMax = 16_384;

/** The arguments that a tool was run with; `undefined` when they are not recorded or no object. */
export function toolArgumentsOf({
  attributes,
}: Span): Readonly<Record<string, unknown>> | undefined {
  for (const name of [
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.arguments",
    "gen_ai.tool.input",
    "tool.parameters",
    "ai.toolCall.args",
    "traceloop.entity.input",
    "input.value",
  ]) {
    const parsed = objectOf(attributes[name]);
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

function objectOf(
  value: AttributeValue | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const parsed = typeof value === "string" ? parse(value) : value;
  return isFields(parsed) ? parsed : undefined;
}

function parse(text: string): unknown {
  // What is no JSON has no arguments that could be compared.
  return text.length > argumentsLengthMax ? undefined : parsedJson(text);
}

/** The tools that a model was offered by a span, as far as it records them as JSON. */
export function offeredToolsOf({ attributes }: Span): unknown[] {
  for (const name of [
    "gen_ai.tool.definitions",
    "gen_ai.request.tools",
    "llm.tools",
    "ai.prompt.tools",
  ]) {
    const value = attributes[name];
    const list = typeof value === "string" ? parseLong(value) : value;
    if (Array.isArray(list)) {
      return list.map((item) => (typeof item === "string" ? parseLong(item) : item));
    }
  }
  return [];
}

function parseLong(text: string): unknown {
  return text.length > 4 * argumentsLengthMax ? undefined : parse(text);
}

/** How many texts an embedding took at once; `undefined` when the span does not tell. */
export function embeddedCountOf({ attributes }: Span): number | undefined {
  let count = 0;
  for (const name in attributes) {
    if (/^embedding\.embeddings\.\d+\.embedding\.text$/.test(name)) count += 1;
  }
  if (count > 0) return count;
  const input = attributes["gen_ai.input.texts"] ?? attributes["ai.values"];
  if (Array.isArray(input)) return input.length;
  return typeof attributes["ai.value"] === "string" ? 1 : undefined;
}

/** Ancestors that are asked whose work a span is. */
const ownerDepthMax = 256;

/** The agent, tool or request whose work a span is part of: its index, or -1. */
export function ownerOf(trace: Trace, index: number): number {
  let at = trace.parents[index] ?? -1;
  let last = -1;
  for (let depth = 0; at >= 0 && depth < ownerDepthMax; depth += 1) {
    const span = trace.span(at);
    const work = agentWorkOf(span, trace.marksOf(at));
    if (work === "agent" || work === "tool") return at;
    if (span.kind === "server" || span.kind === "consumer") return at;
    last = at;
    at = trace.parents[at] ?? -1;
  }
  return last;
}
