/** Gathers the calls of tools from transcripts and from traces. */

import type { ToolDefinition } from "../model/evidence.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import type { AttributeValue, Span } from "../model/span.ts";
import { readTools } from "../readers/transcript/tools.ts";
import type { ToolUse } from "./tool-use.ts";

/** The calls of a transcript, each with the tools of its turn. */
export function usesOfTranscript(evidence: EvidenceOf<"transcript">): ToolUse[] {
  const { turns } = evidence.content;
  const everywhere = new Set(turns.flatMap((turn) => turn.tools ?? []).map((tool) => tool.name));
  return turns.flatMap((turn) =>
    turn.calls.map((call) => ({
      tool: call.name,
      arguments: call.arguments,
      advertised: turn.tools,
      advertisedElsewhere: everywhere,
      evidenceId: evidence.id,
      locator: call.pointer,
    })),
  );
}

/**
 * The calls of a trace: its spans of the operation `execute_tool`, by OpenTelemetry's conventions for generative AI. The
 * tools of a call are those of the latest span before it that advertised any.
 */
export function usesOfTrace(evidence: EvidenceOf<"trace">): ToolUse[] {
  const { spans } = evidence.content;
  const executions = spans.filter(isToolExecution);
  if (executions.length === 0) return [];
  const advertisements = spans
    .flatMap((span) => {
      const tools = advertisedBy(span);
      return tools === undefined ? [] : [{ startMicros: span.startMicros, tools }];
    })
    .sort((left, right) => left.startMicros - right.startMicros);
  const everywhere = new Set(advertisements.flatMap(({ tools }) => tools.map((tool) => tool.name)));
  return executions.flatMap((span) => {
    const given = span.attributes["gen_ai.tool.call.arguments"];
    return [
      {
        tool: toolNameOf(span),
        arguments: given,
        advertised: advertisements.findLast((item) => item.startMicros <= span.startMicros)?.tools,
        advertisedElsewhere: everywhere,
        evidenceId: evidence.id,
        locator: span.spanId,
      },
    ];
  });
}

function isToolExecution(span: Span): boolean {
  return (
    span.attributes["gen_ai.operation.name"] === "execute_tool" ||
    (span.name.startsWith("execute_tool ") && toolNameOf(span) !== "")
  );
}

function toolNameOf(span: Span): string {
  const name = span.attributes["gen_ai.tool.name"];
  return typeof name === "string" ? name : span.name.replace(/^execute_tool\s*/, "");
}

/** The definitions on a span, as structured attributes or as JSON text. */
function advertisedBy(span: Span): ToolDefinition[] | undefined {
  const list = listOf(span.attributes["gen_ai.tool.definitions"]);
  return list === undefined ? undefined : readTools(list).tools;
}

function listOf(value: AttributeValue | undefined): readonly unknown[] | undefined {
  if (Array.isArray(value))
    return value.map((item) => (typeof item === "string" ? (parsed(item) ?? item) : item));
  if (typeof value !== "string") return undefined;
  const list = parsed(value);
  return Array.isArray(list) ? list : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An attribute that was cut at its length limit is no list of definitions.
    return undefined;
  }
}
