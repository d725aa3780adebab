/** Two versions that serve the same: the newer one fails as rarely, is as fast and costs as little as the older. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Companion } from "./canary/companions.ts";
import type { ComponentName } from "./canary/components.ts";
import { measures } from "./canary/measures.ts";
import { type Comparison, planOf, type Rarity } from "./canary/plan.ts";
import { type Outcome, outcomesOf, type Seen } from "./canary/verdict.ts";
import {
  companionWords,
  effectWords,
  shortValue,
  unseenWords,
  worseWords,
} from "./canary/words.ts";

/** What can be set, with its default. */
const options = {
  component: {
    default: "",
    description:
      "Attribute by which two versions are told apart, such as `service.version` or `gen_ai.request.model`; empty: found from the evidence.",
  },
  baseline: {
    default: "",
    description: "Value of that attribute that the others are held against; empty: the older one.",
  },
  errorRateMax: {
    default: 0.01,
    description:
      "Chance that equal versions are called unlike anywhere in the snapshot, over all tests and looks together, from 0 to 1.",
  },
  callCountMin: {
    default: 20,
    description: "Requests or calls of each version from which they are compared.",
  },
  failureRiseMin: {
    default: 0.01,
    description: "Rise of the share of failures from which it counts, from 0 to 1.",
  },
  timeRiseMin: {
    default: 0.1,
    description: "Rise of a duration from which it counts, as a share of itself.",
  },
  amountRiseMin: {
    default: 0.2,
    description: "Rise of tokens or cost from which it counts, as a share of itself.",
  },
  failureRiseUnseenMax: {
    default: 0.05,
    description:
      "Rise of the share of failures that may have been overlooked where the verdict is `holds`.",
  },
  timeRiseUnseenMax: {
    default: 0.5,
    description:
      "Rise of the median duration that may have been overlooked where the verdict is `holds`.",
  },
  lookCount: {
    default: 1,
    description: "How often it is planned to look while evidence still comes in, from 1 to 50.",
  },
  look: { default: 1, description: "Which of these looks this one is, from 1 on." },
  spending: {
    default: "obrien-fleming",
    description: "How the error rate is spent over looks: `obrien-fleming` or `pocock`.",
  },
};

export const canary: Contract = defineContract({
  id: "versions/canary",
  version: 1,
  boundary: "release-release",
  promise:
    "A newer version fails no more often, is no slower and costs no more than the older one beside it.",
  reads: ["trace"],
  options,
  check(snapshot, settings, found) {
    const plan = planOf(snapshot, settings);
    const findings = outcomesOf(plan, settings).map(judged);
    return [...findings, ...plan.rarities.map(tooRare)].map(found);
  },
});

function judged(outcome: Outcome): FindingParts {
  const { comparison, worse, explained, unseen, effects } = outcome;
  const { confounding } = comparison.companions;
  const parts = {
    subject: { kind: "canary", name: comparison.subject },
    measures: measuresOf(outcome),
    evidence: referencesOf(comparison, worse),
  };
  const figures = effects.map(effectWords).join("\n");
  if (comparison.operations.length === 0) return { ...parts, ...apart(comparison) };
  if (confounding.length > 0) return { ...parts, ...confounded(comparison, confounding, figures) };
  const [worst] = worse;
  if (worst !== undefined) return { ...parts, ...regressed(outcome, worst) };
  const names = versionWords(comparison);
  if (explained.length > 0) {
    return {
      ...parts,
      verdict: "inconclusive",
      title: `${names} differ, and time or the mix of callers explains it as well.`,
      actual: [...explained.map(effectWords), figures].join("\n"),
      missing: ["both versions at the same time, with callers drawn by chance"],
      nextChecks: ["Serve both versions at once, and draw the callers of each by chance."],
    };
  }
  if (unseen.length > 0) {
    return {
      ...parts,
      verdict: "inconclusive",
      title: `${names} show no difference, but ${unseenWords(unseen[0] ?? first(effects))}.`,
      actual: [...unseen.map(unseenWords), figures].join("\n"),
      missing: ["more requests of both versions"],
    };
  }
  return {
    ...parts,
    verdict: "holds",
    title: `${names} serve alike: ${unseenWords(first(effects))}.`,
    actual: figures,
  };
}

/** Every comparison has its failures. */
function first(effects: readonly Seen[]): Seen {
  const [seen] = effects;
  if (seen === undefined) throw new RangeError("Nothing was compared.");
  return seen;
}

function versionWords({ arms }: Comparison): string {
  return `${arms.key.key} ${shortValue(arms.baseline.value)} and ${shortValue(arms.canary.value)}`;
}

function regressed(
  { comparison, worse, effects }: Outcome,
  worst: Seen,
): Omit<FindingParts, "subject"> {
  const { arms, companions } = comparison;
  const isCanaryWorse = worst.effect.direction === "more";
  const [bad, good] = isCanaryWorse ? [arms.canary, arms.baseline] : [arms.baseline, arms.canary];
  const along = companions.alongside.map(companionWords);
  const also = along.length === 0 ? "" : `\nWith it goes ${along.join(" and ")}.`;
  return {
    verdict: "violated",
    title: `${arms.key.key} ${shortValue(bad.value)} ${worseWords(worst, isCanaryWorse)} of ${shortValue(good.value)}.`,
    actual: `${worse.map(effectWords).join("\n")}${also}\nAll figures:\n${effects.map(effectWords).join("\n")}`,
    causeKind: causeOf(arms.key.component),
    fixes: [
      {
        description: `Send the requests back to ${arms.key.key} ${good.value} until the reason is known.`,
        cost: 1,
      },
    ],
    nextChecks: [
      `Send the same requests to both values of ${arms.key.key} and compare them pair by pair.`,
    ],
  };
}

function confounded(
  comparison: Comparison,
  confounding: readonly Companion[],
  figures: string,
): Omit<FindingParts, "subject"> {
  const { arms } = comparison;
  const list = confounding.map(companionWords).join(", ");
  const own = `${arms.key.component} (${shortValue(arms.baseline.value)} → ${shortValue(arms.canary.value)})`;
  return {
    verdict: "inconclusive",
    title: `${versionWords(comparison)} are confounded: with ${arms.key.key} also ${list} differs.`,
    actual: `These go together: ${own}, ${list}. Which of them makes a difference, this evidence cannot tell.\n${figures}`,
    missing: confounding.map(
      ({ key, baseline, canary: value }) =>
        `calls with ${arms.key.key} ${arms.canary.value} and ${key} ${baseline}, or with ${arms.baseline.value} and ${value}`,
    ),
    nextChecks: [
      `Change one at a time: serve ${arms.key.key} ${arms.canary.value} with the ${confounding.map(({ component }) => component).join(" and the ")} of ${arms.baseline.value}.`,
    ],
  };
}

function apart(comparison: Comparison): Omit<FindingParts, "subject"> {
  return {
    verdict: "inconclusive",
    title: `${versionWords(comparison)} did too little of the same work to be compared.`,
    actual: `${comparison.arms.baseline.units.length} and ${comparison.arms.canary.units.length} requests, and no operation of which both served enough.`,
    missing: ["requests of the same operations under both versions"],
  };
}

const listedCountMax = 8;

function tooRare({ subject, key, values }: Rarity): FindingParts {
  const list = values.slice(0, listedCountMax).map(({ value, count }) => `${value} (${count})`);
  return {
    verdict: "inconclusive",
    subject: { kind: "canary", name: subject },
    title: `Versions of ${key.key} were seen too rarely to be compared: ${list.join(", ")}.`,
    actual: "Fewer than two versions have enough requests.",
    missing: [`more requests of ${values[0]?.value ?? "both versions"}`],
  };
}

function measuresOf(outcome: Outcome): Record<string, number | string | boolean> {
  const { comparison, effects, chance } = outcome;
  const { arms, companions } = comparison;
  const [failures] = effects;
  return {
    component: arms.key.component,
    attribute: arms.key.key,
    baseline: arms.baseline.value,
    canary: arms.canary.value,
    baselineCount: arms.baseline.units.length,
    canaryCount: arms.canary.units.length,
    isConcurrent: arms.isConcurrent,
    isConfounded: companions.confounding.length > 0,
    chanceOfEachTest: chance,
    ...(failures === undefined
      ? {}
      : {
          failureShareBaseline: failures.effect.baseline,
          failureShareCanary: failures.effect.canary,
          failureRiseUnseen: failures.effect.riseUnseen,
        }),
  };
}

const exampleCountMax = 3;

/** Some units of both versions; where one does worse, those that show it. */
function referencesOf(
  { arms, operations }: Comparison,
  worse: readonly Seen[],
): EvidenceReference[] {
  const [worst] = worse;
  const sample = operations.find(({ name }) => name === worst?.operation)?.sample;
  if (worst === undefined || sample === undefined) {
    return [arms.baseline, arms.canary].flatMap(({ units, value }) =>
      units
        .slice(0, 1)
        .map(({ trace, index }) => trace.reference(index, `${arms.key.key}=${value}`)),
    );
  }
  const side = worst.effect.direction === "more" ? 1 : 0;
  const { value } = side === 1 ? arms.canary : arms.baseline;
  const measure = measures.findIndex(({ name }) => worst.effect.name.startsWith(`${name} `));
  const size = (at: number): number => {
    const outcome = sample.outcomes[at];
    if (measure < 0) return outcome?.hasFailed === true ? 1 : 0;
    return outcome?.values[measure] ?? 0;
  };
  return sample.units
    .map((unit, at) => ({ unit, at, size: size(at) || 0 }))
    .filter(({ at, size: own }) => sample.isSecond[at] === side && own > 0)
    .sort((left, right) => right.size - left.size || left.at - right.at)
    .slice(0, exampleCountMax)
    .map(({ unit, size: own }) => {
      const what =
        measure < 0
          ? failureWords(unit.lead.status.message)
          : `${worst.effect.name.replace(/ (?:p50|p95|of the same request)$/, "")} ${Number(own.toPrecision(4))} ${worst.effect.unit}`;
      return unit.trace.reference(
        unit.index,
        `${arms.key.key}=${value}, ${unit.lead.name}, ${what}`,
      );
    });
}

function failureWords(message: string | undefined): string {
  return message === undefined ? "failed" : `failed: ${message.slice(0, 200)}`;
}

function causeOf(component: ComponentName): CauseKind {
  switch (component) {
    case "flag":
    case "parameters":
      return "configuration";
    case "model":
    case "tokenizer":
      return "identity";
    case "provider":
    case "engine":
      return "dependency";
    case "place":
      return "capacity";
    default:
      return "change";
  }
}
