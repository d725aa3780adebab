/** The bounds of how the gateway's processes work with lent credit. */

export const creditLimits = {
  /** From when a worker asked for a lease, or renewed it, nothing is admitted out of it after this time. */
  leaseDurationMs: 120_000,
  /** A lease of less is not worth its movement: near the end of the credit each call is held by itself. */
  leaseMicrosMin: 10_000,
  /** How often a worker reports what was used, and asks for what runs low. */
  reportMs: 100,
  /** Credit of a tenant that makes no calls for this long goes back. */
  idleMsMax: 30_000,
  /** How long a call waits for the ledger before it is refused with `ledger_unavailable`. */
  askMsMax: 15_000,
  /** After the ledger could not answer, calls are refused at once for this long. */
  unavailableMs: 1_000,
  /** Calls of one tenant in one worker that wait for credit; the next is refused with `ledger_unavailable`. */
  waitingCountMax: 10_000,
  /** While calls under way may give credit back, one that lacks it waits so long before it is refused. */
  shortageMsMax: 10_000,
  /** From one round in which idle credit is called back to the next. */
  recallPauseMs: 20,
  /** A worker that does not answer a recall is not waited for longer. */
  recallMsMax: 500,
  /** A command without an answer is sent again after this time. */
  resendMs: 500,
  /** What a hold outlives the deadline of its call by; a worker that died is looked after before. */
  holdGraceMs: 600_000,
  holdMsMax: 86_400_000,
  /** A file of the journal of usage is closed when it is this long; one is removed when nothing in it is open. */
  journalFileBytesMax: 16_777_216,
  journalFilesMax: 1_000,
  /** How often the journals of workers that ended are looked for. */
  recoveryMs: 1_000,
  /** A journal that could not be read is read again after this time. */
  rereadMs: 5_000,
  /** The journal of a life of which nothing is open is kept for this long. */
  journalKeptMs: 30_000,
  /** Reconciliation reads no more of journals at once, in bytes and in records, and no longer line. */
  comparedBytesMax: 134_217_728,
  comparedRecordCountMax: 2_000,
  usageLineBytesMax: 16_777_216,
  /** When a process ends, its credit goes back within this time, or is left to be recovered. */
  returnMsMax: 2_000,
  /** Models, prices and bundles that the calls of a key are remembered with. */
  termsPerKeyMax: 16,
  /** The output limit that a call gets whose caller set none. */
  outputTokensDefault: 4_096,
  /** What one image may cost beyond its bytes: a short address can stand for a large picture. */
  imageTokensMax: 50_000,
  tagCountMax: 16,
  nameLengthMax: 128,
} as const;
