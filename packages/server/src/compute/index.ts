/** Compute: which jobs run on which devices, and the reservations that pay for them. */

export {
  Allocator,
  type AllocatorCounts,
  type HeadReport,
  type RunningReport,
  type SubmitOutcome,
} from "./allocator.ts";
export type { AllocatorOptions } from "./allocator-state.ts";
export { type CapacityProvider, type ComputeNode, staticCapacity } from "./capacity.ts";
export { Compute } from "./compute.ts";
export { registerComputeMetrics } from "./compute-metrics.ts";
export { configureAllocator } from "./configure-allocator.ts";
export type { Decision, Placement } from "./decision.ts";
export { type Explanation, explainWait, type Remedy } from "./explain-wait.ts";
export type { StartOrder } from "./job-record.ts";
export type { JobRequest, MemberDemand } from "./job.ts";
export { defaultTenantPolicy, type TenantPolicy } from "./tenant-state.ts";
export type { Wait } from "./wait.ts";
export type { ReservationEnd, ReservationStage } from "./reservation-record.ts";
export type { ReservationOptions } from "./reservation-options.ts";
export { type Moment, Reservations } from "./reservations.ts";
export type {
  IntervalUse,
  Release,
  ReleaseOutcome,
  Renewal,
  RenewOutcome,
  ReservationLedger,
  ReserveOutcome,
  ReserveRequest,
  UseOutcome,
  WorkDifference,
} from "./reservation-ledger.ts";
