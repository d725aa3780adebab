/** Waiting in tests for what another process or a socket must bring about. */

import { systemClock } from "@faultline/server/kernel/index.ts";

const pollMs = 20;
const { signal } = new AbortController();

/** Resolves once it holds; the limit of the test bounds the wait. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(pollMs, signal);
}
