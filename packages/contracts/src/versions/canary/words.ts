/** Comparisons of versions in words. */

import type { Effect } from "./compare.ts";
import type { Companion } from "./companions.ts";
import type { Seen } from "./verdict.ts";

/** `9.2 %`, with one digit where it matters. */
export function percentWords(share: number): string {
  const percent = Math.abs(share) * 100;
  const digits = percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${(share * 100)
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "")} %`;
}

/** `failures 1.8 % of 400 → 9.2 % of 380`, and how sure that is. */
export function effectWords({ operation, effect }: Seen): string {
  const { name, baseline, canary, rise, low, high, counts, isPaired } = effect;
  const [first, second] = counts;
  const where = operation === "" ? "" : `${operation}: `;
  if (name === "failures") {
    const change = `${pointsWords(rise)} points (${pointsWords(low)} to ${pointsWords(high)})`;
    const pairs = isPaired ? `, in ${first} pairs of the same request` : "";
    return `${where}failures ${percentWords(baseline)} of ${first} → ${percentWords(canary)} of ${second}, ${change}${pairs}`;
  }
  const change = `${signed(rise)} (${signed(low)} to ${signed(high)})`;
  const pairs = isPaired ? `, in ${first} pairs` : `, ${first} against ${second}`;
  return `${where}${name} ${valueWords(effect, baseline)} → ${valueWords(effect, canary)}, ${change}${pairs}`;
}

/** What happens under a version, as the end of a sentence: `fails more often: 9.2 % against 1.8 %`. */
export function worseWords({ effect }: Seen, isCanaryWorse: boolean): string {
  const { name, isTime, baseline, canary } = effect;
  const [worse, better] = isCanaryWorse ? [canary, baseline] : [baseline, canary];
  if (name === "failures") {
    return `fails more often: ${percentWords(worse)} against ${percentWords(better)}`;
  }
  const verb = isTime ? "is slower" : name.startsWith("cost") ? "is dearer" : "takes more tokens";
  return `${verb}: ${name} ${valueWords(effect, worse)} against ${valueWords(effect, better)}`;
}

/** What could have been overlooked: `a rise of failures of less than 2.1 points`. */
export function unseenWords({ operation, effect }: Seen): string {
  const { name, riseUnseen, counts } = effect;
  const size = name === "failures" ? `${pointsWords(riseUnseen)} points` : percentWords(riseUnseen);
  const where = operation === "" ? "" : ` of ${operation}`;
  return `with ${counts[1]} against ${counts[0]} units${where}, a rise of ${name} of less than ${size} could not be seen`;
}

/** A value as people tell it from others: hashes by their beginning. */
export function shortValue(value: string): string {
  return value.length > shortLengthMax ? `${value.slice(0, hashLengthShown)}…` : value;
}

const shortLengthMax = 48;
const hashLengthShown = 19;

/** `model (gpt-4o → gpt-5)`. */
export function companionWords({ component, baseline, canary }: Companion): string {
  return `${component} (${shortValue(baseline)} → ${shortValue(canary)})`;
}

function pointsWords(share: number): string {
  const points = share * 100;
  return (Math.abs(points) < 10 ? points.toFixed(1) : points.toFixed(0)).replace(/\.0$/, "");
}

function signed(share: number): string {
  return `${share >= 0 ? "+" : ""}${percentWords(share)}`;
}

function valueWords({ unit }: Effect, value: number): string {
  return `${Number(value.toPrecision(3))} ${unit}`;
}
