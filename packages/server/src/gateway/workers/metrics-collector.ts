/** Adds up the metrics of all workers. What a dead worker had counted stays counted. */

import { type Clock, isAbort, raceAbort } from "#kernel/index.ts";
import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";

import type { MetricData } from "./gateway-metrics.ts";
import { gatewayLimits } from "../limits.ts";
import type { WorkerProcess } from "./worker-process.ts";

type Metrics = readonly MetricData[];

export class MetricsCollector {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (metrics: Metrics) => void>();
  readonly #latest = new Map<WorkerProcess, Metrics>();
  #retired: Metrics = [];
  #nextRequestId = 1;
  restartCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onMetrics(worker: WorkerProcess, requestId: number, metrics: Metrics): void {
    this.#latest.set(worker, metrics);
    this.#waiting.get(requestId)?.(metrics);
    this.#waiting.delete(requestId);
  }

  onExit(worker: WorkerProcess): void {
    const last = this.#latest.get(worker);
    this.#latest.delete(worker);
    if (last === undefined) return;
    this.#retired = addUp(
      this.#retired,
      last.filter(({ type }) => type !== "gauge"),
    );
  }

  /** Prometheus text. A worker that does not answer in time is shown as it was last seen. */
  async collect(workers: readonly WorkerProcess[]): Promise<string> {
    const living = workers.filter((worker) => !worker.hasExited);
    const all = await Promise.all(living.map(async (worker) => await this.#ask(worker)));
    const sum = toRegistry([this.#retired, ...all]);
    return `${await this.#own(living.length)}\n${await sum.metrics()}`;
  }

  async #ask(worker: WorkerProcess): Promise<Metrics> {
    const requestId = this.#nextRequestId;
    this.#nextRequestId += 1;
    const answered = Promise.withResolvers<Metrics>();
    this.#waiting.set(requestId, answered.resolve);
    worker.send({ kind: "report-metrics", requestId });
    try {
      return await raceAbort(answered.promise, this.#clock.deadline(gatewayLimits.metricsWaitMs));
    } catch (error) {
      if (!isAbort(error)) throw error;
      this.#waiting.delete(requestId);
      return this.#latest.get(worker) ?? [];
    }
  }

  async #own(livingCount: number): Promise<string> {
    const registry = new Registry();
    const registers = [registry];
    new Gauge({
      name: "faultline_gateway_workers",
      help: "Gateway workers that run.",
      registers,
    }).set(livingCount);
    new Counter({
      name: "faultline_gateway_worker_restarts_total",
      help: "Workers that were started again after they died.",
      registers,
    }).inc(this.restartCount);
    return await registry.metrics();
  }
}

function toRegistry(parts: readonly Metrics[]): Registry {
  return AggregatorRegistry.aggregate(parts.filter((part) => part.length > 0));
}

/** Sums metrics of the same names and labels. */
function addUp(left: Metrics, right: Metrics): Metrics {
  const sums = new Map<string, MetricData>();
  for (const metric of [...left, ...right]) {
    const earlier = sums.get(metric.name)?.values ?? [];
    const values = new Map<string, MetricData["values"][number]>();
    for (const value of [...earlier, ...metric.values]) {
      const id = `${value.metricName ?? ""} ${JSON.stringify(value.labels)}`;
      values.set(id, { ...value, value: value.value + (values.get(id)?.value ?? 0) });
    }
    sums.set(metric.name, { ...metric, values: [...values.values()] });
  }
  return [...sums.values()];
}
