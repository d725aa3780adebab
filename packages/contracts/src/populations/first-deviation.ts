/** Which service departs first and deepest from what it was, by change points of its metrics and the graph of calls. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { isoTime, numberWords } from "./words.ts";
import {
  type DeviatingSeries,
  type RankedService,
  type Ranking,
  rankServices,
} from "./rank-services.ts";

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
  version: 1,
  boundary: "service-service",
  promise: "No metric of any service departs for good from the level that it had.",
  reads: ["metrics", "trace"],
  options,
  check(snapshot, settings, found) {
    const ranking = rankServices(snapshot, settings);
    const parts = judged(ranking);
    return parts === undefined ? [] : [found(parts)];
  },
});

function judged(ranking: Ranking): FindingParts | undefined {
  const { services, judgedCount, seriesCount } = ranking;
  const [first] = services;
  const subject = { kind: "services", name: first === undefined ? "all services" : nameOf(first) };
  if (first !== undefined) return { ...deviationParts(ranking, first), subject };
  if (judgedCount > 0) {
    return {
      verdict: "holds",
      subject,
      title: `None of ${judgedCount} series departs from the level that it had.`,
      actual: `No change point is both sure and large in ${judgedCount} series.`,
      measures: { seriesCount, judgedCount },
    };
  }
  return undefined;
}

/** How many services and series a finding names. */
const namedCountMax = 10;

function deviationParts(ranking: Ranking, first: RankedService): Omit<FindingParts, "subject"> {
  const { services, judgedCount, seriesCount } = ranking;
  const top = first.series[0];
  const ranked = services.slice(0, namedCountMax);
  const series = services
    .flatMap((service) => service.series.map((item) => ({ item, weight: service.weight })))
    .sort(
      (left, right) =>
        right.weight * Math.log1p(right.item.deviation.score) -
        left.weight * Math.log1p(left.item.deviation.score),
    )
    .slice(0, namedCountMax);
  return {
    verdict: "violated",
    title: `${nameOf(first)} departs first and deepest: ${top === undefined ? "" : changeWords(top)}.`,
    actual: ranked.map((service, index) => `${index + 1}. ${serviceWords(service)}`).join("\n"),
    causeKind: causeOf(first),
    measures: {
      rankedServices: services.slice(0, 50).map(nameOf).join(", "),
      rankedSeries: series.map(({ item }) => seriesName(item)).join(", "),
      onset: isoTime(first.onsetMicros),
      score: Math.round((top?.deviation.score ?? 0) * 10) / 10,
      adjustedChance: top?.chance,
      deviatingServiceCount: services.length,
      judgedCount,
      seriesCount,
    },
    evidence: series.map(({ item }) => ({
      evidenceId: item.series.evidenceId,
      locator: item.series.locator,
      quote: changeWords(item),
    })),
    nextChecks: [
      `Look at what reached ${nameOf(first)} before ${isoTime(first.onsetMicros)}: changes, load, and the services that it calls.`,
      ...(ranking.graph.size === 0
        ? ["Add traces of the same time: which service calls which tells cause from effect."]
        : []),
    ],
  };
}

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
  return `${nameOf(service)} from ${isoTime(onsetMicros)}${why}: ${series.slice(0, 3).map(changeWords).join("; ")}`;
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
