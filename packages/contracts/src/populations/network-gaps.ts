/**
 * The time that calls between services spend outside both: what the caller waited for, less what the called one took.
 * Clocks of two hosts differ, so that neither the way there nor the way back can be told, but the sum of both can: it is
 * a difference of two lengths, each measured by one clock.
 */

import { sumOf } from "../statistics/sum.ts";
import { compareText } from "../text/compare-text.ts";
import type { Trace } from "../traces/trace.ts";
import type { ObservedSeries } from "./observed-series.ts";
import type { TimeParts } from "./time-parts.ts";

/** A call of one service by another: the span that waits, and the only one below it. */
interface SeenCall {
  readonly trace: Trace;
  readonly callerIndex: number;
  readonly calleeIndex: number;
  readonly part: number;
}

/** All calls of one service by another one. */
interface Edge {
  readonly caller: string;
  readonly callee: string;
  /** By part of the time. */
  readonly counts: Uint32Array;
  /** Whole nanoseconds, so that no order of the spans changes their sum. */
  readonly nanos: Float64Array;
  /** One of them. */
  readonly trace: Trace;
  readonly index: number;
}

/** Collects the gaps of calls, and gives a series of them for each service that is called. */
export class NetworkGaps {
  /** By the numbers of the caller and of the called service: one is looked for at every call. */
  readonly #edges: (Edge | undefined)[][] = [];

  /** Adds a call; the span of the one that was called may be recorded as longer than the call, and then there is no gap. */
  add({ trace, callerIndex, calleeIndex, part }: SeenCall, partCount: number): void {
    const calls = (this.#edges[trace.serviceAt(callerIndex)] ??= []);
    const edge = (calls[trace.serviceAt(calleeIndex)] ??= {
      caller: trace.span(callerIndex).service,
      callee: trace.span(calleeIndex).service,
      counts: new Uint32Array(partCount),
      nanos: new Float64Array(partCount),
      trace,
      index: calleeIndex,
    });
    if (part < 0) return;
    const waited = trace.spans[callerIndex]?.durationNanos ?? 0;
    const worked = trace.spans[calleeIndex]?.durationNanos ?? 0;
    edge.counts[part] = (edge.counts[part] ?? 0) + 1;
    edge.nanos[part] = (edge.nanos[part] ?? 0) + Math.max(0, waited - worked);
  }

  /** For each service that others call, the usual gap of the calls in each part that has some. */
  series(time: TimeParts): ObservedSeries[] {
    const edges = this.#edges
      .flatMap((calls) => calls.flatMap((edge) => edge ?? []))
      .sort(
        (left, right) =>
          compareText(left.callee, right.callee) || compareText(left.caller, right.caller),
      );
    const owners = new GapOwners(edges, time);
    return [...Map.groupBy(edges, ({ callee }) => callee)].flatMap(([callee, all]) => {
      const calls = lastingOf(all);
      if (calls.length === 0) return [];
      const told = gapSeries(calls, { time, service: callee, edges: calls });
      return [Object.assign(told, { ownedFrom: owners.from(callee, calls) })];
    });
  }
}

const nanosPerMilli = 1e6;
/** Names of calls that the name of a series holds. */
const namedCountMax = 3;

interface Place {
  readonly time: TimeParts;
  readonly service: string;
  /** The calls that the name of the series tells of. */
  readonly edges: readonly Edge[];
}

/** The first and the last share of the parts in which a service was called, in which a caller must have called it. */
const lastingShare = 1 / 3;

/**
 * The callers that called a service early and late. One that begins to call, perhaps from far away, or ceases to, shows no
 * change of the network.
 */
function lastingOf(edges: readonly Edge[]): Edge[] {
  const parts = [...(edges[0]?.counts.keys() ?? [])].filter((part) =>
    edges.some(({ counts }) => (counts[part] ?? 0) > 0),
  );
  const count = Math.ceil(lastingShare * parts.length);
  const [early, late] = [parts.slice(0, count), parts.slice(-count)];
  const isIn = ({ counts }: Edge, some: readonly number[]): boolean =>
    some.some((part) => (counts[part] ?? 0) > 0);
  return edges.filter((edge) => isIn(edge, early) && isIn(edge, late));
}

/**
 * The mean gap in each part, as if each caller had called as often as it does on the whole: a caller from far away that
 * calls more often for a while is no departure.
 */
function gapSeries(calls: readonly Edge[], { time, service, edges }: Place): ObservedSeries {
  const levels = calls.map(calmNanos);
  const total = calls.reduce((sum, { counts }) => sum + sumOf(counts), 0);
  const usual = calls.reduce(
    (sum, { counts }, at) => sum + ((levels[at] ?? 0) * sumOf(counts)) / Math.max(1, total),
    0,
  );
  const timesMicros: number[] = [];
  const values: number[] = [];
  for (const [part, startMicros] of time.startsMicros.entries()) {
    let [count, excess] = [0, 0];
    for (const [at, { counts, nanos }] of calls.entries()) {
      const here = counts[part] ?? 0;
      count += here;
      excess += (nanos[part] ?? 0) - here * (levels[at] ?? 0);
    }
    if (count === 0) continue;
    timesMicros.push(startMicros);
    values.push((usual + excess / count) / nanosPerMilli);
  }
  const names = edges.slice(0, namedCountMax).map(({ caller, callee }) => `${caller} → ${callee}`);
  const rest = edges.length > namedCountMax ? " and others" : "";
  const [first] = edges;
  return {
    service,
    name: `network_gap_ms of ${names.join(" and ")}${rest}`,
    origin: "spans",
    signal: "network",
    timesMicros,
    values: Float64Array.from(values),
    // Computed only where a finding points at it.
    get evidenceId() {
      return first?.trace.evidenceIdOf(first.index) ?? "";
    },
    locator: first?.trace.span(first.index).spanId ?? "",
  };
}

/** The gap of the part with the shortest ones: that of a calm time, however long the other times were. */
function calmNanos({ counts, nanos }: Edge): number {
  let least = Infinity;
  for (const [part, count] of counts.entries())
    if (count > 0) least = Math.min(least, (nanos[part] ?? 0) / count);
  return least === Infinity ? 0 : least;
}

/** Calls whose gap grows by this share of what it grows by for the service that is looked at grow with it. */
const widenedShareMin = 0.3;

/** A caller is slow at its own end when so much of what it calls is slow to reach. */
const callerShareMin = 2 / 3;

/** Tells at which end of the calls the network is slow: at the one of which all calls are. */
class GapOwners {
  readonly #edges: readonly Edge[];
  readonly #time: TimeParts;

  constructor(edges: readonly Edge[], time: TimeParts) {
    this.#edges = edges;
    this.#time = time;
  }

  /** For a called service: the series of its gaps, named after the end that is slow from a moment on. */
  from(callee: string, called: readonly Edge[]): (micros: number) => ObservedSeries {
    const time = this.#time;
    return (micros) => {
      const widened = this.#widenedFrom(callee, micros);
      const slow = called.filter((edge) => widened.get(edge) === true);
      const owner = slow.length === 0 ? callee : this.#ownerOf(callee, slow, widened);
      const edges = slow.length === 0 ? called : slow;
      return gapSeries(called, { time, service: owner, edges });
    };
  }

  #ownerOf(callee: string, slow: readonly Edge[], widened: ReadonlyMap<Edge, boolean>): string {
    const callers = new Set(slow.map(({ caller }) => caller));
    const [caller] = callers;
    // What several wait for is slow at its own end.
    if (caller === undefined || callers.size > 1) return callee;
    const sharesOf = (
      isMeant: (edge: Edge) => boolean,
    ): readonly [count: number, share: number] => {
      const known = this.#edges.filter((edge) => widened.has(edge) && isMeant(edge));
      const count = known.filter((edge) => widened.get(edge) === true).length;
      return [count, count / Math.max(1, known.length)];
    };
    const [outCount, outShare] = sharesOf((edge) => edge.caller === caller);
    const [intoCount] = sharesOf((edge) => edge.callee === caller);
    const [, calledShare] = sharesOf((edge) => edge.callee === callee);
    if (outShare < callerShareMin) return callee;
    return outCount + intoCount > 1 || calledShare < 1 ? caller : callee;
  }

  /** Of all calls that were made before a moment and after it, whether their gap grew about as that of a service's calls. */
  #widenedFrom(callee: string, micros: number): ReadonlyMap<Edge, boolean> {
    const growths = new Map<Edge, number>();
    let [sum, count] = [0, 0];
    for (const edge of this.#edges) {
      const [before, after] = this.#meansAround(edge, micros);
      if (after === undefined) continue;
      const growth = after - (before ?? 0);
      // Calls that nobody made before cannot have grown, and count for the service that is looked at alone.
      if (before !== undefined || edge.callee === callee) growths.set(edge, growth);
      if (edge.callee === callee && growth > 0) {
        const calls = sumOf(edge.counts);
        sum += growth * calls;
        count += calls;
      }
    }
    const least = count === 0 ? Infinity : (widenedShareMin * sum) / count;
    return new Map([...growths].map(([edge, growth]) => [edge, growth >= least]));
  }

  #meansAround(
    { counts, nanos }: Edge,
    micros: number,
  ): readonly [before: number | undefined, after: number | undefined] {
    const { startsMicros, widthMicros } = this.#time;
    const sums = [0, 0];
    const calls = [0, 0];
    let isAfter = false;
    for (const [part, start] of startsMicros.entries()) {
      const isApart = start - (startsMicros[part - 1] ?? start) > 1.5 * widthMicros;
      // What was recorded at another time is what is usual.
      isAfter = start >= micros && (isAfter ? !isApart : start - micros < widthMicros);
      const side = isAfter ? 1 : 0;
      sums[side] = (sums[side] ?? 0) + (nanos[part] ?? 0);
      calls[side] = (calls[side] ?? 0) + (counts[part] ?? 0);
    }
    const meanOf = (side: number): number | undefined =>
      calls[side] === 0 ? undefined : (sums[side] ?? 0) / (calls[side] ?? 1);
    return [meanOf(0), meanOf(1)];
  }
}
