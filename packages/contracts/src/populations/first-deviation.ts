/** Which service departs first and deepest from what it was, by change points of its metrics and the graph of calls. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { ownFrameOf } from "./stack-frame.ts";
import { isoTime, numberWords } from "./words.ts";
import type { DeviatingSeries, RankingOptions } from "./deviating-series.ts";
import { loadGrowthOf } from "./load-growth.ts";
import { type Ranking, rankServices } from "./rank-services.ts";
import { depthOf, type RankedService } from "./service-order.ts";

/** What can be set, with its default. */
const options = {
  pointCountMin: {
    default: 20,
    description: "Points that a series must have before it is judged.",
  },
  errorRateMax: {
    default: 0.01,
    description:
      "Expected share of false ones among the series that are called deviating, from 0 to 1 (Benjamini and Hochberg).",
  },
  scoreMin: {
    default: 6,
    description:
      "Distance from the median before, in robust standard deviations, from which a deviation counts as large.",
  },
  relativeChangeMin: {
    default: 0.1,
    description:
      "Share by which the level must change for a deviation to count as large, from 0 to 1.",
  },
};

export const firstDeviation: Contract = defineContract({
  id: "populations/first-deviation",
  version: 3,
  boundary: "service-service",
  promise: "No metric of any service departs for good from the level that it had.",
  reads: ["metrics", "trace", "logs"],
  options,
  check(snapshot, settings, found) {
    const ranking = rankServices(snapshot, settings);
    const parts = judged(ranking, settings);
    return parts === undefined ? [] : [found(parts)];
  },
});

function judged(ranking: Ranking, { scoreMin }: RankingOptions): FindingParts | undefined {
  const { services, candidates, judgedCount, seriesCount, momentMicros } = ranking;
  const [first] = services;
  const load = loadGrowthOf(ranking);
  if (load !== undefined) return loadParts(ranking, load);
  if (first !== undefined) {
    const subject = { kind: "services", name: nameOf(first) };
    return { ...deviationParts(ranking, first), subject };
  }
  const [likeliest] = momentMicros === undefined ? [] : candidates;
  const subject = { kind: "services", name: "all services" };
  const isSuspect = likeliest?.series.some(({ deviation }) => deviation.score >= scoreMin);
  if (likeliest !== undefined && (isSuspect === true || judgedCount === 0)) {
    return { ...candidateParts(ranking, likeliest), subject };
  }
  if (judgedCount === 0) return undefined;
  return {
    verdict: "holds",
    subject,
    title: `None of ${judgedCount} series departs from the level that it had.`,
    actual: `No change point is both sure and large in ${judgedCount} series.`,
    measures: {
      ...(likeliest === undefined ? {} : candidateMeasures(ranking)),
      seriesCount,
      judgedCount,
    },
  };
}

function loadParts(ranking: Ranking, load: number): FindingParts {
  const { services, judgedCount, seriesCount } = ranking;
  const times = numberWords(load);
  return {
    verdict: "holds",
    subject: { kind: "services", name: "all services" },
    title: `The load changes to ${times} times what it was, and everything follows it.`,
    actual: `No series of ${services.length} services departs further than the requests that reach them.`,
    measures: {
      followingServices: namesOf(services),
      loadGrowth: load,
      moment: momentOf(ranking),
      seriesCount,
      judgedCount,
    },
    evidence: evidenceOf(deepestSeries(services)),
  };
}

/** A moment is known, and what departs from it on does so too little, or for too few points, to be sure. */
function candidateParts(ranking: Ranking, first: RankedService): Omit<FindingParts, "subject"> {
  const { candidates, judgedCount, seriesCount } = ranking;
  const series = deepestSeries(candidates);
  return {
    verdict: "inconclusive",
    title: `Nothing surely departs; of ${candidates.length} candidates below the threshold, ${nameOf(first)} comes nearest to it.`,
    actual: `Candidates below the threshold, none of them proved:\n${rankedLines(candidates)}`,
    measures: { ...candidateMeasures(ranking), judgedCount, seriesCount },
    evidence: evidenceOf(series),
    missing: [
      "more points before and after the moment",
      ...(judgedCount === 0 ? ["a recording of a quiet time of the same series"] : []),
    ],
    nextChecks: [`Compare ${nameOf(first)} over a longer time with the others.`],
  };
}

const titleLengthMax = 400;
/** How many services and series a finding names. */
const namedCountMax = 10;

function deviationParts(ranking: Ranking, first: RankedService): Omit<FindingParts, "subject"> {
  const { services, judgedCount, seriesCount } = ranking;
  const top = first.series[0];
  const series = deepestSeries(services);
  return {
    verdict: "violated",
    title: `${nameOf(first)} departs first and deepest: ${top === undefined ? "" : shorten(changeWords(top), titleLengthMax)}.`,
    actual: rankedLines(ranking.candidates),
    causeKind: causeOf(first),
    measures: {
      ...rankedMeasures(ranking),
      onset: isoTime(first.onsetMicros),
      score: Math.round((top?.deviation.score ?? 0) * 10) / 10,
      adjustedChance: top?.chance,
      deviatingServiceCount: services.length,
      judgedCount,
      seriesCount,
    },
    evidence: evidenceOf(series),
    nextChecks: [
      `Look at what reached ${nameOf(first)} before ${isoTime(first.onsetMicros)}: changes, load, and the services that it calls.`,
      ...(ranking.graph.size === 0
        ? ["Add traces of the same time: which service calls which tells cause from effect."]
        : []),
    ],
  };
}

/** The services in their order, and behind each of them in what it departs and how far, for those who read on by machine. */
function rankedMeasures(ranking: Ranking): Measures {
  const { names, series, scores } = orderOf(ranking);
  return {
    rankedServices: names,
    rankedSeries: series,
    rankedScores: scores,
    moment: momentOf(ranking),
  };
}

/** The same where nothing surely departs, under names by which nobody takes the first of them for the cause. */
function candidateMeasures(ranking: Ranking): Measures {
  const { names, series, scores } = orderOf(ranking);
  return {
    candidatesBelowThreshold: names,
    candidateSeries: series,
    candidateScores: scores,
    moment: momentOf(ranking),
  };
}

type Measures = NonNullable<FindingParts["measures"]>;

function orderOf({ candidates }: Ranking): Readonly<Record<"names" | "series" | "scores", string>> {
  return {
    names: namesOf(candidates),
    series: deepestSeries(candidates).map(seriesName).join(", "),
    scores: candidates
      .slice(0, namedCountMax)
      .map(({ weight }) => weight.toFixed(3))
      .join(", "),
  };
}

function namesOf(services: readonly RankedService[]): string {
  return services.slice(0, rankedCountMax).map(nameOf).join(", ");
}

function momentOf({ momentMicros }: Ranking): string | undefined {
  return momentMicros === undefined ? undefined : isoTime(momentMicros);
}

/** How many services are ranked for machines. */
const rankedCountMax = 50;

function rankedLines(services: readonly RankedService[]): string {
  return services
    .slice(0, namedCountMax)
    .map((service, index) => `${index + 1}. ${serviceWords(service)}`)
    .join("\n");
}

function deepestSeries(services: readonly RankedService[]): DeviatingSeries[] {
  return services
    .flatMap((service) => service.series.map((item) => ({ item, weight: service.weight })))
    .sort((left, right) => right.weight * depthOf(right.item) - left.weight * depthOf(left.item))
    .slice(0, namedCountMax)
    .map(({ item }) => item);
}

function evidenceOf(series: readonly DeviatingSeries[]): NonNullable<FindingParts["evidence"]> {
  return series.map((item) => {
    const example = item.series.counted?.exampleAt(item.onsetMicros);
    if (example === undefined) {
      const { evidenceId, locator } = item.series;
      return { evidenceId, locator, quote: changeWords(item) };
    }
    const { evidenceId, locator, line } = example;
    return { evidenceId, locator, quote: shorten(line.text, quotedLengthMax) };
  });
}

/** Characters of a line that are quoted. */
const quotedLengthMax = 1_000;

function nameOf({ name }: Pick<RankedService, "name">): string {
  return name === "" ? "the system" : name;
}

function seriesName({ series }: DeviatingSeries): string {
  return series.service === "" ? series.name : `${series.service}_${series.name}`;
}

function serviceWords(service: RankedService): string {
  const { series, onsetMicros, explainedBy } = service;
  const why =
    explainedBy.length === 0 ? "" : ` (explained by ${explainedBy.slice(0, 3).join(", ")})`;
  const told = series.slice(0, 3).map((item) => `${changeWords(item)}${frameWords(item)}`);
  return `${nameOf(service)} from ${isoTime(onsetMicros)}${why}: ${told.join("; ")}`;
}

/** Where the stack trace of what is newly logged leads. */
function frameWords({ series, onsetMicros }: DeviatingSeries): string {
  const frame = ownFrameOf(series.counted?.exampleAt(onsetMicros)?.line.text ?? "");
  return frame === undefined ? "" : ` at ${frame}`;
}

/** For example `cpu rises from 0.3 to 0.95 (from 15:02:00, 120 deviations)`. */
export function changeWords({ series, deviation, onsetMicros }: DeviatingSeries): string {
  const { direction, shape, before, after, score } = deviation;
  const verb =
    shape === "ramp"
      ? direction === "up"
        ? "climbs"
        : "sinks"
      : direction === "up"
        ? "rises"
        : "falls";
  return `${series.name} ${verb} from ${numberWords(before)} to ${numberWords(after)} at ${isoTime(onsetMicros)} (${numberWords(score)} deviations)`;
}

/** Of what kind the cause must be by what departs; of slowness and failure alone, nothing can be said. */
function causeOf({ series }: RankedService): CauseKind {
  const large = series.filter(({ isLarge }) => isLarge).map((item) => item.series.signal);
  if (
    large.some((signal) =>
      ["traffic", "cpu", "memory", "disk", "limit", "saturation"].includes(signal),
    )
  )
    return "capacity";
  return large.includes("network") ? "dependency" : "none";
}
