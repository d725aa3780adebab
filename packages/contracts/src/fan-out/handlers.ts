/** Handlers: what a service does for one kind of request, over all units of work in which it was seen. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Boundary, Subject } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { unitsOf } from "../traces/trace-units.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";

export interface Handler {
  readonly subject: Subject;
  readonly service: string;
  readonly operation: string;
  readonly units: Unit[];
}

/** The handlers of a snapshot, sorted by name; made once for all contracts that read them. */
export function handlersOf(snapshot: Snapshot): readonly Handler[] {
  const known = handlersBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const byName = new Map<string, Handler>();
  // A name that is put together for each unit is dear to look up.
  const byService = new Map<string, Map<string, Handler>>();
  for (const unit of unitsOf(snapshot)) {
    const { service, operation } = unit;
    const ofService = byService.get(service);
    let handler = ofService?.get(operation);
    if (handler === undefined) {
      handler = handlerFor(unit, byName);
      byService.set(service, (ofService ?? new Map()).set(operation, handler));
    }
    handler.units.push(unit);
  }
  const handlers = [...byName]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, handler]) => handler);
  handlersBySnapshot.set(snapshot, handlers);
  return handlers;
}

function handlerFor({ service, operation }: Unit, byName: Map<string, Handler>): Handler {
  const name = `${service} ${operation}`;
  const known = byName.get(name);
  if (known !== undefined) return known;
  const subject = { kind: "handler", name: shorten(name, 1_024) };
  const made = { subject, service, operation, units: [] };
  byName.set(name, made);
  return made;
}

/** A memory and no state: the same snapshot always has the same handlers. */
const handlersBySnapshot = new WeakMap<Snapshot, readonly Handler[]>();

/** A pointer to a call, with what it asked and how long it took. */
export function referenceToCall({ trace, index, span, call }: UnitCall): EvidenceReference {
  const quote = shorten(`${call.target} (${millis(span.durationNanos / 1_000)} ms)`, 2_048);
  return trace.reference(index, quote);
}

/** Calls of databases cross `resolver-database`, all others `service-service`; the former decide where both occur. */
export function boundaryOfCalls(calls: readonly UnitCall[]): Boundary {
  return calls.some(({ call }) => call.kind === "database")
    ? "resolver-database"
    : "service-service";
}

/** Milliseconds of microseconds, to a thousandth. */
export function millis(micros: number): number {
  return Math.round(micros) / 1_000;
}

/** The part of a unit's time that some of its calls cover, 0 to 1; `undefined` when its entry is not known. */
export function shareOfUnit(unit: Unit, micros: number): number | undefined {
  const { entry } = unit;
  if (entry === undefined || entry.durationNanos === 0) return undefined;
  return Math.round(Math.min(1, (micros * 1_000) / entry.durationNanos) * 1_000) / 1_000;
}

/** A shape in one line, short enough for a sentence. */
export function shapeWords({ call }: UnitCall): string {
  return shorten(call.shape, 200);
}
