/** Pairs the calls of a conversation with their results and with what ran. */

import type { ToolDefinition, ToolResult } from "../../model/evidence.ts";
import { keyOf } from "../value-key.ts";
import { definitionOf } from "../tool-names.ts";
import type { Conversation, Exchange, Execution, Turn } from "./conversation.ts";
import { parseArguments } from "./parse-arguments.ts";

type Open = { -readonly [Field in keyof Exchange]: Exchange[Field] };

/** The conversation of these turns. Results pair by id, and without one by name and order. */
export function pairExchanges(
  turns: readonly Turn[],
  executions: readonly Execution[],
  changeMicros: readonly number[] = [],
): Conversation {
  const exchanges: Open[] = [];
  const byId = new Map<string, Open>();
  /** The calls before this place all have a result, so that no scan begins at the start again. */
  let firstOpen = 0;
  let advertised: readonly ToolDefinition[] | undefined;
  const take = (turn: Turn, index: number): void => {
    for (const result of turn.results) {
      while (exchanges[firstOpen]?.result !== undefined) firstOpen += 1;
      const open = openOf(result, { exchanges, byId, firstOpen });
      if (open === undefined) continue;
      open.result = result;
      open.resultTurn = index;
    }
  };
  for (const [index, turn] of turns.entries()) {
    const hasOwnResults = turn.role === "assistant" && turn.calls.length > 0;
    if (!hasOwnResults) take(turn, index);
    advertised = turn.tools ?? advertised;
    for (const call of turn.calls) {
      const open: Open = {
        call,
        tool: call.name,
        given: parseArguments(call.arguments),
        turn: index,
        definition: definitionOf(call.name, turn.tools ?? advertised ?? []),
        result: undefined,
        resultTurn: turns.length,
        execution: undefined,
        reference: { evidenceId: turn.evidenceId, locator: call.pointer },
        timeMicros: turn.timeMicros,
      };
      exchanges.push(open);
      if (call.callId !== undefined) byId.set(call.callId, open);
    }
    // Providers' own tools, and what user interfaces keep, have call and result in one turn.
    if (hasOwnResults) take(turn, index);
  }
  const strays = pairExecutions(exchanges, executions, turns.length);
  return { turns, exchanges, strays, isWhole: beginsAtTheBeginning(turns), changeMicros };
}

function openOf(
  result: ToolResult,
  {
    exchanges,
    byId,
    firstOpen,
  }: { exchanges: readonly Open[]; byId: ReadonlyMap<string, Open>; firstOpen: number },
): Open | undefined {
  const known = result.callId === undefined ? undefined : byId.get(result.callId);
  if (known !== undefined) return known.result === undefined ? known : undefined;
  for (let index = firstOpen; index < exchanges.length; index += 1) {
    const open = exchanges[index];
    if (open === undefined || open.result !== undefined) continue;
    if (result.callId !== undefined && open.call.callId !== undefined) continue;
    if (result.name === undefined || result.name === open.tool) return open;
  }
  return undefined;
}

/** By id; then by equal arguments; and the one that is left of a tool with the one that is left. */
function pairExecutions(
  exchanges: readonly Open[],
  executions: readonly Execution[],
  turnCount: number,
): Execution[] {
  const byId = new Map(
    exchanges.flatMap((open) =>
      open.call.callId === undefined ? [] : [[open.call.callId, open] as const],
    ),
  );
  const rest = executions.filter((execution) => {
    const open = execution.callId === undefined ? undefined : byId.get(execution.callId);
    if (open === undefined || open.execution !== undefined) return true;
    attach(open, execution, turnCount);
    return false;
  });
  const strays: Execution[] = [];
  for (const [tool, group] of Map.groupBy(rest, (execution) => execution.tool)) {
    const open = exchanges.filter((item) => item.tool === tool && item.execution === undefined);
    // Calls that were made at once may have begun in any order, so equal arguments come first.
    const others = group.filter((execution) => {
      const key = keyOf(parseArguments(execution.arguments));
      const same = open.find((item) => item.execution === undefined && keyOf(item.given) === key);
      if (execution.callId !== undefined || same === undefined) return true;
      attach(same, execution, turnCount);
      return false;
    });
    const left = open.filter((item) => item.execution === undefined);
    const [item, ...more] = left;
    const [execution] = others;
    const isPair = more.length === 0 && others.length === 1 && execution?.callId === undefined;
    // Where no arguments are recorded the order says which is which, and nothing can be compared wrongly.
    const isByOrder =
      left.length === others.length &&
      others.every(({ callId, arguments: given }) => callId === undefined && given === undefined);
    if (isPair && item !== undefined && execution !== undefined) attach(item, execution, turnCount);
    else if (isByOrder) {
      for (const [index, other] of others.entries()) {
        const next = left[index];
        if (next !== undefined) attach(next, other, turnCount);
      }
    } else strays.push(...others);
  }
  return strays;
}

function attach(open: Open, execution: Execution, turnCount: number): void {
  open.execution = execution;
  open.timeMicros = execution.startMicros ?? open.timeMicros;
  if (open.result !== undefined || execution.result === undefined) return;
  open.result = execution.result;
  // Nobody saw the model read it, so it counts as read at once.
  open.resultTurn = Math.min(open.turn + 1, turnCount);
}

function beginsAtTheBeginning(turns: readonly Turn[]): boolean {
  const first = turns.find((turn) => turn.role !== "system");
  return first !== undefined && first.role === "user" && first.results.length === 0;
}
