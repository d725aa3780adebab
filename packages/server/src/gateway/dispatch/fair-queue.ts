/**
 * The calls that wait for one provider: a lane for each of its gates, shared fairly between tenants, within a tenant the
 * urgent ones first, each within its own deadline. When the queue is full, the tenant that has the most waiting in all lanes loses
 * its newest call, so that a burst of one tenant cannot keep another out.
 */

import type { Clock } from "#kernel/index.ts";

import { dispatchLimits } from "./limits.ts";
import { LinkedList, type ListNode, listNode } from "./linked-list.ts";
import { LongestFirst } from "./longest-first.ts";
import { priorities, type Priority } from "./priority.ts";
import { RoundRobin } from "./round-robin.ts";

/** What lets calls through: places that are taken and given back. */
export interface Gate {
  /** Whether a place was free; it is taken then. */
  tryTake(): boolean;
  giveBack(): void;
}

export interface QueueRequest {
  readonly tenant: string;
  /** Share of the tenant, an integer from 1. */
  readonly weight: number;
  readonly priority: Priority;
  /** Estimated tokens, or 1 when nothing is known. */
  readonly cost: number;
  /** Longest wait. */
  readonly queueMsMax: number;
}

export type QueueRefusal =
  /** The queue was full, and this call is the newest of the tenant that has the most in it. */
  "queue-full" | "queue-timeout";

/** Who waits for a place. Exactly one of the two is called, unless it leaves. */
export interface QueueWaiting {
  readonly admitted: () => void;
  readonly refused: (refusal: QueueRefusal) => void;
}

export interface FairQueueBounds {
  readonly lengthMax: number;
  /** After this long a waiting call rises to the next more urgent class. */
  readonly ageMs: number;
}

/** The way through one gate. */
export interface Lane {
  /** How many wait for this gate. */
  readonly length: number;
  /**
   * Takes a place or waits for one. Gives what must be called once, when the caller has left: it ends the wait, or gives
   * the place back. `waiting` may be called before this returns.
   */
  enter(request: QueueRequest, waiting: QueueWaiting): () => void;
  /** Lets through whoever the gate takes. To be called when the gate has opened by itself. */
  pump(): void;
}

interface Entry {
  readonly lane: GateLane;
  readonly request: QueueRequest;
  readonly waiting: QueueWaiting;
  readonly cost: number;
  readonly weight: number;
  readonly expiresMs: number;
  /** Index into `priorities`; sinks as the call ages. */
  rank: number;
  rankedMs: number;
  state: "queued" | "admitted" | "left";
  /** Where it waits; none when it does not. */
  places: Places | undefined;
}

/**
 * A table of those that wait would be made anew every few that leave, and each old one would keep calls that have ended, and the
 * next table, alive until the next full collection.
 */
interface Places {
  /** Among all that wait, in the order in which they came. */
  readonly inQueue: ListNode<Entry>;
  /** Among those of its lane. */
  readonly inLane: ListNode<Entry>;
}

const leftAlready = (): void => {};

/** What the lanes of one queue share. */
interface Shared {
  readonly clock: Clock;
  readonly bounds: () => FairQueueBounds;
  readonly waiting: LinkedList<Entry>;
  /** How much each tenant has in all lanes. */
  readonly loads: LongestFirst;
  /** Those in which somebody waits. */
  readonly lanes: Set<GateLane>;
}

export class FairQueue {
  readonly #shared: Shared;

  /** `bounds` gives those of the newest configuration. */
  constructor(clock: Clock, bounds: () => FairQueueBounds) {
    const loads = new LongestFirst();
    this.#shared = { clock, bounds, waiting: new LinkedList(), loads, lanes: new Set() };
  }

  /** How many wait, in all lanes. */
  get length(): number {
    return this.#shared.waiting.size;
  }

  /** Makes the lane of a gate, which has no other. */
  openLane(gate: Gate): Lane {
    return new GateLane(this.#shared, gate);
  }

  /** Refuses who waited too long, and lifts who waited long. To be called often while somebody waits. */
  onTick(nowMs: number): void {
    const { waiting, bounds } = this.#shared;
    const { ageMs } = bounds();
    const expired: Entry[] = [];
    for (let node = waiting.head; node !== undefined; node = node.next) {
      const entry = node.value;
      if (nowMs >= entry.expiresMs) expired.push(entry);
      else if (entry.rank > 0 && nowMs - entry.rankedMs >= ageMs) entry.lane.lift(entry);
    }
    for (const entry of expired) {
      // Who was refused before may have let another leave.
      if (entry.state === "queued") entry.lane.refuse(entry, "queue-timeout");
    }
    this.pump();
  }

  /** Lets through whoever the gates take. */
  pump(): void {
    for (const lane of this.#shared.lanes) lane.pump();
  }
}

class GateLane implements Lane {
  readonly #shared: Shared;
  readonly #gate: Gate;
  readonly #robin = new RoundRobin<Entry>();
  #length = 0;
  #pumping = false;

  constructor(shared: Shared, gate: Gate) {
    this.#shared = shared;
    this.#gate = gate;
  }

  get length(): number {
    return this.#length;
  }

  enter(request: QueueRequest, waiting: QueueWaiting): () => void {
    if (this.#length === 0 && this.#gate.tryTake()) {
      waiting.admitted();
      return this.#giveBack;
    }
    const weight = clampWhole(request.weight, dispatchLimits.tenantWeightMax);
    const room = this.#findRoom(request, weight);
    if (room === "none") {
      waiting.refused("queue-full");
      return leftAlready;
    }
    const nowMs = this.#shared.clock.monotonicMs();
    const entry: Entry = {
      lane: this,
      request,
      waiting,
      cost: clampWhole(request.cost, dispatchLimits.queueCostMax),
      weight,
      expiresMs: nowMs + request.queueMsMax,
      rank: priorities.indexOf(request.priority),
      rankedMs: nowMs,
      state: "queued",
      places: undefined,
    };
    if (room !== "free") room.lane.#remove(room);
    this.#append(entry);
    // Who had to go may turn to another lane at once, and must find the queue as full as it is.
    if (room !== "free") room.lane.refuse(room, "queue-full");
    this.pump();
    return () => this.#leave(entry);
  }

  pump(): void {
    // Who is let through may give its place back at once: the loop under way sees to the next.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#length > 0 && this.#gate.tryTake()) this.#admitNext();
    } finally {
      this.#pumping = false;
    }
  }

  /** Lets a call rise to the next more urgent class. */
  lift(entry: Entry): void {
    if (entry.places === undefined) return;
    const { tenant } = entry.request;
    // Its tenant may have nothing else waiting, and must not lose its turn for it.
    this.#robin.lift(tenant, entry.places.inLane, () => {
      entry.rank -= 1;
    });
    entry.rankedMs = this.#shared.clock.monotonicMs();
  }

  refuse(entry: Entry, refusal: QueueRefusal): void {
    this.#remove(entry);
    entry.state = "left";
    entry.waiting.refused(refusal);
  }

  /** The newest of the tenant's calls of this rank that wait here. */
  newestOf(tenant: string, rank: number): Entry | undefined {
    return this.#robin.newestOf(tenant, rank);
  }

  readonly #giveBack = (): void => {
    this.#gate.giveBack();
    this.pump();
  };

  #leave(entry: Entry): void {
    if (entry.state === "queued") {
      this.#remove(entry);
    } else if (entry.state === "admitted") {
      this.#giveBack();
    }
    entry.state = "left";
  }

  /** Whether a call may wait: there is room, or the newest of the tenant that has the most waiting has to go for it. */
  #findRoom({ tenant, priority }: QueueRequest, weight: number): "free" | "none" | Entry {
    const { waiting, bounds, loads } = this.#shared;
    if (waiting.size < bounds().lengthMax) return "free";
    const { longest, topLevel } = loads;
    if (longest === undefined) return "none";
    const own = longest === tenant || loads.levelWithOneMore(tenant, weight) >= topLevel;
    // A tenant that would become the longest can only give up a call of its own that is less urgent.
    const rankMin = own ? priorities.indexOf(priority) + 1 : 0;
    return this.#findNewest(own ? tenant : longest, rankMin) ?? "none";
  }

  /** The newest of the tenant's least urgent calls, if one of at least this rank waits. */
  #findNewest(tenant: string, rankMin: number): Entry | undefined {
    for (let rank = priorities.length - 1; rank >= rankMin; rank -= 1) {
      for (const lane of this.#shared.lanes) {
        const newest = lane.newestOf(tenant, rank);
        if (newest !== undefined) return newest;
      }
    }
    return undefined;
  }

  #admitNext(): void {
    const entry = this.#robin.next();
    if (entry === undefined) {
      this.#gate.giveBack();
      return;
    }
    this.#remove(entry);
    entry.state = "admitted";
    entry.waiting.admitted();
  }

  #append(entry: Entry): void {
    const { waiting, loads, lanes } = this.#shared;
    const places = { inQueue: listNode(entry), inLane: listNode(entry) };
    entry.places = places;
    waiting.append(places.inQueue);
    loads.add(entry.request.tenant, entry.weight);
    this.#robin.append(entry.request.tenant, entry.weight, places.inLane);
    if (this.#length === 0) lanes.add(this);
    this.#length += 1;
  }

  #remove(entry: Entry): void {
    const { waiting, loads, lanes } = this.#shared;
    const { places } = entry;
    if (places === undefined) return;
    entry.places = undefined;
    waiting.remove(places.inQueue);
    loads.remove(entry.request.tenant);
    this.#robin.remove(entry.request.tenant, places.inLane);
    this.#length -= 1;
    if (this.#length === 0) lanes.delete(this);
  }
}

function clampWhole(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(Math.ceil(value), 1), max) : max;
}
