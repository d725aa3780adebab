/** Which variants of an evaluation are held against each other, and which of both is the newer one. */

import { baseOfModel } from "../canary/components.ts";
import { compareVersions } from "../canary/choose-arms.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../../model/snapshot.ts";
import { compareText } from "../../text/compare-text.ts";

/** One variant in one run. */
export interface EvaluationArm {
  readonly name: string;
  readonly suite: string;
  readonly components: Readonly<Record<string, string>>;
  readonly run: string;
  readonly ranMicros: number | undefined;
  readonly evidence: EvidenceOf<"evaluation">;
  /** Places of its cases. */
  readonly cases: readonly number[];
}

export interface ArmPair {
  readonly baseline: EvaluationArm;
  readonly candidate: EvaluationArm;
  /** It is known which is the newer one. */
  readonly isDirected: boolean;
  /** Components in which they differ. */
  readonly differing: readonly string[];
}

/** Variants of one suite that are held against one baseline. */
const candidateCountMax = 8;

/** Pairs of variants in one order, whatever the order of the evidence. */
export function armPairsOf(snapshot: Snapshot): ArmPair[] {
  const arms = evidenceOfKind(snapshot, "evaluation")
    .flatMap(armsOf)
    .sort(
      (left, right) =>
        compareText(left.name, right.name) ||
        compareText(left.evidence.id, right.evidence.id) ||
        (left.cases[0] ?? 0) - (right.cases[0] ?? 0),
    );
  return [...Map.groupBy(arms, ({ suite }) => suite)]
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([, own]) => pairsAmong(own));
}

function armsOf(evidence: EvidenceOf<"evaluation">): EvaluationArm[] {
  const { tool, suite, run, ranMicros, variants, cases } = evidence.content;
  const places = variants.map((): number[] => []);
  for (const [at, { variant }] of cases.entries()) places[variant]?.push(at);
  return variants.flatMap(({ name, components }, at): EvaluationArm[] => {
    const own = places[at] ?? [];
    // A run of one variant is known by its file; of several, the file says nothing of which is which.
    const label = variants.length === 1 ? (name === "" ? run : `${run} (${name})`) : name;
    return own.length === 0
      ? []
      : [
          {
            name: label,
            suite: `${tool} ${suite}`.trim(),
            components,
            run: variants.length === 1 ? run : "",
            ranMicros,
            evidence,
            cases: own,
          },
        ];
  });
}

function pairsAmong(arms: readonly EvaluationArm[]): ArmPair[] {
  const [first, ...others] = arms;
  if (first === undefined || others.length === 0) return [];
  const baseline = others.reduce((best, arm) => (orderOf(arm, best) < 0 ? arm : best), first);
  return arms
    .filter((arm) => arm !== baseline)
    .slice(0, candidateCountMax)
    .map((candidate) => ({
      baseline,
      candidate,
      isDirected: orderOf(baseline, candidate) < 0,
      differing: differingOf(baseline, candidate),
    }));
}

/** Below zero where the first is surely the older one, zero where nobody knows. */
function orderOf(one: EvaluationArm, other: EvaluationArm): number {
  const runs = roleOfRun(one.run) - roleOfRun(other.run);
  if (runs !== 0) return runs;
  const [oneRole, otherRole] = [roleOfRun(one.name), roleOfRun(other.name)];
  if (oneRole * otherRole < 0) return oneRole - otherRole;
  const version = compareVersions(one.name, other.name);
  if (version !== 0) return version;
  // Two models that were tried after each other are no two versions of one thing.
  if (!isOneModel(one, other) || one.evidence === other.evidence) return 0;
  return (one.ranMicros ?? 0) > 0 && (other.ranMicros ?? 0) > 0
    ? (one.ranMicros ?? 0) - (other.ranMicros ?? 0)
    : 0;
}

function isOneModel(one: EvaluationArm, other: EvaluationArm): boolean {
  const [model = "", otherModel = ""] = [one.components["model"], other.components["model"]];
  return baseOfModel(model) === baseOfModel(otherModel);
}

const olderWord =
  /^(?:before|baseline|base|old|control|stable|main|master|prod|production|champion|reference|ref|previous|prev)$/;
const newerWord =
  /^(?:after|candidate|canary|new|treatment|challenger|experiment|next|pr|head|branch|proposed|finetuned)$/;

/** What the words of a name say: -1 of the older, 1 of the newer one. */
export function roleOfRun(name: string): number {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const isOlder = words.some((word) => olderWord.test(word));
  const isNewer = words.some((word) => newerWord.test(word));
  return Number(isNewer) - Number(isOlder);
}

/** Components of which both tell, and tell otherwise. */
function differingOf(one: EvaluationArm, other: EvaluationArm): string[] {
  return Object.keys(one.components)
    .filter((key) => {
      const [value, otherValue] = [one.components[key], other.components[key]];
      return otherValue !== undefined && value !== otherValue;
    })
    .sort(compareText);
}
