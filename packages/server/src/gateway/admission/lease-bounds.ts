/** The bounds of limits that are leased in slices. */

export const leaseBounds = {
  /** What a slice of a rate holds beyond what a call needs now: this much of the rate's time. */
  sliceMs: 200,
  /** What a slice of concurrency holds beyond what is in use: this share of the limit. */
  slicePermitShare: 1 / 16,
  /** A slice that nobody used for this long goes back. */
  sliceIdleMs: 1_000,
  /** How often slices are reported, and what they hold too much goes back. */
  reportMs: 100,
  /** How long a call waits for the control process before it is refused. */
  askMsMax: 2_000,
  /** How long the control process waits for slices that it recalled before it decides without them. */
  recallMsMax: 1_000,
  /** Calls of one worker that wait for the control process. */
  waitingCountMax: 4_096,
  /** Asks in one message. */
  askBatchMax: 256,
  /** A refusal is remembered for at most this long, so that a caller that hammers does not ask each time. */
  refusalMsKept: 100,
  refusalCountKept: 1_000,
  /** Users, keys or addresses of one tenant that are counted one by one; all others share one counter. */
  layersPerTenantMax: 1_000,
  /** Counters altogether. */
  layersMax: 200_000,
  /** How often counters that say nothing any more are dropped. */
  sweepMs: 1_000,
  /** A longer name of a user is known by its hash. */
  userLengthMax: 64,
  /** When a place will be free is not known; a caller is told to come back after this time. */
  permitRetryMs: 1_000,
  /** Reservations of one slice that may still be given back in part. */
  reservationCountMax: 100_000,
  /** Client addresses of which failed keys are counted. */
  failedAddressCountMax: 10_000,
  /** Failures in one message; what is beyond is counted by the worker alone. */
  failedBatchMax: 1_000,
} as const;

const msPerMinute = 60_000;

/** Units that a rate gives in one millisecond. */
export function unitsPerMs(perMinute: number): number {
  return perMinute / msPerMinute;
}

/** What a slice of a rate keeps in reserve. */
export function rateReserve(perMinute: number): number {
  return Math.floor(unitsPerMs(perMinute) * leaseBounds.sliceMs);
}

/** What a slice of concurrency keeps in reserve. */
export function permitReserve(concurrencyMax: number): number {
  return Math.floor(concurrencyMax * leaseBounds.slicePermitShare);
}
