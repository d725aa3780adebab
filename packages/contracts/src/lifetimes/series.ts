/** Recordings of one process in the order in which they were taken. */

import type { Recording } from "../model/recording.ts";
import { compareText } from "../text/compare-text.ts";

/** A recording with what is known about when it was taken. */
export interface Placed<T> {
  readonly item: T;
  readonly recording: Recording;
  /** Only grows while the process runs, such as the highest id of a goroutine. */
  readonly age?: number | undefined;
}

export interface Series<T> {
  readonly name: string;
  /** In the order in which they were taken; of those whose order nobody tells, in none. */
  readonly items: readonly Placed<T>[];
  readonly isOrdered: boolean;
  /** Minutes since the first one, where every recording has a time. */
  readonly minutes: readonly number[] | undefined;
}

/** Groups recordings by the name of their series. */
export function seriesOf<T>(placed: readonly Placed<T>[]): Series<T>[] {
  const byName = Map.groupBy(placed, ({ recording }) => recording.series);
  return [...byName]
    .sort(([left], [right]) => compareText(left, right))
    .map(([name, items]) => inOrder(name, items));
}

function inOrder<T>(name: string, items: readonly Placed<T>[]): Series<T> {
  const places = [timeOf, sequenceOf, ageOf];
  for (const place of places) {
    const values = items.map((item) => place(item));
    if (values.some((value) => value === undefined) || new Set(values).size < values.length) {
      continue;
    }
    const sorted = [...items].sort((left, right) => (place(left) ?? 0) - (place(right) ?? 0));
    const times = sorted.map(timeOf);
    const [first] = times;
    const minutes = times.flatMap((time) =>
      time === undefined || first === undefined ? [] : [(time - first) / 60_000_000],
    );
    return {
      name,
      items: sorted,
      isOrdered: true,
      minutes: minutes.length === sorted.length ? minutes : undefined,
    };
  }
  return { name, items, isOrdered: items.length === 1, minutes: undefined };
}

function timeOf({ recording }: Placed<unknown>): number | undefined {
  return recording.timeMicros;
}

function sequenceOf({ recording }: Placed<unknown>): number | undefined {
  return recording.sequence;
}

function ageOf({ age }: Placed<unknown>): number | undefined {
  return age;
}
