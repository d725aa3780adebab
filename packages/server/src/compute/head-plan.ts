/** What is kept for the head of a lane: the first job that waits for capacity. */

import type { JobRecord } from "./job-record.ts";
import type { NodeState, Room } from "./node-state.ts";

export interface HeadPlan {
  readonly job: JobRecord;
  /** When it can start, if every running job takes all of its time. */
  readonly startMs: number;
  /** The earliest start that was ever planned for it; back-fill delays it by no more than its bound beyond this. */
  readonly promisedMs: number;
  /** The nodes that it will take, and what is left of each beside it at that time. */
  readonly besides: ReadonlyMap<NodeState, Room>;
  /** Running jobs by whose end it can start. */
  readonly awaited: readonly JobRecord[];
}
