/**
 * Metrics of one worker, counted in plain numbers: the counters of `prom-client` hash their labels on every call. Labels
 * come from closed sets and the catalog, never from callers.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";

import type { LimitRefusal } from "../admission/limit-refusal.ts";
import type { OperationRecord } from "../calls/operation-record.ts";
import { type AbandonedWork, AbandonedWorkCounts } from "./abandoned-work.ts";
import type { CreditUse } from "../credit/tenant-credit.ts";
import { histogram } from "./histogram.ts";
import { counter, gauge, type MetricData, type MetricValue } from "./metric-data.ts";
import { ModelCounts } from "./model-counts.ts";

/** What else is shown, read when metrics are asked for. */
export interface GatewayGauges {
  readonly openOperations: () => number;
  readonly openStreams: () => number;
  readonly waitingOperations: () => number;
  readonly queueLength: () => number;
  readonly queueDroppedCount: () => number;
  readonly snapshotVersion: () => number;
  readonly credit: () => CreditUse;
}

const nanosPerSecond = 1e9;
const msPerSecond = 1_000;
const microsPerDollar = 1e6;

export class GatewayMetrics {
  readonly #gauges: GatewayGauges;
  readonly #models = new Map<string, ModelCounts>();
  readonly #failures = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #proxied = { passed: 0, unavailable: 0 };
  readonly #abandoned = new AbandonedWorkCounts();
  #loopWaitMs = 0;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(gauges: GatewayGauges) {
    this.#gauges = gauges;
    this.#loopDelay.enable();
  }

  /** Counts a finished operation. `modelId` is one of the catalog, or absent when the model is not. */
  observe(record: OperationRecord, modelId: string | undefined): void {
    const counts =
      modelId === undefined
        ? this.#countsOf("unknown", "none")
        : this.#countsOf(modelId, record.provider ?? "none");
    counts.observe(record);
    for (const { target, used } of record.attempts) {
      if (used !== undefined) this.#countsOf(target, providerOf(target)).countUsage(used);
    }
    if (record.lastUsed !== undefined) counts.countUsage(record.lastUsed);
    this.#loopWaitMs += record.loopWaitMs;
    if (record.errorType !== undefined) this.countFailure(record.errorType);
  }

  #countsOf(model: string, provider: string): ModelCounts {
    let counts = this.#models.get(model);
    if (counts === undefined) {
      counts = new ModelCounts(provider, model);
      this.#models.set(model, counts);
    }
    return counts;
  }

  /** Counts a request that failed, by its code; a provider's status counts as its class. */
  countFailure(code: string): void {
    const failure = code.replace(/(provider_status_\d)\d\d/, "$1xx");
    this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  /** Counts a call that a limit refused. */
  countRefusal({ scope, dimension }: LimitRefusal): void {
    const label = `${scope} ${dimension}`;
    this.#refusals.set(label, (this.#refusals.get(label) ?? 0) + 1);
  }

  countProxied(outcome: "passed" | "unavailable"): void {
    this.#proxied[outcome] += 1;
  }

  /** Work goes on although its caller has left. Gives what must be called once it has ended. */
  callerLeft(work: AbandonedWork, nowMs: number): (endedMs: number) => void {
    return this.#abandoned.begin(work, nowMs);
  }

  /** All metrics as plain data. */
  read(): MetricData[] {
    return [
      ...this.#readCalls(),
      ...this.#readTokens(),
      ...this.#readHistograms(),
      ...this.#abandoned.read(),
      ...this.#readGauges(),
    ];
  }

  close(): void {
    this.#loopDelay.disable();
  }

  #readCalls(): MetricData[] {
    return [
      counter(
        "requests_total",
        "Model calls by how they ended.",
        [...this.#models.values()].flatMap(({ labels, outcomes }) =>
          Object.entries(outcomes).map(([outcome, value]) => ({
            labels: { ...labels, outcome },
            value,
          })),
        ),
      ),
      counter(
        "failures_total",
        "Failed requests by error code.",
        [...this.#failures].map(([code, value]) => ({ labels: { code }, value })),
      ),
      counter(
        "limit_refusals_total",
        "Calls that a limit refused, by its scope and by what was used up.",
        [...this.#refusals].map(([label, value]) => {
          const [scope = "", dimension = ""] = label.split(" ");
          return { labels: { scope, dimension }, value };
        }),
      ),
      counter(
        "proxied_total",
        "Requests handed to the control process.",
        Object.entries(this.#proxied).map(([outcome, value]) => ({ labels: { outcome }, value })),
      ),
      counter(
        "operation_queue_dropped_total",
        "Records of operations that were dropped because the queue was full.",
        [{ labels: {}, value: this.#gauges.queueDroppedCount() }],
      ),
      counter(
        "loop_wait_seconds_total",
        "Time that requests may have waited before the event loop came to them.",
        [{ labels: {}, value: this.#loopWaitMs / msPerSecond }],
      ),
    ];
  }

  #readTokens(): MetricData[] {
    return [
      counter(
        "tokens_total",
        "Tokens as providers report them, else as they were seen; those of failed attempts too.",
        [...this.#models.values()].flatMap(({ labels, inputTokens, outputTokens }) => [
          { labels: { ...labels, direction: "input" }, value: inputTokens },
          { labels: { ...labels, direction: "output" }, value: outputTokens },
        ]),
      ),
      counter(
        "cached_input_tokens_total",
        "Tokens of the input that came from a provider's cache.",
        this.#each(({ cachedInputTokens }) => cachedInputTokens),
      ),
      counter(
        "cache_write_input_tokens_total",
        "Tokens of the input that went into a provider's cache.",
        this.#each(({ cacheWriteInputTokens }) => cacheWriteInputTokens),
      ),
      counter(
        "reasoning_tokens_total",
        "Tokens of the output that were reasoning.",
        this.#each(({ reasoningTokens }) => reasoningTokens),
      ),
      counter(
        "truncated_replies_total",
        "Replies that ended at a limit of tokens.",
        this.#each(({ truncationCount }) => truncationCount),
      ),
      counter(
        "cost_dollars_total",
        "Cost of model calls at the prices of the catalog.",
        this.#each(({ costMicros }) => costMicros / microsPerDollar),
      ),
    ];
  }

  #each(read: (counts: ModelCounts) => number): MetricValue[] {
    return [...this.#models.values()].map((counts) => ({
      labels: counts.labels,
      value: read(counts),
    }));
  }

  #readHistograms(): MetricData[] {
    const models = [...this.#models.values()];
    return [
      histogram(
        "queue_seconds",
        "How long calls waited for places: of this process, and with each target they turned to.",
        models.map(({ labels, queue }) => ({ labels, observed: queue })),
      ),
      histogram(
        "connect_seconds",
        "From the dispatch of the last attempt until it had a connection.",
        models.map(({ labels, connect }) => ({ labels, observed: connect })),
      ),
      histogram(
        "time_to_first_token_seconds",
        "From a request's arrival to the first event that says something.",
        models.map(({ labels, firstToken }) => ({ labels, observed: firstToken })),
      ),
      histogram(
        "inter_token_seconds",
        "Mean time between two events of a stream, after the first that says something; one observation a stream.",
        models.map(({ labels, interToken }) => ({ labels, observed: interToken })),
      ),
      histogram(
        "request_duration_seconds",
        "From a request's arrival to the last byte of its reply; time before a blocked event loop counts.",
        models.map(({ labels, duration }) => ({ labels, observed: duration })),
      ),
    ];
  }

  #readGauges(): MetricData[] {
    const gauges = this.#gauges;
    const version = "The oldest configuration snapshot that a worker works from.";
    const { idleMicros, waitingCount, unreportedCount } = gauges.credit();
    const idle = "Credit that is lent to workers, and that no call holds: it is stranded there.";
    const unreported = "Uses that the ledger has not acknowledged yet.";
    const delay = "The 99th percentile of how late the event loop came, since the last look.";
    return [
      gauge("open_operations", "Model calls under way.", { value: gauges.openOperations() }),
      gauge("open_streams", "Streamed model calls under way.", { value: gauges.openStreams() }),
      gauge("waiting_operations", "Model calls that wait for a place.", {
        value: gauges.waitingOperations(),
      }),
      gauge("operation_queue_length", "Records that wait to be stored.", {
        value: gauges.queueLength(),
      }),
      gauge("credit_idle_dollars", idle, { value: idleMicros / microsPerDollar }),
      gauge("credit_waiting_calls", "Calls that wait for credit.", { value: waitingCount }),
      gauge("credit_unreported_uses", unreported, { value: unreportedCount }),
      gauge("snapshot_version", version, { value: gauges.snapshotVersion(), combine: "min" }),
      gauge("event_loop_delay_p99_seconds", delay, {
        value: this.#readLoopDelay(),
        combine: "max",
      }),
      gauge("resident_memory_bytes", "Memory of all workers.", {
        value: process.memoryUsage.rss(),
      }),
    ];
  }

  #readLoopDelay(): number {
    const seconds = this.#loopDelay.percentile(99) / nanosPerSecond;
    this.#loopDelay.reset();
    return Number.isFinite(seconds) ? seconds : 0;
  }
}

/** Ids of models begin with their provider. */
function providerOf(modelId: string): string {
  return modelId.slice(0, modelId.indexOf("/"));
}
