/** What a process keeps on its heap does not grow without end. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import { judgeObjects } from "./heap-objects.ts";
import {
  goroutineLoads,
  type LoadCourse,
  loadsDuring,
  type LoadSeries,
  loadsOf,
  loadThatExplains,
} from "./heap-load.ts";
import { type HeapCourse, heapCoursesOf } from "./heap-series.ts";
import { type Growth, growthOf } from "./trend.ts";

/** What can be set, with its default. */
const options = {
  recordingCountMin: {
    default: 3,
    description: "Profiles of the heap over which a site must grow to be a leak.",
  },
  pointCountMin: {
    default: 30,
    description: "Values of a metric, or figures of Node, that must be there to judge them.",
  },
  growthRatioMin: {
    default: 1.5,
    description: "How many times more than in the beginning there must be at the end.",
  },
  growthBytesMin: {
    default: 8_388_608,
    description:
      "Bytes by which a site of a profile must have grown; a sample stands for half a million.",
  },
  metricMinutesMin: {
    default: 15,
    description:
      "Minutes that a series of the live heap must cover: before them a process warms up.",
  },
  profileMinutesMin: {
    default: 1,
    description: "Minutes that profiles of a site that grows must lie apart in all.",
  },
  objectGrowthCountMin: {
    default: 1_000,
    description: "Objects of one constructor that a process must have gained over its snapshots.",
  },
  detachedGrowthCountMin: {
    default: 20,
    description: "Detached elements of one kind that a page must have gained over its snapshots.",
  },
};

interface Options {
  readonly recordingCountMin: number;
  readonly pointCountMin: number;
  readonly growthRatioMin: number;
  readonly growthBytesMin: number;
  readonly metricMinutesMin: number;
  readonly profileMinutesMin: number;
  readonly objectGrowthCountMin: number;
  readonly detachedGrowthCountMin: number;
}

export const heapBounded: Contract = defineContract({
  id: "lifetimes/heap-bounded",
  version: 3,
  boundary: "process-resource",
  promise: "What a process keeps on its heap does not grow without end.",
  reads: ["profile", "resources", "metrics"],
  options,
  check(snapshot, settings: Options, found) {
    const loads = { measured: loadsOf(snapshot), beside: goroutineLoads(snapshot) };
    const courses = heapCoursesOf(snapshot).flatMap(
      (course) => judge(course, loads, settings) ?? [],
    );
    return [...courses, ...judgeObjects(snapshot, settings)].map(found);
  },
});

/** Windows of which each counts by its least value: what is left after the collections within it. */
const windowCount = 10;

function judge(
  course: HeapCourse,
  loads: { readonly measured: readonly LoadSeries[]; readonly beside: readonly LoadCourse[] },
  settings: Options,
): FindingParts | undefined {
  const isProfile = course.subject.kind === "heap" && course.measures === "live";
  const countMin = isProfile ? settings.recordingCountMin : settings.pointCountMin;
  if (course.values.length < countMin) return undefined;
  const { values, minutes } = isProfile ? course : leastOf(course);
  const growth = growthOf(values, minutes);
  const isGrown =
    growth.isSteady &&
    growth.last >= settings.growthRatioMin * growth.first &&
    (!isProfile || growth.growth >= settings.growthBytesMin);
  const minutesMin = isProfile ? settings.profileMinutesMin : settings.metricMinutesMin;
  const isBrief = spanOf(course) < minutesMin;
  if (isGrown) {
    const measured = course.place === undefined ? [] : loadsDuring(loads.measured, course.place);
    const known = isProfile ? [...measured, ...loads.beside] : measured;
    const isEven = values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0));
    return grows(course, {
      growth,
      values,
      briefMinutes: isBrief ? minutesMin : undefined,
      load: loadThatExplains(known, growth),
      isUneven: known.length === 0 && !isEven,
      steadyLoads: known,
    });
  }
  return isProfile || course.measures === "resident" ? undefined : steady(course, growth);
}

/** Minutes from the first value to the last; without end where no times are known. */
function spanOf({ minutes }: HeapCourse): number {
  const [first] = minutes ?? [];
  const last = minutes?.at(-1);
  return first === undefined || last === undefined ? Number.POSITIVE_INFINITY : last - first;
}

function leastOf({ values, minutes }: HeapCourse): Pick<HeapCourse, "values" | "minutes"> {
  const least: number[] = [];
  const times: number[] = [];
  for (let window = 0; window < windowCount; window += 1) {
    const from = Math.floor((window * values.length) / windowCount);
    const to = Math.floor(((window + 1) * values.length) / windowCount);
    let low = Number.POSITIVE_INFINITY;
    for (const value of values.slice(from, to)) if (value < low) low = value;
    least.push(low);
    times.push(minutes?.[from] ?? window);
  }
  return { values: least, minutes: times };
}

interface Grown {
  readonly growth: Growth;
  readonly values: readonly number[];
  /** The minutes that were needed, where there were fewer: a cache may have been filled, or a load have risen. */
  readonly briefMinutes: number | undefined;
  /** A load that grew as much. */
  readonly load: LoadCourse | undefined;
  /** It went down in between, and no load is known that could tell why. */
  readonly isUneven: boolean;
  readonly steadyLoads: readonly LoadCourse[];
}

function grows(course: HeapCourse, grown: Grown): FindingParts {
  const { growth, values, briefMinutes, load, isUneven } = grown;
  const isDoubted = briefMinutes !== undefined || load !== undefined || isUneven;
  const isProved = course.measures === "live" && !isDoubted;
  const inner = course.allocatedIn?.();
  return {
    verdict: isProved ? "violated" : "inconclusive",
    subject: course.subject,
    title: `${course.subject.name} grows from ${words(growth.first)} to ${words(growth.last)} and does not come to rest`,
    actual: `${course.measures === "live" ? "What is left after collections" : "The least of each tenth of the time"} was ${values.map(words).join(", ")}.${inner === undefined ? "" : ` Most of it is made by ${inner}.`}${loadWords(grown)}`,
    ...(isProved ? { causeKind: "change" as const } : {}),
    measures: {
      firstBytes: growth.first,
      lastBytes: growth.last,
      valueCount: course.values.length,
    },
    evidence: load === undefined ? course.references : [...course.references, load.reference],
    missing: isProved ? [] : missingOf(course, grown),
    fixes: isProved
      ? [
          {
            description: keepsContexts.test(inner ?? "")
              ? `Call the cancel function of every context that ${course.subject.name} makes (defer cancel()): a context that is not cancelled stays with its parent, and its timer until it fires.`
              : `Find who keeps what ${course.subject.name} allocates, and give it a bound or let it go.`,
            cost: 1,
          },
        ]
      : [],
    nextChecks: ["Compare profiles of the heap from the beginning and the end, by what is in use."],
  };
}

function loadWords({ load, steadyLoads }: Grown): string {
  if (load !== undefined)
    return ` At the same time ${load.name} went from ${words(load.first)} to ${words(load.last)}.`;
  const [steady] = steadyLoads;
  return steady === undefined
    ? ""
    : ` ${steady.name} was ${words(steady.first)} in the beginning and ${words(steady.last)} in the end, which does not explain it.`;
}

function missingOf(course: HeapCourse, { briefMinutes, load, isUneven }: Grown): string[] {
  if (load !== undefined)
    return [`Values at the same load, or after it has ended: ${load.name} grew as well.`];
  const isLong = briefMinutes === undefined && course.measures === "live";
  if (isUneven && isLong)
    return [
      "The load of the process over the same time (requests in flight, connections, queues): what is kept went down in between, so that it may follow that.",
    ];
  return [missingFor(course, briefMinutes)];
}

function missingFor({ measures, subject }: HeapCourse, minutesMin: number | undefined): string {
  if (minutesMin !== undefined && measures === "live" && subject.kind !== "heap") {
    return `A series of at least ${plural(minutesMin, "minute")}: in less a process may still warm up.`;
  }
  if (minutesMin !== undefined) {
    return `Profiles that lie more than ${plural(minutesMin, "minute")} apart: these are so close that a cache may have been filled.`;
  }
  return measures === "resident"
    ? "The live heap of the process: resident memory includes caches and what a collection would free."
    : "Three profiles of the heap, some minutes apart and at the same load: they say what is kept.";
}

/** Contexts, and the timers and lists of children that they are kept in. */
const keepsContexts = /^(?:context\.|time\.(?:AfterFunc|newTimer|NewTimer))/;

function steady(course: HeapCourse, growth: Growth): FindingParts {
  return {
    verdict: "holds",
    subject: course.subject,
    title: `${course.subject.name} does not grow without end`,
    actual: `It was ${words(growth.first)} in the first tenth of the time and ${words(growth.last)} in the last, at the least.`,
    measures: {
      firstBytes: growth.first,
      lastBytes: growth.last,
      valueCount: course.values.length,
    },
    evidence: course.references,
  };
}

function words(value: number): string {
  return String(Number(value.toPrecision(4)));
}
