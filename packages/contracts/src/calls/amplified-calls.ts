/** Counts what one request became further down: the calls below an outermost group of attempts. */

import type { Trace } from "../traces/trace.ts";
import { largestOf } from "./extremes.ts";
import { type AttemptGroup, attemptsOf } from "./attempts.ts";
import { type Edge, edgeOf, isCall, targetOf } from "./edge.ts";
import { lookUpwards } from "./look-upwards.ts";

/** The calls of one edge below one outermost group of attempts. */
export interface Amplified {
  readonly trace: Trace;
  readonly edge: Edge;
  readonly calls: readonly number[];
  /** How often it would have been called without any retry. */
  readonly askedCount: number;
  readonly callCount: number;
  readonly amplification: number;
  /** The groups of attempts on the way to the most retried of these calls, from the outermost inwards. */
  readonly layers: readonly AttemptGroup[];
  readonly isCertain: boolean;
}

/** For each outermost group of attempts: its own edge, and every edge below it that was called again because of it. */
export function amplifiedCallsOf(trace: Trace): Amplified[] {
  const groups = attemptsOf(trace).filter(({ isPolling }) => !isPolling);
  if (groups.length === 0) return [];
  const groupOf = new Map<number, AttemptGroup>();
  for (const group of groups) for (const call of group.calls) groupOf.set(call, group);
  const isWithinAttempt = lookUpwards(trace, (index) => (groupOf.has(index) ? true : undefined));
  return groups
    .filter(({ parent }) => !isWithinAttempt(parent))
    .flatMap((group) => new Descent(group, groupOf).amplified());
}

/** Layers that are told apart; whoever nests more has proved the point. */
const layerCountMax = 16;

interface Tally {
  readonly edge: Edge;
  readonly calls: number[];
  /** Calls that would have been made without retries, by attempt of the outermost group. */
  readonly asked: Map<number, number>;
  layers: readonly AttemptGroup[];
}

/** Where a span lies. Most spans change nothing, and share that of their parent. */
interface Place {
  /** Attempt of the outermost group below which it lies. */
  readonly attempt: number;
  readonly layers: readonly AttemptGroup[];
  /** Below first attempts only, of every group but the outermost. */
  readonly isFirst: boolean;
}

class Descent {
  readonly #outermost: AttemptGroup;
  readonly #groupOf: ReadonlyMap<number, AttemptGroup>;
  readonly #tallies = new Map<string, Tally>();

  constructor(outermost: AttemptGroup, groupOf: ReadonlyMap<number, AttemptGroup>) {
    this.#outermost = outermost;
    this.#groupOf = groupOf;
  }

  amplified(): Amplified[] {
    const { trace, calls, count, isCertain, edge } = this.#outermost;
    const layers = [this.#outermost];
    const own: Amplified = {
      trace,
      edge,
      calls,
      askedCount: 1,
      callCount: count,
      amplification: count,
      layers,
      isCertain,
    };
    calls.forEach((call, attempt) => this.#descend(call, { attempt, layers, isFirst: true }));
    const below = [...this.#tallies.values()].flatMap((tally): Amplified[] => {
      const askedCount = largestOf(tally.asked.values(), 1);
      const amplification = Math.round((tally.calls.length / askedCount) * 100) / 100;
      if (amplification <= 1 || tally.edge.name === edge.name) return [];
      const callCount = tally.calls.length;
      return [
        {
          trace,
          edge: tally.edge,
          calls: tally.calls.sort((left, right) => left - right),
          askedCount,
          callCount,
          amplification,
          layers: tally.layers,
          isCertain,
        },
      ];
    });
    // What a single layer does is said once, at the layer. Below calls that may be for several things, only layers count.
    return [own, ...below.filter((item) => isCertain || item.layers.length > 1)];
  }

  #descend(start: number, outermost: Place): void {
    const indices = [start];
    const places = [outermost];
    const { trace } = this.#outermost;
    for (let index = indices.pop(); index !== undefined; index = indices.pop()) {
      const place = places.pop() ?? outermost;
      for (const child of trace.children(index)) {
        indices.push(child);
        places.push(isCall(trace, child) ? this.#count(child, place) : place);
      }
    }
  }

  #count(index: number, above: Place): Place {
    const { trace } = this.#outermost;
    const group = this.#groupOf.get(index);
    const counts = group?.isCertain === true;
    const isLayer = counts && group !== undefined && above.layers.length < layerCountMax;
    const layers = isLayer ? [...above.layers, group] : above.layers;
    const isFirstAttempt = group === undefined || group.calls[0] === index;
    const edge = group?.edge ?? edgeOf(trace, index);
    const key = `${edge.name}\n${targetOf(trace, index)}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { edge, calls: [], asked: new Map(), layers };
      this.#tallies.set(key, tally);
    }
    tally.calls.push(index);
    if (layers.length > tally.layers.length) tally.layers = layers;
    if (above.isFirst && (isFirstAttempt || !counts)) {
      tally.asked.set(above.attempt, (tally.asked.get(above.attempt) ?? 0) + 1);
    }
    const isFirst = above.isFirst && isFirstAttempt;
    if (!isLayer && isFirst === above.isFirst) return above;
    return { attempt: above.attempt, layers, isFirst };
  }
}
