/** What is wrong with a file, and where. */

import { JournalError } from "../journal-error.ts";

/** Where bytes come from, for the place in an error. */
export interface BytesPlace {
  readonly file: string;
  /** The offset in the file (or the position in the log) at which the buffer starts. */
  readonly offset: number;
}

/** The error of a file that is damaged at a place. `expected` says what should have been there. */
export function damaged(place: BytesPlace, at: number, expected: string): JournalError {
  return new JournalError("journal_corrupt", `The store is damaged: expected ${expected}.`, {
    place: { segment: place.file, offset: place.offset + at },
  });
}

/** The error of what a newer version has written and this one must not skip. `what` begins the sentence. */
export function writtenByNewer(place: BytesPlace, at: number, what: string): JournalError {
  return new JournalError("journal_version_newer", `${what} is of a newer version.`, {
    place: { segment: place.file, offset: place.offset + at },
  });
}
