/**
 * The calls that wait for one gate: shared fairly between tenants, the urgent ones first, each within its own deadline.
 * When the queue is full, the tenant that has the most waiting loses its newest call, so that a burst of one tenant
 * cannot keep another out.
 */

import type { Clock } from "#kernel/index.ts";

import { dispatchLimits } from "./limits.ts";
import { type ListNode, listNode } from "./linked-list.ts";
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

export interface FairQueueParts {
  readonly clock: Clock;
  readonly gate: Gate;
  /** Those of the newest configuration. */
  readonly bounds: () => FairQueueBounds;
}

interface Entry {
  readonly request: QueueRequest;
  readonly waiting: QueueWaiting;
  readonly cost: number;
  readonly weight: number;
  readonly expiresMs: number;
  /** Index into `priorities`; sinks as the call ages. */
  rank: number;
  rankedMs: number;
  state: "queued" | "admitted" | "left";
}

const leftAlready = (): void => {};

export class FairQueue {
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #bounds: () => FairQueueBounds;
  readonly #ranks = priorities.map(() => new RoundRobin<Entry>());
  readonly #nodes = new Map<Entry, ListNode<Entry>>();
  readonly #loads = new LongestFirst();
  #pumping = false;

  constructor(parts: FairQueueParts) {
    this.#clock = parts.clock;
    this.#gate = parts.gate;
    this.#bounds = parts.bounds;
  }

  /** How many wait. */
  get length(): number {
    return this.#nodes.size;
  }

  /**
   * Takes a place or waits for one. Gives what must be called once, when the caller has left: it ends the wait, or gives
   * the place back. `waiting` may be called before this returns.
   */
  enter(request: QueueRequest, waiting: QueueWaiting): () => void {
    if (this.#nodes.size === 0 && this.#gate.tryTake()) {
      waiting.admitted();
      return this.#giveBack;
    }
    const weight = clampWhole(request.weight, dispatchLimits.tenantWeightMax);
    if (!this.#makeRoom(request, weight)) {
      waiting.refused("queue-full");
      return leftAlready;
    }
    const nowMs = this.#clock.monotonicMs();
    const entry: Entry = {
      request,
      waiting,
      cost: clampWhole(request.cost, dispatchLimits.queueCostMax),
      weight,
      expiresMs: nowMs + request.queueMsMax,
      rank: priorities.indexOf(request.priority),
      rankedMs: nowMs,
      state: "queued",
    };
    this.#append(entry, listNode(entry));
    this.#loads.add(request.tenant, weight);
    this.pump();
    return () => this.#leave(entry);
  }

  /** Lets through whoever the gate takes. To be called when the gate has opened by itself. */
  pump(): void {
    // Who is let through may give its place back at once: the loop under way sees to the next.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#nodes.size > 0 && this.#gate.tryTake()) this.#admitNext();
    } finally {
      this.#pumping = false;
    }
  }

  /** Refuses who waited too long, and lifts who waited long. To be called often while somebody waits. */
  onTick(nowMs: number): void {
    const { ageMs } = this.#bounds();
    const expired: Entry[] = [];
    for (const [entry, node] of this.#nodes) {
      if (nowMs >= entry.expiresMs) {
        expired.push(entry);
      } else if (entry.rank > 0 && nowMs - entry.rankedMs >= ageMs) {
        this.#rankOf(entry).remove(entry.request.tenant, node);
        entry.rank -= 1;
        entry.rankedMs = nowMs;
        this.#append(entry, node);
      }
    }
    for (const entry of expired) {
      // Who was refused before may have let another leave.
      if (entry.state === "queued") this.#refuse(entry, "queue-timeout");
    }
    this.pump();
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

  /** Whether a call may wait; for it, the newest of the tenant that has the most waiting may have to go. */
  #makeRoom({ tenant, priority }: QueueRequest, weight: number): boolean {
    if (this.#nodes.size < this.#bounds().lengthMax) return true;
    const longest = this.#loads.longest;
    if (longest === undefined) return false;
    const own =
      longest === tenant || this.#loads.levelWithOneMore(tenant, weight) >= this.#loads.topLevel;
    // A tenant that would become the longest can only give up a call of its own that is less urgent.
    return own ? this.#shed(tenant, priorities.indexOf(priority) + 1) : this.#shed(longest, 0);
  }

  /** Refuses the newest of the tenant's least urgent calls, if one of at least this rank waits. */
  #shed(tenant: string, rankMin: number): boolean {
    for (let rank = priorities.length - 1; rank >= rankMin; rank -= 1) {
      const newest = this.#ranks[rank]?.newestOf(tenant);
      if (newest === undefined) continue;
      this.#refuse(newest, "queue-full");
      return true;
    }
    return false;
  }

  #admitNext(): void {
    const entry = this.#next();
    if (entry === undefined) {
      this.#gate.giveBack();
      return;
    }
    this.#remove(entry);
    entry.state = "admitted";
    entry.waiting.admitted();
  }

  #next(): Entry | undefined {
    for (const rank of this.#ranks) {
      if (!rank.empty) return rank.next();
    }
    return undefined;
  }

  #refuse(entry: Entry, refusal: QueueRefusal): void {
    this.#remove(entry);
    entry.state = "left";
    entry.waiting.refused(refusal);
  }

  #append(entry: Entry, node: ListNode<Entry>): void {
    this.#nodes.set(entry, node);
    this.#rankOf(entry).append(entry.request.tenant, entry.weight, node);
  }

  #remove(entry: Entry): void {
    const node = this.#nodes.get(entry);
    if (node === undefined) return;
    this.#nodes.delete(entry);
    this.#rankOf(entry).remove(entry.request.tenant, node);
    this.#loads.remove(entry.request.tenant);
  }

  #rankOf(entry: Entry): RoundRobin<Entry> {
    const rank = this.#ranks[entry.rank];
    // A rank is an index into the priorities, for each of which there is a round robin.
    return rank as RoundRobin<Entry>;
  }
}

function clampWhole(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(Math.ceil(value), 1), max) : max;
}
