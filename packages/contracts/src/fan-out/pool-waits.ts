/** Waits for connections and failures to get one, as traces record them. */

import type { Span } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { textOf } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { endMicrosOf, type Trace, tracesOf } from "../traces/trace.ts";
import { poolExhaustionIn } from "./pool-words.ts";

/** One wait of one request for a connection of a pool. Times in microseconds. */
export interface Wait {
  readonly trace: Trace;
  readonly index: number;
  readonly pool: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly waitMicros: number;
  /** How long the statement took that the connection was for; `undefined` when it is not recorded. */
  readonly statementMicros: number | undefined;
}

/** A span that failed because no connection was to be had. */
export interface PoolFailure {
  readonly trace: Trace;
  readonly index: number;
  readonly text: string;
  /** Whether its words may also mean that the database could not be reached. */
  readonly isLikely: boolean;
}

/** What the traces say of the pools of one service. */
export interface ServicePools {
  readonly waits: Wait[];
  readonly failures: PoolFailure[];
}

/** Waits and failures by service. */
export function poolsOf(snapshot: Snapshot): Map<string, ServicePools> {
  const services = new Map<string, ServicePools>();
  const poolsFor = (service: string): ServicePools => {
    const known = services.get(service);
    if (known !== undefined) return known;
    const made: ServicePools = { waits: [], failures: [] };
    services.set(service, made);
    return made;
  };
  for (const trace of tracesOf(snapshot)) {
    if (!trace.hasMarks(waitMarks | failureMarks)) continue;
    for (let index = 0; index < trace.spans.length; index += 1) {
      const marks = trace.marksOf(index);
      if ((marks & (waitMarks | failureMarks)) === 0) continue;
      const span = trace.span(index);
      if ((marks & waitMarks) !== 0) {
        const wait = waitOf(trace, index);
        if (wait !== undefined) poolsFor(span.service).waits.push(wait);
      }
      if ((marks & failureMarks) === 0) continue;
      const text = failureText(span);
      // A failure is handed up from span to span; the innermost one of a service is where it happened.
      if (text !== undefined && !isHandedUp(trace, index)) {
        const isLikely = poolExhaustionIn(text) === "likely";
        poolsFor(span.service).failures.push({ trace, index, text, isLikely });
      }
    }
  }
  return services;
}

const waitMarks = mark.connection | mark.pool;
const failureMarks = mark.event | mark.failedStatus;

const acquireNames =
  /\bpool[.:_ -]?(?:connect|acquire|checkout|borrow|wait|get\w*)|^(?:hikari\w*\.\w*(?:get|acquire|wait)\w*|(?:acquire|get|borrow|check ?out|obtain|wait(?:ing)? for)[ _.-]?(?:a )?(?:db |database |sql )?conn(?:ection)?|db[._]connection[._](?:acquire|wait)|\w*datasource\.getconnection|prisma:(?:client|engine):connection|prisma:engine:acquire_connection)\b/i;

function waitOf(trace: Trace, index: number): Wait | undefined {
  const span = trace.span(index);
  const recorded = recordedWait(span);
  const end = endMicrosOf(span);
  const pool = poolNameOf(span);
  if (recorded !== undefined) {
    const start = span.startMicros;
    const statementMicros =
      statementAfter(trace, index, end) ?? ownStatement(trace, index, recorded);
    return {
      trace,
      index,
      pool,
      start,
      end: start + recorded,
      waitMicros: recorded,
      statementMicros,
    };
  }
  if (!acquireNames.test(span.name)) return undefined;
  // What opens a new connection waits for the network, not for another request.
  let opening = 0;
  for (const child of trace.children(index)) {
    const { name, durationNanos } = trace.span(child);
    if (/connect|handshake|lookup|tcp|tls|dns|open/i.test(name)) opening += durationNanos / 1_000;
  }
  const waitMicros = Math.max(0, span.durationNanos / 1_000 - opening);
  const statementMicros = statementAfter(trace, index, end);
  return { trace, index, pool, start: span.startMicros, end, waitMicros, statementMicros };
}

/** Spans after a wait among which its statement is looked for. */
const statementDistanceMax = 16;

/** The first statement of the same service that begins once the connection is there. */
function statementAfter(trace: Trace, index: number, end: number): number | undefined {
  const { service } = trace.span(index);
  const last = Math.min(trace.spans.length, index + 1 + statementDistanceMax);
  for (let at = index + 1; at < last; at += 1) {
    const span = trace.span(at);
    const isStatement = span.service === service && span.startMicros >= end - 1;
    if (isStatement && trace.callOf(at)?.kind === "database") return span.durationNanos / 1_000;
  }
  return undefined;
}

/** A statement's own span that also tells how long it waited. */
function ownStatement(trace: Trace, index: number, waitMicros: number): number | undefined {
  if (trace.callOf(index)?.kind !== "database") return undefined;
  return Math.max(0, trace.span(index).durationNanos / 1_000 - waitMicros);
}

const waitUnits: readonly (readonly [string, number])[] = [
  ["db.client.connection.wait_time", 1_000_000],
  ["db.client.connections.wait_time", 1_000],
  ["db.pool.wait_ms", 1_000],
  ["db.pool.wait_time_ms", 1_000],
  ["db.connection.wait_ms", 1_000],
  ["db.connection.acquire_ms", 1_000],
  ["pool.wait_ms", 1_000],
  ["pool.wait_time_ms", 1_000],
  ["pool.acquire_ms", 1_000],
  ["connection.wait_ms", 1_000],
  ["db.pool.wait_seconds", 1_000_000],
];

function recordedWait({ attributes }: Span): number | undefined {
  for (const [name, micros] of waitUnits) {
    const value = attributes[name];
    if (typeof value === "number" && value >= 0) return value * micros;
  }
  return undefined;
}

function poolNameOf({ attributes }: Span): string | undefined {
  return textOf(
    attributes,
    "db.client.connection.pool.name",
    "db.client.connections.pool.name",
    "pool.name",
    "db.pool.name",
    "hikari.pool.name",
  );
}

function failureText(span: Span): string | undefined {
  const { attributes, status, events } = span;
  const texts: unknown[] = [
    status.message,
    attributes["exception.message"],
    attributes["error.message"],
    attributes["error"],
    attributes["error.type"],
    ...events.flatMap((event) => [
      event.attributes["exception.message"],
      event.attributes["exception.type"],
      event.attributes["message"],
    ]),
  ];
  for (const text of texts) {
    if (typeof text !== "string") continue;
    const words = text.slice(0, 4_096);
    if (poolExhaustionIn(words) !== undefined) return words;
  }
  return undefined;
}

function isHandedUp(trace: Trace, index: number): boolean {
  const { service } = trace.span(index);
  for (const child of trace.children(index)) {
    const span = trace.span(child);
    if (span.service === service && failureText(span) !== undefined) return true;
  }
  return false;
}
