/** OTLP metrics as series: histograms and summaries as their counts, sums and buckets. */

import type { MetricData, MetricPoint } from "../../model/metric.ts";
import type { AttributeValue } from "../../model/span.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import type { OtlpMetrics } from "../otlp/otlp.ts";
import { SeriesBuilder, type SeriesName } from "./series-builder.ts";

/** Attributes of a resource that tell one emitter from another; they become labels. */
const emitterNames = [
  "service.name",
  "service.namespace",
  "service.instance.id",
  "host.name",
  "k8s.namespace.name",
  "k8s.pod.name",
  "k8s.container.name",
  "k8s.node.name",
] as const;

/** The points of a request as metrics. Throws when none could be read. */
export function metricsOf({ points, rejected, notes }: OtlpMetrics): FileContent {
  const builder = new SeriesBuilder();
  for (const point of points) addPoint(point, builder);
  if (points.length === 0) {
    throw new EvidenceError(
      rejected.count > 0
        ? `None of ${rejected.count} data points can be read: ${rejected.reasons.join("; ")}.`
        : "The file holds no data points.",
      { expected: "at least one data point in resourceMetrics", where: "/resourceMetrics" },
    );
  }
  const content = builder.content("OTLP");
  const left =
    rejected.count === 0
      ? []
      : [`${rejected.count} data points were left out: ${rejected.reasons.join("; ")}.`];
  return { ...content, notes: [...notes, ...content.notes, ...left] };
}

function addPoint(point: MetricPoint, builder: SeriesBuilder): void {
  const labels = labelsOf(point);
  const add = (part: Omit<SeriesName, "labels" | "unit">, value: number, more = {}): void => {
    const unit = part.name === point.name || part.name.endsWith("_sum") ? point.unit : "";
    const series = builder.of({ ...part, unit, labels: { ...labels, ...more } });
    builder.add(series, point.timeMicros, value);
  };
  const { name, data } = point;
  switch (data.kind) {
    case "gauge":
      add({ name, type: "gauge" }, data.value);
      return;
    case "sum":
      add(
        { name, ...accumulation(data, data.isMonotonic ? "counter" : "gauge", builder) },
        data.value,
      );
      return;
    case "summary":
      add({ name: `${name}_count`, type: "counter" }, data.count);
      add({ name: `${name}_sum`, type: "counter" }, data.sum);
      for (const { quantile, value } of data.quantiles) {
        add({ name, type: "gauge" }, value, { quantile: String(quantile) });
      }
      return;
    case "histogram":
    case "exponential-histogram": {
      const part = accumulation(data, "counter", builder);
      add({ name: `${name}_count`, ...part }, data.count);
      if (data.sum !== undefined) add({ name: `${name}_sum`, ...part }, data.sum);
      if (data.kind === "exponential-histogram") {
        builder.note("Of exponential histograms the count and the sum were kept.");
        return;
      }
      let below = 0;
      data.counts.forEach((count, index) => {
        below += count;
        const bound = data.bounds[index];
        add({ name: `${name}_bucket`, ...part }, below, {
          le: bound === undefined ? "+Inf" : String(bound),
        });
      });
    }
  }
}

/** How the values of a series follow one another. */
function accumulation(
  { temporality }: Extract<MetricData, { kind: "sum" | "histogram" | "exponential-histogram" }>,
  type: "counter" | "gauge",
  builder: SeriesBuilder,
): Pick<SeriesName, "type" | "isDelta"> {
  if (temporality === "unspecified") return { type: "unknown" };
  if (temporality === "cumulative") return { type };
  builder.note("What was sent as deltas was added up from the first value on.");
  return { type, isDelta: true };
}

function labelsOf(point: MetricPoint): Record<string, string> {
  const labels: [string, string][] = [];
  for (const name of emitterNames) {
    const value = point.resource[name];
    if (value !== undefined) labels.push([name, textOf(value)]);
  }
  for (const [name, value] of Object.entries(point.attributes)) labels.push([name, textOf(value)]);
  return Object.fromEntries(labels);
}

function textOf(value: AttributeValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
