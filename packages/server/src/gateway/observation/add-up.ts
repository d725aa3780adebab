/** Makes one set of metrics of those of several processes. */

import type { MetricData, MetricValue } from "./metric-data.ts";

/** Combines values of the same name and labels, each metric in its own way; of two exemplars the newer stays. */
export function addUp(parts: readonly (readonly MetricData[])[]): MetricData[] {
  const combined = new Map<string, { metric: MetricData; values: Map<string, MetricValue> }>();
  for (const metric of parts.flat()) {
    const entry = combined.get(metric.name) ?? { metric, values: new Map<string, MetricValue>() };
    combined.set(metric.name, entry);
    for (const value of metric.values) {
      const id = `${value.metricName ?? ""} ${JSON.stringify(value.labels)}`;
      const other = entry.values.get(id);
      entry.values.set(id, other === undefined ? value : combine(metric, other, value));
    }
  }
  return [...combined.values()].map(({ metric, values }) => ({
    ...metric,
    values: [...values.values()],
  }));
}

function combine({ aggregator }: MetricData, left: MetricValue, right: MetricValue): MetricValue {
  return {
    ...right,
    value: combinations[aggregator](left.value, right.value),
    exemplar: newer(left.exemplar, right.exemplar),
  };
}

const combinations: Readonly<
  Record<MetricData["aggregator"], (left: number, right: number) => number>
> = {
  sum: (left, right) => left + right,
  min: (left, right) => Math.min(left, right),
  max: (left, right) => Math.max(left, right),
};

function newer(
  left: MetricValue["exemplar"],
  right: MetricValue["exemplar"],
): MetricValue["exemplar"] {
  if (left === undefined || right === undefined) return left ?? right;
  return left.timestamp > right.timestamp ? left : right;
}
