/** What traces tell of connections: each use of one by a unit of work, and whether a new one was opened for it. */

import type { EvidenceReference } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import type { Span } from "../model/span.ts";
import { textOf } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { endMicrosOf, type Trace, tracesOf } from "../traces/trace.ts";
import { unitsOf } from "../traces/trace-units.ts";
import type { Unit } from "../traces/unit.ts";

/** What one unit of work asked of one peer. Times in microseconds. */
export interface ConnectionUse {
  readonly startMicros: number;
  readonly endMicros: number;
  readonly trace: Trace;
  /** The span that opened a connection for it, where one did. */
  readonly openedBy: number | undefined;
}

/** The uses by one process of one peer. */
export interface ConnectionUses {
  readonly service: string;
  readonly peer: string;
  /** Of a service of which nothing tells its processes apart the name of the service. */
  readonly process: string;
  /** Its process may end with each request, so that it has nothing to keep. */
  readonly isShortLived: boolean;
  readonly uses: ConnectionUse[];
}

/** Names of spans of clients that make a connection, not only take one out of a pool. */
const opening =
  /^(?:pg[.: -]connect|mysql2?[.: -]connect|tedious[.: -]connect|mongodb[.: -]connect|redis[.: -](?:connect|dial)|tcp[. ]connect|tls[. ](?:connect|handshake)|socket connect|http\.(?:connect|tls)|http connection_setup\b.*|sql\.connector\.connect)$/i;
/** A connection is asked for, and an attribute says whether it was there. */
const asking = /^http\.getconn$/i;
const systems: readonly (readonly [RegExp, string])[] = [
  [/^pg\b/i, "postgresql"],
  [/^mysql/i, "mysql"],
  [/^tedious/i, "mssql"],
  [/^mongodb/i, "mongodb"],
  [/^redis/i, "redis"],
];
const isShortLived = (resource: Span["resource"]): boolean =>
  textOf(resource, "faas.name", "faas.id", "cloud.resource_id") !== undefined ||
  resource["telemetry.sdk.language"] === "php";

/** The uses of all peers to which a new connection was opened at least once; nothing where no trace records that. */
export function connectionUsesOf(snapshot: Snapshot): ConnectionUses[] {
  const traces = tracesOf(snapshot).filter((trace) => trace.hasMarks(mark.connection));
  const opened = new Map<Unit, Opening[]>();
  const subjects = new Set<string>();
  const entries = traces.length === 0 ? undefined : entriesOf(snapshot);
  for (const trace of traces) {
    const units = entries?.get(trace);
    if (units !== undefined) findOpenings(trace, units, { opened, subjects });
  }
  if (subjects.size === 0) return [];
  const left = passedOver(snapshot);
  const found = new Map<string, ConnectionUses>();
  for (const unit of unitsOf(snapshot)) {
    if (!left.has(unit.trace.traceId)) addUses(unit, opened.get(unit) ?? [], { subjects, found });
  }
  return [...found.values()];
}

interface Opening {
  readonly index: number;
  readonly peer: string;
  /** The call that it was opened for, where its span says so. */
  readonly call: number | undefined;
}

interface Openings {
  readonly opened: Map<Unit, Opening[]>;
  /** Services and their peers, of which an opening is recorded. */
  readonly subjects: Set<string>;
}

/** Traces that were chosen because they are slow open more connections than others. */
function passedOver(snapshot: Snapshot): ReadonlySet<string> {
  return new Set(
    evidenceOfKind(snapshot, "trace-population").flatMap(({ content }) => content.slowTraceIds),
  );
}

function entriesOf(snapshot: Snapshot): Map<Trace, Map<number, Unit>> {
  const byTrace = new Map<Trace, Map<number, Unit>>();
  for (const unit of unitsOf(snapshot)) {
    const known = byTrace.get(unit.trace);
    if (known === undefined) byTrace.set(unit.trace, new Map([[unit.entryIndex, unit]]));
    else known.set(unit.entryIndex, unit);
  }
  return byTrace;
}

function findOpenings(
  trace: Trace,
  units: ReadonlyMap<number, Unit>,
  { opened, subjects }: Openings,
): void {
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & mark.connection) === 0) continue;
    const span = trace.span(index);
    const isAsking = asking.test(span.name);
    if (!isAsking && !opening.test(span.name)) continue;
    if (isAsking && span.attributes["http.conn.reused"] !== false) continue;
    const place = placeOf(trace, index, units);
    const peer = place === undefined ? undefined : peerOfOpening(trace, index, place);
    if (place === undefined || peer === undefined) continue;
    const list = opened.get(place.unit);
    const made = { index, peer, call: place.call };
    if (list === undefined) opened.set(place.unit, [made]);
    else list.push(made);
    subjects.add(`${place.unit.service}\n${peer}`);
  }
}

interface Place {
  readonly unit: Unit;
  readonly call: number | undefined;
}

/** The unit that a span belongs to, and the call that it is part of. */
function placeOf(trace: Trace, index: number, units: ReadonlyMap<number, Unit>): Place | undefined {
  let call: number | undefined;
  for (let at = index; at >= 0; at = trace.parents[at] ?? -1) {
    if (at !== index && trace.callOf(at) !== undefined) call = at;
    const unit = units.get(at);
    if (unit !== undefined) return at === index ? undefined : { unit, call };
  }
  return undefined;
}

function peerOfOpening(trace: Trace, index: number, { unit, call }: Place): string | undefined {
  const known = call === undefined ? undefined : trace.callOf(call);
  if (known !== undefined) return peerOf(known);
  const span = trace.span(index);
  const system =
    textOf(span.attributes, "db.system.name", "db.system")?.toLowerCase() ??
    systems.find(([name]) => name.test(span.name))?.[1];
  if (system !== undefined) return system;
  const host = textOf(span.attributes, "server.address", "net.peer.name", "net.sock.peer.name");
  const near = unit.calls.find(({ call: { peer } }) => peer !== "" && peer === host);
  return near === undefined ? undefined : peerOf(near.call);
}

/** Databases are told apart by their system: their statements seldom name a host. */
function peerOf({ kind, system, peer }: { kind: string; system: string; peer: string }): string {
  return kind === "database" || peer === "" ? system : peer;
}

interface Finding {
  readonly subjects: ReadonlySet<string>;
  readonly found: Map<string, ConnectionUses>;
}

function addUses(unit: Unit, openings: readonly Opening[], { subjects, found }: Finding): void {
  const byPeer = Map.groupBy(unit.calls, ({ call }) => peerOf(call));
  for (const [peer, calls] of byPeer) {
    if (!subjects.has(`${unit.service}\n${peer}`)) continue;
    const [first] = calls;
    if (first === undefined) continue;
    const { resource } = unit.entry ?? first.span;
    const process = processOf(resource);
    const key = `${unit.service}\n${peer}\n${process}`;
    const known = found.get(key) ?? {
      service: unit.service,
      peer,
      process: process === "" ? unit.service : process,
      isShortLived: isShortLived(resource),
      uses: [],
    };
    found.set(key, known);
    let [startMicros, endMicros] = [first.span.startMicros, 0];
    for (const { span } of calls) {
      startMicros = Math.min(startMicros, span.startMicros);
      endMicros = Math.max(endMicros, endMicrosOf(span));
    }
    const openedBy = openings.find((opening) => opening.peer === peer)?.index;
    known.uses.push({ startMicros, endMicros, trace: unit.trace, openedBy });
  }
}

/** What tells a process from others of its service; empty where nothing does. */
function processOf(resource: Span["resource"]): string {
  const place = textOf(resource, "service.instance.id", "k8s.pod.name", "host.name") ?? "";
  const id = resource["process.pid"];
  return typeof id === "number" ? `${place} ${id}`.trim() : place;
}

/** A pointer to the span that opened the connection of a use. */
export function openingReference({ trace, openedBy }: ConnectionUse): EvidenceReference[] {
  if (openedBy === undefined) return [];
  const { name, durationNanos } = trace.span(openedBy);
  return [
    trace.reference(openedBy, `${name} (${Number((durationNanos / 1e6).toPrecision(3))} ms)`),
  ];
}
