/** What goes wrong in a journal, in one closed list of codes. */

export type JournalErrorCode =
  /** The bytes break the format, or a checksum does not match. The place is named. */
  | "journal_corrupt"
  /** A newer version of the software wrote it; nothing was changed. */
  | "journal_version_newer"
  /** The disk or the journal's own capacity is full; nothing was damaged, and it works again when there is room. */
  | "journal_full"
  /** More callers wait than the limit allows; the same call may succeed later. */
  | "journal_busy"
  /** A write or a sync failed, so what the disk holds is unknown. The journal takes no more; open it anew. */
  | "journal_poisoned"
  /** Another process, or another part of this one, writes to the folder. */
  | "journal_locked"
  /** It was closed. */
  | "journal_closed"
  /** A record, or a batch of records that belong together, is beyond the size limit. */
  | "journal_record_too_large"
  /** The position lies in a segment that retention has dropped. */
  | "journal_position_dropped"
  /** The position is none of this log: beyond its end, or not where a record starts. */
  | "journal_position_unknown"
  /** The operating system refused a read, or the folder cannot be used. */
  | "journal_unreadable"
  /** A key, a value, a commit or what a transaction has read is beyond its bound; the caller must make it smaller. */
  | "store_limit_exceeded"
  /** Too many snapshots, scans and transactions of one store are open. */
  | "store_views_exhausted"
  /** The folder was made for another number of shards, or the key belongs to a shard that is not open here. */
  | "store_shard_mismatch";

/** Where in a journal something is: the file's name in the folder, and the byte in it. */
export interface JournalPlace {
  readonly segment: string;
  readonly offset: number;
}

export interface JournalErrorOptions {
  readonly place?: JournalPlace | undefined;
  readonly cause?: unknown;
}

/** The one error that this package throws on purpose. */
export class JournalError extends Error {
  override readonly name = "JournalError";
  readonly code: JournalErrorCode;
  /** Where in the folder; always there for `journal_corrupt`. */
  readonly place: JournalPlace | undefined;

  constructor(code: JournalErrorCode, message: string, options: JournalErrorOptions = {}) {
    const { place, cause } = options;
    super(
      place === undefined ? message : `${message} (${place.segment}, byte ${place.offset})`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.place = place;
  }
}

/** An error with the code of the operating system, such as `ENOSPC`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Whether the operating system says that there is no room: on the disk, in the quota, or in a file. */
export function isNoRoom(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}
