/** Which sides of a field are compared for drift: two versions, or what came before and after a moment. */

import { quantileOf, sortedNumbers } from "../../statistics/quantiles.ts";
import { chooseArms } from "../canary/choose-arms.ts";
import { type Field, lookedAt } from "../canary/plan.ts";
import { shortValue } from "../canary/words.ts";
import { clusterOf } from "../canary/sample.ts";
import type { Unit } from "../canary/units.ts";
import { type Difference, differenceOf, type Observation } from "./distribution.ts";
import { type Feature, type FeatureName, features } from "./features.ts";

/** Two sides of one field and what they are called. */
export interface Sides {
  readonly names: readonly [first: string, second: string];
  readonly first: readonly Unit[];
  readonly second: readonly Unit[];
  /** Two versions, of which the prompts may differ by design, so that more goes in. */
  readonly areVersions: boolean;
  /** Their tokens are not of one size. */
  readonly haveTokenizers: boolean;
}

/** One feature of one pair of sides. */
export interface Compared {
  readonly feature: FeatureName;
  readonly sides: Sides;
  readonly difference: Difference;
}

/** Where a window may end: after so much of all calls. */
const splitShares = [0.25, 0.5, 0.75] as const;
const sampleSize = 2_000;

/** Versions where there are some, else windows of time. */
export function sidesOf(field: Field, callCountMin: number): readonly Sides[] {
  const units = field.groups.flatMap(({ units: own }) => own);
  if (units.length < 2 * callCountMin) return [];
  const look = lookedAt(field, sampleSize, "");
  for (const column of look?.leads ?? []) {
    const { arms } = chooseArms(units, column, { callCountMin, baseline: "" });
    if (arms.length === 0) continue;
    return arms.map(({ key, baseline, canary }) => ({
      names: [`${key.key} ${shortValue(baseline.value)}`, `${key.key} ${shortValue(canary.value)}`],
      first: baseline.units,
      second: canary.units,
      areVersions: true,
      haveTokenizers: key.component === "tokenizer",
    }));
  }
  const times = sortedNumbers(units.map(({ lead }) => lead.startMicros));
  return splitShares.flatMap((share): Sides[] => {
    const micros = quantileOf(times, share);
    const first = units.filter(({ lead }) => lead.startMicros < micros);
    const second = units.filter(({ lead }) => lead.startMicros >= micros);
    if (Math.min(first.length, second.length) < callCountMin) return [];
    const moment = new Date(micros / 1_000).toISOString();
    return [
      {
        names: [`before ${moment}`, `from ${moment} on`],
        first,
        second,
        areVersions: false,
        haveTokenizers: false,
      },
    ];
  });
}

/** Every feature that both sides tell of often enough. */
export function comparedSides(sides: Sides, callCountMin: number): Compared[] {
  return features.flatMap((feature) => {
    if (sides.areVersions && feature.name === "input tokens") return [];
    if (sides.haveTokenizers && feature.name === "output tokens") return [];
    const first = observed(sides.first, feature);
    const second = observed(sides.second, feature);
    if (Math.min(clusterCount(first), clusterCount(second)) < callCountMin) return [];
    const difference = differenceOf(first, second);
    return difference === undefined ? [] : [{ feature: feature.name, sides, difference }];
  });
}

function observed(units: readonly Unit[], feature: Feature): Observation[] {
  return units.flatMap((unit) => {
    const value = feature.valueOf(unit);
    return value === undefined
      ? []
      : [{ value, micros: unit.lead.startMicros, cluster: clusterOf(unit) }];
  });
}

function clusterCount(observations: readonly Observation[]): number {
  return new Set(observations.map(({ cluster }) => cluster)).size;
}
