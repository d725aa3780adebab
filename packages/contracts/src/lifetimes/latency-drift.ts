/** Requests take as long at the end as at the beginning; where they do not, the part that drifts is named. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { driftOfMetrics } from "./drift-metrics.ts";
import { type DriftPart, driftParts, type DriftSubject, referencesTo } from "./drift-parts.ts";
import { driftOfTraces } from "./drift-traces.ts";
import {
  arrivalsOf,
  type Drift,
  driftOf,
  type DriftOptions,
  loadRatioOf,
  orderOf,
} from "./judge-drift.ts";

/** What can be set, with its default. */
const options = {
  pointCountMin: {
    default: 60,
    description: "Measurements of one part, in requests or scrapes, below which nothing is said.",
  },
  ratioMin: {
    default: 1.5,
    description: "How many times longer the last third must take than the first.",
  },
  increaseMillisMin: {
    default: 5,
    description: "Milliseconds by which a part of a request must have become longer.",
  },
  chanceMax: {
    default: 0.001,
    description:
      "The chance of such a change or trend without one that is still taken for a drift.",
  },
  loadShareMin: {
    default: 0.5,
    description:
      "Share of the growth by which the rate of requests must have grown as well to explain it, from 0 to 1.",
  },
};

export const latencyDrift: Contract = defineContract({
  id: "lifetimes/latency-drift",
  version: 1,
  boundary: "client-server",
  promise: "Requests take as long at the end of what was recorded as at its beginning.",
  reads: ["trace", "metrics"],
  options,
  check(snapshot, settings: DriftOptions, found) {
    return [...driftOfTraces(snapshot), ...driftOfMetrics(snapshot)].flatMap((subject) => {
      const parts = judge(subject, settings);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

interface PartDrift {
  readonly part: DriftPart;
  readonly drift: Drift;
}

function judge(subject: DriftSubject, settings: DriftOptions): FindingParts | undefined {
  const { times } = subject;
  if (times.length < settings.pointCountMin) return undefined;
  const order = orderOf(times);
  const judged = driftParts.flatMap((part): PartDrift[] => {
    const values = subject.parts.get(part);
    const drift = values === undefined ? undefined : driftOf({ times, values }, order, settings);
    return drift === undefined ? [] : [{ part, drift }];
  });
  if (judged.length === 0) return undefined;
  const drifting = judged.filter(({ drift }) => isLarge(drift, subject, settings));
  const [most] = drifting
    .filter(({ part }) => part !== "total")
    .sort((left, right) => increaseOf(right) - increaseOf(left));
  const found = most ?? drifting[0];
  return found === undefined
    ? steady(subject, judged)
    : drifts(subject, { found, drifting, judged, order }, settings);
}

function isLarge(drift: Drift, { unit }: DriftSubject, settings: DriftOptions): boolean {
  if (!drift.isDrift) return false;
  return (
    unit !== "ms" || drift.after - drift.before >= settings.increaseMillisMin || drift.before < 1
  );
}

function increaseOf({ drift }: PartDrift): number {
  return drift.after - drift.before;
}

interface Found {
  readonly found: PartDrift;
  readonly drifting: readonly PartDrift[];
  readonly judged: readonly PartDrift[];
  /** Of the subject's times. */
  readonly order: Uint32Array;
}

function drifts(
  subject: DriftSubject,
  { found, drifting, judged, order }: Found,
  settings: DriftOptions,
): FindingParts {
  const { part, drift } = found;
  const load =
    subject.kind === "operation"
      ? loadRatioOf(arrivalsOf(subject.times, order))
      : loadRatioOf(subject.load);
  const explains = load !== undefined && load - 1 >= settings.loadShareMin * (drift.ratio - 1);
  const isProved = load !== undefined && !explains;
  const name = part === "total" ? "time" : `${part} time`;
  const others = judged
    .filter((one) => one !== found && !drifting.includes(one) && one.part !== "total")
    .map((one) => one.part);
  return {
    verdict: isProved ? "violated" : "inconclusive",
    subject: { kind: subject.kind, name: subject.name },
    title: `The ${name} of ${subject.name} drifts from ${amount(drift.before, subject)} to ${amount(drift.after, subject)}`,
    actual: [
      drifting
        .map(
          (one) =>
            `${one.part}: ${amount(one.drift.before, subject)} to ${amount(one.drift.after, subject)}`,
        )
        .join("; "),
      others.length === 0 ? "" : ` Without drift: ${others.join(", ")}.`,
      drift.changedAtMicros === undefined
        ? ` It grows by ${amount(drift.slopeHour, subject)} each hour.`
        : ` A new level began at ${Math.floor(drift.changedAtMicros / 1_000_000)} seconds since 1970.`,
      load === undefined ? "" : ` The rate of requests changed ${round(load)} times.`,
    ].join(""),
    measures: {
      part,
      beforeMedian: round(drift.before),
      afterMedian: round(drift.after),
      ratio: Number.isFinite(drift.ratio) ? round(drift.ratio) : undefined,
      chance: drift.chance,
      loadRatio: load === undefined ? undefined : round(load),
    },
    evidence: referencesTo(subject),
    missing: isProved
      ? []
      : [
          explains
            ? "The same at a constant rate of requests: it grew with them."
            : "The rate of requests over the same time.",
        ],
    nextChecks: [nextCheckOf(part)],
  };
}

function steady(subject: DriftSubject, judged: readonly PartDrift[]): FindingParts {
  const total = judged.find(({ part }) => part === "total") ?? judged[0];
  return {
    verdict: "holds",
    subject: { kind: subject.kind, name: subject.name },
    title: `${subject.name} takes as long at the end as at the beginning`,
    actual:
      total === undefined
        ? ""
        : `The median was ${amount(total.drift.before, subject)} in the first third and ${amount(total.drift.after, subject)} in the last.`,
    measures: {
      ratio:
        total === undefined || !Number.isFinite(total.drift.ratio)
          ? undefined
          : round(total.drift.ratio),
    },
    evidence: referencesTo(subject),
  };
}

function nextCheckOf(part: DriftPart): string {
  switch (part) {
    case "queue":
      return "Look at how many wait and how many work: a pool or a limit that is full.";
    case "connect":
      return "Look at how often connections are opened, at name resolution, and at the handshake of the peer.";
    case "first token":
      return "Look at the length of prompts, the hits of the prompt cache, and the queue of the model server.";
    case "inter-token":
      return "Look at the size of batches and the memory of the model server.";
    case "downstream":
      return "Look at the calls below this operation: the one that drifts as well.";
    case "total":
    case "service":
      return "Compare two CPU profiles, the goroutines and the live heap of the process from the beginning and the end.";
  }
}

function amount(value: number, { unit }: DriftSubject): string {
  return unit === "" ? String(round(value)) : `${round(value)} ${unit}`;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
