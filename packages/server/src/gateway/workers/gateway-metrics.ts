/**
 * Metrics of one worker, counted in plain numbers and shown in the form that `prom-client` adds up: its own counters
 * hash their labels on every call. Labels come from closed sets and the catalog, never from callers.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";

import type { LimitRefusal } from "../admission/limit-refusal.ts";
import type { OperationOutcome, OperationRecord } from "../calls/operation-record.ts";

/** A metric as `prom-client` gives and takes it. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly aggregator: "sum" | "min" | "max";
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
    readonly metricName?: string;
  }[];
}

/** What else is shown, read when metrics are asked for. */
export interface GatewayGauges {
  readonly openOperations: () => number;
  readonly waitingOperations: () => number;
  readonly queueLength: () => number;
  readonly queueDroppedCount: () => number;
  readonly snapshotVersion: () => number;
}

const nanosPerSecond = 1e9;
const msPerSecond = 1_000;
const bucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const prefix = "faultline_gateway_";

/** Observations by bucket; the last bucket has no upper bound. */
class Buckets {
  readonly counts: number[] = Array.from({ length: bucketsSeconds.length + 1 }, () => 0);
  sum = 0;

  observe(seconds: number): void {
    let index = 0;
    while (index < bucketsSeconds.length && seconds > (bucketsSeconds[index] ?? 0)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += seconds;
  }
}

/** What is counted for one model. */
class ModelCounts {
  readonly labels: { readonly provider: string; readonly model: string };
  readonly outcomes: Record<OperationOutcome, number> = { completed: 0, cancelled: 0, failed: 0 };
  inputTokens = 0;
  outputTokens = 0;
  readonly firstToken = new Buckets();
  readonly duration = new Buckets();

  constructor(provider: string, model: string) {
    this.labels = { provider, model };
  }
}

export class GatewayMetrics {
  readonly #gauges: GatewayGauges;
  readonly #models = new Map<string, ModelCounts>();
  readonly #failures = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #proxied = { passed: 0, unavailable: 0 };
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(gauges: GatewayGauges) {
    this.#gauges = gauges;
    this.#loopDelay.enable();
  }

  /** Counts a finished operation. `modelId` is one of the catalog, or absent when the model is not. */
  observe(record: OperationRecord, modelId: string | undefined): void {
    const name = modelId ?? "unknown";
    let counts = this.#models.get(name);
    if (counts === undefined) {
      counts = new ModelCounts(record.provider ?? "none", name);
      this.#models.set(name, counts);
    }
    counts.outcomes[record.outcome] += 1;
    counts.duration.observe(record.durationMs / msPerSecond);
    if (record.firstTokenMs !== undefined && record.stream) {
      counts.firstToken.observe(record.firstTokenMs / msPerSecond);
    }
    if (record.usage !== undefined) {
      counts.inputTokens += record.usage.inputTokens;
      counts.outputTokens += record.usage.outputTokens;
    }
    if (record.errorType !== undefined) this.countFailure(record.errorType);
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

  /** All metrics as plain data. */
  read(): MetricData[] {
    return [...this.#readCounters(), ...this.#readHistograms(), ...this.#readGauges()];
  }

  close(): void {
    this.#loopDelay.disable();
  }

  #readCounters(): MetricData[] {
    const models = [...this.#models.values()];
    return [
      counter(
        "requests_total",
        "Model calls by how they ended.",
        models.flatMap(({ labels, outcomes }) =>
          Object.entries(outcomes).map(([outcome, value]) => ({
            labels: { ...labels, outcome },
            value,
          })),
        ),
      ),
      counter(
        "tokens_total",
        "Tokens as providers report them.",
        models.flatMap(({ labels, inputTokens, outputTokens }) => [
          { labels: { ...labels, direction: "input" }, value: inputTokens },
          { labels: { ...labels, direction: "output" }, value: outputTokens },
        ]),
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
    ];
  }

  #readHistograms(): MetricData[] {
    const models = [...this.#models.values()];
    return [
      histogram(
        "time_to_first_token_seconds",
        "From a request's arrival to the first event that says something.",
        models.map(({ labels, firstToken }) => ({ labels, buckets: firstToken })),
      ),
      histogram(
        "request_duration_seconds",
        "From a request's arrival to the last byte of its reply.",
        models.map(({ labels, duration }) => ({ labels, buckets: duration })),
      ),
    ];
  }

  #readGauges(): MetricData[] {
    const gauges = this.#gauges;
    const version = "The oldest configuration snapshot that a worker works from.";
    const delay = "The 99th percentile of how late the event loop came, since the last look.";
    return [
      gauge("open_operations", "Model calls under way.", { value: gauges.openOperations() }),
      gauge("waiting_operations", "Model calls that wait for a place.", {
        value: gauges.waitingOperations(),
      }),
      gauge("operation_queue_length", "Records that wait to be stored.", {
        value: gauges.queueLength(),
      }),
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

function counter(name: string, help: string, values: MetricData["values"]): MetricData {
  return { name: `${prefix}${name}`, help, type: "counter", aggregator: "sum", values };
}

function gauge(
  name: string,
  help: string,
  shown: { readonly value: number; readonly combine?: MetricData["aggregator"] },
): MetricData {
  const values = [{ labels: {}, value: shown.value }];
  const aggregator = shown.combine ?? "sum";
  return { name: `${prefix}${name}`, help, type: "gauge", aggregator, values };
}

function histogram(
  name: string,
  help: string,
  series: readonly { readonly labels: Record<string, string>; readonly buckets: Buckets }[],
): MetricData {
  const full = `${prefix}${name}`;
  const values = series.flatMap(({ labels, buckets }) => {
    let seen = 0;
    const rows: MetricData["values"][number][] = buckets.counts.map((count, index) => {
      seen += count;
      const le = bucketsSeconds[index] ?? "+Inf";
      return { metricName: `${full}_bucket`, labels: { le, ...labels }, value: seen };
    });
    rows.push({ metricName: `${full}_sum`, labels, value: buckets.sum });
    rows.push({ metricName: `${full}_count`, labels, value: seen });
    return rows;
  });
  return { name: full, help, type: "histogram", aggregator: "sum", values };
}
