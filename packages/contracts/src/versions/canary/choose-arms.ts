/** Which two versions are compared, and which of them is the newer one. */

import { sortedNumbers, quantileOf } from "../../statistics/quantiles.ts";
import { compareText } from "../../text/compare-text.ts";
import { baseOfModel, type ComponentKey } from "./components.ts";
import { type Column, valueOf } from "./columns.ts";
import type { Unit } from "./units.ts";

/** The units of one version. */
export interface Arm {
  readonly value: string;
  readonly units: readonly Unit[];
}

/** Two versions of one component. */
export interface Arms {
  readonly key: ComponentKey;
  readonly baseline: Arm;
  readonly canary: Arm;
  /** It is known which of both is the newer; else whichever does worse is at fault. */
  readonly isDirected: boolean;
  /** Both served at the same time; then only what came in that time is compared. */
  readonly isConcurrent: boolean;
}

export interface ArmChoice {
  readonly arms: readonly Arms[];
  /** Versions that were seen too rarely to be compared, with how often. */
  readonly rare: readonly { readonly value: string; readonly count: number }[];
}

/** Versions that are compared with one baseline at once. */
const canaryCountMax = 4;
/** Units of one version that are compared; of more, evenly chosen ones stand for all. */
const unitCountMax = 10_000;
/** Of the units of the smaller version, so many must lie in the time in which both served. */
const commonShareMin = 0.5;
const wholeShareMin = 0.7;

/** Pairs of versions of a column, each large enough. */
export function chooseArms(
  units: readonly Unit[],
  column: Column,
  { callCountMin, baseline: named }: { readonly callCountMin: number; readonly baseline: string },
): ArmChoice {
  const { key } = column;
  const seen = seenOf(units, key.key);
  const large = seen.filter((item) => item.units.length >= callCountMin);
  const rare = seen
    .filter((item) => item.units.length < callCountMin)
    .map(({ value, units: own }) => ({ value, count: own.length }));
  if (large.length < 2) return { arms: [], rare: seen.length < 2 ? [] : rare };
  const { baseline, canaries } = rolesOf(large, named);
  return {
    arms: canaries
      .slice(0, canaryCountMax)
      .flatMap((canary) => armsOf(key, baseline, canary) ?? []),
    rare,
  };
}

/** A value, its units and when they were: the first and the last hundredth are left out. */
interface Seen {
  readonly value: string;
  readonly units: readonly Unit[];
  readonly from: number;
  readonly to: number;
}

function seenOf(units: readonly Unit[], key: string): Seen[] {
  const byValue = new Map<string, Unit[]>();
  for (const unit of units) {
    const value = valueOf(unit, key);
    if (value === undefined) continue;
    const known = byValue.get(value);
    if (known === undefined) byValue.set(value, [unit]);
    else known.push(unit);
  }
  const seen = [...byValue].map(([value, own]): Seen => {
    const times = sortedNumbers(own.map(({ lead }) => lead.startMicros));
    return { value, units: own, from: quantileOf(times, 0.01), to: quantileOf(times, 0.99) };
  });
  return seen.sort((left, right) => left.from - right.from || compareText(left.value, right.value));
}

/** Those that served together with the newest are compared with one of them; else the newest with the one before it. */
function rolesOf(
  seen: readonly Seen[],
  named: string,
): { readonly baseline: Seen; readonly canaries: readonly Seen[] } {
  const chosen = seen.find(({ value }) => value === named);
  const newest = seen.at(-1);
  // There are at least two.
  if (newest === undefined) throw new RangeError("There is no version.");
  if (chosen !== undefined) {
    return { baseline: chosen, canaries: seen.filter((item) => item !== chosen) };
  }
  const together = seen.filter((item) => item === newest || isTogether(item, newest));
  if (together.length === 1) {
    const before = seen.at(-2) ?? newest;
    return { baseline: before, canaries: [newest] };
  }
  const baseline = together.reduce((best, item) => (isBaselineOf(item, best) ? item : best));
  return { baseline, canaries: together.filter((item) => item !== baseline) };
}

/** Whether the first of two is rather the one that the other is held against. */
function isBaselineOf(one: Seen, other: Seen): boolean {
  const order = orderOf(one, other);
  return order === 0 ? one.units.length > other.units.length : order < 0;
}

/** Below zero when the first is surely the older, above when the second is, zero when nobody knows. */
function orderOf(one: Seen, other: Seen): number {
  const label = roleOf(one.value) - roleOf(other.value);
  if (label !== 0) return label;
  const version = compareVersions(one.value, other.value);
  if (version !== 0) return version;
  const span = Math.max(one.to, other.to) - Math.min(one.from, other.from);
  const later = one.from - other.from;
  return Math.abs(later) > laterShareMin * span ? later : 0;
}

/** A version that is first seen so much of the whole time after another is the newer one. */
const laterShareMin = 0.05;

function roleOf(value: string): number {
  if (
    /^(?:stable|baseline|base|control|primary|production|prod|champion|off|false|disabled|old|current|a|blue)$/i.test(
      value,
    )
  )
    return -1;
  return /^(?:canary|candidate|treatment|variant|challenger|experiment|on|true|enabled|new|next|b|green)$/i.test(
    value,
  )
    ? 1
    : 0;
}

/** By the numbers of versions that are written alike: below zero where the first is older, zero where they are no such versions. */
export function compareVersions(one: string, other: string): number {
  if (one.length > versionLengthMax || other.length > versionLengthMax) return 0;
  const numbers = one.match(/\d+/g) ?? [];
  const others = other.match(/\d+/g) ?? [];
  // Hashes have numbers too, and no order.
  if (
    one.replace(/\d+/g, "#") !== other.replace(/\d+/g, "#") ||
    /[0-9a-f]{7}/i.test(one.replace(/\d{7,}/g, ""))
  )
    return 0;
  for (let at = 0; at < numbers.length; at += 1) {
    const step = Number(numbers[at]) - Number(others[at]);
    if (step !== 0) return step;
  }
  return 0;
}

const versionLengthMax = 64;

function isTogether(one: Seen, other: Seen): boolean {
  return commonUnits(one, other) !== undefined;
}

/** The units of both in the time in which both served, when that is most of the shorter one's. */
function commonUnits(one: Seen, other: Seen): [readonly Unit[], readonly Unit[]] | undefined {
  const from = Math.max(one.from, other.from);
  const to = Math.min(one.to, other.to);
  if (from > to) return undefined;
  const within = ({ units }: Seen): readonly Unit[] =>
    units.filter(({ lead }) => lead.startMicros >= from && lead.startMicros <= to);
  const [own, others] = [within(one), within(other)];
  const least = commonShareMin * Math.min(one.units.length, other.units.length);
  if (own.length < least || others.length < least) return undefined;
  // Where nearly all of both lies in that time, the rest belongs to it too.
  const isWhole =
    own.length >= wholeShareMin * one.units.length &&
    others.length >= wholeShareMin * other.units.length;
  return isWhole ? [one.units, other.units] : [own, others];
}

function armsOf(key: ComponentKey, baseline: Seen, canary: Seen): Arms | undefined {
  // Models of two families have two purposes, as far as nobody says that one stands for the other.
  if (key.leads === "releases" && baseOfModel(baseline.value) !== baseOfModel(canary.value))
    return undefined;
  const common = commonUnits(baseline, canary);
  const [first, second] = common ?? [baseline.units, canary.units];
  return {
    key,
    baseline: { value: baseline.value, units: thinned(first) },
    canary: { value: canary.value, units: thinned(second) },
    isDirected: orderOf(baseline, canary) !== 0,
    isConcurrent: common !== undefined,
  };
}

function thinned(units: readonly Unit[]): readonly Unit[] {
  const stride = Math.ceil(units.length / unitCountMax);
  return stride <= 1 ? units : units.filter((_unit, at) => at % stride === 0);
}
