/** The bounds of the ledger's service. */

export const ledgerServiceLimits = {
  /** Commands that are written in one transaction: few enough that the next ones are decided meanwhile. */
  batchCommandCountMax: 1_024,
  /** Batches that are on their way to the database: one that it writes, one that it has at hand, and one on the way. */
  sentBatchCountMax: 3,
  /** From so many transfers on a batch takes no more commands: reports of leases bring many each. */
  batchTransferCount: 20_000,
  /** Callers that are told of a commit in one turn of the event loop. */
  answersPerTurn: 256,
  /** Commands of one tenant that wait; the next is refused with `ledger_unavailable`. */
  waitingCountMax: 65_536,
  /** From its arrival a command is decided within this time, or is answered with `ledger_unavailable`. */
  waitMsMax: 10_000,
  /** How long one batch, or one reading of a ledger, may take. */
  writeMsMax: 15_000,
  /** How often a command is decided anew after a write that failed. */
  attemptCountMax: 3,
  /** Commands, uses and ended holds that are kept in memory; older ones are looked up. */
  keptCommandCountMax: 20_000,
  keptUseCountMax: 20_000,
  keptEndedHoldCountMax: 5_000,
  /** Above this many lots those that are used up are forgotten. */
  keptLotCount: 1_000,
  /** Ledgers in memory; the one that was longest idle leaves first. */
  tenantCountMax: 1_000,
  /** A ledger that nobody asked for this long leaves the memory. */
  idleMsMax: 600_000,
  /** How often what ran out is looked for. */
  sweepIntervalMs: 1_000,
  /** A hold is not ended sooner after its ledger was read: renewals that are on their way come first. */
  renewalsComeMs: 5_000,
  /** A lease is not given up sooner after its ledger was read: whoever reads its worker's journal comes first. */
  recoveryComesMs: 60_000,
  /** Every so many sweeps also in tenants whose ledgers are not in memory. */
  sweepsPerSearch: 30,
  /** Tenants that one search finds. */
  foundTenantCountMax: 200,
  /** Open holds and leases that one reading gives. */
  openReserveCountMax: 10_000,
} as const;
