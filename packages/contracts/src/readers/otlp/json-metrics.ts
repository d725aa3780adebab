/** Data points of metrics from OTLP's JSON, and from protobuf read as such. */

import type { MetricData, MetricPoint, Temporality } from "../../model/metric.ts";
import { spanLimits } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import {
  booleanOf,
  doubleNumber,
  doubleOf,
  eachObject,
  enumOf,
  inObject,
  type JsonObject,
  listOf,
  momentOf,
  textOf,
  wholeNumber,
  wholeOf,
} from "./json.ts";
import { eachRecord, readAttributes } from "./json-value.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, notes, type Origin, otlpLimits } from "./value.ts";

/** The flag of a point that says only that its series has no value now. */
const flagNoRecordedValue = 1;

const temporalityNames = {
  prefix: "AGGREGATION_TEMPORALITY_",
  values: ["UNSPECIFIED", "DELTA", "CUMULATIVE"],
};
const temporalities: readonly Temporality[] = ["unspecified", "delta", "cumulative"];

interface MetricOutput {
  readonly points: MetricPoint[];
  readonly tally: OtlpTally;
}

/** Reads an ExportMetricsServiceRequest. */
export function readMetrics(root: JsonObject, points: MetricPoint[], tally: OtlpTally): void {
  const names = { blocks: "resourceMetrics", scopes: "scopeMetrics", records: "metrics" };
  eachRecord(root, names, {
    tally,
    visit: (metric, origin) => readMetric(metric, origin, { points, tally }),
  });
}

function readMetric(metric: JsonObject, origin: Origin, output: MetricOutput): void {
  for (const [key, read] of Object.entries(readers)) {
    inObject(metric, key, (aggregation) => {
      eachObject(aggregation, "dataPoints", (point) => {
        const finished = readPoint(metric, point, {
          origin,
          tally: output.tally,
          read: () => read(point, aggregation),
        });
        if (finished !== undefined) output.points.push(finished);
      });
    });
  }
}

function readPoint(
  metric: JsonObject,
  point: JsonObject,
  context: { origin: Origin; tally: OtlpTally; read: () => MetricData },
): MetricPoint | undefined {
  const { origin, tally } = context;
  const name = nameOf(metric, tally);
  const time = momentOf(point, "timeUnixNano");
  const start = momentOf(point, "startTimeUnixNano");
  const attributes = readAttributes(point, tally);
  const flags = wholeOf(point, "flags");
  const data = context.read();
  if ((flags & flagNoRecordedValue) !== 0) {
    tally.note("A data point without a recorded value was skipped.");
    return undefined;
  }
  const fault = faultOf(name, time, data);
  if (fault !== undefined || time === undefined) {
    tally.reject(fault ?? "A data point has no time.");
    return undefined;
  }
  return {
    name,
    unit: cutText(textOf(metric, "unit"), spanLimits.nameLengthMax),
    description: cutText(textOf(metric, "description"), spanLimits.nameLengthMax),
    timeMicros: microsOf(time),
    ...(start === undefined ? {} : { startMicros: microsOf(start) }),
    data,
    service: origin.service,
    attributes,
    resource: origin.resource,
    scope: origin.scope,
  };
}

function nameOf(metric: JsonObject, tally: OtlpTally): string {
  const name = textOf(metric, "name");
  if (name.length > otlpLimits.metricNameLengthMax) tally.note(notes.metricNameCut);
  return cutText(name, otlpLimits.metricNameLengthMax);
}

function faultOf(name: string, time: unknown, data: MetricData): string | undefined {
  if (name === "") return "A metric has no name.";
  if (time === undefined) return "A data point has no time.";
  if (!numbersOf(data).every(Number.isFinite))
    return "A data point has a value that is not finite.";
  if (numbersOf(data).length > otlpLimits.bucketCountMax) {
    return `A data point has more than ${otlpLimits.bucketCountMax} buckets or quantiles.`;
  }
  return undefined;
}

/** Every number that a point carries. */
function numbersOf(data: MetricData): number[] {
  switch (data.kind) {
    case "gauge":
    case "sum":
      return [data.value];
    case "histogram":
      return [...optional(data), ...data.bounds, ...data.counts];
    case "exponential-histogram":
      return [
        ...optional(data),
        data.zeroThreshold,
        ...data.positive.counts,
        ...data.negative.counts,
      ];
    case "summary":
      return [data.sum, ...data.quantiles.flatMap((entry) => [entry.quantile, entry.value])];
  }
}

function optional(data: { sum?: number; min?: number; max?: number }): number[] {
  return [data.sum, data.min, data.max].filter((value) => value !== undefined);
}

const readers: Readonly<Record<string, (point: JsonObject, owner: JsonObject) => MetricData>> = {
  gauge: (point) => ({ kind: "gauge", value: valueOf(point) }),
  sum: (point, owner) => ({
    kind: "sum",
    value: valueOf(point),
    temporality: temporalityOf(owner),
    isMonotonic: booleanOf(owner, "isMonotonic"),
  }),
  histogram: (point, owner) => ({
    kind: "histogram",
    ...distributionOf(point, owner),
    bounds: listOf(point, "explicitBounds").map((value) => doubleNumber(value, "explicitBounds")),
    counts: countsOf(point),
  }),
  exponentialHistogram: (point, owner) => ({
    kind: "exponential-histogram",
    ...distributionOf(point, owner),
    scale: wholeOf(point, "scale"),
    zeroCount: wholeOf(point, "zeroCount"),
    zeroThreshold: doubleOf(point, "zeroThreshold") ?? 0,
    positive: bucketsOf(point, "positive"),
    negative: bucketsOf(point, "negative"),
  }),
  summary: (point) => ({
    kind: "summary",
    count: wholeOf(point, "count"),
    sum: doubleOf(point, "sum") ?? 0,
    quantiles: quantilesOf(point),
  }),
};

function valueOf(point: JsonObject): number {
  return doubleOf(point, "asDouble") ?? wholeOf(point, "asInt");
}

function temporalityOf(owner: JsonObject): Temporality {
  return temporalities[enumOf(owner, "aggregationTemporality", temporalityNames)] ?? "unspecified";
}

function distributionOf(point: JsonObject, owner: JsonObject) {
  const sum = doubleOf(point, "sum");
  const min = doubleOf(point, "min");
  const max = doubleOf(point, "max");
  return {
    temporality: temporalityOf(owner),
    count: wholeOf(point, "count"),
    ...(sum === undefined ? {} : { sum }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

function countsOf(owner: JsonObject): number[] {
  return listOf(owner, "bucketCounts").map((value) => wholeNumber(value, "bucketCounts"));
}

function bucketsOf(point: JsonObject, key: string): { offset: number; counts: number[] } {
  const buckets = inObject(point, key, (value) => ({
    offset: wholeOf(value, "offset"),
    counts: countsOf(value),
  }));
  return buckets ?? { offset: 0, counts: [] };
}

function quantilesOf(point: JsonObject): { quantile: number; value: number }[] {
  const quantiles: { quantile: number; value: number }[] = [];
  eachObject(point, "quantileValues", (entry) => {
    quantiles.push({
      quantile: doubleOf(entry, "quantile") ?? 0,
      value: doubleOf(entry, "value") ?? 0,
    });
  });
  return quantiles;
}
