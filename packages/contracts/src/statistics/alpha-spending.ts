/** How much of a test's error rate may be spent at each of several looks at data that still come in. */

import { twoSidedTail } from "./normal.ts";
import { twoSidedQuantile, upperTail } from "./normal-quantile.ts";

/** Functions of Lan and DeMets, Biometrika 70 (1983), that spend as O'Brien and Fleming or as Pocock do. */
export type Spending = "obrien-fleming" | "pocock";

/** Looks that are reckoned with. */
export const lookCountMax = 50;

/** The error rate that may have been spent once this share of all information is there. */
export function spentAt(share: number, chance: number, spending: Spending): number {
  if (share <= 0) return 0;
  if (share >= 1) return chance;
  return spending === "pocock"
    ? chance * Math.log(1 + (Math.E - 1) * share)
    : // Each side spends half of it, by a function that is itself two-sided.
      2 * twoSidedTail(twoSidedQuantile(chance / 2) / Math.sqrt(share));
}

/**
 * The two-sided chance at which each look calls a difference, so that all looks together call one by mistake with `chance`. The
 * looks are at ascending shares of the information. The joint distribution of the statistics is integrated numerically, after
 * Armitage, McPherson and Rowe (1969).
 */
export function chancesOfLooks(
  shares: readonly number[],
  chance: number,
  spending: Spending,
): number[] {
  const chances: number[] = [];
  let walk: Walk | undefined;
  let before = 0;
  let spent = 0;
  for (const share of shares.slice(0, lookCountMax)) {
    const due = spentAt(share, chance, spending);
    const level = due - spent;
    const step = Math.sqrt(share - before);
    const bound = boundOf(walk, step, level);
    chances.push(twoSidedTail(bound / Math.sqrt(share)));
    walk = advance(walk, step, Math.min(bound, widthMax * Math.sqrt(share)));
    before = share;
    spent = due;
  }
  return chances;
}

/** The density of the statistic among what has not been decided yet: at ascending places, with Simpson's weights. */
interface Walk {
  readonly places: Float64Array;
  readonly masses: Float64Array;
}

/** What lies further out than so many deviations has no weight. */
const widthMax = 9;
const intervalCount = 400;

/** The chance to lie beyond ±bound after one more step. */
function beyond(walk: Walk | undefined, step: number, bound: number): number {
  if (walk === undefined) return twoSidedTail(bound / step);
  let sum = 0;
  for (let at = 0; at < walk.places.length; at += 1) {
    const place = walk.places[at] ?? 0;
    const outside = upperTail((bound - place) / step) + upperTail((bound + place) / step);
    sum += (walk.masses[at] ?? 0) * outside;
  }
  return sum;
}

function boundOf(walk: Walk | undefined, step: number, level: number): number {
  let low = 0;
  let high = 40;
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (beyond(walk, step, middle) > level) low = middle;
    else high = middle;
  }
  return high;
}

function advance(walk: Walk | undefined, step: number, bound: number): Walk {
  const places = new Float64Array(intervalCount + 1);
  const masses = new Float64Array(intervalCount + 1);
  const width = (2 * bound) / intervalCount;
  for (let at = 0; at <= intervalCount; at += 1) {
    const place = -bound + at * width;
    const weight = at === 0 || at === intervalCount ? 1 : at % 2 === 1 ? 4 : 2;
    places[at] = place;
    masses[at] = ((weight * width) / 3) * densityAt(walk, step, place);
  }
  return { places, masses };
}

function densityAt(walk: Walk | undefined, step: number, place: number): number {
  const factor = 1 / (step * Math.sqrt(2 * Math.PI));
  if (walk === undefined) return factor * Math.exp(-((place / step) ** 2) / 2);
  let sum = 0;
  for (let at = 0; at < walk.places.length; at += 1) {
    const distance = (place - (walk.places[at] ?? 0)) / step;
    sum += (walk.masses[at] ?? 0) * Math.exp((-distance * distance) / 2);
  }
  return factor * sum;
}
