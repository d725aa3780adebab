/** Decides what a list shows whose items were loaded without repetition. */

import { largestOf } from "../../traces/largest.ts";
import { hasFixedCalls, observationWithCallsPerItem, showsBatch } from "./batch-evidence.ts";
import type { Call } from "../../traces/call.ts";
import { growthOf, type GrowthPoint } from "./growth.ts";
import type { Judgement, ListDoubt } from "./judgement.ts";
import { narrowWidthMax } from "./list-behind.ts";
import type { ClassifiedGroup, Observation } from "./observation.ts";
import type { ObservedSubject } from "./observe-calls.ts";
import type { RepeatedQueryOptions } from "./options.ts";

/** The judgement about a subject none of whose calls was repeated; `undefined` when it loads no list. */
export function judgeList(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
  options: RepeatedQueryOptions,
): Judgement | undefined {
  // Polling, pages, warm-ups and lone retries are no access to a list.
  const access = groups.filter(({ nature }) => nature === "loop" || nature === "batches");
  const isResolver = observed.subject.kind === "resolver";
  const longest = longestList(observed.observations);
  if (longest === undefined) return judgeUnknownList(access);
  const { observation: widest, listLength: listLengthMax } = longest;
  if (access.length === 0 && !hasBatchOfHandler(widest)) return undefined;
  const unclear = (reason: ListDoubt): Judgement => ({
    kind: "unclear-list",
    reason,
    listLengthMax,
    widest,
  });
  if (listLengthMax < options.listLengthMin) {
    // A handler that reads a row or two, or asks for two values, has no list to speak of.
    return isResolver ? unclear("too-short") : undefined;
  }
  if (isResolver && access.length > 0 && access.every(isByKeyOnly))
    return unclear("keys-may-repeat");
  const perItem = observationWithCallsPerItem(observed.observations, groups, options);
  if (perItem !== undefined) {
    const own = listLengthOf(perItem) ?? listLengthMax;
    const calls = perItem.ownCalls;
    const areWide = calls.every(({ call }) => (call.batch.size ?? 0) > narrowWidthMax);
    const isFew = calls.length > 0 && calls.length * 2 < own;
    const reason = areWide && isFew ? "several-batches" : "calls-per-item";
    return { kind: "unclear-list", reason, listLengthMax: own, widest: perItem };
  }
  const isShown =
    longest.observations.some((item) => showsBatch(item, listLengthMax, options)) ||
    hasFixedCalls(observed.observations, listLengthOf);
  if (!isShown) return unclear("nothing-batched");
  return {
    kind: "batched",
    listLengthMax,
    countMax: largestOf(access.map((group) => group.count)),
    growth: growthOf(pointsOf(observed.observations)),
    widest,
  };
}

function judgeUnknownList(access: readonly ClassifiedGroup[]): Judgement | undefined {
  const batch = access.find(({ calls }) => calls.some(({ call }) => mayBeBatch(call)));
  if (batch === undefined) return undefined;
  const { observation: widest } = batch;
  return { kind: "unclear-list", reason: "length-unknown", listLengthMax: undefined, widest };
}

function isByKeyOnly({ calls }: ClassifiedGroup): boolean {
  return calls.every(({ call }) => call.isKeyed && !mayBeBatch(call));
}

function mayBeBatch(call: Call): boolean {
  return call.batch.isBatch || call.batch.isHidden === true;
}

function pointsOf(observations: readonly Observation[]): GrowthPoint[] {
  return observations.flatMap((observation) => {
    const listLength = listLengthOf(observation);
    const counts = observation.groups.map(({ calls }) => calls.length);
    return listLength === undefined ? [] : [{ listLength, count: largestOf(counts) }];
  });
}

interface LongestList {
  readonly observation: Observation;
  readonly listLength: number;
  /** Every request with a list of this length. */
  readonly observations: readonly Observation[];
}

function longestList(observations: readonly Observation[]): LongestList | undefined {
  const lengths = observations.map(listLengthOf);
  const listLength = largestOf(lengths.map((length) => length ?? 0));
  const longest = observations.filter((_, index) => lengths[index] === listLength);
  const [observation] = longest;
  return observation === undefined ? undefined : { observation, listLength, observations: longest };
}

/** A resolver's list by its indices; a handler's by the rows it read or the values it asked for at once. */
function listLengthOf(observation: Observation): number | undefined {
  const { listLength, ownLengthMax } = observation;
  return listLength ?? (ownLengthMax > 1 ? ownLengthMax : undefined);
}

/** A batch that no resolver claims may have loaded what the resolvers of a list then hand out. */
function hasBatchOfHandler(observation: Observation): boolean {
  return observation.unit.calls.some(
    ({ call, resolver }) => resolver === undefined && call.batch.isBatch,
  );
}
