/** How much longer slow requests took than others of the same operation. */

import type { Span } from "../model/span.ts";
import { medianOf } from "../statistics/quantiles.ts";
import type { Trace } from "../traces/trace.ts";

export interface Pace {
  /** How many times as long as usual, the median over the slow ones. */
  readonly ratio: number;
  /** By how many milliseconds longer than usual, the median over the slow ones. */
  readonly increaseMillis: number;
}

const nanosPerMilli = 1_000_000;

/** The pace of the bad against the good of the same operation; of an operation without good ones nothing is known. */
export function paceOf(traces: readonly Trace[], isBad: readonly (boolean | undefined)[]): Pace {
  const usual = usualNanosOf(traces.filter((_trace, at) => isBad[at] === false));
  const ratios: number[] = [];
  const increases: number[] = [];
  traces.forEach((trace, at) => {
    const [entry] = trace.spans;
    if (isBad[at] !== true || entry === undefined) return;
    const nanos = entry.durationNanos;
    const median = usual.get(operationOf(entry));
    if (median === undefined) return;
    ratios.push(median > 0 ? nanos / median : Infinity);
    increases.push((nanos - median) / nanosPerMilli);
  });
  if (ratios.length === 0) return { ratio: 0, increaseMillis: 0 };
  return { ratio: medianOf(ratios), increaseMillis: medianOf(increases) };
}

/** The median length of each operation. */
function usualNanosOf(traces: readonly Trace[]): ReadonlyMap<string, number> {
  const entries = traces.flatMap(({ spans }) => spans[0] ?? []);
  return new Map(
    [...Map.groupBy(entries, operationOf)].map(([operation, same]) => [
      operation,
      medianOf(same.map(({ durationNanos }) => durationNanos)),
    ]),
  );
}

/** What a request asked for, by the span with which it began. */
export function operationOf({ service, name }: Pick<Span, "service" | "name">): string {
  return `${service}\n${name}`;
}
