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
  /** The longest window that is read at once. */
  windowMsMax: 400 * 86_400_000,
  /** Longer windows are read from sums by the hour. */
  unsummedWindowMsMax: 2 * 86_400_000,
  seriesStepCount: 60,
  spendGroupCount: 7,
  /** Spend of the same keys, users, models and tags of budgets, told apart, on which forecasts stand. */
  recentSpendRowCountMax: 50_000,
  /** Rows of an export that are in memory at once. */
  exportPageRowCount: 2_000,
  /** Records of one kind in one export of a whole ledger, and the bytes of it, which are in memory at once. */
  ledgerExportRowCountMax: 200_000,
  ledgerExportBytesMax: 100_663_296,
  /** Such exports that are made at once. */
  ledgerExportCountMax: 2,
  /** What one reconciliation shows of each kind at most. */
  differenceCountMax: 100,
  /** Holds and uses of one operation. */
  operationPartCountMax: 100,
} as const;
