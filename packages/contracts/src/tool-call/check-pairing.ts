/** Calls and results belong together: each result answers one call, and each call is answered before the talk goes on. */

import type { EvidenceId, ToolCall, ToolResult, TranscriptTurn } from "../model/evidence.ts";
import type { Fault } from "./fault.ts";

interface OpenCall {
  readonly call: ToolCall;
  isAnswered: boolean;
}

/** The faults of pairing in one transcript. A transcript may end before its last calls are answered. */
export function pairingFaults(turns: readonly TranscriptTurn[], evidenceId: EvidenceId): Fault[] {
  const faults: Fault[] = [];
  /** The latest call of each id. */
  const byId = new Map<string, OpenCall>();
  const nameless: OpenCall[] = [];
  let open: OpenCall[] = [];
  for (const turn of turns) {
    for (const result of turn.results)
      faults.push(...answer(result, { byId, nameless, evidenceId }));
    const talksOn = turn.role === "user" || turn.role === "assistant";
    // Calls and results of one conversation may come as items of their own, so more calls do not end the wait.
    const isMoreCalls =
      turn.role === "assistant" && turn.calls.length > 0 && turn.text === undefined;
    if (talksOn && turn.results.length === 0 && !isMoreCalls) {
      faults.push(
        ...open.filter((item) => !item.isAnswered).map((item) => unanswered(item, evidenceId)),
      );
      open = [];
    }
    for (const call of turn.calls) {
      const item = { call, isAnswered: false };
      open.push(item);
      if (call.callId === undefined) nameless.push(item);
      else {
        const other = byId.get(call.callId);
        if (other !== undefined && !other.isAnswered) faults.push(duplicate(call, evidenceId));
        byId.set(call.callId, item);
      }
    }
    open = open.filter((item) => !item.isAnswered);
  }
  return faults;
}

function answer(
  result: ToolResult,
  {
    byId,
    nameless,
    evidenceId,
  }: { byId: Map<string, OpenCall>; nameless: OpenCall[]; evidenceId: EvidenceId },
): Fault[] {
  const item =
    result.callId === undefined ? takeNameless(result, nameless) : byId.get(result.callId);
  if (item === undefined) return [unasked(result, evidenceId)];
  if (item.isAnswered) return [secondAnswer(item, result, evidenceId)];
  item.isAnswered = true;
  return [];
}

/** Formats without ids pair by name and order. */
function takeNameless(result: ToolResult, nameless: readonly OpenCall[]): OpenCall | undefined {
  const waiting = nameless.filter((item) => !item.isAnswered);
  return waiting.find((item) => result.name === undefined || item.call.name === result.name);
}

function unanswered({ call }: OpenCall, evidenceId: EvidenceId): Fault {
  return {
    kind: "call-without-result",
    tool: call.name,
    what: "was called and the conversation went on without a result",
    expected: "a result with the id of the call before the next turn",
    actual: "no result",
    pointer: "",
    fix: "Send a result for every call, also when the tool failed or was refused.",
    evidenceId,
    locator: call.pointer,
  };
}

function unasked(result: ToolResult, evidenceId: EvidenceId): Fault {
  return {
    kind: "result-without-call",
    tool: result.name ?? "(unknown tool)",
    what: "has a result that answers no call before it",
    expected: "a result that bears the id of a call made before",
    actual:
      result.callId === undefined
        ? "a result without an id, and no call waits"
        : "a result whose id no call has",
    pointer: "",
    fix: "Copy the id of the call into its result, and keep the message with the call in the conversation.",
    evidenceId,
    locator: result.pointer,
  };
}

function secondAnswer({ call }: OpenCall, result: ToolResult, evidenceId: EvidenceId): Fault {
  return {
    kind: "second-result",
    tool: call.name,
    what: "has two results for one call",
    expected: "one result for each call",
    actual: "a second result with the same id",
    pointer: "",
    fix: "Send one result for each call.",
    evidenceId,
    locator: result.pointer,
  };
}

function duplicate(call: ToolCall, evidenceId: EvidenceId): Fault {
  return {
    kind: "duplicate-call-id",
    tool: call.name,
    what: "was called with the id of another call that has no result yet",
    expected: "an id of its own for each call",
    actual: "an id that another call has",
    pointer: "",
    fix: "Give each call its own id: with equal ids no result can be told apart.",
    evidenceId,
    locator: call.pointer,
  };
}
