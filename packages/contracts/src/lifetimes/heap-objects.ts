/** What snapshots of a heap tell of its objects: of which constructors there are more and more. */

import type { FindingParts } from "../model/make-finding.ts";
import type { HeldResource } from "../model/resources.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { type ResourceSeries, resourceSeriesOf } from "./resource-series.ts";
import { type Growth, growthOf } from "./trend.ts";

interface ObjectOptions {
  readonly recordingCountMin: number;
  readonly growthRatioMin: number;
  readonly growthBytesMin: number;
  readonly objectGrowthCountMin: number;
  readonly detachedGrowthCountMin: number;
}

/** Findings of one process: what more grows hangs on what grew most. */
const findingCountMax = 10;

/** Judges the snapshots of each process; before one is written what nobody can reach is collected. */
export function judgeObjects(snapshot: Snapshot, options: ObjectOptions): FindingParts[] {
  return resourceSeriesOf(snapshot)
    .filter(({ of, listings }) => of === "heap" && listings.some(({ held }) => held.size > 0))
    .flatMap((series) => judgeSeries(series, options));
}

interface Grown {
  readonly key: string;
  readonly thing: HeldResource;
  readonly counts: readonly number[];
  readonly growth: Growth;
}

function judgeSeries(series: ResourceSeries, options: ObjectOptions): FindingParts[] {
  const latest = series.listings.at(-1);
  if (latest === undefined) return [];
  if (!series.isOrdered || series.listings.length < 2) return [alone(series)];
  const grown = [...latest.held].flatMap(([key, thing]): Grown[] => {
    const counts = series.listings.map(({ held }) => held.get(key)?.count ?? 0);
    const growth = growthOf(counts, series.minutes);
    const one = { key, thing, counts, growth };
    return isGrown(one, options) ? [one] : [];
  });
  grown.sort(
    (left, right) =>
      Number(isOfEngine(left.thing)) - Number(isOfEngine(right.thing)) ||
      right.growth.growth - left.growth.growth,
  );
  if (grown.length === 0) return [steady(series, options)];
  return grown.slice(0, findingCountMax).map((one) => grows(series, one, options));
}

function isGrown({ thing, growth }: Grown, options: ObjectOptions): boolean {
  const { first, last, isSteady } = growth;
  if (!isSteady || last < options.growthRatioMin * first) return false;
  return thing.state === "detached"
    ? growth.growth >= options.detachedGrowthCountMin
    : growth.growth >= options.objectGrowthCountMin;
}

/** Strings, arrays, code and what else the engine keeps for objects: it grows with them, and with code that is compiled. */
function isOfEngine({ type }: HeldResource): boolean {
  return type.startsWith("(") || engineTypes.has(type);
}

/** Constructors of so much that many of their objects say nothing of whose they are. */
const engineTypes: ReadonlySet<string> = new Set([
  "Object",
  "Array",
  "Map",
  "Set",
  "WeakRef",
  "FeedbackCell",
  "Context",
]);

function grows(series: ResourceSeries, one: Grown, options: ObjectOptions): FindingParts {
  const { thing, counts, growth, key } = one;
  const isLong = counts.length >= options.recordingCountMin;
  const isOfOne = isOneProcess(series);
  const isProved = isLong && isOfOne && (thing.state === "detached" || !isOfEngine(thing));
  const what = thing.state === undefined ? thing.type : `${thing.state} ${thing.type}`;
  return {
    verdict: isProved ? "violated" : "inconclusive",
    subject: { kind: "heap", name: `${series.name === "" ? "" : `${series.name}: `}${what}` },
    ...(isProved ? { causeKind: "change" as const } : {}),
    title: `${plural(growth.last, "object")} of ${what} live on the heap, and more with each snapshot`,
    actual: `There were ${counts.join(", ")} of them, of ${String(thing.bytes ?? 0)} bytes in the end without what they refer to.`,
    measures: {
      firstCount: growth.first,
      lastCount: growth.last,
      lastBytes: thing.bytes,
      recordingCount: counts.length,
    },
    evidence: series.listings.flatMap(({ evidenceId, held }) => {
      const here = held.get(key);
      return here === undefined
        ? []
        : [
            {
              evidenceId,
              locator: what,
              quote: `${here.count} × ${what}, ${here.bytes ?? 0} bytes`,
            },
          ];
    }),
    missing: isProved
      ? []
      : [
          !isOfOne
            ? "Snapshots of one process: these may be of several, whose heaps or ids do not grow from one to the next."
            : isLong
              ? "Whose they are: DevTools shows what keeps them (retainers)."
              : `${options.recordingCountMin} snapshots of the same process, some minutes apart and at the same load: between two a cache may have been filled.`,
        ],
    fixes: isProved
      ? [
          {
            description:
              thing.state === "detached"
                ? `Let go of ${thing.type} when it is taken out of the page: remove its listeners, and keep it in no variable or closure.`
                : `Find who keeps objects of ${what}, and give it a bound or let them go.`,
            cost: 1,
          },
        ]
      : [],
    nextChecks: [
      `Open the last snapshot in DevTools, and look at the retainers of ${what}.`,
      "Take a sampling profile of the heap (--heap-prof), which says where they are made.",
    ],
  };
}

/**
 * Whether the snapshots may be of one process that keeps more and more: its heap grows, and so do the ids of its objects.
 * Those of several replicas, which a number tells apart as well, do so only by chance.
 */
function isOneProcess({ listings }: ResourceSeries): boolean {
  return ["heap.usedBytes", "heap.idMax"].every((name) =>
    listings.every(({ content }, index) => {
      const before = listings[index - 1]?.content.figures[name] ?? 0;
      return (content.figures[name] ?? 0) > before;
    }),
  );
}

function steady(series: ResourceSeries, { recordingCountMin }: ObjectOptions): FindingParts {
  const isEnough = series.listings.length >= recordingCountMin;
  return {
    ...about(series),
    verdict: isEnough ? "holds" : "inconclusive",
    title: isEnough
      ? `No constructor gains objects over ${plural(series.listings.length, "snapshot")}`
      : `${plural(series.listings.length, "snapshot")} of a heap show no growth, and cannot show that there is none`,
    missing: isEnough ? [] : [`${recordingCountMin} snapshots of the same process.`],
  };
}

function alone(series: ResourceSeries): FindingParts {
  return {
    ...about(series),
    verdict: "inconclusive",
    title: "One snapshot of a heap says what is there, and not what grows",
    missing: [
      series.isOrdered
        ? "More snapshots of the same process, some minutes later, in files whose names have a later number or time."
        : "The order of the snapshots: a number or a time in the names of their files.",
    ],
  };
}

const listedCountMax = 5;

function about(
  series: ResourceSeries,
): Pick<FindingParts, "subject" | "actual" | "measures" | "evidence"> {
  const latest = series.listings.at(-1);
  const bytes = latest?.content.figures["heap.usedBytes"] ?? 0;
  const largest = [...(latest?.held.values() ?? [])]
    .toSorted((left, right) => (right.bytes ?? 0) - (left.bytes ?? 0))
    .slice(0, listedCountMax)
    .map(({ type, count, bytes: own = 0 }) => `${count} × ${type} (${own} bytes)`);
  return {
    subject: { kind: "heap", name: series.name === "" ? "process" : series.name },
    actual: `The last one has ${bytes} bytes. Most of it: ${largest.join(", ")}.`,
    measures: { lastBytes: bytes, recordingCount: series.listings.length },
    evidence: series.listings.map(({ evidenceId }) => ({ evidenceId })),
  };
}
