/** Whether everything that work needs is there. */

import type { Gateway } from "#gateway/index.ts";
import type { Store } from "#storage/index.ts";
import { PlatformError, type Readiness, type ReadinessCheck } from "@faultline/protocol";

export interface ReadinessQuestion {
  readonly store: Store;
  readonly gateway: Promise<Gateway>;
  readonly signal: AbortSignal;
}

/** Asks each part; never throws. */
export async function checkReadiness({ store, signal }: ReadinessQuestion): Promise<Readiness> {
  const checks = [await check("database", () => store.ping(signal))];
  return { ready: checks.every(({ ready }) => ready), checks };
}

async function check(name: string, ask: () => Promise<void>): Promise<ReadinessCheck> {
  try {
    await ask();
    return { name, ready: true };
  } catch (error) {
    const detail =
      error instanceof PlatformError ? `${error.code}: ${error.message}` : "it does not answer";
    return { name, ready: false, detail };
  }
}
