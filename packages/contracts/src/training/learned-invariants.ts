/** What held at every step of a healthy run holds in others of its kind. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { chanceOfShares } from "../statistics/fisher-exact.ts";
import { plural } from "../text/plural.ts";
import { type Observation, type ObservedStep, observedSteps } from "./observations.ts";
import { runSubject, stepReference } from "./step-view.ts";

const options = {
  supportCountMin: {
    default: 20,
    description:
      "Steps of healthy runs at which something must have held, each time, to be learned.",
  },
  occurrenceCountMin: {
    default: 3,
    description: "Steps at which a run must break what was learned.",
  },
  chanceMax: {
    default: 0.001,
    description:
      "Chance that a run of the same kind breaks it as often, over all that was learned together.",
  },
  parameterShareMin: {
    default: 0.9,
    description:
      "Share of the parameters by name that two runs must have in common to be compared.",
  },
};
type Options = { readonly [Name in keyof typeof options]: number };
type Run = EvidenceOf<"training">;

/** What held at every step of the healthy runs at which it was seen. */
interface Invariant {
  readonly observation: Observation;
  readonly supportCount: number;
}

/** An invariant that a run breaks. */
interface Broken extends Invariant {
  readonly at: readonly { readonly step: ObservedStep; readonly value: string }[];
  readonly seenCount: number;
  readonly chance: number;
}

const namesListedMax = 5;
const referencesMax = 10;

export const learnedInvariants: Contract = defineContract({
  id: "training/learned-invariants",
  version: 1,
  boundary: "dataset-loss",
  promise: "What held at every step of a healthy run holds in other runs of its kind.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) => {
    const runs = evidenceOfKind(snapshot, "training");
    const healthy = runs.filter(({ content }) => content.role === "baseline");
    if (healthy.length === 0) return [];
    const invariants = learn(healthy, settled.supportCountMin);
    return runs
      .filter(({ content }) => content.role !== "baseline")
      .map((run) =>
        found({
          subject: runSubject(run.content),
          ...judge(run, { healthy, invariants, settled }),
        }),
      );
  },
});

function keyOf({ kind, about }: Observation): string {
  return `${kind}\n${about}`;
}

function learn(healthy: readonly Run[], supportCountMin: number): Invariant[] {
  const seen = new Map<string, { observation: Observation; count: number; isOne: boolean }>();
  for (const { content } of healthy) {
    for (const { observations } of observedSteps(content)) {
      for (const observation of observations) {
        const known = seen.get(keyOf(observation));
        if (known === undefined) {
          seen.set(keyOf(observation), { observation, count: 1, isOne: true });
          continue;
        }
        known.count += 1;
        if (known.observation.value !== observation.value) known.isOne = false;
      }
    }
  }
  return [...seen.values()]
    .filter(({ isOne, count }) => isOne && count >= supportCountMin)
    .filter(({ observation }) => isWorthKeeping(observation))
    .map(({ observation, count }) => ({ observation, supportCount: count }));
}

/** That a healthy run never did something is no promise that others do not. */
function isWorthKeeping({ value, kind }: Observation): boolean {
  if (value === "not finite" || value === "kept") return false;
  if (kind === "the learning rate" && value === "0") return false;
  return value !== "no" || kind === "requires a gradient";
}

function judge(
  run: Run,
  {
    healthy,
    invariants,
    settled,
  }: { healthy: readonly Run[]; invariants: readonly Invariant[]; settled: Options },
): Omit<FindingParts, "subject"> {
  const names = healthy.map(({ content }) => content.run);
  const words = `healthy run${names.length > 1 ? "s" : ""} ${[...new Set(names)].toSorted().slice(0, namesListedMax).join(", ")}`;
  if (!isOneModel(run, healthy, settled.parameterShareMin)) {
    return {
      verdict: "inconclusive",
      title: "The run trains another model than the healthy run",
      actual: `It shares fewer than ${settled.parameterShareMin * 100} % of the names of parameters with ${words}.`,
      missing: ["A healthy run of the same model."],
    };
  }
  if (invariants.length === 0) {
    return {
      verdict: "inconclusive",
      title: "Nothing was learned from the healthy run",
      actual: `Of ${words}, nothing was seen at ${settled.supportCountMin} steps or more.`,
      missing: [`A healthy run of at least ${settled.supportCountMin} recorded steps.`],
    };
  }
  const { broken, checkedCount } = brokenBy(run, invariants);
  const sure = broken.filter(
    ({ at, chance }) =>
      at.length >= settled.occurrenceCountMin && chance * checkedCount <= settled.chanceMax,
  );
  const wrong = sure.filter(({ observation }) => !observation.isSetting);
  const measures = {
    learnedCount: invariants.length,
    checkedCount,
    brokenCount: broken.length,
  };
  if (wrong.length > 0) return { measures, ...violation(run, wrong, words) };
  const open = [...sure, ...broken.filter((one) => !sure.includes(one))];
  if (open.length > 0) {
    return {
      measures,
      verdict: "inconclusive",
      title: `What held in the ${words} is otherwise here, and may be so`,
      actual: sentencesOf(open).join(" "),
      evidence: referencesTo(run, open),
      missing: open.some(({ observation }) => observation.isSetting)
        ? ["Whether the settings are meant to differ."]
        : ["More steps at which it is broken."],
    };
  }
  if (checkedCount === 0) {
    return {
      measures,
      verdict: "inconclusive",
      title: "Nothing that was learned was seen in this run",
      actual: `${plural(invariants.length, "fact")} held in the ${words}; none of them is recorded here.`,
      missing: ["A record of the same things as in the healthy run."],
    };
  }
  return {
    measures,
    verdict: "holds",
    title: `What held at every step of the ${words} holds`,
    actual: `${plural(checkedCount, "fact")} of ${invariants.length} that were learned were seen, and hold at every step.`,
  };
}

function violation(
  run: Run,
  wrong: readonly Broken[],
  words: string,
): Omit<FindingParts, "subject"> {
  const sentences = sentencesOf(wrong);
  return {
    verdict: "violated",
    title: `${sentences[0]?.replace(/\.$/, "") ?? ""}, unlike the ${words}`,
    expected: `What held at every step of the ${words}.`,
    actual: sentences.join(" "),
    causeKind: "change",
    evidence: referencesTo(run, wrong),
    nextChecks: ["What else changed between the two runs: code, configuration, versions."],
  };
}

/** Whether the names of parameters are nearly the same, as far as both runs have any. */
function isOneModel(run: Run, healthy: readonly Run[], shareMin: number): boolean {
  const own = namesIn([run]);
  const others = namesIn(healthy);
  if (own.size === 0 || others.size === 0) return true;
  const common = [...own].filter((name) => others.has(name)).length;
  return common >= shareMin * Math.max(own.size, others.size);
}

function namesIn(runs: readonly Run[]): Set<string> {
  return new Set(
    runs.flatMap(({ content }) =>
      content.steps.flatMap(({ parameters = [] }) => parameters.map(({ name }) => name)),
    ),
  );
}

/** The invariants that a run breaks, with the chance of that if it were of the kind of the healthy ones. */
function brokenBy(
  run: Run,
  invariants: readonly Invariant[],
): { broken: Broken[]; checkedCount: number } {
  const byKey = new Map(invariants.map((one) => [keyOf(one.observation), one]));
  const seen = new Map<string, { count: number; at: Broken["at"][number][] }>();
  for (const step of observedSteps(run.content)) {
    for (const observation of step.observations) {
      const invariant = byKey.get(keyOf(observation));
      if (invariant === undefined) continue;
      const known = seen.get(keyOf(observation)) ?? { count: 0, at: [] };
      known.count += 1;
      if (observation.value !== invariant.observation.value)
        known.at.push({ step, value: observation.value });
      seen.set(keyOf(observation), known);
    }
  }
  const broken = invariants.flatMap((invariant): Broken[] => {
    const known = seen.get(keyOf(invariant.observation));
    if (known === undefined || known.at.length === 0) return [];
    const chance = chanceOfShares({
      marked: known.at.length,
      all: known.count,
      otherMarked: 0,
      otherAll: invariant.supportCount,
    });
    return [{ ...invariant, at: known.at, seenCount: known.count, chance }];
  });
  return { broken, checkedCount: seen.size };
}

/** One sentence for each kind of fact, however many parameters it is about. */
function sentencesOf(broken: readonly Broken[]): string[] {
  return [...Map.groupBy(broken, ({ observation }) => observation.kind)].map(([kind, all]) => {
    const [first] = all;
    if (first === undefined) return "";
    const { observation, at, seenCount, supportCount } = first;
    const names = all
      .map((one) => one.observation.about)
      .filter((name) => name !== "")
      .toSorted();
    const about =
      names.length === 0
        ? ""
        : ` (${names.slice(0, namesListedMax).join(", ")}${names.length > namesListedMax ? ` and ${names.length - namesListedMax} more` : ""})`;
    return `${capital(kind)}${about}: ${at[0]?.value ?? ""} at ${at.length} of ${plural(seenCount, "step")}, where it was ${observation.value} at all ${supportCount} before.`;
  });
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function referencesTo(run: Run, broken: readonly Broken[]): ReturnType<typeof stepReference>[] {
  return broken
    .toSorted((left, right) => (keyOf(left.observation) < keyOf(right.observation) ? -1 : 1))
    .slice(0, referencesMax)
    .flatMap(({ observation, at }) =>
      at
        .slice(0, 1)
        .map(({ step, value }) =>
          stepReference(
            run,
            step.place,
            `${observation.about} ${observation.kind}: ${value}`.trim(),
          ),
        ),
    );
}
