/** Everything about a case that is bounded. */

export const caseLimits = {
  /** Investigations, which hold their snapshots in memory, that run at once; further ones are told to come back. */
  investigationCountMax: 8,
  /** Length of a case's window. */
  windowMsMax: 7 * 24 * 3_600_000,
  /** Traces of the subject that are looked at in order to choose. */
  traceCountSeenMax: 2_000,
  /** Traces chosen because they failed or are slow, and as a baseline, before a repair. */
  slowTraceCountMax: 12,
  baselineTraceCountMax: 12,
  /** After a repair more are taken, so that they can cover those before. */
  afterTraceCountMax: 120,
  /** Of these, traces of operations that did not show the fault. */
  otherOperationTraceCountMax: 20,
  /** Operations whose number of traces a snapshot tells, those that showed the fault first to stay. */
  operationsSeenCountMax: 200,
  /** Spans of all traces of one snapshot; traces beyond it are left out, and the snapshot says so. */
  snapshotSpanCountMax: 100_000,
  /** Of the export of a ledger that a case freezes. */
  ledgerBytesMax: 25_165_824,
  /** A trace younger than this whose spans lack a parent is still arriving, and is left out. */
  traceSettleMs: 30_000,
  findingCountMax: 100,
  /** References kept of each finding; the snapshot has them all. */
  findingReferenceCountMax: 16,
  hypothesisCountMax: 12,
  hypothesisReferenceCountMax: 20,
  /** Conditions and reasons that a verification records, those that are not met first to stay. */
  coverageConditionCountMax: 64,
  mitigationCountMax: 50,
  verificationCountMax: 100,
  /** Cases on one page of the list. */
  pageSizeMax: 200,
  pageSizeDefault: 50,
} as const;
