/** Prometheus metrics of one worker. Labels come from closed sets and the catalog, never from callers. */

import { monitorEventLoopDelay } from "node:perf_hooks";

import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { OperationRecord } from "./operation.ts";

const nanosPerSecond = 1e9;
const msPerSecond = 1_000;
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const modelLabels = ["provider", "model"] as const;
type ModelLabels = { readonly provider: string; readonly model: string };

/** What else is shown, read when metrics are asked for. */
export interface GatewayGauges {
  readonly openOperations: () => number;
  readonly queueLength: () => number;
  readonly queueDroppedCount: () => number;
  readonly snapshotVersion: () => number;
}

interface Shown {
  readonly read: () => number;
  /** How the values of several workers become one. */
  readonly combine?: "sum" | "min" | "max";
}

export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter("requests_total", "Model calls by how they ended.", [
    ...modelLabels,
    "outcome",
  ]);
  readonly #failures = this.#counter("failures_total", "Failed requests by error code.", ["code"]);
  readonly #tokens = this.#counter("tokens_total", "Tokens as providers report them.", [
    ...modelLabels,
    "direction",
  ]);
  readonly #proxied = this.#counter("proxied_total", "Requests handed to the control process.", [
    "outcome",
  ]);
  readonly #firstToken = this.#histogram(
    "time_to_first_token_seconds",
    "From a request's arrival to the first event that says something.",
  );
  readonly #duration = this.#histogram(
    "request_duration_seconds",
    "From a request's arrival to the last byte of its reply.",
  );
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(gauges: GatewayGauges) {
    this.#gauge("open_operations", "Model calls under way.", { read: gauges.openOperations });
    this.#gauge("operation_queue_length", "Records that wait to be stored.", {
      read: gauges.queueLength,
    });
    const dropped = "Records of operations that were dropped because the queue was full.";
    this.#gauge("operation_queue_dropped", dropped, { read: gauges.queueDroppedCount });
    this.#gauge("snapshot_version", "The oldest configuration snapshot that a worker works from.", {
      read: gauges.snapshotVersion,
      combine: "min",
    });
    this.#loopDelay.enable();
    this.#gauge(
      "event_loop_delay_p99_seconds",
      "The 99th percentile of how late the event loop came, since the last look.",
      { read: () => this.#readLoopDelay(), combine: "max" },
    );
    this.#gauge("resident_memory_bytes", "Memory of all workers.", {
      read: () => process.memoryUsage.rss(),
    });
  }

  /** Counts a finished operation. `modelId` is one of the catalog, or absent when the model is not. */
  observe(record: OperationRecord, modelId: string | undefined): void {
    const labels: ModelLabels = {
      provider: record.provider ?? "none",
      model: modelId ?? "unknown",
    };
    this.#requests.inc({ ...labels, outcome: record.outcome });
    if (record.errorType !== undefined) this.countFailure(record.errorType);
    this.#duration.observe(labels, record.durationMs / msPerSecond);
    if (record.firstTokenMs !== undefined && record.stream) {
      this.#firstToken.observe(labels, record.firstTokenMs / msPerSecond);
    }
    if (record.usage !== undefined) {
      this.#tokens.inc({ ...labels, direction: "input" }, record.usage.inputTokens);
      this.#tokens.inc({ ...labels, direction: "output" }, record.usage.outputTokens);
    }
  }

  /** Counts a request that failed, by its code; a provider's status counts as its class. */
  countFailure(code: string): void {
    this.#failures.inc({ code: code.replace(/(provider_status_\d)\d\d/, "$1xx") });
  }

  countProxied(outcome: "passed" | "unavailable"): void {
    this.#proxied.inc({ outcome });
  }

  /** The metrics as plain data, which `prom-client` can add up. */
  async read(): Promise<readonly unknown[]> {
    return await this.#registry.getMetricsAsJSON();
  }

  close(): void {
    this.#loopDelay.disable();
  }

  #readLoopDelay(): number {
    const seconds = this.#loopDelay.percentile(99) / nanosPerSecond;
    this.#loopDelay.reset();
    return Number.isFinite(seconds) ? seconds : 0;
  }

  #counter<const Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Counter({
      name: `faultline_gateway_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
    });
  }

  #histogram(name: string, help: string) {
    return new Histogram({
      name: `faultline_gateway_${name}`,
      help,
      labelNames: [...modelLabels],
      buckets: durationBuckets,
      registers: [this.#registry],
    });
  }

  #gauge(name: string, help: string, shown: Shown): void {
    // The registry holds the gauge.
    void new Gauge({
      name: `faultline_gateway_${name}`,
      help,
      aggregator: shown.combine ?? "sum",
      registers: [this.#registry],
      collect() {
        this.set(shown.read());
      },
    });
  }
}
