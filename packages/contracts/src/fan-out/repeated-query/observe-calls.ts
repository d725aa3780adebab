/** Gathers, per resolver or handler, what each request did: the length of its list and its calls by shape. */

import type { Subject } from "../../model/finding.ts";
import { shorten } from "../../text/cut-text.ts";
import type { ResolverSpans, Unit, UnitCall } from "../../traces/unit.ts";
import { classifyGroup } from "./classify-group.ts";
import type { Observation } from "./observation.ts";
import type { RepeatedQueryOptions } from "./options.ts";

/** The longest name of a subject that a finding may have. */
const subjectNameLengthMax = 1_024;

/** One resolver or handler, over all units of work in which it was seen. */
export interface ObservedSubject {
  readonly subject: Subject;
  readonly service: string;
  /** The resolver's path or the handler's operation, for sentences. */
  readonly label: string;
  readonly observations: Observation[];
}

/** The subjects of all units, sorted by name. */
export function observeCalls(
  units: readonly Unit[],
  options: RepeatedQueryOptions,
): ObservedSubject[] {
  const subjects = new Map<string, ObservedSubject>();
  const handlers = new Map<string, Map<string, ObservedSubject>>();
  const subjectFor = (unit: Unit, key: OwnerKey): ObservedSubject => {
    const { subject, label } = subjectOf(unit, key);
    const name = `${subject.kind} ${subject.name}`;
    const known = subjects.get(name);
    if (known !== undefined) return known;
    const made = { subject, service: unit.service, label, observations: [] };
    subjects.set(name, made);
    return made;
  };
  // Handlers are the most, and a name that is put together is dear to look up.
  const handlerFor = (unit: Unit): ObservedSubject => {
    const ofService = handlers.get(unit.service);
    const known = ofService?.get(unit.operation);
    if (known !== undefined) return known;
    const made = subjectFor(unit, handlerKey);
    handlers.set(unit.service, (ofService ?? new Map()).set(unit.operation, made));
    return made;
  };
  for (const unit of units) {
    if (unit.resolvers === undefined) {
      // All calls are the handler's own.
      if (unit.calls.length > 0) handlerFor(unit).observations.push(observationOf(unit, options));
      continue;
    }
    for (const [key, { observation }] of observationsOf(unit, options)) {
      const observed = key === handlerKey ? handlerFor(unit) : subjectFor(unit, key);
      observed.observations.push(observation);
    }
  }
  return [...subjects].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value);
}

/** Empty for the handler itself, else operation and pattern of a resolver. */
type OwnerKey = string;
const handlerKey: OwnerKey = "";

/** While a resolver or handler is observed. */
interface Observed {
  readonly observation: Observation;
  readonly calls: UnitCall[];
}

/** What the handler of a unit without resolvers did. */
function observationOf(unit: Unit, options: RepeatedQueryOptions): Observation {
  const observation = newObservation(unit, undefined);
  classifyCalls(observation, unit.calls, options);
  return observation;
}

function newObservation(unit: Unit, resolver: ResolverSpans | undefined): Observation {
  return {
    unit,
    listLength: resolver?.hasIndices === true ? resolver.paths.size : undefined,
    listSpanIndex: resolver?.firstIndex,
    groups: [],
    ownCalls: [],
    ownLengthMax: 0,
  };
}

function observationsOf(unit: Unit, options: RepeatedQueryOptions): Map<OwnerKey, Observed> {
  const byOwner = new Map<OwnerKey, Observed>();
  const observedFor = (key: OwnerKey): Observed => {
    const known = byOwner.get(key);
    if (known !== undefined) return known;
    const made = { observation: newObservation(unit, unit.resolvers?.get(key)), calls: [] };
    byOwner.set(key, made);
    return made;
  };
  for (const item of unit.calls) observedFor(ownerKeyOf(item)).calls.push(item);
  // A list whose items made no call of their own may have been loaded by a call of the handler.
  if (byOwner.has(handlerKey) && unit.resolvers !== undefined) {
    for (const [key, resolver] of unit.resolvers) if (resolver.hasIndices) observedFor(key);
  }
  for (const { observation, calls } of byOwner.values()) {
    classifyCalls(observation, calls, options);
  }
  return byOwner;
}

/** Puts calls into groups. Here and not where subjects are judged: the calls of this unit are still in the processor's cache. */
function classifyCalls(
  observation: Observation,
  calls: readonly UnitCall[],
  options: RepeatedQueryOptions,
): void {
  const groups = groupByPlace(calls).map((group) => classifyGroup(observation, group, options));
  observation.groups = groups;
  // Calls of one place, and calls of as many places as there are calls, are in order of their groups already.
  const isInOrder = groups.length === 1 || groups.length === calls.length;
  observation.ownCalls = isInOrder ? calls : groups.flatMap((group) => group.calls);
  let lengthMax = 0;
  for (const { call } of calls) {
    lengthMax = Math.max(lengthMax, call.rowCount ?? 0, call.batch.size ?? 0);
  }
  observation.ownLengthMax = lengthMax;
}

/** Lists of so many calls are looked through: that costs less than a map of them. */
const listedCountMax = 16;

/** The calls of each place; none of the lists is empty. */
function groupByPlace(calls: readonly UnitCall[]): readonly (readonly UnitCall[])[] {
  const [first] = calls;
  if (first === undefined) return [];
  // The calls of many units are all of one place.
  if (calls.every(({ place }) => place === first.place)) return [calls];
  if (calls.length > listedCountMax) return [...Map.groupBy(calls, ({ place }) => place).values()];
  const groups: UnitCall[][] = [];
  for (const item of calls) {
    const known = groups.find((group) => group[0]?.place === item.place);
    if (known === undefined) groups.push([item]);
    else known.push(item);
  }
  return groups;
}

function ownerKeyOf(item: UnitCall): OwnerKey {
  return item.resolver === undefined
    ? handlerKey
    : `${item.operation ?? ""}\n${item.resolver.pattern}`;
}

function subjectOf(unit: Unit, key: OwnerKey): { subject: Subject; label: string } {
  if (key === handlerKey) {
    return {
      subject: {
        kind: "handler",
        name: shorten(`${unit.service} ${unit.operation}`, subjectNameLengthMax),
      },
      label: unit.operation,
    };
  }
  const [operation, pattern] = key.split("\n", 2);
  const root = operation === undefined || operation === "" ? unit.operation : operation;
  return {
    subject: {
      kind: "resolver",
      name: shorten(`${unit.service} ${root} ${pattern ?? ""}`, subjectNameLengthMax),
    },
    label: pattern ?? "",
  };
}
