/** How much of a list of operators is read. */

export const operatorLimits = {
  /** Of one file. */
  operatorCountMax: 1_000_000,
  /** Of one side of one operator. */
  tensorCountMax: 1_024,
  outputCountMax: 1_024,
  /** Of a printed graph. */
  lineLengthMax: 1_000_000,
} as const;
