/** Finds out when and where the head of a lane will start. */

import { assert } from "#kernel/index.ts";

import type { HeadPlan } from "./head-plan.ts";
import type { JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { Prospect } from "./prospect.ts";
import type { RegionNodes } from "./region-nodes.ts";

/**
 * Plans the start of a job that does not fit now, from the times that the running jobs have reserved. It must fit once
 * all of them have ended.
 */
export function planHead(lane: Lane, job: JobRecord, nowMs: number): HeadPlan {
  const prospect = new Prospect(lane, job.shape);
  const awaited: JobRecord[] = [];
  let startMs = nowMs;
  let found: RegionNodes | undefined;
  for (const running of lane.running) {
    assert(running.run !== undefined, "a running job has a run");
    const { endsAtMs } = running.run;
    // All that end at the time of the start are counted as ended, as they leave room for others too.
    if (found !== undefined && endsAtMs > startMs) break;
    const isConcerned = prospect.release(running, 1);
    if (!isConcerned || found !== undefined) continue;
    awaited.push(running);
    startMs = Math.max(nowMs, endsAtMs);
    found = prospect.findRegion();
  }
  assert(found !== undefined, "a head fits once all that runs has ended");
  return { job, startMs, promisedMs: startMs, besides: prospect.takeNodes(found), awaited };
}
