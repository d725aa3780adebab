/** Behaviour bundles are what they are called, and what a new version changes breaks no call. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { neighboursOf, promptFindings, servedUnder, toolFindings } from "./bundles/broken-calls.ts";
import { bundleChanges, type BundleChange, changeWords } from "./bundles/bundle-diff.ts";
import { bundleHashOf } from "./bundles/bundle-hash.ts";
import { identityFindings, nameOf } from "./bundles/identity.ts";
import { failureKindOf, mechanismOf, type Symptom } from "./bundles/mechanisms.ts";
import { servedBundlesOf } from "./bundles/served-bundles.ts";
import { canary } from "./canary.ts";
import { planOf } from "./canary/plan.ts";
import { type Outcome, outcomesOf, type Seen, type Thresholds } from "./canary/verdict.ts";
import { effectWords } from "./canary/words.ts";

/** What can be set, with its default. */
const options = {
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that equal versions are called unlike anywhere in the snapshot, from 0 to 1.",
  },
  callCountMin: {
    default: 20,
    description: "Calls under each of two versions from which they are compared.",
  },
};

type Settings = { readonly [Name in keyof typeof options]: number };
type StoredBundle = EvidenceOf<"bundle">;

export const bundleChange: Contract = defineContract({
  id: "versions/bundle-change",
  version: 1,
  boundary: "release-release",
  promise:
    "A name and version of a bundle stand for one document, and what a newer version changes breaks no calls.",
  reads: ["trace", "bundle"],
  options,
  check(snapshot, settings, found) {
    const stored = evidenceOfKind(snapshot, "bundle");
    const served = servedBundlesOf(snapshot);
    if (stored.length === 0 && served.length < 2) return [];
    const parts = [
      ...identityFindings(served, stored),
      ...stored.flatMap((bundle) => promptFindings(bundle, servedUnder(bundle, served))),
      ...neighboursOf(stored).flatMap(([older, newer]) =>
        toolFindings(older, newer, servedUnder(newer, served)),
      ),
      ...(stored.length < 2 || served.length < 2 ? [] : explained(snapshot, stored, settings)),
    ];
    return parts.map(found);
  },
});

/** The thresholds of the comparison of versions, as they are by default. */
function thresholdsOf(settings: Settings): Thresholds {
  const numberOf = (wanted: string): number =>
    Number(canary.options.find(({ name }) => name === wanted)?.default ?? 0);
  return {
    errorRateMax: settings.errorRateMax,
    failureRiseMin: numberOf("failureRiseMin"),
    timeRiseMin: numberOf("timeRiseMin"),
    amountRiseMin: numberOf("amountRiseMin"),
    failureRiseUnseenMax: numberOf("failureRiseUnseenMax"),
    timeRiseUnseenMax: numberOf("timeRiseUnseenMax"),
    lookCount: 1,
    look: 1,
    spending: "obrien-fleming",
  };
}

/** Of two versions, one of which is surely worse: which of the changes between them could be why. */
function explained(
  snapshot: Snapshot,
  stored: readonly StoredBundle[],
  settings: Settings,
): FindingParts[] {
  const plan = planOf(snapshot, {
    component: "faultline.bundle.hash",
    baseline: "",
    callCountMin: settings.callCountMin,
  });
  return outcomesOf(plan, thresholdsOf(settings)).flatMap((outcome): FindingParts[] => {
    const { comparison, worse } = outcome;
    const [worst] = worse;
    if (worst === undefined || comparison.companions.confounding.length > 0) return [];
    const isCanaryWorse = worst.effect.direction === "more";
    const { baseline, canary: newer } = comparison.arms;
    const [good, bad] = (isCanaryWorse ? [baseline, newer] : [newer, baseline]).map(({ value }) =>
      stored.find(({ content }) => bundleHashOf(content) === value),
    );
    if (good === undefined || bad === undefined) return [];
    return [judged(outcome, worst, [good, bad])];
  });
}

interface Candidate {
  readonly change: BundleChange;
  readonly mechanism: string;
}

function judged(
  outcome: Outcome,
  worst: Seen,
  [good, bad]: readonly [StoredBundle, StoredBundle],
): FindingParts {
  const changes = bundleChanges(good.content.document, bad.content.document);
  const symptom = symptomOf(outcome, worst);
  const candidates = changes.flatMap((change): Candidate[] => {
    const mechanism = mechanismOf(change, symptom);
    return mechanism === undefined ? [] : [{ change, mechanism }];
  });
  const names = `${nameOf(good.content)} and ${nameOf(bad.content)}`;
  const idle = changes.filter((change) => candidates.every((item) => item.change !== change));
  const lines = [
    effectWords(worst),
    ...candidates.map(
      ({ change, mechanism }) => `could: ${changeWords(change)}, because ${mechanism}`,
    ),
    ...idle.map((change) => `could not: ${changeWords(change)}`),
  ];
  const parts = {
    subject: { kind: "bundle-change", name: good.content.name },
    actual: lines.join("\n"),
    measures: { changeCount: changes.length, candidateCount: candidates.length },
    evidence: [
      { evidenceId: good.id, quote: bundleHashOf(good.content) },
      { evidenceId: bad.id, quote: bundleHashOf(bad.content) },
    ],
  };
  const [only] = candidates;
  const symptomName = symptomWords(symptom, worst);
  if (only !== undefined && candidates.length === 1) {
    return {
      ...parts,
      verdict: "violated",
      causeKind: "change",
      title: `Of ${changes.length} changes between ${names}, only ${changeWords(only.change)} can explain ${symptomName}.`,
      fixes: [
        {
          description: `Take ${only.change.pointer} back to what it is in ${nameOf(good.content)}.`,
          cost: 1,
        },
      ],
      nextChecks: [
        `Put a version that differs from ${nameOf(good.content)} in ${only.change.pointer} alone, and compare the two.`,
      ],
    };
  }
  return {
    ...parts,
    verdict: "inconclusive",
    title:
      only === undefined
        ? `None of ${changes.length} changes between ${names} explains ${symptomName}.`
        : `${candidates.length} of ${changes.length} changes between ${names} could explain ${symptomName}.`,
    missing:
      only === undefined
        ? ["what else differs between the calls under both"]
        : candidates.map(
            ({ change }) => `calls under a version that changes ${change.pointer} alone`,
          ),
  };
}

function symptomOf({ comparison }: Outcome, { operation, effect }: Seen): Symptom {
  if (effect.name === "failures") {
    const sample = comparison.operations.find(({ name }) => name === operation)?.sample;
    const side = effect.direction === "more" ? 1 : 0;
    const failed = (sample?.units ?? []).filter(
      (_unit, at) => sample?.isSecond[at] === side && sample.outcomes[at]?.hasFailed === true,
    );
    return { kind: "failures", of: failureKindOf(failed) };
  }
  if (effect.name.startsWith("duration")) return { kind: "time" };
  if (effect.name.startsWith("first token")) return { kind: "first token" };
  if (effect.name.startsWith("input")) return { kind: "input" };
  return { kind: effect.name.startsWith("output") ? "output" : "cost" };
}

function symptomWords(symptom: Symptom, { effect }: Seen): string {
  if (symptom.kind !== "failures") return `the rise of ${effect.name}`;
  return symptom.of === "unknown"
    ? "the failures"
    : `the failures (most are of kind: ${symptom.of})`;
}
