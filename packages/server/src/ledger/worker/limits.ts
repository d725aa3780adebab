/** The bounds of what a worker does with its leases. */

export const workerLimits = {
  /** As many as the ledger takes in one command. */
  chargesPerReportMax: 1_000,
  /** Uses of an account are reported together, from one report to the next. */
  reportMs: 100,
  /** After so many uses another lease takes over, so that what is written down of each stays bounded. */
  chargesPerLeaseMax: 20_000,
  /** How fast the measured rate of spending follows the real one. */
  burnHalfLifeMs: 2_000,
  /** A lease should last this long at the present rate. */
  leaseAheadMs: 4_000,
  /** When it lasts no longer than this, more is asked for. */
  renewAheadMs: 1_500,
  /** What lies idle beyond so many times the wish goes back. */
  surplusFactor: 4,
  /** A reserve whose journal cannot be read counts as spent so long before the ledger lets it go: by then all that was sent has come. */
  unreadAheadMs: 20_000,
  /** A command without an answer is sent again after this time. */
  resendMs: 500,
  /** Leases of one account that are not yet returned; no new one is asked for beyond. */
  leasesPerAccountMax: 8,
} as const;
