/** What metrics tell of the time that requests take: means of histograms and summaries, and gauges of latency. */

import type { MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { sortedLabels, sortedName } from "../text/labelled-name.ts";
import { addPlace, type DriftSeries, type DriftSubject, partOfName } from "./drift-parts.ts";

const isLatency =
  /latency|duration|response[_.]?time|time_to_first|ttft|time_per_output|inter_token|queue_time|wait_time|(?:^|[_.])rtt/i;
/** Durations that say nothing of requests. */
const isOther =
  /gc[_.]|garbage|scrape|compaction|uptime|evaluation|rule_group|sync_duration|reconcile/i;
const isRate =
  /requests?_total$|requests?_per_second|request_rate|(?:^|[_.])(?:rps|qps)$|requests?_count$|throughput/i;
const componentEnd = /_(?:sum|count|bucket|total|min|max)$/;
const microsPerSecond = 1_000_000;
const seriesCountMax = 20_000;

/** Latencies of a snapshot's metrics, each with the rate of requests where one is known. */
export function driftOfMetrics(snapshot: Snapshot): DriftSubject[] {
  const found: DriftSubject[] = [];
  for (const evidence of evidenceOfKind(snapshot, "metrics")) {
    const { content } = evidence;
    const byKey = new Map(content.series.map((series) => [keyOf(series.name, series), series]));
    const rates = content.series.filter(({ name }) => isRate.test(name));
    for (const series of content.series) {
      if (found.length >= seriesCountMax) return found;
      if (!isLatency.test(series.name) || isOther.test(series.name)) continue;
      const subject = subjectOf(series, byKey, rates);
      if (subject === undefined) continue;
      addPlace(subject, () => ({ evidence, locator: sortedName(series.name, series.labels) }));
      found.push(subject);
    }
  }
  return found;
}

function subjectOf(
  series: MetricSeries,
  byKey: ReadonlyMap<string, MetricSeries>,
  rates: readonly MetricSeries[],
): DriftSubject | undefined {
  const base = series.name.replace(/_sum$/, "");
  const count = series.name.endsWith("_sum")
    ? byKey.get(keyOf(`${base}_count`, series))
    : undefined;
  if (count === undefined && series.type !== "gauge" && series.type !== "unknown") return undefined;
  if (count === undefined && componentEnd.test(series.name)) return undefined;
  const { times, values } = count === undefined ? gaugeOf(series) : meansOf(series, count);
  return {
    kind: "metric",
    name: sortedName(base, series.labels),
    unit: series.unit ?? unitOf(base),
    times,
    parts: new Map([[partOfName(base) ?? "total", values]]),
    load: count === undefined ? loadOf(series, rates) : rateOf(count),
    places: [],
  };
}

function keyOf(name: string, { labels }: MetricSeries): string {
  return `${name}\n${sortedLabels(labels)}`;
}

function unitOf(name: string): string {
  if (/_(?:ms|millis|milliseconds)\b|_(?:ms|millis|milliseconds)_|_ms$/.test(name)) return "ms";
  return /_(?:s|seconds)(?:_|$)/.test(name) ? "s" : "";
}

function gaugeOf({ timesMicros, values }: MetricSeries): DriftSeries {
  return { times: timesMicros, values };
}

/** The mean of each interval between two scrapes. */
function meansOf(sum: MetricSeries, count: MetricSeries): DriftSeries {
  const counts = new Map(count.timesMicros.map((time, index) => [time, count.values[index] ?? 0]));
  return seriesOf(
    between(sum).flatMap(({ from, to, growth }) => {
      const requests = (counts.get(to) ?? 0) - (counts.get(from) ?? 0);
      return requests > 0 && growth >= 0 ? [[to, growth / requests]] : [];
    }),
  );
}

function rateOf(count: MetricSeries): DriftSeries {
  return seriesOf(
    between(count).flatMap(({ from, to, growth }) =>
      growth >= 0 && to > from ? [[to, (growth * microsPerSecond) / (to - from)]] : [],
    ),
  );
}

function seriesOf(points: readonly (readonly [time: number, value: number])[]): DriftSeries {
  return { times: points.map(([time]) => time), values: points.map(([, value]) => value) };
}

function between({
  timesMicros,
  values,
}: MetricSeries): { from: number; to: number; growth: number }[] {
  return timesMicros.slice(1).map((to, index) => ({
    from: timesMicros[index] ?? 0,
    to,
    growth: (values[index + 1] ?? 0) - (values[index] ?? 0),
  }));
}

/** The rate of requests of the same service, or of the only one there is. */
function loadOf(series: MetricSeries, rates: readonly MetricSeries[]): DriftSeries | undefined {
  const service = serviceOf(series);
  const same = rates.filter((rate) => serviceOf(rate) === service);
  const chosen = same.length > 0 ? same : rates.length === 1 ? rates : [];
  const [first] = chosen;
  if (first === undefined) return undefined;
  return first.type === "counter" || first.name.endsWith("_total") ? rateOf(first) : gaugeOf(first);
}

function serviceOf({ labels }: MetricSeries): string | undefined {
  return labels["service"] ?? labels["service_name"] ?? labels["job"] ?? labels["app"];
}
