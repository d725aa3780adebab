/** Load in an open loop: requests are due at a rate, whether or not earlier ones were answered. */

import type { Scenario } from "./scenario.ts";
import { Load } from "./load.ts";
import type { Target } from "./target.ts";

/** So many connections that one is free for each request, unless the target falls behind. */
const connectionCount = 256;
const tickMs = 1;

export interface OpenLoadPlan {
  readonly requestsPerSecond: number;
  readonly requestCount: number;
}

/** Milliseconds from when each request could be sent at the earliest to its first byte, ascending. */
export async function runOpenLoad(
  target: Target,
  scenario: Scenario,
  { requestsPerSecond, requestCount }: OpenLoadPlan,
): Promise<number[]> {
  await using load = await Load.open(target, scenario, connectionCount);
  const waits: number[] = [];
  const open: Promise<void>[] = [];
  const startedMs = performance.now();
  let sentCount = 0;
  while (sentCount < requestCount) {
    const dueCount = Math.min(
      requestCount,
      Math.ceil(((performance.now() - startedMs) / 1_000) * requestsPerSecond),
    );
    for (; sentCount < dueCount; sentCount += 1) {
      open.push(load.askOnce().then((waitedMs) => void waits.push(waitedMs)));
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  await Promise.all(open);
  return waits.sort((left, right) => left - right);
}
