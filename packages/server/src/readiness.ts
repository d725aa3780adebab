/** Whether everything that work needs is there. */

import type { Gateway } from "#gateway/index.ts";
import { raceAbort } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";
import { PlatformError, type Readiness, type ReadinessCheck } from "@faultline/protocol";

export interface ReadinessQuestion {
  readonly store: Pick<Store, "ping">;
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
    check("journals", async () => requireJournals(await raceAbort(gateway, signal))),
  ]);
  return { ready: checks.every(({ ready }) => ready), checks };
}

function requireWorkers({ workerIds }: Gateway): void {
  if (workerIds.length > 0) return;
  throw new PlatformError("control_unavailable", "No gateway process runs.");
}

/** Where they fail, no durable stream, no call with an `Idempotency-Key`, or no call of a tenant that pays is served. */
function requireJournals({ failedJournalCount }: Gateway): void {
  if (failedJournalCount === 0) return;
  throw new PlatformError(
    "journal_unavailable",
    `${failedJournalCount} journals of the gateway take no records.`,
  );
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
