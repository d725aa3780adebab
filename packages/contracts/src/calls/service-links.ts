/** Collects how services are linked in traces: calls with the callee's span below them, and calls without. */

import { mark } from "../traces/marks.ts";
import { endMicrosOf, missingParent, noParent, type Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { mayHaveFailed } from "./failures.ts";
import { wordOf } from "./attribute-value.ts";
import { edgeOf } from "./edge.ts";
import { isDetached, isUnended } from "./sync-work.ts";

/** A span of a trace. */
export interface Place {
  readonly trace: Trace;
  readonly index: number;
}

/** What was seen between two services. */
export interface Link {
  readonly caller: string;
  readonly callee: string;
  linkedCount: number;
  /** One call that has its callee's span. */
  example: Place;
  /** Calls whose callee's span is not there. */
  readonly unlinked: Place[];
  /** Callee's spans that began before their call by more than clocks may differ. */
  readonly early: Place[];
  /** Callee's spans that took longer than the call that they served. */
  readonly longer: Place[];
  earlyMicrosMax: number;
}

export interface ServiceLinks {
  readonly links: Link[];
  /** Spans that name a parent which is not there. */
  readonly orphans: Place[];
  /** Spans without an end. */
  readonly unended: Place[];
  /** Calls whose callee's span is not there, and of which nothing tells the callee. */
  readonly unanswered: Place[];
}

export interface LinkBounds {
  readonly skewMicrosMax: number;
  readonly longerMicrosMin: number;
}

/** Walks all traces once. */
export function serviceLinksOf(traces: readonly Trace[], bounds: LinkBounds): ServiceLinks {
  const collector = new Collector(bounds);
  for (const trace of traces) collector.add(trace);
  return collector.finish();
}

class Collector {
  readonly #bounds: LinkBounds;
  readonly #links = new Map<string, Map<string, Link>>();
  readonly #orphans: Place[] = [];
  readonly #unended: Place[] = [];
  readonly #unanswered: Place[] = [];
  readonly #servingServices = new Set<string>();

  constructor(bounds: LinkBounds) {
    this.#bounds = bounds;
  }

  add(trace: Trace): void {
    // Spans are many and lie far apart: what most of them are asked for stands in flat arrays.
    const { parents } = trace;
    const entryParent = remoteParentOf(trace);
    const answered = new Uint8Array(parents.length);
    const clients: number[] = [];
    for (let index = 0; index < parents.length; index += 1) {
      const marks = trace.marksOf(index);
      const parent = parents[index] ?? noParent;
      if ((marks & mark.instant) !== 0 && isUnended(trace, index)) {
        this.#unended.push({ trace, index });
      }
      if ((marks & mark.server) !== 0) this.#servingServices.add(trace.span(index).service);
      else if ((marks & mark.client) !== 0) clients.push(index);
      if (parent === missingParent && trace.span(index).parentSpanId !== entryParent) {
        this.#orphans.push({ trace, index });
      }
      if (parent < 0 || trace.serviceAt(parent) === trace.serviceAt(index)) continue;
      if ((marks & (mark.client | mark.producer)) !== 0) continue;
      markAnswered(trace, parent, answered);
      if ((marks & mark.consumer) === 0) this.#link(trace, parent, index);
    }
    for (const index of clients) {
      if (answered[index] === 1 || (trace.marksOf(index) & mark.database) !== 0) continue;
      if (!mayHaveFailed(trace, index)) this.#unanswered.push({ trace, index });
    }
  }

  finish(): ServiceLinks {
    const rest: Place[] = [];
    if (this.#unanswered.length > 0) {
      const known = this.#calleesByPeer();
      for (const place of this.#unanswered) {
        const callee = this.#calleeOf(place, known);
        if (callee === undefined) rest.push(place);
        else
          this.#linkOf(place.trace.span(place.index).service, callee, place).unlinked.push(place);
      }
    }
    const links = [...this.#links.values()].flatMap((byCallee) => [...byCallee.values()]);
    return { links, orphans: this.#orphans, unended: this.#unended, unanswered: rest };
  }

  #link(trace: Trace, parent: number, index: number): void {
    const [above, below] = [trace.span(parent), trace.span(index)];
    const link = this.#linkOf(above.service, below.service, { trace, index: parent });
    // Only who records its calls shows by them that none is missing.
    if (above.kind === "client") link.linkedCount += 1;
    const early = above.startMicros - below.startMicros;
    if (early > this.#bounds.skewMicrosMax) {
      link.early.push({ trace, index });
      link.earlyMicrosMax = Math.max(link.earlyMicrosMax, early);
    }
    const extraMicros = (below.durationNanos - above.durationNanos) / 1_000;
    if (extraMicros <= this.#bounds.longerMicrosMin || above.durationNanos === 0) return;
    if (kindOf(above, trace.marksOf(parent)) !== "client" || mayHaveFailed(trace, parent)) return;
    if (!isDetached(trace, index)) link.longer.push({ trace, index });
  }

  #linkOf(caller: string, callee: string, example: Place): Link {
    let byCallee = this.#links.get(caller);
    if (byCallee === undefined) {
      byCallee = new Map();
      this.#links.set(caller, byCallee);
    }
    let link = byCallee.get(callee);
    if (link === undefined) {
      link = {
        caller,
        callee,
        linkedCount: 0,
        example,
        unlinked: [],
        early: [],
        longer: [],
        earlyMicrosMax: 0,
      };
      byCallee.set(callee, link);
    }
    return link;
  }

  /** Which service answers at a peer, where all calls to it agree. */
  #calleesByPeer(): ReadonlyMap<string, string | undefined> {
    const services = new Map<string, string | undefined>();
    for (const byCallee of this.#links.values()) {
      for (const { callee, example } of byCallee.values()) {
        const peer = peerNameOf(example);
        if (peer === undefined) continue;
        const known = services.get(peer);
        services.set(peer, services.has(peer) && known !== callee ? undefined : callee);
      }
    }
    return services;
  }

  #calleeOf(place: Place, known: ReadonlyMap<string, string | undefined>): string | undefined {
    const peer = peerNameOf(place);
    if (peer === undefined) return undefined;
    if (known.has(peer)) return known.get(peer);
    const plain = plainName(peer);
    const { service } = place.trace.span(place.index);
    for (const serving of this.#servingServices) {
      if (serving !== service && plainName(serving) === plain) return serving;
    }
    return undefined;
  }
}

/** A trace whose first span was called from outside of what is recorded names that caller as its parent. */
function remoteParentOf({ spans, parents }: Trace): string | undefined {
  const [first] = spans;
  if (first === undefined || parents[0] !== missingParent) return undefined;
  if (first.kind !== "server" && first.kind !== "consumer") return undefined;
  return parents.includes(noParent) ? undefined : first.parentSpanId;
}

function markAnswered(trace: Trace, from: number, answered: Uint8Array): void {
  const service = trace.serviceAt(from);
  let at = from;
  while (at >= 0 && trace.serviceAt(at) === service && answered[at] === 0) {
    answered[at] = 1;
    at = trace.parents[at] ?? noParent;
    if (at >= 0 && (trace.marksOf(at) & mark.client) === 0) break;
  }
}

/** The callee's name as its caller knows it. */
export function peerNameOf({ trace, index }: Place): string | undefined {
  const { attributes } = trace.span(index);
  const named = wordOf(attributes, "peer.service", "server.address", "net.peer.name", "http.host");
  if (named !== undefined && !/^[\d.:[\]]+$/.test(named)) return named.toLowerCase();
  const { callee } = edgeOf(trace, index);
  return callee === "http" || callee === "other" || callee === "rpc" ? undefined : callee;
}

/** `payment-service:8080`, `payment.prod.svc` and `paymentservice` are one name. */
export function plainName(name: string): string {
  return name
    .slice(0, 253)
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^[a-z][\w.]*\.(?=[A-Za-z]+service$)/, "")
    .replace(/\..*$/, "")
    .replace(/[-_ ]/g, "")
    .replace(/(?:service|svc|api|server|app)$/, "");
}

/** Whether a time lies within a span, as far as two clocks agree. */
export function isWithin(inner: Place, outer: Place, slackMicros: number): boolean {
  const [below, above] = [inner.trace.span(inner.index), outer.trace.span(outer.index)];
  return (
    below.startMicros >= above.startMicros - slackMicros &&
    endMicrosOf(below) <= endMicrosOf(above) + slackMicros
  );
}
