/** A job that waits or runs. */

import type { JobShape } from "./job-shape.ts";
import type { JobRequest } from "./job.ts";
import type { Seat } from "./node-state.ts";
import type { TenantState } from "./tenant-state.ts";

/** How a job came to start: when it was its turn, or past a head that waits. */
export type StartOrder = "turn" | "back-fill";

export interface JobRun {
  readonly seats: readonly Seat[];
  readonly startedAtMs: number;
  /** When its reservation is used up. */
  readonly endsAtMs: number;
  readonly order: StartOrder;
}

export interface JobRecord {
  readonly request: JobRequest;
  readonly shape: JobShape;
  readonly tenant: TenantState;
  /** The greater goes first among the jobs of a tenant. */
  readonly orderKey: number;
  /** Present while it runs. */
  run: JobRun | undefined;
}

/**
 * Priority with ageing: each `ageingMs` of waiting is worth one priority. As every job ages alike, the difference of two
 * jobs never changes, and the key needs no clock.
 */
export function orderKeyOf(request: JobRequest, ageingMs: number): number {
  return request.priority * ageingMs - request.submittedAtMs;
}

/** The order of the jobs of one tenant. */
export function compareJobs(left: JobRecord, right: JobRecord): number {
  return right.orderKey - left.orderKey || compareText(left.request.id, right.request.id);
}

/** The order of texts by code units, the same on every machine. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
