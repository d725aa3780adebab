/** Replays a trace of jobs on an allocator: jobs arrive, run for their time, and end. */

import type { Allocator } from "../allocator.ts";
import type { JobRequest } from "../job.ts";

export interface TracedJob {
  readonly request: JobRequest;
  /** How long it runs in truth; never longer than it reserved. */
  readonly runsMs: number;
}

export interface Replay {
  readonly startMsOf: ReadonlyMap<string, number>;
  readonly endMs: number;
}

/** What a watcher sees after each pass. */
export type Watch = (nowMs: number, runsMsOf: (jobId: string) => number) => void;

/** Replays until nothing happens any more. Jobs that were preempted are gone. */
export function replay(allocator: Allocator, trace: readonly TracedJob[], watch?: Watch): Replay {
  const arrivals = trace.toSorted((x, y) => x.request.submittedAtMs - y.request.submittedAtMs);
  const runsMs = new Map(trace.map((traced) => [traced.request.id, traced.runsMs]));
  const runsMsOf = (jobId: string): number => runsMs.get(jobId) ?? 0;
  const startMsOf = new Map<string, number>();
  const running = new Map<string, number>();
  let arrived = 0;
  let endMs = 0;
  for (;;) {
    const nextArrivalMs = arrivals[arrived]?.request.submittedAtMs ?? Number.POSITIVE_INFINITY;
    const nowMs = Math.min(nextArrivalMs, ...running.values());
    if (nowMs === Number.POSITIVE_INFINITY) return { startMsOf, endMs };
    for (const [jobId, endsMs] of running) {
      if (endsMs > nowMs) continue;
      running.delete(jobId);
      allocator.end(jobId, nowMs);
      endMs = nowMs;
    }
    for (; arrivals[arrived]?.request.submittedAtMs === nowMs; arrived += 1) {
      const traced = arrivals[arrived];
      if (traced !== undefined) allocator.submit(traced.request);
    }
    for (const decision of allocator.pass(nowMs)) {
      if (decision.kind === "admitted") {
        startMsOf.set(decision.jobId, nowMs);
        running.set(decision.jobId, nowMs + runsMsOf(decision.jobId));
      } else running.delete(decision.jobId);
    }
    watch?.(nowMs, runsMsOf);
  }
}
