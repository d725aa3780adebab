/** Decides about one resolver or handler from all requests in which it was seen. */

import { medianPause } from "./classify-group.ts";
import { type Growth, growthOf, isFixedNumber } from "./growth.ts";
import { judgeList } from "./judge-list.ts";
import { likelyListLength, listMatched } from "./list-behind.ts";
import type { Basis, Doubt, Judgement } from "./judgement.ts";
import type { ClassifiedGroup, Observation } from "./observation.ts";
import type { ObservedSubject } from "./observe-calls.ts";
import type { RepeatedQueryOptions } from "./options.ts";
import { mayBeKeysetPages } from "./paging.ts";
import { haveSameValues } from "../same-values.ts";

/** The judgements about a subject; none when nothing that it did concerns this contract. */
export function judgeSubject(
  observed: ObservedSubject,
  options: RepeatedQueryOptions,
): Judgement[] {
  const shapes = groupByShape(observed.observations);
  const judgements = [...shapes.keys()].sort().flatMap((identity) => {
    const groups = shapes.get(identity) ?? [];
    const judged = judgeLoops(observed, groups, options);
    return judged.length > 0 ? judged : judgeSetAside(observed, groups, options);
  });
  if (judgements.length > 0) return judgements;
  const fallback = judgeList(observed, [...shapes.values()].flat(), options);
  return fallback === undefined ? [] : [fallback];
}

function groupByShape(observations: readonly Observation[]): Map<string, ClassifiedGroup[]> {
  const shapes = new Map<string, ClassifiedGroup[]>();
  for (const { groups } of observations) {
    for (const group of groups) {
      const known = shapes.get(group.place);
      if (known === undefined) shapes.set(group.place, [group]);
      else known.push(group);
    }
  }
  return shapes;
}

function judgeLoops(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
  options: RepeatedQueryOptions,
): Judgement[] {
  const loops = groups.filter((group) => group.nature === "loop");
  // Most groups are of one call, and which of those began first takes a look at each span.
  if (!loops.some(({ count }) => count >= options.countMin)) return [];
  const worst = widestOf(loops);
  if (worst === undefined) return [];
  if (totalMillisOf(worst) < options.totalMillisMin) return [];
  const growth = growthOfGroups(observed, groups);
  const grows =
    growth !== undefined &&
    growth.slope >= options.growthSlopeMin &&
    growth.determination >= options.growthDeterminationMin;
  if (growth !== undefined && isFixedNumber(growth)) return [];
  const basis = grows ? "growth" : basisOf(worst, options);
  const doubt = basis === "repetition" ? doubtOf(worst, options) : orphanDoubt(worst);
  if (doubt !== undefined) return [{ kind: "doubtful", groups: loops, worst, doubt }];
  return [{ kind: "repeated", groups: loops, worst, basis, growth: grows ? growth : undefined }];
}

/** The time that the calls take, those at once counted once each. */
function totalMillisOf({ calls }: ClassifiedGroup): number {
  return calls.reduce((sum, { span }) => sum + span.durationNanos, 0) / 1_000_000;
}

/** Calls that are no loop by their look, yet about as many as the items of the list: neither a fault nor its absence. */
function judgeSetAside(
  observed: ObservedSubject,
  groups: readonly ClassifiedGroup[],
  options: RepeatedQueryOptions,
): Judgement[] {
  const aside = groups
    .filter(({ nature }) => nature !== "loop")
    .flatMap((group): ClassifiedGroup[] => {
      const listLength = listMatched(group.observation, group.calls, options);
      return listLength === undefined ? [] : [{ ...group, listLength, count: group.calls.length }];
    });
  const worst = widestOf(aside);
  if (worst === undefined) return [];
  const growth = growthOfGroups(
    observed,
    groups.map((group) => ({
      ...group,
      count: group.calls.length,
      listLength: likelyListLength(group.observation, group.calls, options),
    })),
  );
  if (growth !== undefined && isFixedNumber(growth)) return [];
  return [{ kind: "doubtful", groups: aside, worst, doubt: orphanDoubt(worst) ?? "set-aside" }];
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

function basisOf(group: ClassifiedGroup, options: RepeatedQueryOptions): Basis {
  if (group.itemCount >= options.countMin) return "list-items";
  return group.listLength === group.count ? "list-rows" : "repetition";
}

function orphanDoubt(group: ClassifiedGroup): Doubt | undefined {
  const { entry } = group.observation.unit;
  const isFragment = entry === undefined || group.calls.some((item) => item.isOrphan);
  return isFragment ? "parent-missing" : undefined;
}

function doubtOf(group: ClassifiedGroup, options: RepeatedQueryOptions): Doubt | undefined {
  const orphan = orphanDoubt(group);
  if (orphan !== undefined) return orphan;
  const call = group.calls[0]?.call;
  if (call === undefined) return undefined;
  if (call.truncated) return "statement-cut";
  if (call.batch.isHidden === true) return "list-hidden";
  if (call.kind === "http" && graphqlAddress.test(call.shape)) return "document-unknown";
  // Each flag is another question, which its call does not show.
  if (call.kind !== "database" && flagService.test(call.shape)) return "write-without-list";
  if (call.kind !== "database" && !call.isRead) return "write-without-list";
  if (locksAndSequences.test(call.shape)) return "lock-or-sequence";
  if (haveSameValues(group.calls)) {
    if (/^(?:update|delete|merge)\b/.test(call.shape)) return "same-write";
    if (mayWait(group, options)) return "same-target";
  }
  return mayBeKeysetPages(group.calls) ? "may-be-pages" : undefined;
}

/** Services of feature flags: `flagd.evaluation.v1.Service/ResolveBoolean`, `oteldemo.FeatureFlagService/GetFlag`. */
const flagService =
  /\bflagd\b|\bopenfeature\b|feature[._-]?flags?|\/Evaluate(?:Boolean|Flag)|\/Resolve(?:Boolean|String|Int|Float|Object)\b/i;

/** All documents go to the one address of GraphQL. */
const graphqlAddress = /^\S+ \S*(?:\/(?:graphql|gql)|[?&]graphql)(?=[?&]|$)\S*$/i;

const locksAndSequences =
  /\b(?:pg_try_advisory\w*|get_lock|nextval) ?\(|\bnext value for\b|\.nextval\b|\bskip locked\b/;

/** Whether asking again may bring another answer: of a service always, of a database after a pause. */
function mayWait({ calls }: ClassifiedGroup, options: RepeatedQueryOptions): boolean {
  return calls[0]?.call.kind !== "database" || medianPause(calls) >= options.waitingPauseMicrosMin;
}
