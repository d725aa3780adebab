/** A conversation as expressions see it: turns, and calls with the results that answered them. */

import type { ToolCall, ToolResult, TranscriptContent } from "../model/evidence.ts";
import { parseForeignJson } from "../text/foreign-json.ts";

/** A call and where it stands. */
export interface CallItem {
  readonly value: unknown;
  readonly tool: string;
  readonly pointer: string;
}

/** The value of a conversation, and its calls in order. */
export function transcriptItem({ turns }: TranscriptContent): {
  readonly value: unknown;
  readonly calls: readonly CallItem[];
} {
  const results = new Map<string, ToolResult>();
  for (const result of turns.flatMap((turn) => turn.results)) {
    if (result.callId !== undefined) results.set(result.callId, result);
  }
  const byTurn = turns.map((turn) => turn.calls.map((call) => callItem(call, results)));
  const calls = byTurn.flat();
  const value = {
    calls: calls.map((call) => call.value),
    turns: turns.map((turn, index) => ({
      role: turn.role,
      text: turn.text ?? "",
      calls: (byTurn[index] ?? []).map((call) => call.value),
      tools: (turn.tools ?? []).map((tool) => tool.name),
    })),
  };
  return { value, calls };
}

function callItem(call: ToolCall, results: ReadonlyMap<string, ToolResult>): CallItem {
  const result = call.callId === undefined ? undefined : results.get(call.callId);
  return {
    tool: call.name,
    pointer: call.pointer,
    value: {
      tool: call.name,
      arguments: parsed(call.arguments),
      ...(call.callId === undefined ? {} : { callId: call.callId }),
      isAnswered: result !== undefined,
      isError: result?.isError ?? false,
      ...(result === undefined ? {} : { result: parsed(result.content) }),
    },
  };
}

/** Text that is JSON as its value, because models and tools write JSON into text. */
function parsed(content: unknown): unknown {
  if (typeof content !== "string") return content;
  try {
    return parseForeignJson(content);
  } catch {
    // Text that is no JSON is text.
    return content;
  }
}
