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
