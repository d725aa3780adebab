/**
 * Bounds how many names are looked up at once. The system looks names up in threads, few of which a process has for its files too,
 * and nothing breaks a look-up off: names whose servers do not answer, which a tenant may choose, must not take them all.
 */

import { raceAbort } from "#kernel/index.ts";

import type { Resolve } from "./send-webhook.ts";

/** As `resolve`, with at most `countMax` look-ups under way; who gives up before its turn asks nothing. */
export function boundedResolve(resolve: Resolve, countMax: number): Resolve {
  let count = 0;
  const waiting = new Set<() => void>();
  const next = (): void => {
    const [begin] = waiting;
    if (begin === undefined) count -= 1;
    else begin();
  };
  const turn = async (signal: AbortSignal): Promise<void> => {
    if (count < countMax) {
      count += 1;
      return;
    }
    const { promise, resolve: begin } = Promise.withResolvers<void>();
    const take = (): void => {
      waiting.delete(take);
      begin();
    };
    waiting.add(take);
    try {
      await raceAbort(promise, signal);
    } catch (error) {
      // A turn that came at the moment in which its taker gave up is the next one's.
      if (!waiting.delete(take)) next();
      throw error;
    }
  };
  return async (host, signal) => {
    await turn(signal);
    // Whoever gives up leaves its look-up under way: the turn ends with that.
    return await resolve(host, signal).finally(next);
  };
}
