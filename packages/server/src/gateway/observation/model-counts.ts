/** What is counted for the calls of one model. */

import type { AttemptUsage } from "../calls/attempt-usage.ts";
import type { OperationOutcome, OperationRecord } from "../calls/operation-record.ts";
import { Histogram, type ObservedTrace } from "./histogram.ts";

/** Finish reasons that say that the answer was cut at a limit of tokens, in the words of each dialect. */
const truncations: ReadonlySet<string> = new Set([
  "length",
  "max_tokens",
  "model_context_window_exceeded",
  "incomplete",
]);

export class ModelCounts {
  readonly labels: { readonly provider: string; readonly model: string };
  readonly outcomes: Record<OperationOutcome, number> = { completed: 0, cancelled: 0, failed: 0 };
  inputTokens = 0;
  outputTokens = 0;
  cachedInputTokens = 0;
  cacheWriteInputTokens = 0;
  reasoningTokens = 0;
  costMicros = 0;
  truncationCount = 0;
  readonly queue = new Histogram();
  readonly connect = new Histogram();
  readonly firstToken = new Histogram();
  readonly interToken = new Histogram();
  readonly duration = new Histogram();

  constructor(provider: string, model: string) {
    this.labels = { provider, model };
  }

  /** Counts an operation that has ended. */
  observe(record: OperationRecord): void {
    const trace: ObservedTrace = {
      traceId: record.trace.traceId,
      timeMs: record.startMs + record.durationMs,
    };
    this.outcomes[record.outcome] += 1;
    this.queue.observe(record.queueMs, trace);
    this.duration.observe(record.durationMs, trace);
    if (record.connectMs !== undefined) this.connect.observe(record.connectMs, trace);
    if (record.stream && record.firstTokenMs !== undefined) {
      this.firstToken.observe(record.firstTokenMs, trace);
    }
    if (record.interTokenMs !== undefined) this.interToken.observe(record.interTokenMs, trace);
    if (record.finishReasons.some((reason) => truncations.has(reason))) this.truncationCount += 1;
  }

  /** Counts what one attempt with this model used. */
  countUsage({ usage, costMicros }: AttemptUsage): void {
    // A float is exact up to nine billion dollars, far beyond what one process sees.
    this.costMicros += Number(costMicros);
    this.inputTokens += usage.inputTokens;
    this.outputTokens += usage.outputTokens;
    this.cachedInputTokens += usage.cachedInputTokens;
    this.cacheWriteInputTokens += usage.cacheWriteInputTokens;
    this.reasoningTokens += usage.reasoningTokens;
  }
}
