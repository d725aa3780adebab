/** Whether calls are about as many as the items of a list, which no verdict of a batched access survives. */

import { largestOf } from "../../traces/largest.ts";
import type { Observation } from "./observation.ts";
import type { RepeatedQueryOptions } from "./options.ts";
import type { UnitCall } from "../../traces/unit.ts";

/** Lists that may stand behind calls: by resolver indices, else by what earlier or later calls of another kind brought. */
export function listsBeside(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): number[] {
  if (observation.listLength !== undefined) return [observation.listLength];
  const own = new Set<string>();
  for (const { call } of calls) own.add(call.identity);
  const lengths: number[] = [];
  for (const { call } of observation.unit.calls) {
    const length = Math.max(call.rowCount ?? 0, call.batch.size ?? 0);
    if (length >= options.listLengthMin && !own.has(call.identity)) lengths.push(length);
  }
  return lengths;
}

/** The length of the list that calls most likely follow: the one as long as they are many, else the longest. */
export function likelyListLength(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): number | undefined {
  const lengths = listsBeside(observation, calls, options);
  if (lengths.length === 0) return undefined;
  return lengths.includes(calls.length) ? calls.length : largestOf(lengths);
}

/** The longest list of which these calls number at least the half, or `undefined`. */
export function listMatched(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): number | undefined {
  if (calls.length < options.countMin) return undefined;
  const matched = listsBeside(observation, calls, options).filter(
    (length) => length >= options.listLengthMin && calls.length * 2 >= length,
  );
  return matched.length === 0 ? undefined : largestOf(matched);
}

/** The most things that a call loads which is a batch by its form alone. */
export const narrowWidthMax = 2;

/**
 * How many things a call loads, as far as it is recorded: the values that it names, the rows of a read, or one for an
 * address that ends in an id.
 */
export function widthOf({ call }: UnitCall): number | undefined {
  if (call.batch.size !== undefined) return call.batch.size;
  if (call.kind === "http" && call.isKeyed) return 1;
  return call.isRead ? call.rowCount : undefined;
}
