/** The bounds of what the books show at once. */

export const bookLimits = {
  lotCountMax: 1_000,
  leaseCountMax: 1_000,
  holdCountMax: 1_000,
  entryCountMax: 1_000,
  entryCount: 100,
  usageRowCountMax: 1_000,
  /** The window of usage when none is asked for. */
  usageWindowMs: 30 * 86_400_000,
  /** Holds and uses of one operation. */
  operationPartCountMax: 100,
} as const;
