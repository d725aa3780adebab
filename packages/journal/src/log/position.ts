/** Where a record stands in a log. */

/**
 * The offset in bytes of a record over all segments that the log ever had. It only grows, names the same record for
 * ever, and stays below 2^53, which is nine petabytes.
 */
export type LogPosition = number & { readonly __brand: "LogPosition" };

/** Before everything: reading from here starts at the oldest record that is kept. */
export const logStart: LogPosition = logPosition(0);

/** Gives a number that was counted in bytes of a log its type. */
export function logPosition(bytes: number): LogPosition {
  // A position is a plain number at run time; the brand only keeps other numbers out.
  return bytes as LogPosition;
}

/** One record and where it stands. */
export interface LogEntry {
  readonly position: LogPosition;
  /** Where the next record will be read from: what a reader keeps in order to go on later. */
  readonly next: LogPosition;
  /** The record's bytes. They are not changed afterwards, and share memory with their neighbours. */
  readonly record: Uint8Array;
}
