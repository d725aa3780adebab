/** Decides about one resolver or handler from all requests in which it was seen. */

import { type ClassifiedGroup, classifyGroup } from "./classify-group.ts";
import { type Growth, growthOf } from "./growth.ts";
import type { Observation, ObservedSubject } from "./observe-calls.ts";
import type { RepeatedQueryOptions } from "./options.ts";

/** What makes repetition a loop over a list, strongest first. */
export type Basis = "growth" | "list-items" | "list-rows" | "repetition";

/** Why repetition is no firm verdict. */
export type Doubt = "parent-missing" | "statement-cut" | "write-without-list";

export type Judgement =
  | {
      readonly kind: "repeated";
      readonly groups: readonly ClassifiedGroup[];
      readonly worst: ClassifiedGroup;
      readonly basis: Basis;
      readonly growth: Growth | undefined;
    }
  | {
      readonly kind: "doubtful";
      readonly groups: readonly ClassifiedGroup[];
      readonly worst: ClassifiedGroup;
      readonly doubt: Doubt;
    }
  | {
      readonly kind: "batched";
      readonly listLengthMax: number;
      readonly countMax: number;
      readonly growth: Growth | undefined;
      /** The request with the longest list, and its calls. */
      readonly widest: Observation;
    }
  | {
      readonly kind: "list-too-short";
      readonly listLengthMax: number;
      readonly widest: Observation;
    };

/** The judgements about a subject; none when nothing that it did concerns this contract. */
export function judgeSubject(
  observed: ObservedSubject,
  options: RepeatedQueryOptions,
): Judgement[] {
  const shapes = groupByShape(observed.observations, options);
  const judgements = [...shapes.keys()]
    .sort()
    .flatMap((identity) => judgeShape(observed, shapes.get(identity) ?? [], options));
  if (judgements.length > 0) return judgements;
  const fallback = judgeList(observed, shapes, options);
  return fallback === undefined ? [] : [fallback];
}

function groupByShape(
  observations: readonly Observation[],
  options: RepeatedQueryOptions,
): Map<string, ClassifiedGroup[]> {
  const shapes = new Map<string, ClassifiedGroup[]>();
  for (const observation of observations) {
    for (const [identity, calls] of observation.calls) {
      const group = classifyGroup(observation, calls, options);
      const known = shapes.get(identity);
      if (known === undefined) shapes.set(identity, [group]);
      else known.push(group);
    }
  }
  return shapes;
}

function judgeShape(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
  options: RepeatedQueryOptions,
): Judgement[] {
  const loops = groups.filter((group) => group.nature === "loop");
  const worst = widestOf(loops);
  if (worst === undefined || worst.count < options.countMin) return [];
  const growth = growthOfGroups(observed, groups);
  const grows =
    growth !== undefined &&
    growth.slope >= options.growthSlopeMin &&
    growth.determination >= options.growthDeterminationMin;
  if (growth !== undefined && isFixedNumber(growth)) return [];
  const basis = grows ? "growth" : basisOf(worst, options);
  const doubt = basis === "repetition" ? doubtOf(worst) : orphanDoubt(worst);
  if (doubt !== undefined) return [{ kind: "doubtful", groups: loops, worst, doubt }];
  return [{ kind: "repeated", groups: loops, worst, basis, growth: grows ? growth : undefined }];
}

function widestOf(groups: readonly ClassifiedGroup[]): ClassifiedGroup | undefined {
  let widest: ClassifiedGroup | undefined;
  for (const group of groups) if (widest === undefined || isWider(group, widest)) widest = group;
  return widest;
}

function isWider(left: ClassifiedGroup, right: ClassifiedGroup): boolean {
  if (left.count !== right.count) return left.count > right.count;
  return startOf(left) < startOf(right);
}

function startOf(group: ClassifiedGroup): number {
  return group.calls[0]?.span.startMicros ?? 0;
}

/** Points of all requests with a known list; one that made no such call counts as 0. */
function growthOfGroups(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
): Growth | undefined {
  const byObservation = new Map(groups.map((group) => [group.observation, group]));
  const points = observed.observations.flatMap((observation) => {
    const group = byObservation.get(observation);
    const listLength = group?.listLength ?? observation.listLength;
    return listLength === undefined ? [] : [{ listLength, count: group?.count ?? 0 }];
  });
  return growthOf(points);
}

/** The list at least doubles and the count stays: a fixed number of calls, however large. */
function isFixedNumber(growth: Growth): boolean {
  return growth.slope === 0 && growth.lengthMax >= 2 * growth.lengthMin && growth.countAtMin > 0;
}

function basisOf(group: ClassifiedGroup, options: RepeatedQueryOptions): Basis {
  if (group.itemCount >= options.countMin) return "list-items";
  return group.listLength === group.count ? "list-rows" : "repetition";
}

function orphanDoubt(group: ClassifiedGroup): Doubt | undefined {
  return group.calls.some((item) => item.isOrphan) ? "parent-missing" : undefined;
}

function doubtOf(group: ClassifiedGroup): Doubt | undefined {
  const orphan = orphanDoubt(group);
  if (orphan !== undefined) return orphan;
  const call = group.calls[0]?.call;
  if (call === undefined) return undefined;
  if (call.truncated) return "statement-cut";
  return call.kind !== "database" && !call.isRead ? "write-without-list" : undefined;
}

/** What the lists of a subject say when nothing was repeated. */
function judgeList(
  observed: ObservedSubject,
  shapes: ReadonlyMap<string, readonly ClassifiedGroup[]>,
  options: RepeatedQueryOptions,
): Judgement | undefined {
  const widest = longestList(observed.observations);
  if (widest === undefined) return undefined;
  const { observation, listLength } = widest;
  const groups = [...shapes.values()].flat();
  // Polling, pages, warm-ups and lone retries are no access to a list.
  const access = groups.filter((group) => group.nature === "loop" || group.nature === "batches");
  if (access.length === 0 && !hasBatchOfHandler(observation)) return undefined;
  if (listLength < options.listLengthMin) {
    return { kind: "list-too-short", listLengthMax: listLength, widest: observation };
  }
  return {
    kind: "batched",
    listLengthMax: listLength,
    countMax: Math.max(0, ...access.map((group) => group.count)),
    growth: growthOf(
      observed.observations.flatMap((item) => {
        const length = listLengthOf(item);
        const counts = [...item.calls.values()].map((calls) => calls.length);
        return length === undefined ? [] : [{ listLength: length, count: Math.max(0, ...counts) }];
      }),
    ),
    widest: observation,
  };
}

function longestList(
  observations: readonly Observation[],
): { observation: Observation; listLength: number } | undefined {
  let longest: { observation: Observation; listLength: number } | undefined;
  for (const observation of observations) {
    const listLength = listLengthOf(observation);
    if (listLength === undefined) continue;
    if (longest === undefined || listLength > longest.listLength)
      longest = { observation, listLength };
  }
  return longest;
}

/** A resolver's list by its indices; a handler's by the rows it read or the values it asked for at once. */
function listLengthOf(observation: Observation): number | undefined {
  if (observation.listLength !== undefined) return observation.listLength;
  const lengths = [...observation.calls.values()]
    .flat()
    .flatMap(({ call }) => [call.rowCount ?? 0, call.batch.size ?? 0]);
  const longest = Math.max(0, ...lengths);
  return longest > 1 ? longest : undefined;
}

/** A batch that no resolver claims may have loaded what the resolvers of a list then hand out. */
function hasBatchOfHandler(observation: Observation): boolean {
  return observation.unit.calls.some(
    ({ call, resolver }) => resolver === undefined && call.batch.isBatch,
  );
}
