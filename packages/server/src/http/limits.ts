/** Named limits of the control API. */

export const httpLimits = {
  /** The body of a JSON request to `/api`. */
  jsonBodyBytesMax: 1_048_576,
  /** How long one request may take before its work is cancelled. */
  requestMsMax: 180_000,
  /** How long the bytes of one request may take to arrive. */
  receiveMsMax: 120_000,
  /** How long a stop waits for requests that are under way. */
  drainMsMax: 10_000,
  headerBytesMax: 16_384,
  /** Longest path parameter: a snapshot id. */
  parameterLengthMax: 128,
  /** Sessions at once; the oldest goes first. */
  sessionCountMax: 10_000,
  sessionHoursMax: 12,
} as const;
