/** Gathers points, in any order, into series. */

import type { MetricSeries } from "../../model/evidence.ts";
import { compareText } from "../../text/compare-text.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { metricLimits } from "./limits.ts";

/** What a series is called and what tells it from others. */
export interface SeriesName {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly unit?: string | undefined;
  readonly type: MetricSeries["type"];
  /** Its values are what was added since the value before; they are added up to what a counter shows. */
  readonly isDelta?: boolean;
}

/** A series that points are added to. */
export interface OpenSeries {
  readonly name: SeriesName;
  readonly times: number[];
  readonly values: number[];
  /** The value of a scrape that has no time. */
  untimed: number | undefined;
}

export class SeriesBuilder {
  readonly #series = new Map<string, OpenSeries>();
  readonly #notes = new Set<string>();
  #pointCount = 0;
  #notFiniteCount = 0;

  /** The series of a name, made when it is new. */
  of(name: SeriesName): OpenSeries {
    const labels = boundedLabels(name.labels);
    const kept = {
      ...name,
      name: cutText(name.name.toWellFormed(), metricLimits.nameLengthMax),
      labels,
    };
    const key = keyOf(kept);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size === metricLimits.seriesCountMax) {
      throw tooMany("series", metricLimits.seriesCountMax);
    }
    const series: OpenSeries = { name: kept, times: [], values: [], untimed: undefined };
    this.#series.set(key, series);
    return series;
  }

  /** Adds a point; what is not a finite number is left out, and said. */
  add(series: OpenSeries, timeMicros: number | undefined, value: number): void {
    if (!Number.isFinite(value)) {
      this.#notFiniteCount += 1;
    } else if (timeMicros === undefined) {
      if (series.untimed === undefined) series.untimed = value;
      else this.note("A series without times has one value; further ones were dropped.");
    } else {
      this.#pointCount += 1;
      if (this.#pointCount > metricLimits.pointCountMax) {
        throw tooMany("points", metricLimits.pointCountMax);
      }
      series.times.push(timeMicros);
      series.values.push(value);
    }
  }

  note(sentence: string): void {
    this.#notes.add(sentence);
  }

  /** What was read. Throws when there is no value at all. */
  content(format: string): FileContent {
    const series = [...this.#series]
      .sort(([left], [right]) => compareText(left, right))
      .flatMap(([, open]) => this.#finished(open));
    if (series.length === 0) {
      throw new EvidenceError(`The file holds no values of ${format}.`, {
        expected: "at least one value that is a finite number",
        where: "line 1, column 1",
      });
    }
    if (this.#notFiniteCount > 0) {
      this.note(`${this.#notFiniteCount} values that are no finite numbers were left out.`);
    }
    return { contents: [{ kind: "metrics", series }], notes: [...this.#notes].sort() };
  }

  #finished({ name, times, values, untimed }: OpenSeries): MetricSeries[] {
    const { unit } = name;
    const base = {
      name: name.name,
      labels: { ...name.labels },
      ...(unit === undefined || unit === ""
        ? {}
        : { unit: cutText(unit, metricLimits.unitLengthMax) }),
      type: name.type,
    };
    if (times.length === 0) {
      return untimed === undefined ? [] : [{ ...base, timesMicros: [], values: [untimed] }];
    }
    const ordered = this.#ordered(times, values);
    return [{ ...base, ...(name.isDelta === true ? addedUp(ordered) : ordered) }];
  }

  /** Ascending, each time once. Most sources are in order already. */
  #ordered(times: number[], values: number[]): Pick<MetricSeries, "timesMicros" | "values"> {
    if (isAscending(times)) return { timesMicros: times, values };
    const order = times.map((_, index) => index);
    order.sort((left, right) => (times[left] ?? 0) - (times[right] ?? 0) || left - right);
    const sorted: { timesMicros: number[]; values: number[] } = { timesMicros: [], values: [] };
    for (const index of order) {
      const time = times[index] ?? 0;
      if (sorted.timesMicros.at(-1) === time) {
        this.note("Of several values of one series at one time the first was kept.");
        continue;
      }
      sorted.timesMicros.push(time);
      sorted.values.push(values[index] ?? 0);
    }
    return sorted;
  }
}

function isAscending(times: readonly number[]): boolean {
  for (let index = 1; index < times.length; index += 1) {
    if ((times[index] ?? 0) <= (times[index - 1] ?? 0)) return false;
  }
  return true;
}

function addedUp({
  timesMicros,
  values,
}: Pick<MetricSeries, "timesMicros" | "values">): Pick<MetricSeries, "timesMicros" | "values"> {
  let total = 0;
  const totals = values.map((value) => (total += value));
  return { timesMicros, values: totals.map((value) => (Number.isFinite(value) ? value : 0)) };
}

function boundedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .slice(0, metricLimits.labelCountMax)
      .map(([name, value]) => [cut(name), cut(value)]),
  );
}

function cut(text: string): string {
  return cutText(text.toWellFormed(), metricLimits.labelLengthMax);
}

function keyOf({ name, labels }: SeriesName): string {
  const pairs = Object.entries(labels).sort(([left], [right]) => compareText(left, right));
  return JSON.stringify([name, ...pairs]);
}

function tooMany(what: string, limit: number): EvidenceError {
  return new EvidenceError(`The file holds too many ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}
