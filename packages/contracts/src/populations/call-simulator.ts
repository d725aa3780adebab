/** Simulates traces of services whose clocks differ, with calls that are on their way for a while, for tests. */

import type { Span, SpanKind } from "../model/span.ts";
import { normal, seeded } from "./incident-maker.ts";

/** Who calls whom, in the order in which it is called. */
const calls: Readonly<Record<string, readonly string[]>> = {
  gateway: ["orders", "cart"],
  orders: ["stock", "price", "payment"],
  cart: ["stock", "price"],
  stock: [],
  price: [],
  payment: ["bank"],
  bank: [],
};

export interface CallPlan {
  readonly seed: number;
  /** Milliseconds that a call is on its way longer than usual, both ways together, once the fault began. */
  readonly addedMillis?: (caller: string, callee: string, chance: number) => number;
  /** Milliseconds that the work of a service takes longer, once the fault began. */
  readonly workMillis?: (service: string) => number;
  readonly traceCount?: number;
  /** Requests per second grow by this from the same moment on. */
  readonly loadGrowth?: number;
}

export interface SimulatedCalls {
  readonly traces: readonly (readonly Span[])[];
  readonly beganMicros: number;
}

const startMicros = 1.7e15;
const requestGapMicros = 2e6;
/** Share of calls that fail at once and are made again. */
const retryShare = 0.02;
/** Share of calls that are on their way far longer than usual, as for a collection of garbage or a new connection. */
const slowShare = 0.01;

/** Traces of one request each; the fault begins in the middle of the time. */
export function simulateCalls(plan: CallPlan): SimulatedCalls {
  const { traceCount = 200, loadGrowth = 1 } = plan;
  const next = seeded(plan.seed * 104_729 + 71);
  const beganMicros = startMicros + (traceCount / 2) * requestGapMicros;
  // Up to a second, and each clock drifts by some microseconds a second.
  const clocks = Object.fromEntries(
    Object.keys(calls).map((service) => [service, [2e6 * (next() - 0.5), 4e-5 * (next() - 0.5)]]),
  );
  const levels = Object.fromEntries(
    Object.keys(calls).map((service) => [service, 0.5 + 8 * next()]),
  );
  const traces: Span[][] = [];
  let now = startMicros;
  for (let number = 1; number <= traceCount; number += 1) {
    now += (requestGapMicros * (0.5 + next())) / (now < beganMicros ? 1 : loadGrowth);
    const maker = new Maker({
      ...plan,
      next,
      clocks,
      levels,
      isFaulty: now >= beganMicros,
      number,
    });
    maker.serve("gateway", now, undefined);
    traces.push(maker.spans);
  }
  return { traces, beganMicros };
}

interface MakerPlan extends CallPlan {
  readonly next: () => number;
  readonly clocks: Readonly<Record<string, readonly number[]>>;
  readonly levels: Readonly<Record<string, number>>;
  readonly isFaulty: boolean;
  readonly number: number;
}

class Maker {
  readonly spans: Span[] = [];
  readonly #plan: MakerPlan;

  constructor(plan: MakerPlan) {
    this.#plan = plan;
  }

  /** Serves a request and answers when it was done, by a clock that is right. */
  serve(service: string, from: number, parent: string | undefined): number {
    const { next, levels, isFaulty, workMillis } = this.#plan;
    const id = this.#id();
    const added = isFaulty ? (workMillis?.(service) ?? 0) : 0;
    let now = from + 500 * (levels[service] ?? 1) * Math.exp(0.3 * normal(next));
    for (const callee of calls[service] ?? []) {
      if (next() < retryShare) {
        now = this.#call({ service, callee, from: now, parent: id, hasFailed: true });
      }
      now = this.#call({ service, callee, from: now, parent: id, hasFailed: false });
    }
    now += 500 * (levels[service] ?? 1) * Math.exp(0.3 * normal(next)) + 1_000 * added;
    this.#add({ service, kind: "server", id, parent, from, to: now, isFailed: false });
    return now;
  }

  #call(given: {
    readonly service: string;
    readonly callee: string;
    readonly from: number;
    readonly parent: string;
    readonly hasFailed: boolean;
  }): number {
    const { service, callee, from, parent, hasFailed } = given;
    const { next, isFaulty, addedMillis } = this.#plan;
    const id = this.#id();
    const added = isFaulty ? (addedMillis?.(service, callee, next()) ?? 0) : 0;
    const slow = next() < slowShare ? 20 + 60 * next() : 1;
    const way = 1_000 * (Math.exp(0.4 * normal(next)) * slow + added);
    const share = next();
    const arrived = from + way * share;
    const left = hasFailed ? arrived : this.serve(callee, arrived, id);
    const to = left + way * (1 - share);
    this.#add({ service, kind: "client", id, parent, from, to, isFailed: hasFailed });
    return to;
  }

  #id(): string {
    return Math.floor(this.#plan.next() * 2 ** 48)
      .toString(16)
      .padStart(16, "0");
  }

  #add(given: {
    readonly service: string;
    readonly kind: SpanKind;
    readonly id: string;
    readonly parent: string | undefined;
    readonly from: number;
    readonly to: number;
    readonly isFailed: boolean;
  }): void {
    const { service, kind, id, parent, from, to, isFailed } = given;
    const [skew = 0, drift = 0] = this.#plan.clocks[service] ?? [];
    this.spans.push({
      traceId: this.#plan.number.toString(16).padStart(32, "0"),
      spanId: id,
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name: kind === "server" ? `${service} handles` : "call",
      kind,
      service,
      startMicros: Math.round(from + skew + drift * (from - startMicros)),
      durationNanos: Math.round((to - from) * 1_000),
      status: { code: isFailed ? "error" : "unset" },
      attributes: {},
      resource: { "service.name": service },
      scope: { name: "test" },
      events: [],
      links: [],
    });
  }
}
