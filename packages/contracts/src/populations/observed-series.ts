/** Series of a snapshot with the service that each is about, and what it tells of. */

import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { LogLine, MetricSeries } from "../model/evidence.ts";
import { compareText } from "../text/compare-text.ts";
import { sortedLabels } from "../text/labelled-name.ts";
import { serviceOfPod } from "../text/service-of-pod.ts";
import { type Signal, signalOf } from "./signal.ts";

export interface ObservedSeries {
  readonly service: string;
  readonly name: string;
  /** What other labels than the service's tell one series of a name from another, such as which quantile it is. */
  readonly variant?: string;
  readonly origin: "metrics" | "spans" | "logs";
  readonly signal: Signal;
  readonly timesMicros: readonly number[];
  /** Of a counter what was added since the value before. */
  readonly values: Float64Array;
  readonly evidenceId: string;
  readonly locator: string;
  /** Of a count of lines of logs: what else the service did, and the lines that were counted. */
  readonly counted?: CountedLines;
  /** Of what lies between services: the same series, of the service that it departs for from a moment on. */
  readonly ownedFrom?: (micros: number) => ObservedSeries;
}

export interface CountedLines {
  /** Lines that tell of no error, in the same parts of the time. */
  readonly usual: Float64Array;
  /** Whether the series may prove that something departs; else it only ranks. */
  readonly isProving: boolean;
  /** The first line of the series from a moment on. */
  readonly exampleAt: (
    micros: number,
  ) => { line: LogLine; evidenceId: string; locator: string } | undefined;
  /** How many lines of the series there are from a moment on, and hosts that they say could not be called. */
  readonly failedCallsFrom: (micros: number) => FailedCalls;
}

export interface FailedCalls {
  readonly lineCount: number;
  /** How often each host could not be called. */
  readonly hosts: ReadonlyMap<string, number>;
}

/** Labels that name a service, the surest first, in small letters and without anything between the words. */
const serviceLabels = [
  "service",
  "servicename",
  "microservice",
  "app",
  "appkubernetesioname",
  "workload",
  "deployment",
  "container",
  "containername",
  "job",
  "pod",
  "podname",
  "component",
  "cmdbid",
  "instance",
  "host",
  "hostname",
  "node",
];

/** All series with times, in one order whatever the order of the evidence; of one that is told twice, one. */
export function observedSeriesOf(snapshot: Snapshot): ObservedSeries[] {
  const found = new Map<string, ObservedSeries>();
  for (const item of evidenceOfKind(snapshot, "metrics")) {
    const prefixes = prefixesOf(item);
    for (const [index, series] of item.content.series.entries()) {
      if (series.timesMicros.length < 2) continue;
      const { service, name } = placeOf(series, prefixes);
      const told: ObservedSeries = {
        service,
        name,
        variant: variantOf(series, service),
        origin: "metrics",
        signal: signalOf(name),
        timesMicros: series.timesMicros,
        values: valuesOf(series),
        // Computed only where a finding points at it.
        get evidenceId() {
          return item.id;
        },
        locator: `/series/${index}`,
      };
      const key = JSON.stringify([service, name, sortedLabels(series.labels)]);
      const known = found.get(key);
      found.set(key, known === undefined ? told : together(known, told));
    }
  }
  return [...found].sort(([left], [right]) => compareText(left, right)).map(([, told]) => told);
}

/**
 * One series of two recordings that do not overlap, such as a quiet time and an incident; of those that do, the longer.
 * A finding points at the later one.
 */
function together(known: ObservedSeries, told: ObservedSeries): ObservedSeries {
  const [early, late] =
    (known.timesMicros[0] ?? 0) <= (told.timesMicros[0] ?? 0) ? [known, told] : [told, known];
  const isApart = (early.timesMicros.at(-1) ?? 0) < (late.timesMicros[0] ?? 0);
  if (!isApart) return known.values.length < told.values.length ? told : known;
  return {
    service: late.service,
    name: late.name,
    ...(late.variant === undefined ? {} : { variant: late.variant }),
    origin: late.origin,
    signal: late.signal,
    timesMicros: [...early.timesMicros, ...late.timesMicros],
    values: Float64Array.from([...early.values, ...late.values]),
    get evidenceId() {
      return late.evidenceId;
    },
    locator: late.locator,
  };
}

/** Services that the names of series begin with: several of them, followed by metrics that several have. */
function prefixesOf({ content }: EvidenceOf<"metrics">): ReadonlySet<string> {
  const metricsOf = new Map<string, Set<string>>();
  const usersOf = new Map<string, number>();
  for (const series of content.series) {
    if (labelledService(series) !== undefined) continue;
    const [prefix, metric] = splitName(series.name);
    if (metric === "") continue;
    const metrics = metricsOf.get(prefix) ?? new Set<string>();
    metricsOf.set(prefix, metrics.add(metric));
  }
  for (const metrics of metricsOf.values())
    for (const metric of metrics) usersOf.set(metric, (usersOf.get(metric) ?? 0) + 1);
  const prefixes = [...metricsOf].filter(([, metrics]) =>
    [...metrics].some((metric) => (usersOf.get(metric) ?? 0) >= 2),
  );
  return new Set(prefixes.length >= 2 ? metricsOf.keys() : []);
}

/** `cart_cpu` is the cpu of cart; of `cart_latency-90` the metric has a stroke of its own. */
function splitName(name: string): [prefix: string, metric: string] {
  const at = name.search(/[_:]/);
  return at <= 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
}

function labelledService({ labels }: MetricSeries): string | undefined {
  let [best, bestPlace] = ["", serviceLabels.length];
  for (const [name, value] of Object.entries(labels)) {
    const place = serviceLabels.indexOf(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
    if (place >= 0 && place < bestPlace && value !== "") [best, bestPlace] = [value, place];
  }
  if (best === "") return undefined;
  return serviceLabels[bestPlace]?.startsWith("pod") === true ? serviceOfPod(best) : best;
}

function variantOf({ labels }: MetricSeries, service: string): string {
  const others = Object.entries(labels).filter(([, value]) => value !== service);
  return others.length === 0 ? "" : sortedLabels(Object.fromEntries(others));
}

function placeOf(
  series: MetricSeries,
  prefixes: ReadonlySet<string>,
): { service: string; name: string } {
  const labelled = labelledService(series);
  if (labelled !== undefined) return { service: labelled, name: series.name };
  const [prefix, metric] = splitName(series.name);
  return metric !== "" && prefixes.has(prefix)
    ? { service: prefix, name: metric }
    : { service: "", name: series.name };
}

function valuesOf({ values, type, name }: MetricSeries): Float64Array {
  const isCounter = type === "counter" || (/[-_]total$/.test(name) && isGrowing(values));
  const whole = Float64Array.from(values);
  if (!isCounter) return whole;
  return whole.map((value, at) => {
    const before = whole[Math.max(0, at - 1)] ?? value;
    // A counter that fell began anew with its process.
    return value < before ? value : value - before;
  });
}

function isGrowing(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value >= (values[at - 1] ?? value));
}
