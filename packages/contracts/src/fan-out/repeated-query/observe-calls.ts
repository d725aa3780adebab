/** Gathers, per resolver or handler, what each request did: the length of its list and its calls by shape. */

import type { Subject } from "../../model/finding.ts";
import { shorten } from "../../text/cut-text.ts";
import type { Unit, UnitCall } from "../../traces/unit.ts";

/** The longest name of a subject that a finding may have. */
const subjectNameLengthMax = 1_024;

/** What one resolver or handler did in one unit of work. */
export interface Observation {
  readonly unit: Unit;
  /** Items of the list that was resolved, by the indices of its resolver spans. */
  readonly listLength: number | undefined;
  /** The index of a span that shows the list. */
  readonly listSpanIndex: number | undefined;
  /** Calls by shape and calling function, each list in order of time. */
  readonly calls: Map<string, UnitCall[]>;
  /** The same calls in one list, in order of their groups. */
  ownCalls: readonly UnitCall[];
}

/** One resolver or handler, over all units of work in which it was seen. */
export interface ObservedSubject {
  readonly subject: Subject;
  readonly service: string;
  /** The resolver's path or the handler's operation, for sentences. */
  readonly label: string;
  readonly observations: Observation[];
}

/** The subjects of all units, sorted by name. */
export function observeCalls(units: readonly Unit[]): ObservedSubject[] {
  const subjects = new Map<string, ObservedSubject>();
  for (const unit of units) {
    for (const [key, observation] of observationsOf(unit)) {
      const { subject, label } = subjectOf(unit, key);
      const name = `${subject.kind} ${subject.name}`;
      const known = subjects.get(name);
      if (known === undefined) {
        subjects.set(name, { subject, service: unit.service, label, observations: [observation] });
      } else known.observations.push(observation);
    }
  }
  return [...subjects].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value);
}

/** Empty for the handler itself, else operation and pattern of a resolver. */
type OwnerKey = string;
const handlerKey: OwnerKey = "";

function observationsOf(unit: Unit): Map<OwnerKey, Observation> {
  const byOwner = new Map<OwnerKey, Observation>();
  const observationFor = (key: OwnerKey): Observation => {
    const known = byOwner.get(key);
    if (known !== undefined) return known;
    const resolver = unit.resolvers.get(key);
    const made: Observation = {
      unit,
      listLength: resolver?.hasIndices === true ? resolver.paths.size : undefined,
      listSpanIndex: resolver?.firstIndex,
      calls: new Map(),
      ownCalls: [],
    };
    byOwner.set(key, made);
    return made;
  };
  for (const item of unit.calls) {
    const { calls } = observationFor(ownerKeyOf(item));
    const group = calls.get(item.place);
    if (group === undefined) calls.set(item.place, [item]);
    else group.push(item);
  }
  // A list whose items made no call of their own may have been loaded by a call of the handler.
  if (byOwner.has(handlerKey)) {
    for (const [key, resolver] of unit.resolvers) if (resolver.hasIndices) observationFor(key);
  }
  for (const observation of byOwner.values()) {
    const ownCalls: UnitCall[] = [];
    for (const group of observation.calls.values()) for (const item of group) ownCalls.push(item);
    observation.ownCalls = ownCalls;
  }
  return byOwner;
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
