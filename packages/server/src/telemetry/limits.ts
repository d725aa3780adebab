/** What telemetry takes, keeps and gives at once. */

const mebibyte = 1_024 * 1_024;

/** The part of the configuration that telemetry reads. */
export interface TelemetrySettings {
  readonly store: {
    /** Days before today that are kept; older ones are dropped and no longer taken. */
    readonly retentionDays: number;
    /** At this size the oldest days are dropped. */
    readonly sizeBytesMax: number;
  };
  readonly otlp: {
    /** Of one request, after decompression. */
    readonly unpackedBytesMax: number;
    /** Spans, log records or data points of one request. */
    readonly recordCountMax: number;
  };
}

export const telemetryLimits = {
  /** How far ahead of our clock a record may lie. */
  aheadMs: 24 * 60 * 60 * 1_000,
  /** Rows that wait for a commit; beyond it callers are told to come back. */
  queueRowCountMax: 200_000,
  /** Characters of the rows that wait. */
  queueCharactersMax: 128 * mebibyte,
  /** Requests are joined into one commit up to this many rows; a larger one goes alone. */
  commitRowCountMax: 25_000,
  /** Origins that are known to be stored, so that they are not sent again. */
  originCountMax: 10_000,
  /** Between two rounds of upkeep: partitions ahead, retention, size. */
  upkeepIntervalMs: 60_000,
  /** Characters written after which the size is looked at without waiting for the next round. */
  upkeepCharacters: 256 * mebibyte,
  /** Partitions that exist ahead of time, counted from today. */
  daysAhead: 2,
  /** Summaries deleted by one statement, so that none holds its locks for long. */
  purgeRowCount: 20_000,
  /** Characters of the message of a partial success. */
  partialMessageLengthMax: 2_000,
  traceSpanCountMax: 20_000,
  traceListCount: 50,
  traceListCountMax: 200,
  serviceCountMax: 500,
  /** Operations that the list of services names for each. */
  operationCountMax: 200,
  /** Rows of one service that the list of services counts, newest first. */
  operationRowCountMax: 20_000,
  servicesOfTraceMax: 100,
  recordListCountMax: 1_000,
  failedOperationCountMax: 50,
  /** Between the making of an operation's id and the start of its span. */
  operationStartSlackMs: 60_000,
  trafficPointCount: 60,
  edgeCountMax: 200,
  /** The edges of the overview come from the newest traces of the window, up to these numbers. */
  edgeTraceCountMax: 2_000,
  edgeSpanCountMax: 50_000,
} as const;

export const dayMs = 24 * 60 * 60 * 1_000;
export const microsPerMs = 1_000;
export const nanosPerMicro = 1_000;
export const nanosPerMs = 1_000_000;
