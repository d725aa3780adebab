/** What `fan-out/repeated-query` counts as repeated. Every threshold is here, with its default. */

export interface RepeatedQueryOptions {
  /** Executions of one call within one unit of work from which on it counts as repeated. */
  readonly countMin: number;
  /** List length from which on a list says something about batching. */
  readonly listLengthMin: number;
  /** Slope (calls per list item) from which on the count is said to grow with the list. */
  readonly growthSlopeMin: number;
  /** Coefficient of determination that the line through (list length, count) must reach. */
  readonly growthDeterminationMin: number;
  /** A median pause between calls from which on they are polling or a session, not a loop. */
  readonly pollingPauseMicrosMin: number;
  /** A shorter pause counts as polling too when it is as regular as a timer. */
  readonly regularPauseMicrosMin: number;
  /** Standard deviation over mean of pauses up to which they are regular. */
  readonly regularPauseVariationMax: number;
  /** A median pause from which on calls with the same values may be waiting for a change. */
  readonly waitingPauseMicrosMin: number;
  /** Stores in memory next door, whose single reads are the batched access of another store. */
  readonly cacheSystems: readonly string[];
}

export const repeatedQueryDefaults: RepeatedQueryOptions = {
  countMin: 5,
  listLengthMin: 5,
  growthSlopeMin: 0.5,
  growthDeterminationMin: 0.9,
  pollingPauseMicrosMin: 1_000_000,
  regularPauseMicrosMin: 100_000,
  regularPauseVariationMax: 0.25,
  waitingPauseMicrosMin: 20_000,
  cacheSystems: ["redis", "valkey", "keydb", "garnet", "memcached", "dragonfly", "hazelcast"],
};

/** Limits of the work and of what one finding quotes. */
export const fanOutLimits = {
  /** Distinct statements and URLs whose reduced form is remembered during one check. */
  fingerprintCacheMax: 20_000,
  /** Characters of a statement that are tokenised; the rest only takes part in equality of length. */
  statementLengthMax: 16_384,
  /** Calls quoted of each of the requests that are quoted. */
  spansQuotedMax: 4,
  requestsQuotedMax: 8,
  /** Calls of the worst request that are listed, so that each offender can be found. */
  offendersQuotedMax: 200,
} as const;
