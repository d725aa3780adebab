/** What one process knows of one target, across all calls: places, health, budget of retries, counts. */

import type { Target } from "#catalog/index.ts";
import type { DispatchConfig } from "#config/index.ts";
import type { Clock, Random } from "#kernel/index.ts";

import { AdaptiveConcurrency } from "./adaptive-concurrency.ts";
import type { FairQueue, Lane } from "./fair-queue.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { FailureReason } from "./retry-policy.ts";
import { TargetHealth } from "./target-health.ts";

export interface TargetStateParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly queue: FairQueue;
  /** Those of the newest snapshot. */
  readonly settings: () => { readonly dispatch: DispatchConfig; readonly concurrencyMax: number };
}

const percent = 100;
/** Retries that traffic can save up, in seconds' worth of the minimum and at least so many. */
const savedSecondsMax = 10;
const savedMin = 10;

export class TargetState {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  readonly concurrency: AdaptiveConcurrency;
  readonly lane: Lane;
  readonly health: TargetHealth;
  readonly budget: RetryBudget;
  /** Monotonic time at which it was last compared with its siblings. */
  comparedMs = Number.NEGATIVE_INFINITY;
  readonly failureCounts = new Map<FailureReason, number>();
  attemptCount = 0;
  retryCount = 0;
  /** Calls that came here because another target had failed. */
  fallbackCount = 0;

  constructor(target: Target, { clock, random, queue, settings }: TargetStateParts) {
    this.id = target.model.id;
    this.provider = target.provider.name;
    this.concurrency = new AdaptiveConcurrency(clock, () => {
      const { dispatch, concurrencyMax } = settings();
      const { adaptation, targetMin, targetMax, latencyPercentMax } = dispatch.concurrency;
      const max = Math.min(targetMax, concurrencyMax);
      return {
        concurrencyMin: Math.min(targetMin, max),
        concurrencyMax: max,
        latencyRatioMax: latencyPercentMax / percent,
        adapts: adaptation === "latency",
      };
    });
    this.lane = queue.openLane(this.concurrency);
    this.health = new TargetHealth({
      clock,
      random,
      bounds: () => {
        const { failureCountMax, openMsMin, openMsMax } = settings().dispatch.breaker;
        const countMax = failureCountMax === 0 ? Number.POSITIVE_INFINITY : failureCountMax;
        return { failureCountMax: countMax, openMsMin, openMsMax };
      },
    });
    this.budget = new RetryBudget(clock, () => {
      const { budgetPercent, budgetPerSecondMin } = settings().dispatch.retries;
      return {
        share: budgetPercent / percent,
        perSecondMin: budgetPerSecondMin,
        savedMax: Math.max(savedMin, budgetPerSecondMin * savedSecondsMax),
      };
    });
  }

  countFailure(reason: FailureReason): void {
    this.failureCounts.set(reason, (this.failureCounts.get(reason) ?? 0) + 1);
  }
}
