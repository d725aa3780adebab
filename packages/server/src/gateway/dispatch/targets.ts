/** The targets of this process: one state for each model of the catalog, and one queue for each provider. */

import type { CatalogSnapshot, Target } from "#catalog/index.ts";
import type { Clock, Random } from "#kernel/index.ts";

import type { ListPlace } from "../live-list.ts";
import { FairQueue } from "./fair-queue.ts";
import { dispatchLimits } from "./limits.ts";
import { ejectOutliers } from "./outlier-ejection.ts";
import { TargetState, type TargetStateParts } from "./target-state.ts";

/** Gives ticks to those who asked for them. */
export interface TickSource {
  add(guarded: Targets): void;
  remove(guarded: Targets): void;
}

export interface TargetsParts {
  readonly ticks: TickSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: TargetStateParts["settings"];
}

const queueBounds = {
  lengthMax: dispatchLimits.queueLengthMax,
  ageMs: dispatchLimits.queueAgeMs,
};

export class Targets {
  readonly #parts: TargetsParts;
  /** Among those who get ticks. */
  guardPlace: ListPlace | undefined;
  readonly #states = new Map<string, TargetState>();
  readonly #queues = new Map<string, FairQueue>();

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** The state of a target of the catalog. */
  of(target: Target): TargetState {
    const { id } = target.model;
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const queue = this.#queueOf(target.provider.name);
    const state = new TargetState(target, { ...this.#parts, queue });
    this.#states.set(id, state);
    return state;
  }

  /** Calls that wait for a place with a target. */
  get waitingCount(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.length;
    return count;
  }

  get states(): IterableIterator<TargetState> {
    return this.#states.values();
  }

  /** Forgets the targets that the catalog has no more. Calls under way keep what they have. */
  apply(catalog: CatalogSnapshot): void {
    const ids = new Set(catalog.models.map(({ id }) => id));
    for (const id of this.#states.keys()) if (!ids.has(id)) this.#states.delete(id);
    const providers = new Set(catalog.providers.map(({ name }) => name));
    for (const [name, queue] of this.#queues) {
      if (!providers.has(name) && queue.length === 0) this.#queues.delete(name);
    }
    // Limits may have risen.
    for (const queue of this.#queues.values()) queue.pump();
  }

  /** Sees to the deadlines of calls that wait, as long as any do. */
  watch(): void {
    this.#parts.ticks.add(this);
  }

  onTick(nowMs: number): void {
    for (const queue of this.#queues.values()) if (queue.length > 0) queue.onTick(nowMs);
    if (this.waitingCount === 0) this.#parts.ticks.remove(this);
  }

  /** Takes out of a route who fails far more often than the others; looks at most once a second. */
  compare(failed: TargetState, route: readonly Target[]): void {
    const { ejectedPercentMax } = this.#parts.settings().dispatch.breaker;
    const nowMs = this.#parts.clock.monotonicMs();
    if (ejectedPercentMax === 0 || nowMs - failed.comparedMs < dispatchLimits.outlierMs) return;
    failed.comparedMs = nowMs;
    const healths = route.map((target) => this.of(target).health);
    ejectOutliers(healths, { ...outlierBounds, ejectedShareMax: ejectedPercentMax / 100 });
  }

  #queueOf(provider: string): FairQueue {
    const known = this.#queues.get(provider);
    if (known !== undefined) return known;
    const queue = new FairQueue(this.#parts.clock, () => queueBounds);
    this.#queues.set(provider, queue);
    return queue;
  }
}

const outlierBounds = { callCountMin: 20, deviationCountMax: 3, rateGapMin: 0.2 };
