/** One operation as a worker records it: plain data, so that it can cross to the control process. */

import type { Attributes } from "@faultline/contracts/model";
import type { ErrorCode, KeyId, OperationId, TenantId } from "@faultline/protocol";

import type { AttemptUsage } from "./attempt-usage.ts";
import type { UsageSource } from "./observed-usage.ts";
import type { FailedAttempt } from "../dispatch/attempt-loop.ts";
import type { ReplyUsage } from "./reply-reader.ts";
import type { TraceContext } from "./trace-context.ts";

/** How an operation ended. `failed` has an error code of ours or the provider's status as its class. */
export type OperationOutcome = "completed" | "cancelled" | "failed";

/** The facts of one operation. */
export interface OperationRecord {
  readonly operationId: OperationId;
  readonly trace: TraceContext;
  readonly tenantId: TenantId;
  readonly keyId: KeyId;
  /** Wall time of its arrival. */
  startMs: number;
  /** `chat`, `text_completion`, `embeddings` or `count_tokens`. */
  readonly operation: string;
  stream: boolean;
  requestModel: string;
  /** From the request's arrival to the end. */
  durationMs: number;
  /** How long the request may have waited before the event loop came to it; a part of the duration. */
  loopWaitMs: number;
  /** How long it waited for places, of the process and of targets. */
  queueMs: number;
  /** Until the latest attempt had a connection. */
  connectMs: number | undefined;
  outcome: OperationOutcome;
  /** The version of a bundle that the caller asked for: its hash, its name, and the alias that led to it. */
  bundleHash: string | undefined;
  bundleName: string | undefined;
  aliasName: string | undefined;
  /** The rule of its safety policy that refused the reply, and those that took something out of request or reply. */
  refusedBy: string | undefined;
  redactedBy: readonly string[];
  /** Present when the provider speaks another dialect than the caller. */
  translation: string | undefined;
  /** Exchanges with targets. */
  attemptCount: number;
  /** What failed on the way, and what followed it. */
  attempts: readonly FailedAttempt[];
  /** What the attempt used that is not among those that failed: it was answered, left or cut off. */
  lastUsed: AttemptUsage | undefined;
  /** An error code, or `provider_status_500` when the provider itself answered so. */
  errorType: ErrorCode | `provider_status_${number}` | undefined;
  errorMessage: string | undefined;
  /** The status that the caller got; absent when it left before. */
  status: number | undefined;
  provider: string | undefined;
  /** The model that was asked last, by its id in the catalog. */
  target: string | undefined;
  /** Of a durable stream: what its readers ask for. */
  streamId: string | undefined;
  /** The scope of the limit that refused the call, and what was used up. */
  limit: string | undefined;
  simulated: boolean;
  serverAddress: string | undefined;
  serverPort: number | undefined;
  responseId: string | undefined;
  responseModel: string | undefined;
  finishReasons: readonly string[];
  /** Of all attempts together, and its cost at the prices of their targets. */
  usage: ReplyUsage | undefined;
  usageSource: UsageSource | undefined;
  costMicros: bigint | undefined;
  priceSource: string | undefined;
  /** Of the latest attempt. */
  priceVersion: string | undefined;
  /** A kept reply answered: nothing was used for it. */
  cacheHit: boolean;
  /** From the request's arrival to the first event of a stream, and to the first one that says something. */
  firstChunkMs: number | undefined;
  firstTokenMs: number | undefined;
  /** Mean time between two events of a stream after the first that says something. */
  interTokenMs: number | undefined;
  maxTokens: number | undefined;
  temperature: number | undefined;
  topP: number | undefined;
  /** Further parameters, as attributes of its span. */
  parameters: Attributes | undefined;
  /** Only for tenants whose capture is `content`. */
  systemInstructions: string | undefined;
  inputMessages: string | undefined;
  outputMessages: string | undefined;
}
