/** What goes into models and comes out of them: tokens, tools, finish reasons and refusals stay as they were. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { fieldsOf } from "./canary/plan.ts";
import { unitSourceOf } from "./canary/units.ts";
import { type Compared, comparedSides, sidesOf } from "./drift/compare-sides.ts";
import { changesOf } from "./drift/distribution.ts";

/** What can be set, with its default. */
const options = {
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that anything is called drifting when nothing is, over all tests of the snapshot together, from 0 to 1.",
  },
  stabilityIndexMin: {
    default: 0.25,
    description:
      "Population stability index, less what it is on average without any drift, from which a drift is large.",
  },
  refusalRiseMin: {
    default: 0.05,
    description: "Change of the share of refusals from which it is large, from 0 to 1.",
  },
  callCountMin: {
    default: 50,
    description: "Conversations, or traces, on each side from which they are compared.",
  },
};

type Settings = { readonly [Name in keyof typeof options]: number };

export const drift: Contract = defineContract({
  id: "versions/drift",
  version: 1,
  boundary: "release-release",
  promise:
    "Tokens, tools, finish reasons and refusals of calls of models are distributed alike in both windows or versions.",
  reads: ["trace"],
  options,
  check(snapshot, settings, found) {
    const fields = fieldsOf(unitSourceOf(snapshot).sample).filter(
      ({ isOfService }) => !isOfService,
    );
    const compared = fields.map((field) => ({
      subject: field.subject,
      all: sidesOf(field, settings.callCountMin).flatMap((sides) =>
        comparedSides(sides, settings.callCountMin),
      ),
    }));
    const testCount = compared.reduce((sum, { all }) => sum + all.length, 0);
    const chanceMax = settings.errorRateMax / Math.max(1, testCount);
    return compared.flatMap(({ subject, all }) =>
      all.length === 0
        ? []
        : [found(judged(subject, all, { ...settings, errorRateMax: chanceMax }))],
    );
  },
});

/** Of the drift, at most so much may be seen within one of the sides. */
const withinShareMax = 0.5;

function judged(name: string, all: readonly Compared[], settings: Settings): FindingParts {
  const subject = { kind: "drift", name };
  const large = all
    .filter((item) => item.difference.chance <= settings.errorRateMax && isLarge(item, settings))
    .toSorted((left, right) => right.difference.index - left.difference.index);
  const sure = large.filter(
    ({ difference }) => difference.indexWithin <= withinShareMax * difference.index,
  );
  const [most] = sure.length > 0 ? sure : large;
  if (most === undefined) return { ...steady(all), subject };
  const named = bestOfEach(sure.length > 0 ? sure : large);
  const parts = {
    subject,
    actual: named.map(differenceWords).join("\n"),
    measures: measuresOf(most),
    evidence: referencesOf(most),
  };
  if (sure.length === 0) {
    return {
      ...parts,
      verdict: "inconclusive",
      title: `The ${most.feature} of ${name} vary within each side about as much as between them.`,
      missing: ["calls over a longer time, so that what varies anyhow is told from what drifts"],
    };
  }
  const { sides, difference } = most;
  return {
    ...parts,
    verdict: "violated",
    title: `The ${most.feature} of ${name} drift: ${changesOf(difference, 2)}, ${sideWords(sides)}.`,
    causeKind: sides.areVersions ? "change" : "data",
    nextChecks: [
      sides.areVersions
        ? "Compare answers of both versions to the same requests."
        : `Look at what changed at that time: callers, documents, prompts, releases of the model.`,
    ],
  };
}

function isLarge({ feature, difference }: Compared, settings: Settings): boolean {
  if (feature !== "refusals") return difference.index >= settings.stabilityIndexMin;
  const { bins, counts, others } = difference;
  const at = bins.indexOf("refused");
  return Math.abs(shareAt(others, at) - shareAt(counts, at)) >= settings.refusalRiseMin;
}

function shareAt(counts: readonly number[], at: number): number {
  return (counts[at] ?? 0) / counts.reduce((sum, count) => sum + count, 0);
}

/** The clearest split for each feature. */
function bestOfEach(items: readonly Compared[]): readonly Compared[] {
  const best = new Map<string, Compared>();
  for (const item of items) if (!best.has(item.feature)) best.set(item.feature, item);
  return [...best.values()];
}

function steady(all: readonly Compared[]): Omit<FindingParts, "subject"> {
  const named = [...new Set(all.map(({ feature }) => feature))].join(", ");
  const most = Math.max(...all.map(({ difference }) => difference.index));
  return {
    verdict: "holds",
    title: `No drift in ${named}.`,
    actual: `The largest of ${all.length} stability indices is ${most.toFixed(3)} beyond what chance makes.`,
    measures: { comparedCount: all.length, stabilityIndexMax: most },
  };
}

function differenceWords({ feature, sides, difference }: Compared): string {
  return `${feature}: ${changesOf(difference, 6)}; stability index ${difference.index.toFixed(2)}, divergence ${difference.divergenceBits.toFixed(3)} bits, ${sideWords(sides)}`;
}

function sideWords({ names, first, second }: Compared["sides"]): string {
  return `${names[0]} (${first.length} calls) against ${names[1]} (${second.length})`;
}

function measuresOf({ feature, sides, difference }: Compared): Record<string, number | string> {
  return {
    feature,
    stabilityIndex: difference.index,
    divergenceBits: difference.divergenceBits,
    stabilityIndexWithin: difference.indexWithin,
    chance: difference.chance,
    firstCount: sides.first.length,
    secondCount: sides.second.length,
  };
}

function referencesOf({ sides, feature }: Compared): EvidenceReference[] {
  return [sides.first[0], sides.second[0]].flatMap((unit, at) =>
    unit === undefined
      ? []
      : [
          unit.trace.reference(
            unit.index,
            `${feature}, ${sides.names[at] ?? ""}: ${unit.lead.name}`,
          ),
        ],
  );
}
