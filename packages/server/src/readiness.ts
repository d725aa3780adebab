/** Whether everything that work needs is there. */

import type { Gateway } from "#gateway/index.ts";
import { raceAbort } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";
import { PlatformError, type Readiness, type ReadinessCheck } from "@faultline/protocol";

export interface ReadinessQuestion {
  readonly store: Store;
  readonly gateway: Promise<Gateway>;
  readonly signal: AbortSignal;
}

/** Asks each part; never throws. */
export async function checkReadiness({
  store,
  gateway,
  signal,
}: ReadinessQuestion): Promise<Readiness> {
  const checks = await Promise.all([
    check("database", () => store.ping(signal)),
    check("gateway", async () => requireWorkers(await raceAbort(gateway, signal))),
  ]);
  return { ready: checks.every(({ ready }) => ready), checks };
}

function requireWorkers({ workerIds }: Gateway): void {
  if (workerIds.length > 0) return;
  throw new PlatformError("control_unavailable", "No gateway process runs.");
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
