/** What `fan-out/repeated-query` counts as repeated. Every threshold is here, with its default. */

import type { ContractDefinition } from "../../model/define-contract.ts";

export interface RepeatedQueryOptions {
  readonly countMin: number;
  readonly totalMillisMin: number;
  readonly listLengthMin: number;
  readonly growthSlopeMin: number;
  readonly growthDeterminationMin: number;
  readonly pollingPauseMicrosMin: number;
  readonly regularPauseMicrosMin: number;
  readonly regularPauseVariationMax: number;
  readonly waitingPauseMicrosMin: number;
  readonly cacheSystems: readonly string[];
}

export const repeatedQueryOptions: ContractDefinition<RepeatedQueryOptions>["options"] = {
  countMin: {
    default: 5,
    description: "Calls of one shape within one unit of work from which on they count as repeated.",
  },
  totalMillisMin: {
    default: 0,
    description:
      "Milliseconds that the repeated calls of one unit must take together; 0 because a recording of a small list on a fast machine shows the same loop.",
  },
  listLengthMin: {
    default: 5,
    description: "Length from which on a list says something about batching.",
  },
  growthSlopeMin: {
    default: 0.5,
    description: "Calls per further item from which on the count is said to grow with the list.",
  },
  growthDeterminationMin: {
    default: 0.9,
    description: "R² that the line through list length and count must reach.",
  },
  pollingPauseMicrosMin: {
    default: 1_000_000,
    description: "Median pause from which on calls are polling or a session, not a loop.",
  },
  regularPauseMicrosMin: {
    default: 100_000,
    description: "The same for pauses that are as regular as a timer.",
  },
  regularPauseVariationMax: {
    default: 0.25,
    description: "Standard deviation over mean up to which pauses are regular.",
  },
  waitingPauseMicrosMin: {
    default: 20_000,
    description: "Median pause from which on equal statements may be waiting for a change.",
  },
  cacheSystems: {
    default: ["redis", "valkey", "keydb", "garnet", "memcached", "dragonfly", "hazelcast"],
    description:
      "Stores in memory next door, whose single reads are the batched access of another store.",
  },
};

/** Limits of the work and of what one finding quotes. */
export const fanOutLimits = {
  /** Calls quoted of each of the requests that are quoted. */
  spansQuotedMax: 4,
  requestsQuotedMax: 8,
  /** Calls of the worst request that are listed, so that each offender can be found. */
  offendersQuotedMax: 200,
} as const;
