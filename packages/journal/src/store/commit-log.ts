/** What the store asks of its log; `Log` satisfies it. */

import type { LogEntry, LogPosition } from "../log/position.ts";

export interface CommitLog extends AsyncDisposable {
  /** Where the oldest record that is kept stands, or could stand. */
  readonly start: LogPosition;
  /** Resolves with the record's position when it is durable. Records stand in the order of the calls. */
  append(record: Uint8Array): Promise<LogPosition>;
  /** The records from a position on, in their order. */
  read(from: LogPosition, signal: AbortSignal): AsyncIterable<LogEntry>;
  /** Drops whole segments all of whose records stand before a position. */
  dropBefore(position: LogPosition): Promise<unknown>;
}
