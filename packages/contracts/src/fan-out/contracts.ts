/** The contracts about how many calls an operation makes, and how much they bring. */

import type { Contract } from "../model/contract.ts";
import { boundedResult } from "./bounded-result.ts";
import { cacheStampede } from "./cache-stampede.ts";
import { consecutiveCalls } from "./consecutive-calls.ts";
import { hotPartition } from "./hot-partition.ts";
import { payloadSize } from "./payload-size.ts";
import { poolStarvation } from "./pool-starvation.ts";
import { repeatedQuery } from "./repeated-query/repeated-query.ts";
import { repeatedSequence } from "./repeated-sequence.ts";

export const fanOutContracts: readonly Contract[] = [
  repeatedQuery,
  repeatedSequence,
  consecutiveCalls,
  payloadSize,
  boundedResult,
  hotPartition,
  cacheStampede,
  poolStarvation,
];
