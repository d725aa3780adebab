/** Every bound of the dispatch of calls to targets, named. */

export const dispatchLimits = {
  /** Tenants that have nothing waiting, and are remembered for a lane or a queue all the same. */
  idleTenantCountMax: 64,
  /** Calls that wait for one provider in one worker; each holds its body. */
  queueLengthMax: 256,
  /** A waiting call rises to the next more urgent class after this long. */
  queueAgeMs: 2_000,
  /** How often the targets of a route are compared with each other. */
  outlierMs: 1_000,
  /** The weight of a tenant in the sharing of a provider. */
  tenantWeightMax: 1_000,
  /** What one call may cost in the sharing: beyond it, calls count as equally large. */
  queueCostMax: 2_000_000,
  /** Samples of latency that one window keeps for its median. */
  latencySampleCountMax: 64,
  /** Windows whose lowest median is the latency of a target that is not loaded. */
  latencyBaselineWindowCount: 48,
  /** `Retry-After` beyond this is read as this. */
  retryAfterMsMax: 86_400_000,
  /** Attempts of one operation, whatever the configuration asks for. */
  attemptCountMax: 10,
  /** Less time than this is not worth an attempt. */
  attemptMsMin: 20,
  /** Slices of time over which the success rate of a target is counted. */
  healthSliceCount: 6,
  healthSliceMs: 5_000,
  /** What a timeout header may ask for. */
  timeoutMsMax: 86_400_000,
  /** Time kept back from the total deadline so that its error can still be written. */
  encodeReserveMsMax: 100,
  /** Start-up frames without content that are held back before the stream is committed. */
  earlyFrameCountMax: 64,
  earlyFrameBytesMax: 262_144,
} as const;
