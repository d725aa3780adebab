/** One operation as a worker records it, and as the span that is stored. */

import { costMicros, type Target } from "#catalog/index.ts";
import type { Attributes, Span } from "@faultline/contracts";
import type { ErrorCode, KeyId, OperationId, TenantId } from "@faultline/protocol";

import type { ReplyUsage } from "./reply-reader.ts";
import type { TraceContext } from "./trace-context.ts";

/** How an operation ended. `failed` has an error code of ours or the provider's status as its class. */
export type OperationOutcome = "completed" | "cancelled" | "failed";

/** The facts of one operation; plain data, so that it can cross to the control process. */
export interface OperationRecord {
  readonly operationId: OperationId;
  readonly trace: TraceContext;
  readonly tenantId: TenantId;
  readonly keyId: KeyId;
  readonly startMs: number;
  stream: boolean;
  requestModel: string;
  durationMs: number;
  outcome: OperationOutcome;
  /** An error code, or `provider_status_500` when the provider itself answered so. */
  errorType: ErrorCode | `provider_status_${number}` | undefined;
  errorMessage: string | undefined;
  /** The status that the caller got; absent when it left before. */
  status: number | undefined;
  provider: string | undefined;
  simulated: boolean;
  serverAddress: string | undefined;
  serverPort: number | undefined;
  responseId: string | undefined;
  responseModel: string | undefined;
  finishReasons: readonly string[];
  usage: ReplyUsage | undefined;
  costMicros: bigint | undefined;
  priceSource: string | undefined;
  /** From the request's arrival to the first event of a stream, and to the first one that says something. */
  firstChunkMs: number | undefined;
  firstTokenMs: number | undefined;
  maxTokens: number | undefined;
  temperature: number | undefined;
  topP: number | undefined;
  /** Only for tenants whose capture is `content`. */
  inputMessages: string | undefined;
  outputMessages: string | undefined;
}

/** What the caller pays for the usage that the provider reported. */
export function priceUsage(target: Target, usage: ReplyUsage): bigint {
  return costMicros(target.price, usage);
}

export const gatewayService = "faultline-gateway";
const microsPerMs = 1_000;
const nanosPerMs = 1_000_000;
const msPerSecond = 1_000;

/** The span of an operation, with the attributes of OpenTelemetry's GenAI conventions. */
export function operationSpan(record: OperationRecord): Span {
  return {
    traceId: record.trace.traceId,
    spanId: record.trace.spanId,
    ...(record.trace.parentSpanId === undefined ? {} : { parentSpanId: record.trace.parentSpanId }),
    name: `chat ${record.requestModel}`.trimEnd(),
    kind: "client",
    service: gatewayService,
    startMicros: record.startMs * microsPerMs,
    durationNanos: Math.round(record.durationMs * nanosPerMs),
    status: spanStatus(record),
    attributes: spanAttributes(record),
    resource: { "service.name": gatewayService },
    scope: { name: "faultline.gateway" },
    events: [],
    links: [],
  };
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
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": record.provider,
    "gen_ai.request.model": record.requestModel === "" ? undefined : record.requestModel,
    "gen_ai.request.stream": record.stream,
    "gen_ai.request.max_tokens": record.maxTokens,
    "gen_ai.request.temperature": record.temperature,
    "gen_ai.request.top_p": record.topP,
    "gen_ai.response.id": record.responseId,
    "gen_ai.response.model": record.responseModel,
    "gen_ai.response.finish_reasons":
      record.finishReasons.length === 0 ? undefined : [...record.finishReasons],
    // A plain reply comes whole: when its first token was made, nobody outside the provider knows.
    "gen_ai.response.time_to_first_chunk": record.stream ? seconds(record.firstChunkMs) : undefined,
    "gen_ai.server.time_to_first_token": record.stream ? seconds(record.firstTokenMs) : undefined,
    "gen_ai.usage.input_tokens": usage?.inputTokens,
    "gen_ai.usage.output_tokens": usage?.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage?.cachedInputTokens,
    "gen_ai.usage.reasoning.output_tokens": usage?.reasoningTokens,
    "gen_ai.input.messages": record.inputMessages,
    "gen_ai.output.messages": record.outputMessages,
    "server.address": record.serverAddress,
    "server.port": record.serverPort,
    "http.response.status_code": record.status,
    "error.type": record.errorType,
    "faultline.operation.id": record.operationId,
    "faultline.operation.outcome": record.outcome,
    "faultline.key.id": record.keyId,
    "faultline.simulated": record.simulated ? true : undefined,
    // Micros fit a double up to nine billion dollars; beyond it the text is exact.
    "faultline.cost.micros": record.costMicros === undefined ? undefined : exact(record.costMicros),
    "faultline.cost.price_source": record.priceSource,
  });
}

function known(attributes: Record<string, Attributes[string] | undefined>): Attributes {
  const present: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) present[name] = value;
  }
  return present;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / msPerSecond;
}

function exact(micros: bigint): number | string {
  return micros <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(micros) : micros.toString();
}
