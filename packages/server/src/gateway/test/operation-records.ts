/** Records of operations for tests: one of which nothing is known but who asked, and one of which everything is. */

import type { KeyId, OperationId, TenantId } from "@faultline/protocol";

import type { OperationRecord } from "../calls/operation-record.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

/** A record that nothing was written into. */
export function emptyRecord(operationId: string): OperationRecord {
  return {
    // Ids of tests need no form.
    operationId: operationId as OperationId,
    tenantId: "acme" as TenantId,
    keyId: "key" as KeyId,
    trace: { traceId, spanId, parentSpanId: undefined, header: `00-${traceId}-${spanId}-01` },
    startMs: 0,
    operation: "chat",
    stream: false,
    requestModel: "m",
    durationMs: 0,
    loopWaitMs: 0,
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

/** A record in which everything stands, and nothing twice. */
export function fullRecord(): OperationRecord {
  return {
    ...emptyRecord("operation"),
    trace: {
      traceId,
      spanId,
      parentSpanId: "b7ad6b7169203331",
      header: `00-${traceId}-${spanId}-00`,
    },
    startMs: 1_764_312_345_678.125,
    operation: "text_completion",
    stream: true,
    requestModel: "request-model",
    durationMs: 101.5,
    loopWaitMs: 1.25,
    queueMs: 2.5,
    connectMs: 3.75,
    outcome: "completed",
    bundleHash: "bundle-hash",
    bundleName: "bundle-name",
    aliasName: "alias-name",
    refusedBy: "refused-by",
    redactedBy: ["redacted-by", "redacted-too"],
    translation: "chat to messages",
    attemptCount: 2,
    attempts: failedAttempts(),
    lastUsed: usedOf(20),
    errorType: "provider_status_500",
    errorMessage: 'an "error"\nof two lines',
    status: 200,
    provider: "provider",
    target: "target",
    streamId: "stream-id",
    limit: "limit",
    simulated: true,
    serverAddress: "server-address",
    serverPort: 443,
    responseId: "response-id",
    responseModel: "response-model",
    finishReasons: ["stop", "length"],
    usage: tokensOf(30),
    usageSource: "observed",
    costMicros: 9_007_199_254_740_993n,
    priceSource: "price-source",
    priceVersion: "price-version",
    cacheHit: true,
    firstChunkMs: 7.5,
    firstTokenMs: 8.25,
    interTokenMs: 9.125,
    maxTokens: 64,
    temperature: 0.7,
    topP: 0.9,
    parameters: { "gen_ai.request.seed": 7 },
    systemInstructions: "system-instructions",
    inputMessages: "input-messages",
    outputMessages: "output-messages",
  };
}

function failedAttempts(): OperationRecord["attempts"] {
  return [
    {
      target: "first-target",
      reason: "overloaded",
      startedMs: 4.0625,
      durationMs: 5.5,
      next: "fallback",
      wasAsked: true,
      used: usedOf(10),
    },
    {
      target: "second-target",
      reason: "unavailable",
      startedMs: 6.5,
      durationMs: 0,
      next: "retry",
      wasAsked: false,
      used: undefined,
    },
  ];
}

function usedOf(first: number): OperationRecord["lastUsed"] {
  return {
    usage: tokensOf(first),
    source: "provider",
    costMicros: BigInt(first),
    priceSource: `price-source-${first}`,
    priceVersion: `price-version-${first}`,
  };
}

function tokensOf(first: number): NonNullable<OperationRecord["usage"]> {
  return {
    inputTokens: first,
    cachedInputTokens: first + 1,
    cacheWriteInputTokens: first + 2,
    outputTokens: first + 3,
    reasoningTokens: first + 4,
  };
}
