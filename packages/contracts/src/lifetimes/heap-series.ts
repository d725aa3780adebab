/** What is known of live heaps over time: profiles of the heap, figures of Node, and metrics. */

import type { EvidenceReference, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { allocatedIn, columnOf, sharesOf } from "./profile-sites.ts";
import { resourceSeriesOf } from "./resource-series.ts";
import { seriesOf } from "./series.ts";
import { labelledName } from "../text/labelled-name.ts";

/** The size of something that lives on a heap, over time. */
export interface HeapCourse {
  readonly subject: { readonly kind: string; readonly name: string };
  /** `live` is what was left after a collection; `used` includes what a collection would free. */
  readonly measures: "live" | "used" | "resident";
  readonly values: readonly number[];
  readonly minutes: readonly number[] | undefined;
  /** When its values are from, and what names the process; absent where no times are known. */
  readonly place?: {
    readonly timesMicros: readonly number[];
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly references: readonly EvidenceReference[];
  /** The function of Go itself or a library that most of it was allocated in on behalf of the site, where one was. */
  readonly allocatedIn?: () => string | undefined;
}

/** All courses of a snapshot. */
export function heapCoursesOf(snapshot: Snapshot): HeapCourse[] {
  return [...ofProfiles(snapshot), ...ofNode(snapshot), ...ofMetrics(snapshot)];
}

/** Sites of one series that are looked at. */
const siteCountMax = 10_000;

/** Go's profile of the heap is that of the last collection. */
function ofProfiles(snapshot: Snapshot): HeapCourse[] {
  const pieces = evidenceOfKind(snapshot, "profile").flatMap((item) => {
    const column = columnOf(item.content, ["inuse_space"]);
    return column === undefined
      ? []
      : [
          {
            item: {
              id: item.id,
              content: item.content,
              column,
              shares: sharesOf(item.content, column),
            },
            recording: item.content.recording,
          },
        ];
  });
  return seriesOf(pieces)
    .filter(({ isOrdered }) => isOrdered)
    .flatMap(({ name, items, minutes }) => {
      const latest = items.at(-1);
      if (latest === undefined) return [];
      const times = items.flatMap(({ recording }) => recording.timeMicros ?? []);
      const place =
        times.length === items.length ? { place: { timesMicros: times, labels: {} } } : {};
      return [...latest.item.shares.own.keys()].slice(0, siteCountMax).map((site): HeapCourse => ({
        subject: { kind: "heap", name: `${name === "" ? "" : `${name}: `}${site}` },
        measures: "live",
        values: items.map(({ item }) => item.shares.own.get(site) ?? 0),
        minutes,
        ...place,
        references: items.map(({ item }) => ({
          evidenceId: item.id,
          locator: site,
          quote: `${item.shares.own.get(site) ?? 0} of ${item.shares.total} bytes`,
        })),
        allocatedIn: () => allocatedIn(latest.item.content, latest.item.column, site),
      }));
    });
}

function ofNode(snapshot: Snapshot): HeapCourse[] {
  return resourceSeriesOf(snapshot)
    .filter(({ of, isOrdered }) => of === "heap" && isOrdered)
    .map(({ name, listings, minutes }) => ({
      subject: { kind: "heap", name: name === "" ? "process" : name },
      measures: "used",
      values: listings.map(({ content }) => content.figures["heap.usedBytes"] ?? 0),
      minutes,
      references: listings.map(({ evidenceId, content }) => ({
        evidenceId,
        quote: `heap.usedBytes ${content.figures["heap.usedBytes"] ?? 0}`,
      })),
    }));
}

const afterCollection = /after_last_gc|after_gc|live_(?:data|bytes|heap)|heap_live/i;
const usedHeap =
  /heap_(?:inuse|alloc|used|size_used)|heap_size_used|heap\.used|heapused|memory_used_bytes|heap_mb|heap_bytes|heap_usage/i;
const resident =
  /resident_memory|working_set|(?:^|_)rss(?:_|$)|memory_usage|memory_rss|container_memory/i;
const notOfProcess = /limit|quota|total_alloc|alloc_bytes_total|_count$|_max|node_|cache/i;
const microsPerMinute = 60_000_000;
const metricCountMax = 5_000;

function ofMetrics(snapshot: Snapshot): HeapCourse[] {
  const found: HeapCourse[] = [];
  for (const evidence of evidenceOfKind(snapshot, "metrics")) {
    for (const series of evidence.content.series) {
      const measures = measuresOf(series);
      if (measures === undefined || found.length >= metricCountMax) continue;
      const name = labelledName(series);
      const [first = 0] = series.timesMicros;
      found.push({
        subject: { kind: "metric", name },
        measures,
        values: series.values,
        place: { timesMicros: series.timesMicros, labels: series.labels },
        minutes: series.timesMicros.map((time) => (time - first) / microsPerMinute),
        references: [{ evidenceId: evidence.id, locator: name }],
      });
    }
  }
  return found;
}

function measuresOf({ name, type }: MetricSeries): HeapCourse["measures"] | undefined {
  if (type === "counter" || notOfProcess.test(name)) return undefined;
  if (afterCollection.test(name)) return "live";
  if (usedHeap.test(name)) return "used";
  return resident.test(name) ? "resident" : undefined;
}
