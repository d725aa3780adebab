/** The schema of the sections `gateway.retries`, `gateway.breaker` and `gateway.concurrency` of `faultline.yaml`. */

import { defaultDispatch } from "./dispatch-config.ts";
import { choice, group, whole } from "./schema-fields.ts";

const { retries, breaker, concurrency } = defaultDispatch;
const durationMsMax = 600_000;

/** The section `gateway.retries`. */
export const RetrySettings = group({
  attemptCountMax: whole({
    minimum: 1,
    maximum: 10,
    default: retries.attemptCountMax,
    description: "Attempts for one call, over all its targets; 1 never tries again.",
  }),
  sameTargetCountMax: whole({
    minimum: 1,
    maximum: 10,
    default: retries.sameTargetCountMax,
    description: "Attempts in a row with one target.",
  }),
  backoffMsMin: whole({
    minimum: 1,
    maximum: durationMsMax,
    default: retries.backoffMsMin,
    description: "The wait before the first retry is below this, by chance, and doubles.",
  }),
  backoffMsMax: whole({
    minimum: 1,
    maximum: durationMsMax,
    default: retries.backoffMsMax,
    description: "No wait is longer, unless the provider asks for it.",
  }),
  patienceMsMax: whole({
    minimum: 0,
    maximum: durationMsMax,
    default: retries.patienceMsMax,
    description: "A longer wait that a provider asks for leads to another target, if there is one.",
  }),
  budgetPercent: whole({
    minimum: 0,
    maximum: 100,
    default: retries.budgetPercent,
    description: "Retries for each hundred calls to a target, in one gateway process.",
  }),
  budgetPerSecondMin: whole({
    minimum: 0,
    maximum: 10_000,
    default: retries.budgetPerSecondMin,
    description: "Retries that each second allows whatever the traffic, in one gateway process.",
  }),
});

/** The section `gateway.breaker`. */
export const BreakerSettings = group({
  failureCountMax: whole({
    minimum: 0,
    maximum: 10_000,
    default: breaker.failureCountMax,
    description: "Failures in a row that take a target out; 0 never does.",
  }),
  openMsMin: whole({
    minimum: 1,
    maximum: durationMsMax,
    default: breaker.openMsMin,
    description: "How long a target is out before one call probes it; doubles while probes fail.",
  }),
  openMsMax: whole({
    minimum: 1,
    maximum: durationMsMax,
    default: breaker.openMsMax,
    description: "No target is out for longer without a probe.",
  }),
  ejectedPercentMax: whole({
    minimum: 0,
    maximum: 100,
    default: breaker.ejectedPercentMax,
    description:
      "The share of a route's targets that may be out for failing far more often than the others.",
  }),
});

/** The section `gateway.concurrency`. */
export const ConcurrencySettings = group({
  adaptation: choice(["latency", "none"], {
    default: concurrency.adaptation,
    description: "`latency` lowers the calls at once with a target when they slow it down.",
  }),
  targetMin: whole({
    minimum: 1,
    maximum: 100_000,
    default: concurrency.targetMin,
    description: "Calls at once with one target that are never too many, in one gateway process.",
  }),
  targetMax: whole({
    minimum: 1,
    maximum: 100_000,
    default: concurrency.targetMax,
    description: "Calls at once with one target, in one gateway process.",
  }),
  latencyPercentMax: whole({
    minimum: 110,
    maximum: 10_000,
    default: concurrency.latencyPercentMax,
    description: "Latency in percent of an idle target's above which fewer calls go at once.",
  }),
});
