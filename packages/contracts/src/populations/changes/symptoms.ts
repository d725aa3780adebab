/** What the failure shows: its mechanisms by what monitors, logs, spans and metrics say, and the services that show it. */

import { headlineOf } from "../../logs/templates.ts";
import type { Evidence } from "../../model/evidence.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import { evidenceOfKind } from "../../model/snapshot.ts";
import { isReached } from "../call-graph.ts";
import type { Ranking } from "../rank-services.ts";
import { genericMechanisms, type Mechanism, mechanisms, mechanismsIn } from "./mechanism.ts";

/** A line of a log, a message of a span or an alert that shows the failure. */
export interface SymptomText {
  readonly text: string;
  readonly service: string;
  readonly weight: number;
  /** Its id is computed only where a finding points at it. */
  readonly evidence: Evidence;
}

export interface Symptoms {
  /** From 0 to 1, the strongest first. */
  readonly mechanisms: readonly {
    readonly mechanism: Mechanism;
    readonly weight: number;
    readonly quote: string;
  }[];
  /** How much each service is concerned, from 0 to 1. */
  readonly services: ReadonlyMap<string, number>;
  readonly texts: readonly SymptomText[];
  /** When it began, in microseconds since 1970. */
  readonly onsetMicros: number | undefined;
  /** More load came from outside, from the services at the edge on. */
  readonly surge: { readonly service: string; readonly growth: number } | undefined;
}

/** Messages of one kind that are looked at. */
const textCountMax = 2_000;

/** Gathers what there is. Without a deviation and without an alert nothing failed. */
export function symptomsOf(snapshot: Snapshot, ranking: Ranking): Symptoms {
  const onsetMicros = onsetOf(snapshot, ranking);
  const texts = textsOf(snapshot, onsetMicros);
  const surge = surgeOf(ranking);
  const scores = new Map<Mechanism, { score: number; quote: string; most: number }>();
  const count = (mechanism: Mechanism, weight: number, quote: string): void => {
    const known = scores.get(mechanism) ?? { score: 0, quote, most: 0 };
    const isBetter = weight > known.most;
    scores.set(mechanism, {
      score: known.score + weight,
      quote: isBetter ? quote : known.quote,
      most: Math.max(known.most, weight),
    });
  };
  for (const { text, weight } of texts)
    for (const mechanism of mechanismsIn(text)) count(mechanism, weight, text);
  for (const { mechanism, weight, quote } of metricMechanisms(ranking))
    count(mechanism, weight, quote);
  if (surge !== undefined) {
    const sum = [...scores.values()].reduce((all, { score }) => all + score, 0);
    count("traffic", sum + 1, `requests to ${surge.service} grew ${surge.growth.toFixed(1)}-fold`);
  }
  return {
    mechanisms: weighed(scores),
    services: concernedServices(texts, ranking),
    texts,
    onsetMicros,
    surge,
  };
}

/** Generic mechanisms count little beside specific ones, which they follow from. */
function weighed(
  scores: ReadonlyMap<Mechanism, { readonly score: number; readonly quote: string }>,
): Symptoms["mechanisms"] {
  const isSpecific = [...scores.keys()].some((mechanism) => !genericMechanisms.has(mechanism));
  const list = [...scores].map(([mechanism, { score, quote }]) => ({
    mechanism,
    weight: score * (genericMechanisms.has(mechanism) ? (isSpecific ? 0.25 : 1) : 1),
    quote,
  }));
  const most = Math.max(0, ...list.map(({ weight }) => weight));
  return list
    .map((item) => ({ ...item, weight: item.weight / most }))
    .sort(
      (left, right) =>
        right.weight - left.weight ||
        mechanisms.indexOf(left.mechanism) - mechanisms.indexOf(right.mechanism),
    );
}

function onsetOf(snapshot: Snapshot, ranking: Ranking): number | undefined {
  const large = ranking.services.flatMap(({ onsetMicros }) => [onsetMicros]);
  if (large.length > 0) return Math.min(...large);
  const alerts = evidenceOfKind(snapshot, "incident").flatMap(({ content }) =>
    content.alerts.flatMap(({ timeMicros }) => (timeMicros === undefined ? [] : [timeMicros])),
  );
  return alerts.length === 0 ? undefined : Math.min(...alerts);
}

function textsOf(snapshot: Snapshot, onsetMicros: number | undefined): SymptomText[] {
  const texts: SymptomText[] = [];
  for (const evidence of evidenceOfKind(snapshot, "incident")) {
    const { content } = evidence;
    for (const { summary, metric = "", service = "" } of content.alerts)
      texts.push({ text: `${summary} ${metric}`, service, weight: 3, evidence });
    for (const { component, status, detail } of content.statuses)
      if (!/resolved|operational|scheduled|completed/i.test(status))
        texts.push({ text: `${component}: ${detail}`, service: "", weight: 2, evidence });
    for (const { text, service = "", count, growth } of content.patterns) {
      const grown = growth ?? count;
      if (grown > 0 && grown >= count / 2 && !/feature flag/i.test(text))
        texts.push({ text, service, weight: 0.5 * Math.log1p(grown), evidence });
    }
  }
  texts.push(...logTexts(snapshot, onsetMicros));
  texts.push(...spanTexts(snapshot));
  return texts;
}

interface Counted {
  text: string;
  service: string;
  evidence: Evidence;
  count: number;
}

/** Warnings and errors since shortly before the onset, those of one form once with the weight of their number. */
function logTexts(snapshot: Snapshot, onsetMicros: number | undefined): SymptomText[] {
  const counted = new Map<string, Counted>();
  const before = new Set<string>();
  for (const evidence of evidenceOfKind(snapshot, "logs")) {
    const { content } = evidence;
    for (const line of content.lines) {
      const isGrave = ["warn", "error", "fatal"].includes(line.severity ?? "");
      const isMarked =
        line.severity === undefined && /\b(?:error|panic|exception|fail)/i.test(line.text);
      if (!isGrave && !isMarked) continue;
      const text = headlineOf(line.text);
      const key = `${line.service ?? ""}\n${text.replaceAll(/[0-9a-f]{8,}|\d+/g, "#").slice(0, 200)}`;
      if (
        onsetMicros !== undefined &&
        (line.timeMicros ?? onsetMicros) < onsetMicros - earlyMicros
      ) {
        before.add(key);
        continue;
      }
      const known = counted.get(key);
      if (known !== undefined) known.count += 1;
      else if (counted.size < textCountMax)
        counted.set(key, { text, service: line.service ?? "", evidence, count: 1 });
    }
  }
  return [...counted].map(([key, { count, ...rest }]) => ({
    ...rest,
    // What was logged before as well is no sign of the failure by itself.
    weight: Math.log1p(count) * (before.has(key) ? 0.2 : 1),
  }));
}

/** Lines so long before the onset still count: a deviation is found a little late. */
const earlyMicros = 10 * 60e6;

function spanTexts(snapshot: Snapshot): SymptomText[] {
  const counted = new Map<string, Counted>();
  for (const evidence of evidenceOfKind(snapshot, "trace")) {
    const { content } = evidence;
    const children = new Map<string, number>();
    for (const { service, name, status, parentSpanId = "", attributes } of content.spans) {
      const statement = attributes["db.query.text"] ?? attributes["db.statement"];
      const call = `${parentSpanId} ${service} ${name} ${typeof statement === "string" ? statement : ""}`;
      children.set(call, (children.get(call) ?? 0) + 1);
      const message = status.code === "error" ? status.message : undefined;
      if (message === undefined || message === "") continue;
      const known = counted.get(`${service}\n${message}`);
      if (known !== undefined) known.count += 1;
      else if (counted.size < textCountMax)
        counted.set(`${service}\n${message}`, { text: message, service, evidence, count: 1 });
    }
    const repeated = [...children].find(([, count]) => count >= 8);
    if (repeated !== undefined && counted.size < textCountMax) {
      const text = `repeated query: ${repeated[1]} times under one span: ${repeated[0].slice(17)}`;
      counted.set(text, { text, service: "", evidence, count: 3 });
    }
  }
  return [...counted.values()].map(({ count, ...rest }) => ({
    ...rest,
    weight: Math.log1p(count),
  }));
}

/** What metrics show by themselves. */
function metricMechanisms(
  ranking: Ranking,
): { mechanism: Mechanism; weight: number; quote: string }[] {
  return ranking.services.flatMap(({ series, weight }) =>
    series.flatMap(
      ({ series: { name, signal }, deviation: { direction, shape, before, after } }) => {
        const quote = `${name} goes from ${before.toPrecision(3)} to ${after.toPrecision(3)}`;
        const made = (mechanism: Mechanism, strength: number) => [
          { mechanism, weight: strength * weight, quote },
        ];
        const named = mechanismsIn(name)
          .filter((mechanism) => !genericMechanisms.has(mechanism))
          .flatMap((mechanism) =>
            made(mechanism, direction === "up" || signal === "limit" ? 1.5 : 0.5),
          );
        if (signal === "memory" && direction === "up")
          return [...named, ...made("memory", shape === "ramp" ? 3 : 1.5)];
        if (signal === "cpu" && direction === "up") return [...named, ...made("cpu", 1.5)];
        if (signal === "disk" && direction === "up") return [...named, ...made("disk", 1)];
        if (signal === "errors" && direction === "up") return [...named, ...made("errors", 1)];
        if (signal === "latency" && direction === "up") return [...named, ...made("latency", 1)];
        return named;
      },
    ),
  );
}

/** Growth of requests from which it is a surge. */
const surgeGrowthMin = 1.4;

/** Services at the edge that are asked more, no later than anything else departs. */
function surgeOf({ services, graph, intervalMicros }: Ranking): Symptoms["surge"] {
  const first = Math.min(...services.map(({ onsetMicros }) => onsetMicros));
  const busier = services.flatMap(({ name, series }) => {
    const traffic = series.find(
      ({ series: { signal }, deviation }) => signal === "traffic" && deviation.direction === "up",
    );
    if (traffic === undefined || traffic.onsetMicros > first + 3 * intervalMicros) return [];
    const { before, after } = traffic.deviation;
    return after >= surgeGrowthMin * before && before > 0
      ? [{ service: name, growth: after / before }]
      : [];
  });
  const isCalled = (name: string): boolean =>
    services.some((other) => other.name !== name && isReached(graph, other.name, name));
  const knowsGraph = graph.size > 0;
  const edge = busier.filter(({ service }) => knowsGraph && !isCalled(service));
  // Without a graph most of what is asked at all must be asked more.
  const isBroad = !knowsGraph && busier.length >= 2 && busier.length * 2 > services.length;
  return edge[0] ?? (isBroad ? busier[0] : undefined);
}

function concernedServices(
  texts: readonly SymptomText[],
  { services }: Ranking,
): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const raise = (name: string, weight: number): void => {
    if (name !== "") weights.set(name, Math.max(weights.get(name) ?? 0, weight));
  };
  for (const { name, weight, explainedBy } of services)
    raise(name, explainedBy.length > 0 ? weight * 0.6 : 0.5 + weight / 2);
  for (const { service, weight } of texts) raise(service, weight >= 3 ? 0.9 : 0.4);
  return weights;
}
