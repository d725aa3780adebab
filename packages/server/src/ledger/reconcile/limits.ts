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
  /** Lines of invoices that one list shows. */
  invoiceLineCountMax: 1_000,
  /** A charge that is so old is committed, or never will be. */
  committedMs: 30_000,
  /** A use may be reported so long after its hold expired. */
  lateUseMs: 3_600_000,
  /** Uses of journals that wait for a second look; when there are more, those are looked at before the rest is read. */
  suspectCountMax: 20_000,
  /** Runs in one list when nobody says how many. */
  listedCount: 50,
} as const;
