/**
 * An operation's record as text, from a worker to the control process. It is written as soon as the operation ends: a
 * record that waits as an object for its batch costs the collector more than most of what is done for a call. Values stand
 * in a fixed order without their names, and times are whole microseconds: names, and fractions to their last digit, would
 * be the most of what is written.
 */

import { assert } from "#kernel/index.ts";

import type { AttemptUsage } from "../calls/attempt-usage.ts";
import type { OperationRecord } from "../calls/operation-record.ts";
import type { ReplyUsage } from "../calls/reply-reader.ts";
import type { TraceContext } from "../calls/trace-context.ts";

/** Values as they are read: JSON has no `undefined` in a list, and says `null` for it. */
type Read<Values extends readonly unknown[]> = {
  readonly [Index in keyof Values]: undefined extends Values[Index]
    ? Values[Index] | null
    : Values[Index];
};

/** Writes a record that nothing changes any more. */
export function toOperationText(record: OperationRecord): string {
  return JSON.stringify(recordValues(record));
}

/** Reads what a worker of the same release wrote. Throws on what none wrote. */
export function fromOperationText(text: string): OperationRecord {
  // A worker wrote it; that it is a list of so many groups is all that is checked.
  const values = JSON.parse(text) as Read<ReturnType<typeof recordValues>>;
  assert(Array.isArray(values) && values.length === groupCount, "a record has all of its groups");
  const [origin, request, course, target, reply, usage] = values;
  return {
    ...readOrigin(origin),
    ...readRequest(request),
    ...readCourse(course),
    ...readTarget(target),
    ...readReply(reply),
    ...readUsage(usage),
  };
}

const groupCount = 6;

function recordValues(record: OperationRecord) {
  return [
    originValues(record),
    requestValues(record),
    courseValues(record),
    targetValues(record),
    replyValues(record),
    usageValues(record),
  ] as const;
}

function originValues({ operationId, trace, tenantId, keyId, startMs }: OperationRecord) {
  return [operationId, trace.header, trace.parentSpanId, tenantId, keyId, micros(startMs)] as const;
}

function readOrigin(values: Read<ReturnType<typeof originValues>>) {
  const [operationId, traceHeader, parentSpanId, tenantId, keyId, startMicros] = values;
  const trace = traceOf(traceHeader, known(parentSpanId));
  return { operationId, trace, tenantId, keyId, startMs: startMicros / microsPerMs };
}

function requestValues(record: OperationRecord) {
  return [
    record.operation,
    record.stream,
    record.requestModel,
    record.bundleHash,
    record.bundleName,
    record.aliasName,
    record.maxTokens,
    record.temperature,
    record.topP,
    record.parameters,
    record.systemInstructions,
    record.inputMessages,
  ] as const;
}

function readRequest(values: Read<ReturnType<typeof requestValues>>) {
  const [operation, stream, requestModel, bundleHash, bundleName, aliasName, ...further] = values;
  const [maxTokens, temperature, topP, parameters, systemInstructions, inputMessages] = further;
  return {
    operation,
    stream,
    requestModel,
    bundleHash: known(bundleHash),
    bundleName: known(bundleName),
    aliasName: known(aliasName),
    maxTokens: known(maxTokens),
    temperature: known(temperature),
    topP: known(topP),
    parameters: known(parameters),
    systemInstructions: known(systemInstructions),
    inputMessages: known(inputMessages),
  };
}

function courseValues(record: OperationRecord) {
  const { attempts } = record;
  return [
    micros(record.durationMs),
    micros(record.loopWaitMs),
    micros(record.queueMs),
    someMicros(record.connectMs),
    someMicros(record.firstChunkMs),
    someMicros(record.firstTokenMs),
    someMicros(record.interTokenMs),
    record.attemptCount,
    attempts.map(({ used, ...attempt }) => ({ attempt, used: usedValues(used) })),
  ] as const;
}

function readCourse(values: Read<ReturnType<typeof courseValues>>) {
  const [duration, loopWait, queue, connect, firstChunk, firstToken, interToken, ...further] =
    values;
  const [attemptCount, attempts] = further;
  return {
    durationMs: duration / microsPerMs,
    loopWaitMs: loopWait / microsPerMs,
    queueMs: queue / microsPerMs,
    connectMs: someMs(connect),
    firstChunkMs: someMs(firstChunk),
    firstTokenMs: someMs(firstToken),
    interTokenMs: someMs(interToken),
    attemptCount,
    attempts: attempts.map(({ attempt, used }) => ({ ...attempt, used: readUsed(used) })),
  };
}

function targetValues(record: OperationRecord) {
  const { provider, target, translation, simulated, serverAddress, serverPort } = record;
  return [provider, target, translation, simulated, serverAddress, serverPort] as const;
}

function readTarget(values: Read<ReturnType<typeof targetValues>>) {
  const [provider, target, translation, simulated, serverAddress, serverPort] = values;
  return {
    provider: known(provider),
    target: known(target),
    translation: known(translation),
    simulated,
    serverAddress: known(serverAddress),
    serverPort: known(serverPort),
  };
}

function replyValues(record: OperationRecord) {
  return [
    record.outcome,
    record.status,
    record.errorType,
    record.errorMessage,
    record.refusedBy,
    record.redactedBy,
    record.streamId,
    record.limit,
    record.responseId,
    record.responseModel,
    record.finishReasons,
    record.cacheHit,
    record.outputMessages,
  ] as const;
}

function readReply(values: Read<ReturnType<typeof replyValues>>) {
  const [outcome, status, errorType, errorMessage, refusedBy, redactedBy, ...further] = values;
  const [streamId, limit, responseId, responseModel, finishReasons, cacheHit, outputMessages] =
    further;
  return {
    outcome,
    status: known(status),
    errorType: known(errorType),
    errorMessage: known(errorMessage),
    refusedBy: known(refusedBy),
    redactedBy,
    streamId: known(streamId),
    limit: known(limit),
    responseId: known(responseId),
    responseModel: known(responseModel),
    finishReasons,
    cacheHit,
    outputMessages: known(outputMessages),
  };
}

function usageValues(record: OperationRecord) {
  return [
    tokenValues(record.usage),
    record.usageSource,
    // JSON has no integers of any size: an amount stands in it as a decimal text.
    record.costMicros?.toString(),
    record.priceSource,
    record.priceVersion,
    usedValues(record.lastUsed),
  ] as const;
}

function readUsage(values: Read<ReturnType<typeof usageValues>>) {
  const [tokens, usageSource, costMicros, priceSource, priceVersion, lastUsed] = values;
  return {
    usage: tokensOf(tokens),
    usageSource: known(usageSource),
    costMicros: costMicros === undefined || costMicros === null ? undefined : BigInt(costMicros),
    priceSource: known(priceSource),
    priceVersion: known(priceVersion),
    lastUsed: readUsed(lastUsed),
  };
}

function usedValues(used: AttemptUsage | undefined) {
  if (used === undefined) return undefined;
  const { usage, source, costMicros, priceSource, priceVersion } = used;
  return [tokenList(usage), source, costMicros.toString(), priceSource, priceVersion] as const;
}

function readUsed(values: ReturnType<typeof usedValues> | null): AttemptUsage | undefined {
  if (values === undefined || values === null) return undefined;
  const [tokens, source, costMicros, priceSource, priceVersion] = values;
  const usage = usageOf(tokens);
  return { usage, source, costMicros: BigInt(costMicros), priceSource, priceVersion };
}

function tokenValues(usage: ReplyUsage | undefined): ReturnType<typeof tokenList> | undefined {
  return usage === undefined ? undefined : tokenList(usage);
}

function tokensOf(values: ReturnType<typeof tokenValues> | null): ReplyUsage | undefined {
  return values === undefined || values === null ? undefined : usageOf(values);
}

function tokenList(usage: ReplyUsage) {
  const { inputTokens, cachedInputTokens, cacheWriteInputTokens } = usage;
  const { outputTokens, reasoningTokens } = usage;
  return [
    inputTokens,
    cachedInputTokens,
    cacheWriteInputTokens,
    outputTokens,
    reasoningTokens,
  ] as const;
}

function usageOf(values: ReturnType<typeof tokenList>): ReplyUsage {
  const [inputTokens, cachedInputTokens, cacheWriteInputTokens, outputTokens, reasoningTokens] =
    values;
  return {
    inputTokens,
    cachedInputTokens,
    cacheWriteInputTokens,
    outputTokens,
    reasoningTokens,
  };
}

/** The header that went to the provider has the other ids of the trace in it, at fixed places. */
function traceOf(header: string, parentSpanId: string | undefined): TraceContext {
  return { traceId: header.slice(3, 35), spanId: header.slice(36, 52), parentSpanId, header };
}

const microsPerMs = 1_000;

function micros(ms: number): number {
  return Math.round(ms * microsPerMs);
}

function someMicros(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : micros(ms);
}

function someMs(micros: number | null | undefined): number | undefined {
  return micros === undefined || micros === null ? undefined : micros / microsPerMs;
}

function known<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
