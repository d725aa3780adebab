/** What a caller is told when the journal does not take a record. */

import { PlatformError } from "@faultline/protocol";
import { JournalError } from "@faultline/journal";

/** The error of a full journal or disk. */
export function storageFull(cause?: unknown): PlatformError {
  return new PlatformError(
    "storage_full",
    "There is no room to keep this reply, and what cannot be kept is not begun.",
    { cause, hint: "The operator must make room on the disk, or raise the bounds of `gateway`." },
  );
}

/** Translates what a journal throws. */
export function toJournalFailure(error: unknown): PlatformError {
  if (error instanceof JournalError && error.code === "journal_full") return storageFull(error);
  return new PlatformError(
    "journal_unavailable",
    "The journal of this gateway process takes no records.",
    { cause: error, hint: "Try again; the operator finds the cause in the log." },
  );
}
