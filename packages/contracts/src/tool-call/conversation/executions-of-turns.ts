/** What a transcript itself says about how its calls ran. */

import type { Execution, Turn } from "./conversation.ts";

/** The executions that stand beside the calls of a transcript. */
export function executionsOfTurns(turns: readonly Turn[]): Execution[] {
  return turns.flatMap((turn) =>
    turn.calls.flatMap((call) =>
      call.executedArguments === undefined
        ? []
        : [
            {
              tool: call.name,
              ...(call.callId === undefined ? {} : { callId: call.callId }),
              arguments: call.executedArguments,
              reference: { evidenceId: turn.evidenceId, locator: call.pointer },
            },
          ],
    ),
  );
}

/** Turns that stand for what ran where nobody saw a model ask for it. */
export function turnsOfExecutions(executions: readonly Execution[]): Turn[] {
  return executions.flatMap((execution): Turn[] => {
    const { tool, callId, result, startMicros, reference } = execution;
    const { evidenceId, locator: pointer = "" } = reference;
    const id = callId === undefined ? {} : { callId };
    const at = startMicros === undefined ? {} : { timeMicros: startMicros };
    const base = { calls: [], results: [], evidenceId, pointer, ...at };
    const call = { ...id, name: tool, arguments: execution.arguments, pointer };
    return [
      { ...base, role: "assistant", calls: [call] },
      ...(result === undefined
        ? []
        : [{ ...base, role: "tool" as const, results: [{ ...result, ...id, name: tool }] }]),
    ];
  });
}
