/** Which change could have caused the failure that the evidence shows, by what it does; or that none did. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import {
  type FoundChange,
  type JudgedChange,
  judgeChanges,
  nameOf,
} from "./changes/judge-changes.ts";
import { mechanismWords, outerMechanisms } from "./changes/mechanism.ts";
import { type Symptoms, symptomsOf } from "./changes/symptoms.ts";
import { rankServices } from "./rank-services.ts";
import { isoTime } from "./words.ts";

/** What can be set, with its default. */
const options = {
  scoreMin: {
    default: 0.35,
    description:
      "How well a change must explain the failure to be called its cause, from 0 to 1: mechanism times place times time.",
  },
  leadMin: {
    default: 0.1,
    description: "How far the best explanation must lie before the second, from 0 to 1.",
  },
  pointCountMin: {
    default: 20,
    description: "Points that a metric series must have before it is judged.",
  },
  errorRateMax: {
    default: 0.01,
    description:
      "Expected share of false ones among the series that are called deviating, from 0 to 1.",
  },
};

interface Settings {
  readonly scoreMin: number;
  readonly leadMin: number;
  readonly pointCountMin: number;
  readonly errorRateMax: number;
}

export const culpritChange: Contract = defineContract({
  id: "populations/culprit-change",
  version: 2,
  boundary: "release-release",
  promise:
    "No change that reached the system could have caused the failure that its evidence shows.",
  reads: ["changes"],
  options,
  check(snapshot, settings, found) {
    const changes = changesOf(snapshot);
    if (changes.length === 0) return [];
    const ranking = rankServices(snapshot, { ...settings, scoreMin: 6, relativeChangeMin: 0.1 });
    const symptoms = symptomsOf(snapshot, ranking);
    if (ranking.services.length === 0 && symptoms.texts.length === 0)
      return symptomless(ranking.judgedCount, changes.length).map((parts) => found(parts));
    const judged = judgeChanges(changes, symptoms, ranking);
    return [found(verdictOn(judged, symptoms, settings))];
  },
});

/** Changes in one order, of those that are told twice the one that says more. */
function changesOf(snapshot: Snapshot): FoundChange[] {
  const found = new Map<string, FoundChange>();
  for (const { id, content } of evidenceOfKind(snapshot, "changes")) {
    for (const event of content.events) {
      const key =
        event.kind === "commit"
          ? `commit ${event.id}`
          : JSON.stringify([
              event.kind,
              event.timeMicros,
              event.service,
              event.kind === "flag" ? event.name : event.commit,
            ]);
      const known = found.get(key);
      if (known === undefined || JSON.stringify(event).length > JSON.stringify(known.event).length)
        found.set(key, { event, evidenceId: id });
    }
  }
  return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, change]) => change);
}

function symptomless(judgedCount: number, changeCount: number): FindingParts[] {
  if (judgedCount === 0) return [];
  return [
    {
      verdict: "holds",
      subject: { kind: "incident", name: "changes" },
      title: `Nothing fails after ${plural(changeCount, "change")}.`,
      actual: `None of ${judgedCount} series departs from the level that it had, and no monitor reports a failure.`,
      measures: { changeCount, rootCauseCommit: "none" },
    },
  ];
}

function verdictOn(
  judged: readonly JudgedChange[],
  symptoms: Symptoms,
  settings: Settings,
): FindingParts {
  const [best, second] = judged;
  const top = symptoms.mechanisms[0];
  const isClear =
    best !== undefined &&
    best.score >= settings.scoreMin &&
    best.score - (second?.score ?? 0) >= settings.leadMin;
  if (isClear) return culpritParts(best, judged, symptoms);
  const isOuter = top !== undefined && outerMechanisms.has(top.mechanism);
  const isNoneNear = best === undefined || best.score < settings.scoreMin;
  if (isNoneNear && (isOuter || judged.every(({ refuted }) => refuted !== undefined)))
    return noneParts(judged, symptoms);
  return openParts(judged, symptoms);
}

/** How many other changes a finding tells of. */
const otherCountMax = 12;

function culpritParts(
  best: JudgedChange,
  judged: readonly JudgedChange[],
  symptoms: Symptoms,
): FindingParts {
  const { event, effect, mechanism, ties, rollOut } = best;
  const does = effect?.words ?? "changes the code";
  const service = rollOut.services[0];
  const when = rollOut.timeMicros === undefined ? "" : ` at ${isoTime(rollOut.timeMicros)}`;
  const leads = mechanism === undefined ? "the failure" : mechanismWords[mechanism];
  const isSetting = event.kind === "flag" || effect?.numbers !== undefined;
  return {
    verdict: "violated",
    subject: { kind: "change", name: nameOf(event) },
    title: `${nameOf(event).slice(0, 40)} ${does}, which leads to ${leads}${service === undefined ? "" : ` in ${service}`}.`,
    actual: [
      `It reached ${service ?? "the system"}${when}; the failure began ${symptoms.onsetMicros === undefined ? "at a time that is not known" : `at ${isoTime(symptoms.onsetMicros)}`}.`,
      ...(ties.length === 0 ? [] : [`The symptoms name what it changes: ${ties.join(", ")}.`]),
      ...symptomLines(symptoms),
      ...otherLines(judged.slice(1)),
    ].join("\n"),
    causeKind: isSetting ? "configuration" : "change",
    measures: {
      rootCauseCommit: event.kind === "commit" ? event.id : "none",
      score: rounded(best.score),
      secondScore: rounded(judged[1]?.score ?? 0),
      mechanism,
      service,
      onset: symptoms.onsetMicros === undefined ? undefined : isoTime(symptoms.onsetMicros),
      ranked: judged
        .filter(({ score }) => score > 0)
        .slice(0, 5)
        .map((item) => nameOf(item.event))
        .join(", "),
    },
    evidence: [
      { evidenceId: best.evidenceId, locator: nameOf(event), quote: quoteOf(best) },
      ...symptoms.texts
        .slice(0, 8)
        .map(({ evidence, text }) => ({ evidenceId: evidence.id, quote: text })),
    ],
    fixes: [
      {
        description:
          event.kind === "flag"
            ? `Turn ${event.name} back to ${event.before ?? "what it was"}.`
            : `Roll ${service ?? "the service"} back to before ${event.id.slice(0, 12)}, or take out: ${effect?.quote ?? event.message.slice(0, 80)}`,
      },
    ],
    nextChecks: [
      "Take a snapshot after the change is taken back: the same metrics must return to what they were.",
    ],
  };
}

function quoteOf({ event, effect }: JudgedChange): string {
  if (effect !== undefined)
    return effect.path === "" ? effect.quote : `${effect.path}: ${effect.quote}`;
  return event.kind === "commit" ? event.message : event.name;
}

function rounded(score: number): number {
  return Math.round(score * 1_000) / 1_000;
}

function symptomLines({ mechanisms }: Symptoms): string[] {
  return mechanisms
    .filter(({ weight }) => weight >= 0.3)
    .slice(0, 3)
    .map(
      ({ mechanism, quote }) => `Shown: ${mechanismWords[mechanism]} ("${quote.slice(0, 160)}").`,
    );
}

/** Why the other changes are not the cause, those near to it first. */
function otherLines(judged: readonly JudgedChange[]): string[] {
  const told = judged.filter(
    ({ event, refuted, effect }) =>
      event.kind === "flag" ||
      event.diff !== undefined ||
      effect !== undefined ||
      refuted?.startsWith("it came") === true,
  );
  return told
    .toSorted((left, right) => closeness(right) - closeness(left))
    .slice(0, otherCountMax)
    .map((item) => `Not ${nameOf(item.event).slice(0, 40)} (${titleOf(item)}): ${reasonOf(item)}.`);
}

/** Changes that were deployed by name, then flags, are the ones that people suspect. */
function closeness({ rollOut, score }: JudgedChange): number {
  return score + (rollOut.known === "deployed" ? 1 : 0);
}

function titleOf({ event }: JudgedChange): string {
  return event.kind === "commit"
    ? (event.message.split("\n", 1)[0] ?? "").slice(0, 60)
    : (event.service ?? "flag");
}

function reasonOf({ refuted, effect, score }: JudgedChange): string {
  if (refuted !== undefined) return refuted;
  if (effect === undefined) return "nothing that it does is known to lead to this failure";
  return `it ${effect.words}, which explains the failure less well (${rounded(score)})`;
}

function noneParts(judged: readonly JudgedChange[], symptoms: Symptoms): FindingParts {
  const top = symptoms.mechanisms[0];
  const cause = causeOf(symptoms);
  const shown = top === undefined ? "" : `: it shows ${mechanismWords[top.mechanism]}`;
  return {
    verdict: "holds",
    subject: { kind: "incident", name: "changes" },
    title: `No change explains the failure${shown}.`,
    actual: [
      "No change that reached the system before it began could lead to what is seen.",
      ...symptomLines(symptoms),
      ...otherLines(judged),
    ].join("\n"),
    measures: {
      rootCauseCommit: "none",
      likelyCauseKind: cause,
      mechanism: top?.mechanism,
      changeCount: judged.length,
      bestScore: rounded(judged[0]?.score ?? 0),
      onset: symptoms.onsetMicros === undefined ? undefined : isoTime(symptoms.onsetMicros),
    },
    evidence: symptoms.texts
      .slice(0, 16)
      .map(({ evidence, text }) => ({ evidenceId: evidence.id, quote: text })),
    nextChecks: [
      cause === "capacity"
        ? "Compare capacity with demand: replicas, limits and the queue in front of the first service."
        : "Look at what lies outside the code: resolvers, providers, certificates, nodes.",
    ],
  };
}

function causeOf({ mechanisms }: Symptoms): CauseKind {
  const top = mechanisms[0]?.mechanism;
  if (top === "traffic") return "capacity";
  return top !== undefined && outerMechanisms.has(top) ? "dependency" : "none";
}

function openParts(judged: readonly JudgedChange[], symptoms: Symptoms): FindingParts {
  const near = judged.filter(({ score }) => score > 0).slice(0, 3);
  const hasDiffs = judged.some(({ event }) => event.kind === "commit" && event.diff !== undefined);
  return {
    verdict: "inconclusive",
    subject: { kind: "incident", name: "changes" },
    title:
      near.length === 0
        ? "Changes came before the failure, and nothing ties one of them to it."
        : `${plural(near.length, "change")} could have caused the failure, and none stands out.`,
    actual: [
      ...near.map(
        (item) =>
          `${nameOf(item.event)} (${rounded(item.score)}): ${item.effect?.words ?? titleOf(item)}.`,
      ),
      ...symptomLines(symptoms),
      ...otherLines(judged.slice(near.length)),
    ].join("\n"),
    measures: {
      changeCount: judged.length,
      candidates: near.map((item) => nameOf(item.event)).join(", "),
      mechanism: symptoms.mechanisms[0]?.mechanism,
    },
    missing: [
      ...(hasDiffs ? [] : ["the diffs of the commits"]),
      ...(symptoms.onsetMicros === undefined
        ? ["metrics from before and after the failure began"]
        : []),
      "messages, stack traces or metrics that name what fails, in the words of the code",
    ],
    nextChecks: near.map((item) => `Take back ${nameOf(item.event)} alone and compare.`),
  };
}
