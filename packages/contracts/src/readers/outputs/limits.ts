/** How much of recorded outputs is read. */

export const outputLimits = {
  outputCountMax: 100_000,
  /** Of one output. Of a larger array an even choice is kept. */
  valueCountMax: 65_536,
  /** Of all outputs of one file. */
  valueCountTotalMax: 8_000_000,
  headerLengthMax: 65_536,
} as const;
