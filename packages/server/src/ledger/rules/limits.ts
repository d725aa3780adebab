/** The bounds of the ledger's rules. */

const dayMs = 86_400_000;

export const ledgerLimits = {
  /** The largest single amount: a thousand million units. Below 2^53, so that a worker may count in doubles, exactly. */
  amountMicrosMax: 1_000_000_000_000_000n,
  /** No account of a tenant goes beyond this on either side; far within 64 bits. */
  balanceMicrosMax: 1_000_000_000_000_000_000n,
  /** A hold that nobody renews ends after at most this long. */
  holdDurationMsMax: dayMs,
  /** A lease that nobody renews ends after at most this long. */
  leaseDurationMsMax: 600_000,
  /** From a lease's deadline on nothing is admitted; this much later what it never reported counts as spent. */
  leaseGraceMs: 300_000,
  /** One lease takes at most this share of what is available, so that little credit is stranded. */
  leaseShareDivisor: 4n,
  /** The longest rolling window of a budget. */
  rollingWindowMsMax: 366 * dayMs,
  /** A rolling window is counted in this many parts; spend leaves it with its whole part. */
  rollingWindowParts: 60,
  idLengthMax: 128,
  budgetCountMax: 1_000,
  budgetThresholdCountMax: 8,
  tagCountMax: 16,
  openHoldCountMax: 100_000,
  openLotCountMax: 10_000,
  openLeaseCountMax: 1_000,
  chargesPerReportMax: 1_000,
} as const;
