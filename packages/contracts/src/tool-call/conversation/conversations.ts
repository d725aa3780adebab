/** The conversations of a snapshot, made once for all contracts that read them. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../../model/snapshot.ts";
import { tracesOf } from "../../traces/trace.ts";
import type { Conversation, Execution, Turn } from "./conversation.ts";
import { conversationsOfTrace } from "./from-trace.ts";
import { executionsOfTurns, turnsOfExecutions } from "./executions-of-turns.ts";
import { pairExchanges } from "./pair-exchanges.ts";

/** A memory and no state: the same snapshot always has the same conversations. */
const conversationsBySnapshot = new WeakMap<Snapshot, readonly Conversation[]>();

/**
 * The conversations of a snapshot: its transcripts, and those that the spans of its traces record. What ran in one piece
 * of evidence belongs to the call of another that bears its id.
 */
export function conversationsOf(snapshot: Snapshot): readonly Conversation[] {
  const known = conversationsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const transcripts = evidenceOfKind(snapshot, "transcript").map((evidence) =>
    evidence.content.turns.map((turn) => located(turn, evidence.id)),
  );
  const recorded = tracesOf(snapshot).flatMap((trace) => conversationsOfTrace(trace));
  const seen = [
    ...transcripts.map((turns) => ({ turns, executions: executionsOfTurns(turns) })),
    ...recorded,
  ];
  const conversations = withForeignExecutions(seen).flatMap(
    ({ turns, executions, changeMicros }) => {
      if (turns.length > 0) return [pairExchanges(turns, executions, changeMicros)];
      return executions.length > 0
        ? [pairExchanges(turnsOfExecutions(executions), [], changeMicros)]
        : [];
    },
  );
  conversationsBySnapshot.set(snapshot, conversations);
  return conversations;
}

function located(turn: TranscriptTurn, evidenceId: string): Turn {
  return { ...turn, evidenceId };
}

interface Seen {
  readonly turns: readonly Turn[];
  readonly executions: readonly Execution[];
  readonly changeMicros?: readonly number[];
}

/** What ran with the id of a call goes where the call stands, when exactly one conversation has that id. */
function withForeignExecutions(seen: readonly Seen[]): readonly Seen[] {
  if (seen.length < 2) return seen;
  const homes = new Map<string, Set<number>>();
  for (const [index, { turns }] of seen.entries()) {
    if (isServerLog(turns)) continue;
    for (const { callId, name } of turns.flatMap((turn) => turn.calls)) {
      if (callId === undefined) continue;
      const key = `${callId}\n${name}`;
      homes.set(key, (homes.get(key) ?? new Set()).add(index));
    }
  }
  const added = new Map<number, Execution[]>();
  const kept = seen.map(({ turns, executions, changeMicros = [] }, index) => ({
    turns,
    changeMicros,
    executions: executions.filter((execution) => {
      if (execution.callId === undefined) return true;
      const home = homes.get(`${execution.callId}\n${execution.tool}`);
      const [only] = home ?? [];
      if (home?.size !== 1 || only === undefined || only === index) return true;
      added.set(only, [...(added.get(only) ?? []), execution]);
      return false;
    }),
  }));
  return kept.map((item, index) => ({
    turns: item.turns,
    changeMicros: item.changeMicros,
    executions: [...item.executions, ...(added.get(index) ?? [])],
  }));
}

/** A log of a server holds what ran, and nobody's words. */
function isServerLog(turns: readonly Turn[]): boolean {
  return turns.every(
    ({ text, calls }) =>
      text === undefined && calls.every((call) => call.executedArguments !== undefined),
  );
}
