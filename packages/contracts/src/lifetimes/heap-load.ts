/** The load that a process had while its heap grew: requests, connections, sessions and queues, where metrics tell of them. */

import type { EvidenceReference, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { labelledName } from "../text/labelled-name.ts";
import { goroutineSeriesOf } from "./goroutine-series.ts";
import { medianOf } from "../statistics/quantiles.ts";

/** What was under way or waited, as a gauge. */
const underWay =
  /in_?flight|(?:active|open|current|concurrent|pending|queued|connected)_(?:requests?|connections?|conns|sessions?|streams?|clients?|users?|calls?|jobs?|messages?)|(?:requests?|connections?|sessions?|streams?|clients?|jobs?)_(?:active|open|current|in_progress|in_flight|running|pending)|(?:^|_)queue_?(?:size|depth|length|items)|backlog|(?:^|_)concurrency$|online_users|(?:^|_)(?:sessions|connections)$/i;
/** What came in, as a counter. */
const cameIn =
  /(?:requests?|messages?|calls?|events?|jobs?|connections?|rpcs?)(?:_(?:received|handled|processed|accepted|started|served))?_total$|requests?_(?:duration|latency)(?:_\w+)?_count$|(?:^|_)(?:rps|qps|request_rate|throughput)$|requests?_per_second$|handled_total$/i;
/** Whose load it is. */
const placeLabels = ["service", "job", "instance", "pod", "namespace", "app", "host"];
/** Of a course and of a load so much must overlap. */
const overlapShareMin = 0.8;
const loadCountMax = 2_000;

/** A measure of load over time. */
export interface LoadSeries {
  readonly series: MetricSeries;
  readonly isCounter: boolean;
  readonly reference: EvidenceReference;
}

/** How a load went from the beginning of a course to its end. */
export interface LoadCourse {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly reference: EvidenceReference;
}

/** All measures of load in a snapshot. */
export function loadsOf(snapshot: Snapshot): LoadSeries[] {
  const loads: LoadSeries[] = [];
  for (const { id, content } of evidenceOfKind(snapshot, "metrics")) {
    for (const series of content.series) {
      const isCounter = cameIn.test(series.name);
      if (!isCounter && (!underWay.test(series.name) || series.type === "counter")) continue;
      if (loads.length >= loadCountMax) return loads;
      loads.push({
        series,
        isCounter: isCounter && isCumulative(series),
        reference: { evidenceId: id, locator: labelledName(series) },
      });
    }
  }
  return loads;
}

function isCumulative({ name, type }: MetricSeries): boolean {
  return type === "counter" || /_(?:total|count)$/.test(name);
}

/** The loads of the same process, as they were at the beginning and at the end of these times. */
export function loadsDuring(
  loads: readonly LoadSeries[],
  {
    timesMicros,
    labels,
  }: { readonly timesMicros: readonly number[]; readonly labels: Readonly<Record<string, string>> },
): LoadCourse[] {
  const [from] = timesMicros;
  const to = timesMicros.at(-1);
  if (from === undefined || to === undefined || to <= from) return [];
  const third = (to - from) / 3;
  return loads.flatMap((load) => {
    if (!isOfSame(labels, load.series.labels)) return [];
    const points = pointsOf(load).filter(({ time }) => time >= from && time <= to);
    const covered = (points.at(-1)?.time ?? 0) - (points[0]?.time ?? 0);
    if (points.length < 6 || covered < overlapShareMin * (to - from)) return [];
    const first = medianOf(
      points.filter(({ time }) => time <= from + third).map(({ value }) => value),
    );
    const last = medianOf(
      points.filter(({ time }) => time >= to - third).map(({ value }) => value),
    );
    if (first === undefined || last === undefined) return [];
    return [{ name: labelledName(load.series), first, last, reference: load.reference }];
  });
}

/** Goroutines at work and requests, where recordings of goroutines stand beside those of the heap. */
export function goroutineLoads(snapshot: Snapshot): LoadCourse[] {
  return goroutineSeriesOf(snapshot).flatMap(({ moments }) => {
    const [first] = moments;
    const last = moments.at(-1);
    if (first === undefined || last === undefined || first === last) return [];
    return [
      {
        name: "the number of goroutines at work",
        first: first.activeCount,
        last: last.activeCount,
        reference: { evidenceId: last.evidenceId },
      },
    ];
  });
}

/** What does not name its process may be that of any. */
function isOfSame(
  left: Readonly<Record<string, string>>,
  right: Readonly<Record<string, string>>,
): boolean {
  return placeLabels.every((name) => {
    const [one, other] = [left[name], right[name]];
    return one === undefined || other === undefined || one === other;
  });
}

/** A gauge as it is, a counter as what it gained each second. */
function pointsOf({ series, isCounter }: LoadSeries): { time: number; value: number }[] {
  const { timesMicros, values } = series;
  if (!isCounter) return timesMicros.map((time, index) => ({ time, value: values[index] ?? 0 }));
  return timesMicros.slice(1).flatMap((time, index) => {
    const seconds = (time - (timesMicros[index] ?? time)) / 1_000_000;
    const gain = (values[index + 1] ?? 0) - (values[index] ?? 0);
    return seconds > 0 && gain >= 0 ? [{ time, value: gain / seconds }] : [];
  });
}

/** By so much load must have grown where nothing of the heap was there in the beginning. */
const ratioOfNew = 2;
/** Load must have grown by this share of what the heap grew by, each as a share of what it was. */
const loadShareMin = 0.5;

/** The load that explains a growth, the one that grew most; nothing where none did. */
export function loadThatExplains(
  loads: readonly LoadCourse[],
  heap: { readonly first: number; readonly last: number },
): LoadCourse | undefined {
  const wanted = heap.first <= 0 ? ratioOfNew : 1 + loadShareMin * (heap.last / heap.first - 1);
  return loads
    .filter(({ first, last }) => (first > 0 ? last / first >= wanted : last > 0))
    .toSorted((left, right) => growthOf(right) - growthOf(left))[0];
}

function growthOf({ first, last }: LoadCourse): number {
  return last / Math.max(first, Number.MIN_VALUE);
}
