/** How many metrics are read at once; what has more is refused. */

export const metricLimits = {
  seriesCountMax: 500_000,
  pointCountMax: 20_000_000,
  /** Characters of one line of text; longer ones are no sample. */
  lineLengthMax: 65_536,
  /** Characters of one row of a table. */
  rowLengthMax: 256 * 1024 * 1024,
  /** Columns of a table. */
  columnCountMax: 20_000,
  nameLengthMax: 1_024,
  labelCountMax: 128,
  labelLengthMax: 1_024,
  unitLengthMax: 64,
} as const;
