/** Limits of the work on one trace. */

export const traceLimits = {
  /** Distinct statements and URLs whose reduced form is remembered during one check. */
  fingerprintCacheMax: 20_000,
  /** Characters of a statement that are tokenised; the rest only takes part in equality of length. */
  statementLengthMax: 16_384,
  /** Characters up to which a statement is remembered by its form without numbers. */
  statementLengthMemorable: 4_096,
  /** Names of spans and of attributes whose meaning is remembered, each. */
  nameCacheMax: 10_000,
  /** Trails of functions, and places at their ends, whose texts are kept for one snapshot. */
  trailTextsMax: 50_000,
} as const;
