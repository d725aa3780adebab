/** The faults of pairing in what spans record of a conversation. Spans may leave out results, so silence is no fault. */

import type { Trace } from "../traces/trace.ts";
import { pairingFaults } from "./check-pairing.ts";
import { conversationsOfTrace } from "./conversation/from-trace.ts";
import { pairExchanges } from "./conversation/pair-exchanges.ts";
import type { Fault } from "./fault.ts";

/** The faults of the conversations of a trace in which results are recorded. */
export function pairingFaultsOfTrace(trace: Trace): Fault[] {
  return conversationsOfTrace(trace).flatMap(({ turns, executions, isWithModel }) => {
    if (!isWithModel) return [];
    const { exchanges } = pairExchanges(turns, executions);
    const isRecordingResults = turns.some((turn) => turn.results.length > 0);
    const ran = new Set(
      exchanges.flatMap(({ execution, call }) =>
        execution?.result === undefined ? [] : [call.pointer + call.name],
      ),
    );
    const isSeen = new Set(
      exchanges.flatMap(({ execution, call }) =>
        execution === undefined ? [] : [call.pointer + call.name],
      ),
    );
    return pairingFaults(turns).filter(
      ({ kind, locator, tool }) =>
        kind !== "call-without-result" ||
        (!ran.has(locator + tool) && (isRecordingResults || isSeen.has(locator + tool))),
    );
  });
}
