/** Reads how calls are spread over targets, tried again and held back. */

import type { DispatchConfig } from "./dispatch-config.ts";
import type { ConfigFile } from "./file-schema.ts";

interface DispatchSources {
  /** A whole number with a default. */
  readonly number: (name: string) => number;
  /** A text with a default. */
  readonly text: (name: string) => string;
  readonly tenants: ConfigFile["tenants"];
}

/** Puts the section together from its settings. */
export function readDispatch({ number, text, tenants = [] }: DispatchSources): DispatchConfig {
  const retries = (name: string): number => number(`gateway.retries.${name}`);
  const breaker = (name: string): number => number(`gateway.breaker.${name}`);
  const concurrency = (name: string): number => number(`gateway.concurrency.${name}`);
  return {
    retries: {
      attemptCountMax: retries("attemptCountMax"),
      sameTargetCountMax: retries("sameTargetCountMax"),
      backoffMsMin: retries("backoffMsMin"),
      backoffMsMax: retries("backoffMsMax"),
      patienceMsMax: retries("patienceMsMax"),
      budgetPercent: retries("budgetPercent"),
      budgetPerSecondMin: retries("budgetPerSecondMin"),
    },
    breaker: {
      failureCountMax: breaker("failureCountMax"),
      openMsMin: breaker("openMsMin"),
      openMsMax: breaker("openMsMax"),
      ejectedPercentMax: breaker("ejectedPercentMax"),
    },
    concurrency: {
      adaptation: text("gateway.concurrency.adaptation") === "none" ? "none" : "latency",
      targetMin: concurrency("targetMin"),
      targetMax: concurrency("targetMax"),
      latencyPercentMax: concurrency("latencyPercentMax"),
    },
    tenantWeights: Object.fromEntries(
      tenants.flatMap(({ id, weight }) => (weight === undefined ? [] : [[id, weight]])),
    ),
  };
}
