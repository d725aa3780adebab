/** The bounds of kept replies, named. What a configuration can set is in `GatewaySettings` instead. */

export const streamLimits = {
  /** Parts of one reply, and of all replies of one journal, that wait for the disk; beyond it the provider waits. */
  replyWaitingBytesMax: 262_144,
  journalWaitingBytesMax: 8_388_608,
  /** One batch of a journal; so also the largest part of a reply. */
  batchBytesMax: 8_388_608,
  segmentBytesMax: 16_777_216,
  /** A longer piece of a reply is kept in parts of this length. */
  partBytesMax: 1_048_576,
  /** What a reply under way keeps in memory; older parts are read from the journal. */
  openMemoryBytesMax: 1_048_576,
  /** What replies that have ended keep in memory together, in one journal. */
  endedMemoryBytesMax: 33_554_432,
  /** Bytes of the journal between two remembered places of one reply. */
  checkpointBytes: 1_048_576,
  /** Replies in one journal, of one tenant and in all. */
  tenantReplyCountMax: 20_000,
  replyCountMax: 50_000,
  /** Readers of one reply at once. */
  followerCountMax: 256,
  /** A reader whose connection takes nothing for this long is cut off: what it reads cannot make room meanwhile. */
  readerStallMs: 60_000,
  /** From this share of a journal's bytes on, no new reply is admitted: those under way need the rest. */
  admissionFillMax: 0.9,
  /** From the first share on the oldest replies that have ended are dropped, down to the second. */
  pressureFill: 0.8,
  relievedFill: 0.6,
  /** How often replies that are past their time are dropped. */
  retentionTickMs: 5_000,
  /** How often a journal that could not be opened is tried again. */
  reopenMs: 500,
  /** A stream's id, and the id of an event, as a caller sends them. */
  idLengthMax: 64,
} as const;
