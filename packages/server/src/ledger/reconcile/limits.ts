/** The bounds of what reconciliation reads and keeps. */

export const reconcileLimits = {
  /** Differences of a run that are kept one by one; all are counted. */
  keptDifferenceCountMax: 500,
  /** Their text, of one run. */
  keptBytesMax: 4_000_000,
  /** How long a run is kept. */
  keptMs: 400 * 86_400_000,
  /** All runs of a tenant as the database stores them; the oldest are dropped. */
  historyBytesMax: 67_108_864,
  /** Runs in one list when nobody says how many. */
  listedCount: 50,
} as const;
