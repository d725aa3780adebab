/** How much longer slow requests took than others of the same operation. */

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
    const median = usual.get(operationOf(trace));
    const nanos = trace.spans[0]?.durationNanos;
    if (isBad[at] !== true || median === undefined || nanos === undefined) return;
    ratios.push(median > 0 ? nanos / median : Infinity);
    increases.push((nanos - median) / nanosPerMilli);
  });
  if (ratios.length === 0) return { ratio: 0, increaseMillis: 0 };
  return { ratio: medianOf(ratios), increaseMillis: medianOf(increases) };
}

/** The median length of each operation. */
function usualNanosOf(traces: readonly Trace[]): ReadonlyMap<string, number> {
  return new Map(
    [...Map.groupBy(traces, operationOf)].map(([operation, same]) => [
      operation,
      medianOf(same.map(({ spans }) => spans[0]?.durationNanos ?? 0)),
    ]),
  );
}

function operationOf({ spans }: Trace): string {
  return `${spans[0]?.service ?? ""}\n${spans[0]?.name ?? ""}`;
}
