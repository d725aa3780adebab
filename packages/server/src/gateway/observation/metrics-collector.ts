/** Adds up the metrics of all workers. What a dead worker had counted stays counted. */

import { type Clock, isAbort, raceAbort } from "#kernel/index.ts";

import { gatewayLimits } from "../limits.ts";
import type { WorkerProcess } from "../workers/worker-process.ts";
import { addUp } from "./add-up.ts";
import { counter, gauge, type MetricData } from "./metric-data.ts";

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
    this.#retired = addUp([this.#retired, last.filter(({ type }) => type !== "gauge")]);
  }

  /** All workers together. A worker that does not answer in time is shown as it was last seen. */
  async collect(workers: readonly WorkerProcess[]): Promise<Metrics> {
    const living = workers.filter((worker) => !worker.hasExited);
    const all = await Promise.all(living.map(async (worker) => await this.#ask(worker)));
    return [...this.#own(living.length), ...addUp([this.#retired, ...all])];
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

  #own(livingCount: number): Metrics {
    return [
      gauge("workers", "Gateway workers that run.", { value: livingCount }),
      counter("worker_restarts_total", "Workers that were started again after they died.", [
        { labels: {}, value: this.restartCount },
      ]),
    ];
  }
}
