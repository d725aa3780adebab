/** Gathers the calls of tools from transcripts and from traces. */

import type { ToolDefinition } from "../model/evidence.ts";
import type { EvidenceOf } from "../model/snapshot.ts";
import { advertisedBy, toolOfSpan } from "../readers/transcript/span-messages.ts";
import { readTools } from "../readers/transcript/tools.ts";
import type { Trace } from "../traces/trace.ts";
import { conversationsOfTrace } from "./conversation/from-trace.ts";
import { pairExchanges } from "./conversation/pair-exchanges.ts";
import type { ToolUse } from "./tool-use.ts";
import { modelSpansOf } from "./model-spans.ts";

/** The calls of a transcript, each with the tools of its turn. */
export function usesOfTranscript(evidence: EvidenceOf<"transcript">): ToolUse[] {
  const { turns } = evidence.content;
  const everywhere = new Set(turns.flatMap((turn) => turn.tools ?? []).map((tool) => tool.name));
  return turns.flatMap((turn) =>
    turn.calls.map((call) => ({
      tool: call.name,
      arguments: call.arguments,
      advertised: turn.tools,
      areToolsPartial: turn.areToolsPartial === true,
      advertisedElsewhere: everywhere,
      evidenceId: evidence.id,
      locator: call.pointer,
    })),
  );
}

/**
 * The calls of a trace: those that models emitted, and what ran without a call that was seen. The tools of a call are those
 * of the span that emitted it, else of the latest span before it that advertised any.
 */
export function usesOfTrace(trace: Trace): ToolUse[] {
  const indices = modelSpansOf(trace);
  if (indices.length === 0) return [];
  const advertisements = advertisementsOf(trace, indices);
  const everywhere = new Set(advertisements.flatMap(({ tools }) => tools.map((tool) => tool.name)));
  const advertisedAt = (micros: number): Advertisement | undefined =>
    advertisements.findLast((item) => item.startMicros <= micros);
  const use = (
    tool: string,
    given: unknown,
    place: { readonly evidenceId: string; readonly locator: string; readonly startMicros: number },
  ): ToolUse => {
    const known = advertisedAt(place.startMicros);
    return {
      tool,
      arguments: given,
      advertised: known?.tools,
      areToolsPartial: known?.isPartial === true,
      advertisedElsewhere: everywhere,
      evidenceId: place.evidenceId,
      locator: place.locator,
    };
  };
  const uses: ToolUse[] = [];
  const emitted = new Set<string>();
  for (const { turns, executions } of conversationsOfTrace(trace)) {
    const { exchanges } = pairExchanges(turns, executions);
    for (const { call, execution, reference, turn } of exchanges) {
      const { locator = "" } = reference;
      const at = trace.indexOf(locator);
      // A call that only the span of its execution records is judged as it ran.
      if (at !== undefined && toolOfSpan(trace.span(at)) !== undefined) continue;
      if (execution?.reference.locator !== undefined) emitted.add(execution.reference.locator);
      const startMicros = at === undefined ? 0 : trace.span(at).startMicros;
      const made = use(call.name, call.arguments, { ...reference, locator, startMicros });
      const { tools, areToolsPartial } = turns[turn] ?? {};
      uses.push(
        tools === undefined
          ? made
          : { ...made, advertised: tools, areToolsPartial: areToolsPartial === true },
      );
    }
  }
  for (const index of indices) {
    const span = trace.span(index);
    const tool = toolOfSpan(span);
    if (tool === undefined || emitted.has(span.spanId)) continue;
    uses.push(
      use(tool.name, tool.arguments, {
        evidenceId: trace.evidenceIdOf(index),
        locator: span.spanId,
        startMicros: span.startMicros,
      }),
    );
  }
  return uses;
}

interface Advertisement {
  readonly startMicros: number;
  readonly tools: readonly ToolDefinition[];
  readonly isPartial: boolean;
}

/** The sets of tools that spans advertise, in order of time. */
function advertisementsOf(trace: Trace, indices: readonly number[]): Advertisement[] {
  return indices.flatMap((index) => {
    const span = trace.span(index);
    const list = advertisedBy(span);
    if (list === undefined) return [];
    const { tools, unreadCount } = readTools(list);
    return [{ startMicros: span.startMicros, tools, isPartial: unreadCount > 0 }];
  });
}
