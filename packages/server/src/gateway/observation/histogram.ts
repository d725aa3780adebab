/** Durations by bucket, each bucket with the trace of its latest operation. Observing allocates nothing. */

import { gatewayPrefix, type MetricData, type MetricValue } from "./metric-data.ts";

const msPerSecond = 1_000;
/** Upper bounds in seconds; the last bucket has none. */
const boundsSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
];

/** What an observation belongs to; the same for all durations of one operation. */
export interface ObservedTrace {
  readonly traceId: string;
  /** Wall time in milliseconds. */
  readonly timeMs: number;
}

export class Histogram {
  readonly #counts: number[];
  readonly #traceIds: string[];
  readonly #seconds: number[];
  readonly #timesMs: number[];
  #sumSeconds = 0;

  constructor() {
    const { length } = boundsSeconds;
    this.#counts = Array.from({ length: length + 1 }, () => 0);
    this.#traceIds = Array.from({ length: length + 1 }, () => "");
    this.#seconds = Array.from({ length: length + 1 }, () => 0);
    this.#timesMs = Array.from({ length: length + 1 }, () => 0);
  }

  observe(durationMs: number, trace: ObservedTrace): void {
    const seconds = durationMs / msPerSecond;
    let index = 0;
    while (index < boundsSeconds.length && seconds > (boundsSeconds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#traceIds[index] = trace.traceId;
    this.#seconds[index] = seconds;
    this.#timesMs[index] = trace.timeMs;
    this.#sumSeconds += seconds;
  }

  /** Its buckets, sum and count as rows of the metric of this name. */
  toValues(name: string, labels: Readonly<Record<string, string>>): MetricValue[] {
    let seen = 0;
    const rows: MetricValue[] = this.#counts.map((count, index) => {
      seen += count;
      return {
        metricName: `${name}_bucket`,
        labels: { le: boundsSeconds[index] ?? "+Inf", ...labels },
        value: seen,
        exemplar: this.#exemplar(index),
      };
    });
    rows.push({ metricName: `${name}_sum`, labels, value: this.#sumSeconds });
    rows.push({ metricName: `${name}_count`, labels, value: seen });
    return rows;
  }

  #exemplar(index: number): MetricValue["exemplar"] {
    const traceId = this.#traceIds[index] ?? "";
    if (traceId === "") return undefined;
    return {
      labelSet: { trace_id: traceId },
      value: this.#seconds[index] ?? 0,
      timestamp: (this.#timesMs[index] ?? 0) / msPerSecond,
    };
  }
}

/** A histogram in seconds, with a series for each set of labels. */
export function histogram(
  name: string,
  help: string,
  series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly observed: Histogram;
  }[],
): MetricData {
  const full = gatewayPrefix + name;
  const values = series.flatMap(({ labels, observed }) => observed.toValues(full, labels));
  return { name: full, help, type: "histogram", aggregator: "sum", values };
}
