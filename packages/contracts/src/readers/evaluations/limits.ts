/** How much of an evaluation is read at once. What has more is refused. */

export const evaluationLimits = {
  caseCountMax: 500_000,
  variantCountMax: 1_000,
  /** Scores of one case; further ones are left out, and said. */
  scoreCountMax: 64,
  /** Of one document of an archive, expanded. */
  entryBytesMax: 64 * 1024 * 1024,
  /** Of all documents of one archive that are read, expanded. */
  expandedBytesMax: 384 * 1024 * 1024,
} as const;
