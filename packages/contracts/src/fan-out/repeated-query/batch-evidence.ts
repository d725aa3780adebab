/** What shows that a list was loaded at once, and what shows that it was not. */

import type { Call } from "../../traces/call.ts";
import { hasFailed } from "./classify-group.ts";
import { growthOf, isFixedNumber } from "./growth.ts";
import { likelyListLength, listsBeside, narrowWidthMax } from "./list-behind.ts";
import type { ClassifiedGroup, Observation } from "./observation.ts";
import type { RepeatedQueryOptions } from "./options.ts";
import type { UnitCall } from "../../traces/unit.ts";

/** Calls of one kind in one request. */
interface CallsOfRequest {
  readonly observation: Observation;
  readonly calls: UnitCall[];
}

/** Whether a call of the request loads many items at once: by its form, as a join, or by rows about as many as items. */
export function showsBatch(
  observation: Observation,
  listLength: number,
  options: RepeatedQueryOptions,
): boolean {
  const made = callsFor(observation);
  const isFew = made.length <= options.countMin;
  const calls = made.filter((item) => !hasFailed(item));
  const widthMin = isFew ? 2 : narrowWidthMax + 1;
  if (calls.some(({ call }) => isBatch(call, widthMin) || isJoin(call, listLength))) return true;
  const manyRows = calls.filter(({ call }) => (call.rowCount ?? 0) >= options.listLengthMin);
  // A resolver's list is known by its indices; the list of a handler is itself one of the long results.
  if (observation.listLength !== undefined) {
    return manyRows.some(({ call }) => (call.rowCount ?? 0) * 2 >= listLength);
  }
  // Among few calls only: one of many calls for single items may bring as many rows by chance.
  return isFew && new Set(manyRows.map(({ call }) => placeOf(call))).size > 1;
}

/**
 * A request with about as many calls as a list has items, while requests with other lists do not show that their
 * number is fixed. Counted are calls to one table or path, of whatever shapes; calls of any place that were set aside;
 * the items of a list that made a call themselves; and, up to the whole list, all calls but the batches.
 */
export function observationWithCallsPerItem(
  observations: readonly Observation[],
  groups: readonly ClassifiedGroup[],
  options: RepeatedQueryOptions,
): Observation | undefined {
  // Most handlers make a few calls, and no kind of them can be more than all.
  const mayBeMany = observations.some(({ unit }) => unit.calls.length >= options.countMin);
  const kinds = mayBeMany ? kindsOfCalls(observations, groups) : [];
  for (const requests of kinds) {
    const tooMany = requests.find(
      ({ observation, calls }) =>
        calls.length >= options.countMin && isAboutAList(observation, calls, options),
    );
    if (tooMany !== undefined && !areFixed(requests, options)) return tooMany.observation;
  }
  const tooMany = observations.find((observation) => exceedsList(observation, options));
  if (tooMany === undefined) return undefined;
  return areFixed(observations.map(singleCalls), options) ? undefined : tooMany;
}

function kindsOfCalls(
  observations: readonly Observation[],
  groups: readonly ClassifiedGroup[],
): CallsOfRequest[][] {
  return [...callsByPlace(observations).values(), setAsideIn(groups), observations.map(onePerItem)];
}

/** Whether lists of other lengths, at least doubled, needed as many calls in all: nothing grows with them. */
export function hasFixedCalls(
  observations: readonly Observation[],
  listLengthOf: (observation: Observation) => number | undefined,
): boolean {
  const points = observations.flatMap((observation) => {
    const listLength = listLengthOf(observation);
    return listLength === undefined ? [] : [{ listLength, count: callsFor(observation).length }];
  });
  const growth = growthOf(points);
  return growth !== undefined && isFixedNumber(growth);
}

/** A resolver's own calls; where it has none, those of the handler, which may have loaded the list for it. */
function callsFor({ ownCalls, unit }: Observation): readonly UnitCall[] {
  return ownCalls.length > 0
    ? ownCalls
    : unit.calls.filter(({ resolver }) => resolver === undefined);
}

function isBatch({ batch, isRead, isKeyed, kind, rowCount }: Call, widthMin: number): boolean {
  if (!batch.isBatch) return false;
  if (batch.size !== undefined) return batch.size >= widthMin;
  if (kind === "http") return !isKeyed;
  return !isRead || rowCount === undefined || rowCount > 1;
}

function isJoin({ shape, rowCount }: Call, listLength: number): boolean {
  return / join /.test(shape) && rowCount !== undefined && rowCount * 2 >= listLength;
}

/** What each request did that is neither a loop nor a batch by its look, whatever its shapes. */
function setAsideIn(groups: readonly ClassifiedGroup[]): CallsOfRequest[] {
  const requests = new Map<Observation, UnitCall[]>();
  for (const { observation, calls, nature } of groups) {
    if (nature === "loop" || nature === "batches") continue;
    const known = requests.get(observation);
    if (known === undefined) requests.set(observation, [...calls]);
    else for (const item of calls) known.push(item);
  }
  return [...requests].map(([observation, calls]) => ({ observation, calls }));
}

function callsByPlace(observations: readonly Observation[]): Map<string, CallsOfRequest[]> {
  const places = new Map<string, CallsOfRequest[]>();
  for (const observation of observations) {
    for (const [place, calls] of placesIn(observation)) {
      const known = places.get(place);
      if (known === undefined) places.set(place, [{ observation, calls }]);
      else known.push({ observation, calls });
    }
  }
  return places;
}

/**
 * Own calls, and those of the handler to the same places, because a loop may have moved there. For a resolver without
 * calls of its own, all of the request.
 */
function placesIn(observation: Observation): Map<string, UnitCall[]> {
  const { ownCalls, unit } = observation;
  const places = new Map<string, UnitCall[]>();
  // Most units have one owner of all their calls.
  const hasOthers = ownCalls.length > 0 && ownCalls.length < unit.calls.length;
  const own = hasOthers ? new Set(ownCalls) : undefined;
  const ownPlaces = hasOthers ? new Set(ownCalls.map(({ call }) => placeOf(call))) : undefined;
  for (const item of unit.calls) {
    const place = placeOf(item.call);
    const isMoved = item.resolver === undefined && ownPlaces?.has(place) === true;
    if (own?.has(item) === false && !isMoved) continue;
    const known = places.get(place);
    if (known === undefined) places.set(place, [item]);
    else known.push(item);
  }
  return places;
}

/** A call of each item that made one. */
function onePerItem(observation: Observation): CallsOfRequest {
  let byItem: Map<string, UnitCall> | undefined;
  for (const item of observation.ownCalls) {
    const { resolver } = item;
    if (resolver === undefined || resolver.indexCount === 0) continue;
    byItem ??= new Map();
    byItem.set(resolver.path, item);
  }
  return { observation, calls: byItem === undefined ? [] : [...byItem.values()] };
}

/** All calls but those that are recorded to name several things. */
function singleCalls(observation: Observation): CallsOfRequest {
  return { observation, calls: callsFor(observation).filter(({ call }) => isSingle(call)) };
}

function isSingle({ batch }: Call): boolean {
  return (batch.size ?? 1) <= narrowWidthMax;
}

/** As many single calls as the longest list has items: a resolver's, that of a batch, or that of one of these calls. */
function exceedsList(observation: Observation, options: RepeatedQueryOptions): boolean {
  let count = 0;
  let batchSizeMax = 0;
  let listLengthMax = 0;
  for (const { call } of callsFor(observation)) {
    const { size = 0, isBatch: isList } = call.batch;
    batchSizeMax = Math.max(batchSizeMax, size);
    if (!isSingle(call)) continue;
    count += 1;
    if (!isList) listLengthMax = Math.max(listLengthMax, (call.rowCount ?? 0) + 1);
  }
  const lengths = [observation.listLength ?? 0, batchSizeMax, listLengthMax];
  return lengths.some((length) => length >= options.listLengthMin && count >= length);
}

/** Where no other call shows a list, the repeated calls are all that is known of it. */
function isAboutAList(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): boolean {
  const lengths = listsBeside(observation, calls, options);
  return lengths.length === 0 || lengths.some((length) => calls.length * 2 >= length);
}

function areFixed(requests: readonly CallsOfRequest[], options: RepeatedQueryOptions): boolean {
  const points = requests.flatMap(({ observation, calls }) => {
    const listLength = likelyListLength(observation, calls, options);
    return listLength === undefined ? [] : [{ listLength, count: calls.length }];
  });
  const growth = growthOf(points);
  return growth !== undefined && isFixedNumber(growth);
}

/** The table or path that a call goes to, whatever its shape: `customers`, `GET /users/{id}`. */
function placeOf(call: Call): string {
  const known = placesByShape.get(call.shape);
  if (known !== undefined) return known;
  if (placesByShape.size >= placesRememberedMax) placesByShape.clear();
  const place = readPlace(call);
  placesByShape.set(call.shape, place);
  return place;
}

/** A memory and no state: a shape always has the same place, whether it is a statement or an address. */
const placesByShape = new Map<string, string>();
const placesRememberedMax = 10_000;

function readPlace({ kind, shape }: Call): string {
  if (kind === "http") return shape.replace(/\?.*$/, "").replace(/ [^/ ]*\//, " /");
  const table = /\b(?:from|into|update|join) ([^\s(),;]+)/.exec(shape)?.[1];
  return (table ?? shape).replace(/["`[\]]/g, "").replace(/\d+/g, "#");
}
