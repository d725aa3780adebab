/** Garbage collection takes a small share of the time, and no larger one at the same load. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { mannKendall } from "../statistics/mann-kendall.ts";
import { quantileOf, sortedNumbers } from "../statistics/quantiles.ts";
import { type CollectorCourse, collectorCoursesOf, type Course } from "./gc-metrics.ts";
import { percent, significant } from "../text/number-words.ts";

/** What can be set, with its default. */
const options = {
  pointCountMin: {
    default: 30,
    description: "Intervals between values that must be there to judge a process.",
  },
  pauseShareMin: {
    default: 0.05,
    description: "Share of the time in pauses from which on a growth matters, from 0 to 1.",
  },
  cpuShareMin: {
    default: 0.25,
    description:
      "Share of the processor's time from which on a growth matters, from 0 to 1; Go's collector means to stay below it while it runs.",
  },
  excessShareMin: {
    default: 0.3,
    description: "Share of the time in pauses that is too much at any load, from 0 to 1.",
  },
  growthRatioMin: {
    default: 1.5,
    description: "How many times larger the share must be in the last third of the time.",
  },
  loadRatioMax: {
    default: 1.2,
    description: "How many times more requests there may be in the last third than in the first.",
  },
  loadPerSecondMin: {
    default: 1,
    description: "Requests in a second from which on they count as the load.",
  },
  chanceMax: {
    default: 0.001,
    description: "The chance of such a trend without one.",
  },
};

interface Options {
  readonly pointCountMin: number;
  readonly pauseShareMin: number;
  readonly cpuShareMin: number;
  readonly excessShareMin: number;
  readonly growthRatioMin: number;
  readonly loadRatioMax: number;
  readonly loadPerSecondMin: number;
  readonly chanceMax: number;
}

export const gcPressure: Contract = defineContract({
  id: "lifetimes/gc-pressure",
  version: 1,
  boundary: "process-resource",
  promise:
    "Garbage collection takes a small share of the time, and no larger one at the same load.",
  reads: ["metrics"],
  options,
  check(snapshot, settings: Options, found) {
    return collectorCoursesOf(snapshot).flatMap((course) => {
      const parts = judge(course, settings);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

/** The medians of the first and of the last third of the time. */
interface Change {
  readonly before: number;
  readonly after: number;
}

/** Windows whose medians are looked at for a trend: what neighbours have in common counts for less in them. */
const windowCount = 15;

function judge(course: CollectorCourse, settings: Options): FindingParts | undefined {
  const { share, measures } = course;
  if (share.values.length < settings.pointCountMin) return undefined;
  const change = changeOf(share);
  const shareMin = measures === "pause" ? settings.pauseShareMin : settings.cpuShareMin;
  const isLarge = change.after >= shareMin;
  const isGrown =
    isLarge &&
    change.after >= settings.growthRatioMin * change.before &&
    isRising(share, settings.chanceMax);
  const isExcess =
    measures === "pause" && Math.min(change.before, change.after) >= settings.excessShareMin;
  if (isExcess) return excess(course, change);
  if (isGrown) return grown(course, change, settings);
  if (isLarge) return large(course, change);
  return {
    ...common(course, change),
    verdict: "holds",
    title: `${course.name} takes a small share of the time`,
  };
}

function changeOf({ values }: Course): Change {
  const third = Math.max(1, Math.floor(values.length / 3));
  const median = (part: readonly number[]): number => quantileOf(sortedNumbers(part), 0.5);
  return { before: median(values.slice(0, third)), after: median(values.slice(-third)) };
}

/** Whether there is a trend, and nearly all of the last third lies above nearly all of the first. */
function isRising({ values }: Course, chanceMax: number): boolean {
  const windows = Array.from({ length: windowCount }, (_window, index) =>
    quantileOf(
      sortedNumbers(
        values.slice(
          Math.floor((index * values.length) / windowCount),
          Math.floor(((index + 1) * values.length) / windowCount),
        ),
      ),
      0.5,
    ),
  );
  const { score, probability } = mannKendall(windows);
  const third = Math.floor(values.length / 3);
  const early = quantileOf(sortedNumbers(values.slice(0, third)), 0.9);
  const late = quantileOf(sortedNumbers(values.slice(-third)), 0.1);
  return score > 0 && probability <= chanceMax && late > early;
}

function common(
  course: CollectorCourse,
  change: Change,
): Pick<FindingParts, "subject" | "actual" | "measures" | "evidence"> {
  const load = course.load === undefined ? undefined : changeOf(course.load);
  return {
    subject: { kind: "collector", name: course.name },
    actual: [
      `${course.measures === "pause" ? "Pauses took" : "The collector took"} ${percent(change.before)} of the ${course.measures === "pause" ? "time" : "processor's time"} in the first third and ${percent(change.after)} in the last.`,
      load === undefined
        ? ""
        : `Requests: ${words(load.before)} and ${words(load.after)} in a second.`,
      causeWords(course),
      latencyWords(course, change),
      delayWords(course),
    ]
      .filter((text) => text !== "")
      .join(" "),
    measures: {
      shareFirst: change.before,
      shareLast: change.after,
      loadFirst: load?.before,
      loadLast: load?.after,
      valueCount: course.share.values.length,
    },
    evidence: course.references,
  };
}

/** What collections are for: what is allocated makes them frequent, and what lives makes them long. */
function causeWords({ allocation, live }: CollectorCourse): string {
  const pairs = [
    ["allocated in a second", allocation],
    ["left after collections", live],
  ] as const;
  return pairs
    .flatMap(([what, course]) => {
      if (course === undefined || course.values.length < 3) return [];
      const { before, after } = changeOf(course);
      return [`Bytes ${what}: ${words(before)} and ${words(after)}.`];
    })
    .join(" ");
}

/** A request that takes so long meets pauses for about their share of it. */
function latencyWords({ latency, measures }: CollectorCourse, { before, after }: Change): string {
  if (latency === undefined || latency.values.length < 3 || measures !== "pause") return "";
  const change = changeOf(latency);
  const rise = change.after - change.before;
  if (!(rise > 0)) return "";
  const explained = change.after * Math.min(after, 1) - change.before * Math.min(before, 1);
  return `A request took ${millis(change.before)} ms at first and ${millis(change.after)} ms in the end; of the ${millis(rise)} ms more, pauses within it could explain about ${millis(Math.min(Math.max(explained, 0), rise))}.`;
}

/** A pause of Node holds up its loop as well; what else does so is not told apart. */
function delayWords({ loopDelay }: CollectorCourse): string {
  if (loopDelay === undefined || loopDelay.values.length < 3) return "";
  const { before, after } = changeOf(loopDelay);
  return `The event loop was late by ${millis(before)} ms at first and ${millis(after)} ms in the end (99th percentile).`;
}

function grown(course: CollectorCourse, change: Change, settings: Options): FindingParts {
  const load = course.load === undefined ? undefined : changeOf(course.load);
  const isLoad = load !== undefined && load.after > settings.loadRatioMax * load.before;
  // Where hardly anything is asked, something else is at work.
  const isKnown = load !== undefined && load.before >= settings.loadPerSecondMin;
  const isProved = isKnown && !isLoad;
  return {
    ...common(course, change),
    verdict: isProved ? "violated" : "inconclusive",
    ...(isProved ? { causeKind: "capacity" as const } : {}),
    title: `${course.name} takes ${percent(change.after)} of the time and took ${percent(change.before)}${isProved ? " at the same load" : ""}`,
    missing: isProved
      ? []
      : [
          isLoad
            ? "A time of the same load: more requests make more garbage."
            : "How many requests there were: a rate of requests of the same process.",
        ],
    fixes: isProved ? [{ description: fixOf(course), cost: 1 }] : [],
    nextChecks: nextChecksOf(course),
  };
}

function excess(course: CollectorCourse, change: Change): FindingParts {
  return {
    ...common(course, change),
    verdict: "violated",
    causeKind: "capacity",
    title: `${course.name} takes ${percent(change.after)} of the time, all the time`,
    fixes: [{ description: fixOf(course), cost: 1 }],
    nextChecks: nextChecksOf(course),
  };
}

function large(course: CollectorCourse, change: Change): FindingParts {
  return {
    ...common(course, change),
    verdict: "inconclusive",
    title: `${course.name} takes ${percent(change.after)} of the time`,
    missing: ["A time in which it took less: whether this is usual for the process is not seen."],
    nextChecks: nextChecksOf(course),
  };
}

function fixOf({ live, allocation }: CollectorCourse): string {
  const isLive = live !== undefined && isMore(live);
  const isMade = allocation !== undefined && isMore(allocation);
  if (isLive && !isMade) {
    return "Find what is kept (lifetimes/heap-bounded names it): what lives has grown, and each collection goes through all of it. Until then a larger limit of memory makes collections rarer.";
  }
  if (isMade) {
    return "Find what allocates more than before by two profiles of allocations (lifetimes/profile-difference), and let it use memory again.";
  }
  return "Give the heap more room (GOMEMLIMIT or GOGC, -Xmx, --max-old-space-size), or let the program allocate less for each request.";
}

const moreRatioMin = 1.2;

function isMore(course: Course): boolean {
  if (course.values.length < 3) return false;
  const { before, after } = changeOf(course);
  return after >= moreRatioMin * before;
}

function nextChecksOf({ measures }: CollectorCourse): string[] {
  return [
    measures === "cpu"
      ? "Take a CPU profile: gcAssistAlloc on the stacks of requests is what they pay themselves."
      : "Compare profiles of the heap from the beginning and the end, by what is in use and by what was allocated.",
  ];
}

function words(value: number): string {
  return significant(value, 4);
}

function millis(seconds: number): string {
  return String(Number((1_000 * seconds).toPrecision(3)));
}
