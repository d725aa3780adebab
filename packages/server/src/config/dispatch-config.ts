/** How calls are spread over targets, tried again and held back: the typed part of the configuration, and its defaults. */

export interface RetryConfig {
  /** Attempts for one call, over all its targets; 1 never tries again. */
  readonly attemptCountMax: number;
  /** Attempts in a row with one target. */
  readonly sameTargetCountMax: number;
  /** The back-off before the first retry is below this, and doubles from one to the next. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** Where another target is at hand, nobody waits longer than this for the same one. */
  readonly patienceMsMax: number;
  /** Retries for each hundred calls to a target, in one process. */
  readonly budgetPercent: number;
  /** Retries that each second allows a target, whatever its traffic, in one process. */
  readonly budgetPerSecondMin: number;
}

export interface BreakerConfig {
  /** Failures in a row that take a target out; 0 never does. */
  readonly failureCountMax: number;
  readonly openMsMin: number;
  readonly openMsMax: number;
  /** The share of a route's targets that may be out for failing more often than the others; 0 takes none out. */
  readonly ejectedPercentMax: number;
}

export interface ConcurrencyConfig {
  /** `none` leaves every target all places of the process. */
  readonly adaptation: "latency" | "none";
  /** Calls at once with one target, in one process, between which the limit moves. */
  readonly targetMin: number;
  readonly targetMax: number;
  /** Latency in percent of that of an idle target above which the limit falls. */
  readonly latencyPercentMax: number;
}

export interface DispatchConfig {
  readonly retries: RetryConfig;
  readonly breaker: BreakerConfig;
  readonly concurrency: ConcurrencyConfig;
  /** Shares of tenants where calls wait; who is not named has 1. */
  readonly tenantWeights: Readonly<Record<string, number>>;
}

/** What holds where the configuration says nothing. */
export const defaultDispatch: DispatchConfig = {
  retries: {
    attemptCountMax: 3,
    sameTargetCountMax: 2,
    backoffMsMin: 250,
    backoffMsMax: 4_000,
    patienceMsMax: 2_000,
    budgetPercent: 20,
    budgetPerSecondMin: 2,
  },
  breaker: { failureCountMax: 10, openMsMin: 2_000, openMsMax: 30_000, ejectedPercentMax: 50 },
  concurrency: {
    adaptation: "latency",
    targetMin: 16,
    targetMax: 10_000,
    latencyPercentMax: 250,
  },
  tenantWeights: {},
};
