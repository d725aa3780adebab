/** The units of two versions of one operation as the tests want them: outcomes, and what to compare them within. */

import { sortedNumbers } from "../../statistics/quantiles.ts";
import { valueOf } from "./columns.ts";
import { valueText } from "./components.ts";
import { measures, type Outcome, outcomeOf } from "./measures.ts";
import type { Unit } from "./units.ts";

/** Both populations one after the other, in parallel lists. */
export interface Sample {
  readonly units: readonly Unit[];
  readonly outcomes: readonly Outcome[];
  readonly isSecond: Uint8Array;
  readonly times: Float64Array;
  /** Units of one conversation, or else of one trace, share their fate. */
  readonly clusters: Int32Array;
  /** Ways to divide units into what is compared with one another: by time, and by each cohort whose mix is unlike. */
  readonly stratifications: readonly Int32Array[];
  readonly isConcurrent: boolean;
  readonly firstCount: number;
  readonly secondCount: number;
}

export function sampleOf(
  first: readonly Unit[],
  second: readonly Unit[],
  {
    cohorts,
    isConcurrent,
  }: { readonly cohorts: readonly string[]; readonly isConcurrent: boolean },
): Sample {
  const units = [...first, ...second];
  const isSecond = Uint8Array.from(units, (_unit, at) => (at < first.length ? 0 : 1));
  const times = Float64Array.from(units, ({ lead }) => lead.startMicros);
  return {
    units,
    outcomes: units.map(({ lead, models }) => outcomeOf(lead, models)),
    isSecond,
    times,
    clusters: numbered(units.map(clusterOf)),
    stratifications: [
      new Int32Array(units.length),
      ...(isConcurrent ? [timeStrata(times)] : []),
      ...cohorts.map((key) => numbered(units.map((unit) => valueOf(unit, key) ?? ""))),
    ],
    isConcurrent,
    firstCount: first.length,
    secondCount: second.length,
  };
}

/** The values of one measure with the units that have one. */
export interface Measured {
  /** Indices into the sample. */
  readonly indices: readonly number[];
  /** Logarithms, because what takes twice as long is as far from usual as what takes half. */
  readonly logs: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

export function measuredOf({ outcomes, isSecond }: Sample, measure: number): Measured {
  const indices: number[] = [];
  const logs: number[] = [];
  const sides: [number[], number[]] = [[], []];
  outcomes.forEach(({ values }, at) => {
    const value = values[measure] ?? Number.NaN;
    if (!(value > 0)) return;
    indices.push(at);
    const log = Math.log(value);
    logs.push(log);
    sides[isSecond[at] === 1 ? 1 : 0].push(log);
  });
  return {
    indices,
    logs: Float64Array.from(logs),
    first: sortedNumbers(sides[0]),
    second: sortedNumbers(sides[1]),
  };
}

/** Measures that enough units of both sides have. */
export function measuresPresent({ outcomes, isSecond }: Sample, countMin: number): number[] {
  return measures.flatMap((_measure, index) => {
    const counts: [number, number] = [0, 0];
    outcomes.forEach(({ values }, at) => {
      if ((values[index] ?? Number.NaN) > 0) counts[isSecond[at] === 1 ? 1 : 0] += 1;
    });
    return Math.min(...counts) >= countMin ? [index] : [];
  });
}

const conversationKeys = [
  "gen_ai.conversation.id",
  "session.id",
  "langfuse.session.id",
  "conversation.id",
];

/** What a unit shares its fate with: its conversation, or else its trace. */
export function clusterOf({ lead, models, trace }: Unit): string {
  for (const key of conversationKeys) {
    const id = valueText(lead.attributes[key]) ?? valueText(models[0]?.attributes[key]);
    if (id !== undefined) return id;
  }
  return trace.traceId;
}

function numbered(names: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(names, (name) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, numbers.size);
    return numbers.size - 1;
  });
}

const timeStratumCount = 12;

/** Slices of the time with as many units each. */
function timeStrata(times: Float64Array): Int32Array {
  const order = Int32Array.from(times, (_time, at) => at).sort(
    (left, right) => (times[left] ?? 0) - (times[right] ?? 0),
  );
  const strata = new Int32Array(times.length);
  // What came at once is in one slice.
  let first = 0;
  order.forEach((at, rank) => {
    if (times[at] !== times[order[first] ?? at]) first = rank;
    strata[at] = Math.floor((first * timeStratumCount) / times.length);
  });
  return strata;
}
