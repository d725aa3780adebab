/** What metrics tell of garbage collection in one process: the share of time that it takes, and what it may depend on. */

import type { EvidenceReference, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { labelledName } from "../text/labelled-name.ts";

/** A measurement over time. */
export interface Course {
  readonly timesMicros: readonly number[];
  readonly values: readonly number[];
}

export interface CollectorCourse {
  readonly name: string;
  /** `pause` is a share of the time that nothing else runs, `cpu` one of the time of processors. */
  readonly measures: "pause" | "cpu";
  readonly share: Course;
  /** Requests in a second. */
  readonly load: Course | undefined;
  /** Mean time of a request, in seconds. */
  readonly latency: Course | undefined;
  /** Bytes in a second. */
  readonly allocation: Course | undefined;
  /** Bytes that are left after collections. */
  readonly live: Course | undefined;
  /** How late the event loop of Node was, in seconds, at most or nearly so. */
  readonly loopDelay: Course | undefined;
  readonly references: readonly EvidenceReference[];
}

const pauses =
  /^(?:go_gc_duration_seconds|jvm_gc_(?:pause|collection)_seconds|(?:process[._]runtime[._])?jvm[._]gc[._]duration(?:_seconds|_milliseconds)?|nodejs_gc_duration_seconds|v8js[._]gc[._]duration(?:_seconds)?)_sum$/;
const pauseTotals =
  /^(?:process[._]runtime[._])?dotnet[._]gc[._]pause[._]time(?:_seconds)?(?:_total)?$/;
/** Phases beside which the program runs on, and which the same histogram counts as well. */
const isConcurrent = /concurrent|ConcurrentMarkSweep|Shenandoah Cycles|ZGC Cycles|No GC/i;
const collectorSeconds = /^go[._]cpu[._]classes[._]gc[._]total[._]cpu[._]seconds(?:_total)?$/;
const allSeconds = /^go[._]cpu[._]classes[._]total[._]cpu[._]seconds(?:_total)?$/;
const requestCount =
  /(?:^|[._])(?:requests?_total|requests?_count|requests?_(?:duration|latency)(?:_\w+)?_count|request[._]duration(?:_\w+)?_count|handled_total)$/;
const requestSum = /requests?[._](?:duration|latency)(?:_\w+)?_sum$/;
const isServed = (name: string): boolean => !/client/.test(name);
const allocated =
  /alloc_bytes_total$|memory_allocated_bytes_total$|^go[._]memory[._]allocated(?:_bytes)?(?:_total)?$/;
const loopDelays = /^nodejs[._]eventloop[._](?:lag|delay)[._]p99(?:[._]seconds)?$/;
const liveBytes = /live_data_size_bytes$|heap_live_bytes$|next_gc_bytes$|after_(?:last_)?gc/;

const processLabels = [
  "service",
  "service.name",
  "service_name",
  "job",
  "app",
  "instance",
  "service.instance.id",
  "pod",
  "k8s.pod.name",
  "host.name",
];
const seriesCountMax = 20_000;
const processCountMax = 2_000;

/** The collectors of a snapshot's processes. */
export function collectorCoursesOf(snapshot: Snapshot): CollectorCourse[] {
  const found: CollectorCourse[] = [];
  for (const { id, content } of evidenceOfKind(snapshot, "metrics")) {
    const isOfCollector = ({ name, labels }: MetricSeries): boolean =>
      (pauses.test(name) || pauseTotals.test(name) || collectorSeconds.test(name)) &&
      !Object.values(labels).some((value) => isConcurrent.test(value));
    const collectors = content.series.filter(isOfCollector);
    if (collectors.length === 0 || content.series.length > seriesCountMax) continue;
    const wanted = new Set(collectors.map(processOf));
    const byProcess = Map.groupBy(
      content.series.filter((series) => wanted.has(processOf(series))),
      processOf,
    );
    const ofCollector = Map.groupBy(collectors, processOf);
    for (const [process, list] of [...byProcess].slice(0, processCountMax)) {
      found.push(...coursesOf({ process, list, collectors: ofCollector.get(process) ?? [], id }));
    }
  }
  return found;
}

interface ProcessSeries {
  readonly process: string;
  readonly list: readonly MetricSeries[];
  readonly collectors: readonly MetricSeries[];
  readonly id: EvidenceReference["evidenceId"];
}

function coursesOf({ process, list, collectors, id }: ProcessSeries): CollectorCourse[] {
  const named = (pattern: RegExp): MetricSeries[] => list.filter(({ name }) => pattern.test(name));
  const served = named(requestCount).filter(({ name }) => isServed(name));
  // The same requests may be counted by several metrics: one of them is enough.
  const [counted] = served.map(({ name }) => name).sort(compareText);
  const counts = served.filter(({ name }) => name === counted);
  const sums = named(requestSum).filter(({ name }) => isServed(name));
  const [summed] = sums.map(({ name }) => name).sort(compareText);
  const sameCounts = list.filter(({ name }) => name === summed?.replace(/_sum$/, "_count"));
  const latency = quotientOf(
    rateOf(sums.filter(({ name }) => name === summed)),
    rateOf(sameCounts),
  );
  const common = {
    load: rateOf(counts),
    latency: latency === undefined ? undefined : inSeconds(latency, summed ?? ""),
    allocation: rateOf(named(allocated)),
    live: gaugeOf(named(liveBytes)),
    loopDelay: gaugeOf(named(loopDelays)),
  };
  const make = (measures: "pause" | "cpu", series: readonly MetricSeries[]): CollectorCourse[] => {
    const [first] = series;
    const rate = rateOf(series);
    if (first === undefined || rate === undefined) return [];
    const share =
      measures === "cpu"
        ? quotientOf(rate, rateOf(named(allSeconds)))
        : inSeconds(rate, first.name);
    if (share === undefined) return [];
    const references = series
      .slice(0, 16)
      .map((one) => ({ evidenceId: id, locator: shorten(labelledName(one), 1_024) }));
    return [
      {
        name: process === "" ? first.name : `${process} ${first.name}`,
        measures,
        share,
        references,
        ...common,
      },
    ];
  };
  const isCpu = ({ name }: MetricSeries): boolean => collectorSeconds.test(name);
  return [
    ...make(
      "pause",
      collectors.filter((series) => !isCpu(series)),
    ),
    ...make("cpu", collectors.filter(isCpu)),
  ];
}

function processOf({ labels }: MetricSeries): string {
  return processLabels
    .flatMap((name) => (labels[name] === undefined ? [] : [labels[name]]))
    .join(" ");
}

/** Milliseconds where the name says so, as older conventions of OpenTelemetry do. */
function inSeconds({ timesMicros, values }: Course, name: string): Course {
  const isMillis = /milliseconds|_ms(?:_|$)|process[._]runtime[._]jvm[._]gc[._]duration_sum/.test(
    name,
  );
  return isMillis
    ? { timesMicros, values: values.map((value) => value / 1_000) }
    : { timesMicros, values };
}

/** What counters gain in a second, together, at the times of the first; where one falls it began anew. */
function rateOf(list: readonly MetricSeries[]): Course | undefined {
  const gains = new Map<number, number>();
  const [first] = list;
  if (first === undefined || first.values.length < 2) return undefined;
  for (const { timesMicros, values } of list) {
    for (let index = 1; index < values.length; index += 1) {
      const seconds = ((timesMicros[index] ?? 0) - (timesMicros[index - 1] ?? 0)) / 1e6;
      const gain = (values[index] ?? 0) - (values[index - 1] ?? 0);
      if (seconds <= 0) continue;
      const time = timesMicros[index] ?? 0;
      gains.set(time, (gains.get(time) ?? 0) + Math.max(0, gain) / seconds);
    }
  }
  const times = [...gains.keys()].sort((left, right) => left - right);
  return { timesMicros: times, values: times.map((time) => gains.get(time) ?? 0) };
}

function gaugeOf([first]: readonly MetricSeries[]): Course | undefined {
  return first === undefined ? undefined : { timesMicros: first.timesMicros, values: first.values };
}

function quotientOf(above: Course | undefined, below: Course | undefined): Course | undefined {
  if (above === undefined || below === undefined) return undefined;
  const known = new Map(below.timesMicros.map((time, index) => [time, below.values[index] ?? 0]));
  const pairs = above.timesMicros.flatMap((time, index): [number, number][] => {
    const by = known.get(time) ?? 0;
    return by > 0 ? [[time, (above.values[index] ?? 0) / by]] : [];
  });
  return { timesMicros: pairs.map(([time]) => time), values: pairs.map(([, value]) => value) };
}
