/** The record of an operation as it begins: who asks, when, and nothing of what comes of it. */

import type { OperationId } from "@faultline/protocol";

import type { GatewayState } from "../workers/gateway-state.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { Arrival } from "./arrival.ts";

/** Makes the record; its attributes are filled as they become known. */
export function startRecord(state: GatewayState, arrival: Arrival): OperationRecord {
  const { ids, clock, traces } = state;
  const { surface, request, arrivedMs, handledMs } = arrival;
  const { key } = arrival.caller;
  const traceparent = request.headers["traceparent"];
  return {
    // The id source makes operation ids here and nowhere else.
    operationId: ids.next() as OperationId,
    trace: traces.continue(typeof traceparent === "string" ? traceparent : undefined),
    tenantId: key.tenantId,
    keyId: key.id,
    startMs: clock.nowMs() - (clock.monotonicMs() - arrivedMs),
    operation: surface.operation,
    stream: false,
    requestModel: "",
    durationMs: 0,
    loopWaitMs: handledMs - arrivedMs,
    queueMs: 0,
    connectMs: undefined,
    outcome: "failed",
    bundleHash: undefined,
    bundleName: undefined,
    aliasName: undefined,
    refusedBy: undefined,
    redactedBy: [],
    translation: undefined,
    attemptCount: 0,
    attempts: [],
    lastUsed: undefined,
    errorType: undefined,
    errorMessage: undefined,
    status: undefined,
    provider: undefined,
    target: undefined,
    streamId: undefined,
    limit: undefined,
    simulated: false,
    serverAddress: undefined,
    serverPort: undefined,
    responseId: undefined,
    responseModel: undefined,
    finishReasons: [],
    usage: undefined,
    usageSource: undefined,
    costMicros: undefined,
    priceSource: undefined,
    priceVersion: undefined,
    cacheHit: false,
    firstChunkMs: undefined,
    firstTokenMs: undefined,
    interTokenMs: undefined,
    maxTokens: undefined,
    temperature: undefined,
    topP: undefined,
    parameters: undefined,
    systemInstructions: undefined,
    inputMessages: undefined,
    outputMessages: undefined,
  };
}
