/** The span of one operation, with the attributes of OpenTelemetry's GenAI conventions. */

import type { Attributes, Span } from "@faultline/contracts/model";

import { ContentRedaction } from "../observation/captured-content.ts";
import type { AttemptUsage } from "./attempt-usage.ts";
import type { OperationRecord } from "./operation-record.ts";

export const gatewayService = "faultline-gateway";
const attemptEvent = "faultline.attempt";
const microsPerMs = 1_000;
const nanosPerMs = 1_000_000;
const msPerSecond = 1_000;

/** The span of an operation. */
export function operationSpan(record: OperationRecord): Span {
  return {
    traceId: record.trace.traceId,
    spanId: record.trace.spanId,
    ...(record.trace.parentSpanId === undefined ? {} : { parentSpanId: record.trace.parentSpanId }),
    name: `${record.operation} ${record.requestModel}`.trimEnd(),
    kind: "client",
    service: gatewayService,
    startMicros: record.startMs * microsPerMs,
    durationNanos: Math.round(record.durationMs * nanosPerMs),
    status: spanStatus(record),
    attributes: spanAttributes(record),
    resource: { "service.name": gatewayService },
    scope: { name: "faultline.gateway" },
    events: attemptEvents(record),
    links: [],
  };
}

/** Each attempt at its end: those that failed with what followed them, and the one that was answered. */
function attemptEvents(record: OperationRecord): Span["events"] {
  const events = record.attempts.map((attempt) => ({
    name: attemptEvent,
    timeMicros: Math.round((record.startMs + attempt.startedMs + attempt.durationMs) * microsPerMs),
    attributes: {
      "faultline.attempt.target": attempt.target,
      "faultline.attempt.failure": attempt.reason,
      "faultline.attempt.next": attempt.next,
      "faultline.attempt.duration_ms": Math.round(attempt.durationMs),
      ...usageAttributes(attempt.used),
    },
  }));
  const failedCount = record.attempts.filter(({ wasAsked }) => wasAsked).length;
  if (record.target === undefined || record.attemptCount <= failedCount) return events;
  const timeMicros = Math.round((record.startMs + record.durationMs) * microsPerMs);
  const attributes = {
    "faultline.attempt.target": record.target,
    // Of a single attempt the span itself says it.
    ...(events.length === 0 ? {} : usageAttributes(record.lastUsed)),
  };
  return [...events, { name: attemptEvent, timeMicros, attributes }];
}

/** What an attempt did for money: failed ones too. */
function usageAttributes(used: AttemptUsage | undefined): Attributes {
  if (used === undefined) return {};
  return known({
    "gen_ai.usage.input_tokens": used.usage.inputTokens,
    "gen_ai.usage.output_tokens": used.usage.outputTokens,
    "faultline.usage.source": used.source === "observed" ? "observed" : undefined,
    "faultline.cost.micros": exact(used.costMicros),
    "faultline.cost.price_version": used.priceVersion,
  });
}

function spanStatus(record: OperationRecord): Span["status"] {
  if (record.outcome === "completed") return { code: "ok" };
  if (record.outcome === "cancelled") return { code: "unset" };
  return {
    code: "error",
    ...(record.errorMessage === undefined ? {} : { message: record.errorMessage.slice(0, 4_096) }),
  };
}

function spanAttributes(record: OperationRecord): Attributes {
  const { usage } = record;
  return known({
    "gen_ai.operation.name": record.operation,
    "gen_ai.provider.name": record.provider,
    "gen_ai.request.model": record.requestModel === "" ? undefined : record.requestModel,
    "gen_ai.request.stream": record.stream,
    "gen_ai.request.max_tokens": record.maxTokens,
    "gen_ai.request.temperature": record.temperature,
    "gen_ai.request.top_p": record.topP,
    ...record.parameters,
    "gen_ai.response.id": record.responseId,
    "gen_ai.response.model": record.responseModel,
    "gen_ai.response.finish_reasons":
      record.finishReasons.length === 0 ? undefined : [...record.finishReasons],
    // A plain reply comes whole: when its first token was made, nobody outside the provider knows.
    "gen_ai.response.time_to_first_chunk": record.stream ? seconds(record.firstChunkMs) : undefined,
    "gen_ai.server.time_to_first_token": record.stream ? seconds(record.firstTokenMs) : undefined,
    "faultline.queue.seconds": seconds(record.queueMs),
    "faultline.loop_wait.seconds": seconds(record.loopWaitMs),
    "faultline.connect.seconds": seconds(record.connectMs),
    "faultline.inter_token.seconds": seconds(record.interTokenMs),
    "gen_ai.usage.input_tokens": usage?.inputTokens,
    "gen_ai.usage.output_tokens": usage?.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage?.cachedInputTokens,
    "gen_ai.usage.cache_creation.input_tokens": positive(usage?.cacheWriteInputTokens),
    "gen_ai.usage.reasoning.output_tokens": usage?.reasoningTokens,
    // Only what is unusual stands here: figures of the provider are the rule.
    "faultline.usage.source": record.usageSource === "observed" ? "observed" : undefined,
    "gen_ai.system_instructions": redacted(record.systemInstructions),
    "gen_ai.input.messages": redacted(record.inputMessages),
    "gen_ai.output.messages": redacted(record.outputMessages),
    "server.address": record.serverAddress,
    "server.port": record.serverPort,
    "http.response.status_code": record.status,
    "error.type": record.errorType,
    "faultline.operation.id": record.operationId,
    "faultline.operation.outcome": record.outcome,
    "faultline.bundle.hash": record.bundleHash,
    "faultline.bundle.name": record.bundleName,
    "faultline.alias": record.aliasName,
    "faultline.policy.refused_by": record.refusedBy,
    "faultline.policy.redacted_by":
      record.redactedBy.length === 0 ? undefined : [...record.redactedBy],
    "faultline.translation": record.translation,
    "faultline.target": record.target,
    "faultline.stream.id": record.streamId,
    "faultline.limit": record.limit,
    "faultline.attempts":
      record.attempts.length === 0
        ? undefined
        : record.attempts.map(({ target, reason }) => `${target}: ${reason}`),
    "faultline.attempt.count": record.attemptCount > 1 ? record.attemptCount : undefined,
    "faultline.key.id": record.keyId,
    "faultline.simulated": record.simulated ? true : undefined,
    // Micros fit a double up to nine billion dollars; beyond it the text is exact.
    "faultline.cost.micros": record.costMicros === undefined ? undefined : exact(record.costMicros),
    "faultline.cost.price_source": record.priceSource,
    "faultline.cost.price_version": record.priceVersion,
    "faultline.cache": record.cacheHit ? "hit" : undefined,
  });
}

function known(attributes: Record<string, Attributes[string] | undefined>): Attributes {
  const present: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) present[name] = value;
  }
  return present;
}

const redaction = new ContentRedaction();

function redacted(captured: string | undefined): string | undefined {
  return captured === undefined ? undefined : redaction.redact(captured);
}

function positive(count: number | undefined): number | undefined {
  return count === 0 ? undefined : count;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / msPerSecond;
}

function exact(micros: bigint): number | string {
  return micros <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(micros) : micros.toString();
}
