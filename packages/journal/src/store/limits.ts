/** The named bounds of the store. What passes one is refused with a typed error, never cut or dropped. */

/** Longest key. Keys are compared and copied often; what is longer belongs into the value. */
export const keyBytesMax = 4_096;

/** Longest value. It must fit one record of the log together with its key. */
export const valueBytesMax = 2 * 1_024 * 1_024;

/** Most writes of one batch or transaction: they are one record of the log and one step of the event loop. */
export const commitWriteCountMax = 65_536;

/** Most bytes of one batch or transaction, as encoded: with its head it fits one batch of the log. */
export const commitBytesMax = 3 * 1_024 * 1_024;

/** Most keys and ranges that one transaction may have read; each is validated when it commits. */
export const transactionReadCountMax = 65_536;

/** Most snapshots, scans and transactions open at once; each pins the versions that it reads. */
export const openViewCountMax = 4_096;

/** What an entry takes in memory beyond its key and value while it waits for compaction. */
export const overlayEntryOverheadBytes = 256;

/** Keys and values held in memory, with their overhead, unless the options say otherwise. */
export const residentBytesMaxDefault = 1_024 * 1_024 * 1_024;

/** Compaction starts when this much was written since the last one, unless the options say otherwise. */
export const compactionBytesDefault = 32 * 1_024 * 1_024;

/** Overlays that may wait for a compaction that keeps failing; after that the newest one just grows. */
export const sealedOverlayCountMax = 8;

/** Keys of one leaf of an overlay: small enough that an insertion moves little memory. */
export const leafKeyCountMax = 256;

/** A block of a snapshot file is closed before it grows beyond this, unless one entry does. */
export const blockBytesTarget = 64 * 1_024;

/** Longest block that is read: one target of small entries, or one entry that is larger, with room for new fields. */
export const blockBytesMax = blockBytesTarget + keyBytesMax + valueBytesMax + 64 * 1_024;

/** Snapshot files that are kept: the newest one, and the one before in case the newest is damaged later. */
export const snapshotFileCountKept = 2;

/**
 * A draft is written and synced by as much at a time. A sync of the log waits for the one of the draft that is before it
 * at the disk; this much takes little longer than the least, and four times as much seven times as long.
 */
export const draftWriteBytes = 256 * 1_024;

/** Shards of one folder. */
export const shardCountMax = 256;
